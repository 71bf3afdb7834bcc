"""Estimators of estimators: Pipeline, FeatureUnion, ColumnTransformer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing

from .. import expressions as ex
from .. import registry
from ..matrix import Column, Matrix, elementwise, number, work_type
from ..problems import Refusal
from ..registry import Context, exports
from ..walk import Stopped, is_passthrough, not_known, walk


@exports("Pipeline")
def pipeline(estimator: Any, matrix: Matrix, context: Context) -> list[Column]:
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
    return list(matrix.columns)


@exports("FeatureUnion")
def feature_union(estimator: Any, matrix: Matrix, context: Context) -> list[Column]:
    """The steps' columns side by side, each step's times its weight."""
    weights = estimator.transformer_weights or {}
    branches: list[tuple[str, Callable[[], list[Column]]]] = []
    for name, step in estimator.transformer_list:
        if isinstance(step, str) and step == "drop":
            continue

        def branch(name: str = name, step: Any = step) -> list[Column]:
            below = context.below(name)
            result = matrix if is_passthrough(step) else walk(step, matrix, below)
            try:
                return _weighted(result, weights.get(name))
            except Refusal as refusal:
                below.refuse(str(refusal))
                raise Stopped from refusal

        branches.append((name, branch))
    return [column for columns in _all_or_stopped(branches) for column in columns]


def _weighted(matrix: Matrix, weight: Any) -> list[Column]:
    if weight is None or weight == 1:
        return list(matrix.columns)
    if weight == 0:
        raise Refusal("its weight is 0: drop the step instead")
    # A plain Python number takes the data's float type.
    precision = (np.ones(1, work_type(matrix.data)) * weight).dtype.name
    factor = float(np.asarray(weight, precision))
    return elementwise(
        matrix.columns, lambda x, _: ex.standardize(number(x), 0.0, factor, form="multiply", precision=precision)
    )


@exports("ColumnTransformer")
def column_transformer(estimator: Any, matrix: Matrix, context: Context) -> list[Column]:
    """Each step on its columns, the results side by side in the order of the steps, the remainder last."""
    by_name = hasattr(estimator, "feature_names_in_") and hasattr(matrix.data, "columns")
    branches: list[tuple[str, Callable[[], list[Column]]]] = []
    for name, step, columns in estimator.transformers_:
        if isinstance(step, str) and step == "drop":
            continue
        positions = [int(position) for position in estimator._transformer_to_input_indices[name]]
        if by_name:
            labels = [estimator.feature_names_in_[position] for position in positions]
            positions = [list(matrix.data.columns).index(label) for label in labels]
        if not positions:
            continue
        one_dimensional = isinstance(columns, (str, int, np.integer)) and not isinstance(columns, bool)

        def branch(
            name: str = name, step: Any = step, positions: list[int] = positions, flat: bool = one_dimensional
        ) -> list[Column]:
            chosen = tuple(matrix.columns[position] for position in positions)
            if _is_identity(step):
                return list(chosen)
            data = _safe_indexing(matrix.data, positions[0] if flat else positions, axis=1)
            return list(walk(step, Matrix(chosen, data), context.below(name)).columns)

        branches.append((name, branch))
    by_step = dict(zip((name for name, _ in branches), _all_or_stopped(branches), strict=True))
    return _in_output_order(estimator, by_step)


def _is_identity(step: Any) -> bool:
    """A passthrough, which a fitted ColumnTransformer holds as a FunctionTransformer without a function."""
    return is_passthrough(step) or (type(step).__name__ == "FunctionTransformer" and step.func is None)


def _in_output_order(estimator: Any, by_step: dict[str, list[Column]]) -> list[Column]:
    placed = [(estimator.output_indices_[name].start, columns) for name, columns in by_step.items() if columns]
    return [column for _, columns in sorted(placed, key=lambda one: one[0]) for column in columns]


def _all_or_stopped(branches: list[tuple[str, Callable[[], list[Column]]]]) -> list[list[Column]]:
    """Runs every branch, so that the problems of all are found."""
    results: list[list[Column]] = []
    stopped = False
    for _, branch in branches:
        try:
            results.append(branch())
        except Stopped:
            stopped = True
    if stopped:
        raise Stopped
    return results
