"""Estimators of estimators: Pipeline, FeatureUnion, ColumnTransformer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing

from .. import expressions as ex
from .. import registry
from ..columns import Column, Columns
from ..containers import labels_of, numpy_types
from ..expressions import Expression
from ..matrix import Matrix, elementwise, numbers
from ..problems import Refusal
from ..registry import Context, exports
from ..walk import Stopped, is_passthrough, not_known, walk


@exports("Pipeline", composition=True)
def pipeline(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """One step after the other. After a step that can't be exported, the others are only checked for being known."""
    stopped = False
    for name, step in estimator.steps:
        below = context.below(name)
        if is_passthrough(step):
            continue
        if stopped:
            if registry.find(step) is None:
                below.refuse(not_known(step))
            continue
        try:
            matrix = walk(step, matrix, below)
        except Stopped:
            stopped = True
    if stopped:
        raise Stopped
    return matrix.columns


@exports("FeatureUnion", composition=True)
def feature_union(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """The steps' columns side by side, each step's times its weight."""
    weights = estimator.transformer_weights or {}
    branches: list[tuple[str, Callable[[], Sequence[Column]]]] = []
    for name, step in estimator.transformer_list:
        if isinstance(step, str) and step == "drop":
            continue

        def branch(name: str = name, step: Any = step) -> Sequence[Column]:
            below = context.below(name)
            result = matrix if is_passthrough(step) else walk(step, matrix, below)
            return _named(_weighted(result, weights.get(name), below), estimator, name)

        branches.append((name, branch))
    return Columns.joined(_all_or_stopped(branches))


def _named(columns: Sequence[Column], estimator: Any, step: str) -> Columns:
    """The columns with the step's name before theirs, as the estimator says.

    The library itself gives no names where one of the steps has none.
    """
    columns, how = Columns.of(columns), getattr(estimator, "verbose_feature_names_out", True)
    if how is False:
        return columns
    if how is True:
        return columns.prefixed(f"{step}__")

    def named(name: str) -> str:
        if callable(how):
            return str(how(step, name))
        return str(how.format(transformer_name=step, feature_name=name))

    return columns.renamed([named(column.name) for column in columns])


def _weighted(matrix: Matrix, weight: Any, context: Context) -> Sequence[Column]:
    """The columns times a step's weight."""
    if weight is None or weight == 1:
        return matrix.columns
    try:
        return _times(matrix, weight)
    except Refusal as refusal:
        context.refuse(str(refusal))
        raise Stopped from refusal


def _times(matrix: Matrix, weight: Any) -> Sequence[Column]:
    if weight == 0:
        raise Refusal("its weight is 0: drop the step instead")
    # A plain Python number takes the data's float type.
    precisions = [_precision(dtype, weight) for dtype in numpy_types(matrix.data)]

    def times(x: Expression, at: Sequence[int]) -> Expression:
        precision = precisions[at[0]]
        return ex.standardize(x, 0.0, float(np.asarray(weight, precision)), form="multiply", precision=precision)

    return elementwise(numbers(matrix.columns), times)


def _precision(before: np.dtype[Any], weight: Any) -> str:
    dtype = (np.ones(1, before) * weight).dtype
    if before.kind in "iu" and dtype.kind in "iu":
        raise Refusal(f"its weight {weight} times {before} is integer arithmetic: write {float(weight)}")
    if dtype.kind == "f" and dtype.itemsize not in (4, 8):
        raise Refusal(f"computes in {dtype}, which the engine can't repeat: cast the data to float32 or float64")
    return "float32" if dtype == np.float32 else "float64"


@exports("ColumnTransformer", composition=True)
def column_transformer(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """Each step on its columns, the results side by side in the order of the steps, the remainder last."""
    data = matrix.data
    if isinstance(data, list):
        # As it does by itself.
        data = np.asarray(data, dtype=object)
    labels = labels_of(data)
    weights = estimator.transformer_weights or {}
    branches: list[tuple[str, Callable[[], Sequence[Column]]]] = []
    for name, step, columns in estimator.transformers_:
        if isinstance(step, str) and step == "drop":
            continue
        positions = [int(position) for position in estimator._transformer_to_input_indices[name]]
        if labels is not None and hasattr(estimator, "feature_names_in_"):
            positions = [labels.index(estimator.feature_names_in_[position]) for position in positions]
        if not positions:
            continue
        one_dimensional = isinstance(columns, (str, int, np.integer)) and not isinstance(columns, bool)

        def branch(
            name: str = name, step: Any = step, positions: list[int] = positions, flat: bool = one_dimensional
        ) -> Sequence[Column]:
            chosen = Columns.of(matrix.columns[position] for position in positions)
            of_step = Matrix(chosen, _safe_indexing(data, positions[0] if flat else positions, axis=1))
            below = context.below(name)
            result = of_step if _is_identity(step) else walk(step, of_step, below)
            return _named(_weighted(result, weights.get(name), below), estimator, name)

        branches.append((name, branch))
    by_step = dict(zip((name for name, _ in branches), _all_or_stopped(branches), strict=True))
    return _in_output_order(estimator, by_step)


def _is_identity(step: Any) -> bool:
    """A passthrough, which a fitted ColumnTransformer holds as a FunctionTransformer without a function."""
    return is_passthrough(step) or (type(step).__name__ == "FunctionTransformer" and step.func is None)


def _in_output_order(estimator: Any, by_step: dict[str, Sequence[Column]]) -> Columns:
    placed = [(estimator.output_indices_[name].start, columns) for name, columns in by_step.items() if columns]
    return Columns.joined(columns for _, columns in sorted(placed, key=lambda one: one[0]))


def _all_or_stopped(branches: list[tuple[str, Callable[[], Sequence[Column]]]]) -> list[Sequence[Column]]:
    """Runs every branch, so that the problems of all are found."""
    results: list[Sequence[Column]] = []
    stopped = False
    for _, branch in branches:
        try:
            results.append(branch())
        except Stopped:
            stopped = True
    if stopped:
        raise Stopped
    return results
