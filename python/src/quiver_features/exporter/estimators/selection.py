"""Selectors of columns: VarianceThreshold, SelectKBest and all others that do nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..columns import Column
from ..matrix import Matrix
from ..registry import Context, exports


@exports("SelectorMixin")
def selector(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """The columns of its support, in their order."""
    return [matrix.columns[int(position)] for position in estimator.get_support(indices=True)]
