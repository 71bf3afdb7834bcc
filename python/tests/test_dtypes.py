"""Columns of every type through every estimator: served as transformed, or rejected with the column and the reason."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from dtypes import columns, containers, values_of
from server import check, needs_server, serving
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    LabelBinarizer,
    LabelEncoder,
    MaxAbsScaler,
    MinMaxScaler,
    MultiLabelBinarizer,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from quiver_features import Client, ExportError, ExportProblem, export
from quiver_features.exporter.containers import dense, numpy_types

NAMED = re.compile(r"column '|its input is sparse")
"""A sparse matrix is rejected as a whole."""

ODD = (np.float16, np.longdouble)

TARGET = [0, 1, 1, 0, 1, 0, 1, 1]

ESTIMATORS: dict[str, Any] = {
    "standard": StandardScaler(),
    "standard without mean": StandardScaler(with_mean=False),
    "min-max": MinMaxScaler(),
    "max-abs": MaxAbsScaler(),
    "robust": RobustScaler(with_centering=False),
    "normalizer": Normalizer("max"),
    "bins": KBinsDiscretizer(2, encode="onehot-dense", strategy="uniform", subsample=None),
    "binarizer": Binarizer(threshold=1),
    "quantile": QuantileTransformer(n_quantiles=4),
    "one-hot": OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    "one-hot, infrequent": OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=2, drop="first", sparse_output=False
    ),
    "ordinal": OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    "target": TargetEncoder(target_type="binary", cv=2, random_state=0),
    "imputer": SimpleImputer(strategy="most_frequent", add_indicator=True),
    "imputer of the mean": SimpleImputer(),
    "indicator": MissingIndicator(features="all"),
    "polynomial": PolynomialFeatures(2),
    "selector": VarianceThreshold(),
    "identity": FunctionTransformer(),
    "abs": FunctionTransformer(np.abs),
    "sqrt": FunctionTransformer(np.sqrt),
    "floor": FunctionTransformer(np.floor),
    "clip": FunctionTransformer(np.clip, kw_args={"a_min": 0, "a_max": 2}),
    "passthrough": ColumnTransformer([("a", "passthrough", [0])]),
    "weighted columns": ColumnTransformer(
        [("a", OneHotEncoder(handle_unknown="ignore", sparse_output=False), [0])], transformer_weights={"a": 0.1}
    ),
    "weighted union": FeatureUnion([("a", MaxAbsScaler())], transformer_weights={"a": 3}),
}


OF_COLUMNS: dict[str, Any] = {
    "labels": LabelEncoder(),
    "labels to columns": LabelBinarizer(),
    "collections": MultiLabelBinarizer(),
    "counts": CountVectorizer(token_pattern=r"\w+"),
    "hashed words": HashingVectorizer(n_features=16, norm=None),
    "hashed strings": FeatureHasher(8, input_type="string"),
    "dictionaries": DictVectorizer(),
}


class Exported(NamedTuple):
    """A container through all estimators that take it: what scikit-learn gives for those that were exported."""

    container: Any
    expected: np.ndarray | None
    problems: tuple[ExportProblem, ...]


def exported(container: Any, repository: Path, name: str) -> Exported:
    """Exports all estimators as one; again without those that are rejected."""
    numeric, others = _taken(container)
    problems = []
    for estimator in others:
        problems += _refused(clone(estimator).fit(container, TARGET), container, repository, name)
    while numeric:
        union = FeatureUnion(list(numeric.items())).fit(container, TARGET)
        refused = _refused(union, container, repository, name)
        if not refused:
            return Exported(container, dense(union.transform(container)), tuple(problems))
        problems += refused
        steps = {problem.path.split(" > ")[0] for problem in refused}
        # What is rejected as a whole is a column that some of the steps pass on.
        as_a_whole = not steps & numeric.keys()
        numeric = {} if as_a_whole else {step: of for step, of in numeric.items() if step not in steps}
    return Exported(container, None, tuple(problems))


def _taken(container: Any) -> tuple[dict[str, Any], list[Any]]:
    """The estimators that scikit-learn can fit to the container: those that give numbers, and the others."""
    numeric, others = {}, []
    for name, estimator in ESTIMATORS.items():
        try:
            result = clone(estimator).fit(container, TARGET).transform(container)
        except Exception:
            continue
        try:
            dense(result)
        except (TypeError, ValueError):
            others.append(estimator)
            continue
        # What is computed in float16, say, has no place beside others in one matrix.
        usual = all(dtype.kind in "biufO" and dtype not in ODD for dtype in numpy_types(result))
        if usual:
            numeric[name] = estimator
        else:
            others.append(estimator)
    return numeric, others


def _refused(fitted: Any, container: Any, repository: Path, name: str) -> list[ExportProblem]:
    """Exports an estimator; gives the problems."""
    try:
        export(fitted, repository, name, sample=container, golden_rows=12, quiver=False)
    except ExportError as error:
        return list(error.problems)
    return []


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Exported]]:
    repository = tmp_path_factory.mktemp("repository")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: exported(container, repository, name) for name, container in containers().items()}
        found |= {
            f"{name} - {kind}": _of_column(estimator, column, repository, f"{name} - {kind}")
            for name, column in columns().items()
            for kind, estimator in OF_COLUMNS.items()
        }
    return repository, found


def _of_column(estimator: Any, column: Any, repository: Path, name: str) -> Exported:
    """A single column through one estimator; nothing where scikit-learn does not take it."""
    try:
        fitted = clone(estimator).fit(column)
        result = fitted.transform(column)
    except Exception:
        return Exported(column, None, ())
    problems = _refused(fitted, column, repository, name)
    return Exported(column, None if problems else dense(result), tuple(problems))


def test_what_is_refused_names_the_column_and_the_reason(sweep: tuple[Path, dict[str, Exported]]) -> None:
    problems = [str(problem) for one in sweep[1].values() for problem in one.problems]
    assert problems
    assert [problem for problem in problems if NAMED.search(problem) is None] == []


@needs_server
def test_the_server_finds_no_problem(sweep: tuple[Path, dict[str, Exported]]) -> None:
    assert check(sweep[0]) == ""


@pytest.fixture(scope="module")
def client(sweep: tuple[Path, dict[str, Exported]]) -> Iterator[Client]:
    with serving(sweep[0]) as address, Client(address) as client:
        yield client


@needs_server
def test_the_container_is_served_as_transformed(sweep: tuple[Path, dict[str, Exported]], client: Client) -> None:
    wrong = {}
    for name, one in sweep[1].items():
        if one.expected is None:
            continue
        inputs = {of.name for of in client.describe(name).inputs}
        if len(getattr(one.container, "shape", ())) == 1 or " - " in name:
            sent = {next(iter(inputs)).removesuffix("_keys").removesuffix("_values"): one.container}
        else:
            sent = {column: values for column, values in values_of(one.container).items() if column in inputs}
        got = client.get_features(name, sent)["features"]
        if not np.array_equal(got, one.expected.astype(np.float32), equal_nan=True):
            wrong[name] = (got, one.expected)
    assert wrong == {}
