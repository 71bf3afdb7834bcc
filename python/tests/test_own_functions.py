"""Functions and transformers of one's own: said as expressions, or traced, and held to the function by golden rows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from server import needs_server
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from quiver_features import ExportError, export, register
from quiver_features.exporter import formulas
from quiver_features.exporter.problems import Refusal
from quiver_features.exporter.tracing import Untraceable, trace

VALUES = np.array([[1.0, 2.0], [3.0, np.nan], [0.5, -7.0], [40.0, 2.5]] * 4)
README = Path(__file__).resolve().parents[1] / "README.md"


def log2(x: Any) -> Any:
    return np.where(x > 2, np.floor(np.log(x) ** 2), x)


def sorted_by_place(x: Any) -> Any:
    return np.sort(x, axis=1)


class Capped(TransformerMixin, BaseEstimator):
    """A transformer that scikit-learn does not have."""

    def fit(self, X: Any, y: Any = None) -> Capped:
        self.tops_ = np.nanmax(np.asarray(X), axis=0) / 2
        return self

    def transform(self, X: Any) -> Any:
        return np.minimum(np.asarray(X), self.tops_)


class CappedTwice(Capped):
    """May compute something else."""


register(Capped, lambda fitted: [f"min(x, {top})" for top in fitted.tops_])

READ = {
    "if(x > 2, floor(log(x) ** 2), x)": "(floor((log(x)) ** 2) if (x > 2) else x)",
    "1 if x > 2 else 0": "1 if (x > 2) else 0",
    "x > 2": "1.0 if x > 2 else 0.0",
    "0 < x < 2.5": "1.0 if (0 < x) and (x < 2.5) else 0.0",
    "where(not a, b, -1)": "(b if (not a) else (-1))",
    "maximum(a, 0) / round(b)": "max(a, 0) / round_half_even(b)",
    "1 if if(a > 1, b, a) > 2 else 'x\"'": '1 if ((b if (a > 1) else a) > 2) else "x\\""',
    "x if(y > 1) else z": "x if (y > 1) else z",
}


@pytest.mark.parametrize("text", READ)
def test_expressions_are_read(text: str) -> None:
    written = formulas.read(text).text
    assert written.replace("(", "").replace(")", "") == READ[text].replace("(", "").replace(")", "")


def test_what_is_known_of_an_expression() -> None:
    found = formulas.read("coalesce(log(b), 0.5) + b * a")
    assert found.names == ("b", "a") and found.takes_null and not found.is_exact and found.constants == (0.5,)
    assert formulas.read("max(a, 1) / 3").is_exact and not formulas.read("a ** 2").is_exact


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x +", "invalid syntax"),
        ("gamma(x)", "there is no function 'gamma'; the functions are: abs"),
        ("if(x, 1)", "if takes a condition and two values"),
        ("x.mean()", "'x.mean\\(\\)' is no part of an expression"),
        ("x[0]", "'x\\[0\\]' is no part"),
        ("1 + 2", "reads no column"),
        ("x + None", "None is neither a finite number nor text"),
    ],
)
def test_mistakes_in_expressions_are_reported(text: str, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        formulas.read(text)


TRACED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a chain": (lambda x: np.log1p(np.abs(x)) / 2, "(log1p(abs(x)) / 2)"),
    "a choice": (lambda x: np.where(x > 1, x, -1), "(x if (x > 1) else (-1))"),
    "conditions as numbers": (lambda x: (x > 1) * 2.0, "((1.0 if (x > 1) else 0.0) * 2.0)"),
    "logic": (lambda x: (x < 1) & ~np.isnan(x), "(1.0 if ((x < 1) and (not (x != x))) else 0.0)"),
    "the shorter powers": (lambda x: x**2 + x**0.5 + x**3, "((square(x) + sqrt(x)) + (x ** 3))"),
    "methods": (lambda x: x.clip(0, 1).round(), "round_half_even(min(max(x, 0), 1))"),
    "clip": (lambda x: np.clip(x, None, 3.5), "min(x, 3.5)"),
    "infinity": (lambda x: np.minimum(x, np.inf), "min(x, (1.0 / 0.0))"),
}


@pytest.mark.parametrize("name", TRACED)
def test_functions_are_traced(name: str) -> None:
    function, text = TRACED[name]
    assert trace(function, {}, np.dtype("float64")) == text


@pytest.mark.parametrize(
    ("function", "dtype", "message"),
    [
        (lambda x: x - np.mean(x), "float64", "mean can't be expressed"),
        (lambda x: x if x[0] > 1 else -x, "float64", "TypeError"),
        (lambda x: x if x > 1 else -x, "float64", "depends on the values"),
        (lambda x: np.add.accumulate(x), "float64", "add with accumulate"),
        (lambda x: x + np.array([1.0, 2.0]), "float64", "a ndarray beside its input"),
        (lambda x: np.float64(1.0), "float64", "gives a float64"),
        (lambda x: x * x, "int64", "multiply is integer arithmetic"),
        (lambda x: np.sqrt(x), "int8", "computes in float16"),
        (lambda x: np.asarray(x) + 1, "float64", "takes the values as an array"),
    ],
)
def test_other_functions_are_not(function: Any, dtype: str, message: str) -> None:
    with pytest.raises(Untraceable, match=message):
        trace(function, {}, np.dtype(dtype))


def expression_in(folder: Path) -> list[str]:
    spec = json.loads((folder / "spec.json").read_text())
    steps = [step for feature in spec["features"] for step in feature.get("steps", [])]
    return [step["expression"] for step in steps if step["op"] == "expr"]


SAID: dict[str, tuple[Any, dict[Any, Any]]] = {
    "by the step's name": (
        make_pipeline(FunctionTransformer(np.nan_to_num)),
        {"functiontransformer": "if(x != x, 0, x)"},
    ),
    "by the function": (make_pipeline(FunctionTransformer(np.nan_to_num)), {np.nan_to_num: "0 if x != x else x"}),
    "by column": (FunctionTransformer(np.nan_to_num), {np.nan_to_num: ["coalesce(x, 0)", "if(x != x, 0, x)"]}),
    "asking for null": (FunctionTransformer(np.nan_to_num), {np.nan_to_num: "if(is_null(x), 0, x)"}),
    "in the place of a trace": (FunctionTransformer(log2), {"FunctionTransformer": "if(x > 2, floor(log(x) ** 2), x)"}),
    "over several columns": (
        FunctionTransformer(lambda x: np.stack([x[:, 0] * x[:, 1]], axis=1)),
        {"FunctionTransformer": ["x0 * x1"]},
    ),
    "traced": (make_pipeline(FunctionTransformer(log2), StandardScaler()), {}),
    "of one's own class": (make_pipeline(Capped(), StandardScaler()), {}),
}


@needs_server
@pytest.mark.parametrize("name", SAID)
def test_expressions_are_held_to_the_function(name: str, tmp_path: Path) -> None:
    estimator, expressions = SAID[name]
    folder = export(estimator.fit(VALUES), tmp_path, "own", sample=VALUES, expressions=expressions)
    assert expression_in(folder)


@needs_server
def test_a_wrong_expression_is_not_published(tmp_path: Path) -> None:
    fitted = FunctionTransformer(log2).fit(VALUES)
    with pytest.raises(ExportError, match="expected"):
        export(fitted, tmp_path, "own", sample=VALUES, expressions={log2: "if(x >= 3, floor(log(x) ** 2), x)"})
    assert not any(tmp_path.rglob("*.json"))


REFUSED: dict[str, tuple[Any, dict[Any, Any], str]] = {
    "no formula": (
        FunctionTransformer(sorted_by_place),
        {},
        "sort can't be expressed. Say what it computes: expressions=",
    ),
    "no such step": (
        FunctionTransformer(log2),
        {"log3": "x"},
        "'log3' is no step with a function.*FunctionTransformer",
    ),
    "no such column": (FunctionTransformer(log2), {log2: "y"}, "reads 'y'; the columns are: x0, x1, x"),
    "too few": (FunctionTransformer(log2), {log2: ["x"]}, "gives 2 columns for the sample, there are 1 expressions"),
    "a subclass": (CappedTwice(), {}, "CappedTwice is a subclass of Capped"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name: str, tmp_path: Path) -> None:
    estimator, expressions, message = REFUSED[name]
    with pytest.raises(ExportError, match=message):
        export(estimator.fit(VALUES), tmp_path, "own", sample=VALUES, expressions=expressions, quiver=False)


def test_columns_are_read_by_name(tmp_path: Path) -> None:
    data = pd.DataFrame({"clicks": [1.0, 2.0, 3.0], "views": [4.0, 5.0, 0.0]})
    ratio = FunctionTransformer(lambda frame: (frame["clicks"] / frame["views"].clip(1)).to_frame("ratio"))
    steps = ColumnTransformer([("ratio", ratio, ["clicks", "views"])], verbose_feature_names_out=False).fit(data)
    expressions = {"ratio": ["clicks / max(views, 1)"]}
    folder = export(steps, tmp_path, "own", sample=data, expressions=expressions)
    assert expression_in(folder) == ["clicks / max(views, 1)"]


def test_the_readme_s_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = README.read_text()
    found = re.search(r"### Functions of your own.*?```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    monkeypatch.chdir(tmp_path)
    exec(found[1], {"__name__": "readme"})
    assert (tmp_path / "repository/feature_sets/ads_ctr/1/spec.json").exists()
