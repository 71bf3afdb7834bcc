"""What can't be expressed is rejected with the path of the step and the reason, and nothing is written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import DOCUMENTS, frame, numbers
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PowerTransformer,
    SplineTransformer,
    StandardScaler,
)

from quiver_features import ExportError, ExportWarning, export

VALUES = numbers(missing=False)[:, :2]


class MyScaler(StandardScaler):
    """A subclass may compute something else."""


REFUSALS: dict[str, tuple[Any, Any, str]] = {
    "an estimator that is not known": (KNNImputer(), VALUES, "KNNImputer: KNNImputer can't be expressed; what can"),
    "a subclass": (MyScaler(), VALUES, "MyScaler is a subclass of StandardScaler"),
    "a function": (FunctionTransformer(np.gradient), VALUES, "FunctionTransformer: the function gradient"),
    "integer arithmetic": (FunctionTransformer(np.reciprocal), np.array([[1], [2]]), "reciprocal of int64 is integer"),
    "narrow integers": (FunctionTransformer(np.square), np.array([[1], [2]], dtype=np.int8), "square of int8"),
    "booleans": (FunctionTransformer(np.exp), np.array([[True], [False]]), "computes in float16"),
    "arguments": (FunctionTransformer(np.log, kw_args={"where": True}), VALUES, "log with where"),
    "a preprocessor": (CountVectorizer(preprocessor=str.upper), DOCUMENTS, "its own can't be expressed: preprocessor"),
    "an analyzer": (CountVectorizer(analyzer=str.split), DOCUMENTS, "its own can't be expressed: analyzer"),
    "a token pattern": (CountVectorizer(token_pattern="[a-z]+t"), DOCUMENTS, "token_pattern='\\[a-z\\]\\+t'"),
    "a width": (HashingVectorizer(n_features=2**21), DOCUMENTS, "at most 1048576 lanes"),
    "weights in float32": (FeatureHasher(dtype=np.float32), [{"a": 1.5}], "sums weights in that type"),
    "float32 by libm": (
        PowerTransformer("box-cox"),
        np.abs(VALUES).astype(np.float32),
        "column 'x0': scikit-learn computes",
    ),
    "float32 sums": (PCA(1), VALUES.astype(np.float32), "column 'pca': scikit-learn computes"),
    "float16": (StandardScaler(), VALUES.astype(np.float16), "column 'x0': its type is float16; cast it to float32"),
    "a spline that depends on the place": (
        SplineTransformer(degree=1, extrapolation="linear"),
        VALUES,
        "depends on a column's place",
    ),
    "a spline of a constant": (SplineTransformer(), np.ones((9, 1)), "column 'x0' was constant when it was fitted"),
    "strings in the result": (
        ColumnTransformer([("a", "passthrough", ["city"])]),
        frame(),
        "the result's column 'a__city' holds strings",
    ),
    "dates as categories": (
        OneHotEncoder(),
        pd.DataFrame({"day": pd.to_datetime(["2026-01-01", "2026-01-02"])}),
        "column 'day': its type is datetime64.*to use times as categories, cast them to text",
    ),
    "several kinds in a column": (
        OneHotEncoder(handle_unknown="ignore"),
        pd.DataFrame({"a": pd.Series([b"x", b"y"], dtype=object)}),
        "column 'a': its values are of several kinds or of one that no input has: bytes",
    ),
    "a whole weight of integers": (
        ColumnTransformer([("a", "passthrough", [0])], transformer_weights={"a": 2}),
        np.array([[1], [2]]),
        "a: its weight 2 times int64 is integer arithmetic: write 2.0",
    ),
    "a weight of 0": (
        FeatureUnion([("a", StandardScaler())], transformer_weights={"a": 0}),
        VALUES,
        "a: its weight is 0",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_it_is_refused(name: str, tmp_path: Path) -> None:
    estimator, sample, message = REFUSALS[name]
    with pytest.raises(ExportError, match=message):
        export(estimator.fit(sample), tmp_path, "refused", sample=sample)
    assert not any(tmp_path.rglob("*.json"))


def test_every_problem_is_told_with_its_path(tmp_path: Path) -> None:
    steps = ColumnTransformer(
        [
            ("num", Pipeline([("imputer", KNNImputer()), ("log", FunctionTransformer(np.log1p))]), ["age"]),
            ("odd", Pipeline([("f", FunctionTransformer(np.nan_to_num)), ("knn", KNNImputer())]), ["price", "clicks"]),
            ("good", StandardScaler(), ["clicks"]),
        ]
    )
    pipeline = Pipeline([("preprocess", steps), ("after", KNNImputer())]).fit(frame())
    with pytest.raises(ExportError) as raised:
        export(pipeline, tmp_path, "many", sample=frame())
    paths = [problem.path for problem in raised.value.problems]
    assert paths == ["preprocess > num > imputer", "preprocess > odd > f", "preprocess > odd > knn", "after"]


def test_a_model_at_the_end_is_pointed_out(tmp_path: Path) -> None:
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(VALUES, VALUES[:, 0] > 40)
    with pytest.warns(ExportWarning, match="the features of LogisticRegression, without it"):
        export(pipeline, tmp_path, "model", sample=VALUES)


ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"name": "a.b"}, "must be a folder's name"),
    ({"dtype": "float8"}, "dtype is 'float8'"),
    ({"dtype": "int64"}, "an int64 output needs an integer"),
    ({"dtype": "int64", "default": 0}, "an int64 output holds integers"),
    ({"scopes": {"x9": "request"}}, "there is no column 'x9'; there are: x0, x1"),
    ({"scopes": {"x0": "user"}}, "'x0' has the scope 'user'"),
    ({"optional": ["y"]}, "there is no column 'y'"),
    ({"version": 0}, "must be from 1"),
    ({"golden_rows": 0}, "golden_rows must be at least 1"),
    ({"sample": VALUES[:0]}, "accepts no row of the sample: it has no rows"),
    ({"sample": VALUES[:, :1]}, "accepts no row of the sample: ValueError"),
    ({"sample": "text"}, "the sample is a str"),
    ({"sample": np.array(1.0)}, "has 0 dimensions"),
    ({"sample": VALUES.reshape(1, -1, 2)}, "has 3 dimensions"),
    ({"sample": {"x0": [1.0]}}, "the sample is a dict"),
    ({"sample": [[1.0, 2.0], [3.0]]}, "the sample's rows have from 1 to 2 values"),
    ({"sample": [{"x0": 1.0}]}, "accepts no row of the sample"),
    ({"sample": np.ma.masked_array(VALUES, mask=VALUES > 40)}, "the sample is a masked array.*fill it"),
    ({"sample": pd.DataFrame(VALUES).to_records(index=False)}, "an array of records; make a frame of it"),
]


@pytest.mark.parametrize(("arguments", "message"), ARGUMENTS)
def test_wrong_arguments_are_told(arguments: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=message):
        export(StandardScaler().fit(VALUES), tmp_path, **{"name": "scaled", "sample": VALUES, **arguments})
    assert not any(tmp_path.rglob("*.json"))


def test_an_estimator_that_is_not_fitted_is_told(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="not fitted"):
        export(StandardScaler(), tmp_path, "scaled", sample=VALUES)


def test_float32_by_libm_is_exported_with_a_tolerance_of_the_callers(tmp_path: Path) -> None:
    values = VALUES.astype(np.float32)
    folder = export(PCA(1).fit(values), tmp_path, "pca", sample=values, max_ulp=500)
    assert '"max_ulp": 500' in (folder / "golden.json").read_text()


def test_versions_follow_each_other_and_are_never_overwritten(tmp_path: Path) -> None:
    fitted = StandardScaler().fit(VALUES)
    folders = [export(fitted, tmp_path, "scaled", sample=VALUES, version=number) for number in (None, 7, None)]
    assert [folder.name for folder in folders] == ["1", "7", "8"]
    with pytest.raises(ExportError, match="exists already"):
        export(fitted, tmp_path, "scaled", sample=VALUES, version=7)
    assert sorted(one.name for one in (tmp_path / "feature_sets" / "scaled").iterdir()) == ["1", "7", "8"]


def test_long_lists_lie_in_files(tmp_path: Path) -> None:
    data = pd.DataFrame({"user": [f"user-{number}" for number in range(1001)]})
    folder = export(OneHotEncoder().fit(data), tmp_path, "users", sample=data, golden_rows=3)
    assert sorted(one.name for one in folder.iterdir()) == ["0-user-0-categories.parquet", "golden.json", "spec.json"]


def test_names_follow_the_library(tmp_path: Path) -> None:
    data = pd.DataFrame({"a.b": [1.0, 2.0], "a_b": [1.0, 3.0], "c/d": ["x", "y"]})
    steps = ColumnTransformer([("n", SimpleImputer(), ["a.b", "a_b"]), ("c", OneHotEncoder(), ["c/d"])])
    folder = export(steps.fit(data), tmp_path, "names", sample=data)
    import json

    spec = json.loads((folder / "spec.json").read_text())
    assert [one["name"] for one in spec["inputs"]] == ["a.b", "a_b", "c/d"]
    assert spec["outputs"][0]["features"] == ["n__a.b", "n__a_b", "c__c/d"]


def test_the_client_needs_no_exporter() -> None:
    code = "import sys, quiver_features; assert 'sklearn' not in sys.modules and 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
