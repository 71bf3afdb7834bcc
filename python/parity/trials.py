"""What is compared: the cases of the exporter's tests with their float32 twins, the hard cases and real data.

What is promised is derived here from the estimators' classes and parameters, not from what the exporter reports.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from cases import CASES, Case

EXACT = "bit for bit"
CLOSE = "1 ULP or 1e-6"
MEASURED = "not promised"
"""Sums and functions that scikit-learn computes in float32: the exporter wants a tolerance to be given for them."""

_EXACT_FUNCTIONS = {
    "abs", "absolute", "negative", "sign", "square", "sqrt", "floor", "ceil", "trunc", "rint", "round", "reciprocal",
    "clip", "isnan",
}  # fmt: skip
_SUMS = {"PCA", "IncrementalPCA", "TruncatedSVD", "SplineTransformer", "PowerTransformer"}


@dataclass
class Trial:
    """One fitted estimator to be served.

    Attributes:
        name: For people, and for the feature set's folder.
        group: The table's line.
        case: What is fitted and exported.
        rows: A container of rows to ask for; made up where it is None.
        expected: What must be served for the rows where scikit-learn itself rejects them.
        promise: How near served values must come.
        fitted: The estimator after fitting, or where it is given instead of fitting.
        is_sparse: Whether scikit-learn gives a sparse matrix.
    """

    name: str
    group: str
    case: Case
    rows: Any = None
    expected: Any = None
    promise: str = ""
    fitted: Any = None
    is_sparse: bool = False

    def __post_init__(self) -> None:
        # Two trials may share a case's estimator, and fitting changes it.
        self.case = self.case._replace(estimator=copy.deepcopy(self.case.estimator))
        self.promise = self.promise or promise_of(self.case.estimator)


def promise_of(estimator: Any) -> str:
    """What the README promises for an estimator: sums and functions such as exp may be off in their last bit."""
    return CLOSE if any(_rounds(one) for one in steps_of(estimator)) else EXACT


def steps_of(estimator: Any) -> Iterator[Any]:
    """An estimator and those inside it."""
    if isinstance(estimator, (list, tuple)):
        for one in estimator:
            yield from steps_of(one)
    elif hasattr(estimator, "get_params"):
        yield estimator
        for inner in ("steps", "transformers", "transformer_list", "remainder"):
            yield from steps_of(getattr(estimator, inner, None))


def _rounds(step: Any) -> bool:
    kind = type(step).__name__
    if kind == "QuantileTransformer":
        return step.output_distribution == "normal"
    if kind == "Normalizer":
        return step.norm != "max"
    if kind == "HashingVectorizer":
        return step.norm is not None
    if kind.startswith("Tfidf"):
        return step.norm is not None or step.use_idf or step.sublinear_tf
    if kind == "FunctionTransformer":
        return step.func is not None and step.func.__name__ not in _EXACT_FUNCTIONS
    return kind in _SUMS


def library_trials() -> list[Trial]:
    """The cases of the exporter's tests, each with floats in float64 and in float32."""
    trials = []
    for name, case in CASES.items():
        trials.append(Trial(name, group_of(case.estimator), case))
        twin = _as_float32(case)
        if twin is not None and f"{name}, float32" not in CASES:
            trials.append(Trial(f"{name}, float32", group_of(case.estimator), twin))
    return trials


def group_of(estimator: Any) -> str:
    """The name of the class; of a pipeline's parts where it is one of a few."""
    steps = getattr(estimator, "steps", None)
    kind = type(estimator).__name__
    if steps is None:
        return kind
    names = [type(step).__name__ for _, step in steps if hasattr(step, "get_params")]
    return kind if len(names) > 2 or {"ColumnTransformer", "FeatureUnion"} & set(names) else " + ".join(names)


def _as_float32(case: Case) -> Case | None:
    fit, sample = _narrowed(case.fit), _narrowed(case.sample)
    return None if fit is None or sample is None else case._replace(fit=fit, sample=sample)


def _narrowed(data: Any) -> Any:
    """The same with floats in 32 bits, or None where there are none in 64."""
    if isinstance(data, np.ndarray):
        return data.astype(np.float32) if data.dtype == np.float64 else None
    if isinstance(data, pd.DataFrame):
        wide = [name for name, dtype in data.dtypes.items() if dtype == np.float64]
        return data.astype(dict.fromkeys(wide, np.float32)) if wide else None
    return None
