"""Selectors of columns: VarianceThreshold, SelectKBest and all others that do nothing else."""

from __future__ import annotations

from typing import Any

from ..matrix import Column, Matrix
from ..registry import Context, exports


@exports("SelectorMixin")
def selector(estimator: Any, matrix: Matrix, context: Context) -> list[Column]:
    """The columns of its support, in their order."""
    return [matrix.columns[position] for position in estimator.get_support(indices=True)]
