"""Linear projections: PCA, IncrementalPCA, TruncatedSVD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import expressions as ex
from ..columns import Column
from ..matrix import Matrix, rounded, vector, vector_columns, work_type
from ..problems import Refusal
from ..registry import Context, exports


def _projected(matrix: Matrix, components: Any, offset: Any, scale: Any, group: str) -> Sequence[Column]:
    whole = ex.project(vector(matrix.columns), components.tolist(), offset, scale)
    if work_type(matrix.data) == "float32":
        whole = whole.rough()
    columns = vector_columns(whole, group)
    return rounded([column.renamed(f"{group}{lane}") for lane, column in enumerate(columns)], matrix.data)


@exports("PCA", "IncrementalPCA")
def pca(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """X · components_ᵀ - mean_ · components_ᵀ, divided by the standard deviations where it whitens."""
    components = np.asarray(estimator.components_, dtype=np.float64)
    if type(estimator).__name__ == "IncrementalPCA" and matrix.is_sparse:
        raise Refusal("its input is sparse; only dense input can be expressed")
    mean = np.zeros(components.shape[1]) if estimator.mean_ is None else np.asarray(estimator.mean_, np.float64)
    offset = (mean.reshape(1, -1) @ components.T)[0].tolist()
    scale: Any = 1.0
    if estimator.whiten:
        deviations = np.sqrt(estimator.explained_variance_)
        smallest = np.finfo(deviations.dtype).eps
        scale = [float(max(deviation, smallest)) for deviation in deviations]
    return _projected(matrix, components, offset, scale, type(estimator).__name__.lower())


@exports("TruncatedSVD")
def truncated_svd(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """X · components_ᵀ."""
    components = np.asarray(estimator.components_, dtype=np.float64)
    return _projected(matrix, components, 0.0, 1.0, "truncatedsvd")
