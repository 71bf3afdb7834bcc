"""Compressed sparse rows of an answer: the values that are not 0, over the message's bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

_INT32 = (1 << 31) - 1


@dataclass(frozen=True, eq=False)
class SparseValues:
    """A matrix of mostly zeros.

    Attributes:
        shape: Rows and columns.
        data: The values that are not 0, row by row. bfloat16 comes as in dense matrices.
        indices: The column of each, increasing within a row.
        row_offsets: Where each row begins among them, and their number at the end.
    """

    shape: tuple[int, int]
    data: np.ndarray[Any, Any]
    indices: np.ndarray[Any, np.dtype[np.uint32]]
    row_offsets: np.ndarray[Any, np.dtype[np.uint64]]

    def to_scipy(self) -> Any:
        """A scipy.sparse.csr_array; data and indices are not copied where SciPy has their types."""
        from scipy import sparse

        small = max(self.shape[1], len(self.indices)) <= _INT32
        # Without a copy: the same bits mean the same number in both.
        indices = self.indices.view("<i4") if small else self.indices.astype(np.int64)
        offsets = self.row_offsets.astype(np.int32 if small else np.int64)
        matrix = sparse.csr_array((_computed(self.data), indices, offsets), shape=self.shape)
        matrix.has_canonical_format = True
        return matrix

    def to_dense(self) -> np.ndarray[Any, Any]:
        """All values, zeros included, as a matrix of its own."""
        dense = np.zeros(self.shape, self.data.dtype)
        rows = np.repeat(np.arange(self.shape[0]), np.diff(self.row_offsets.astype(np.int64)))
        dense[rows, self.indices] = self.data
        return dense


def _computed(data: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """In a type that SciPy has: the half ones as float32, which holds each of their values."""
    if data.dtype == np.dtype("<u2"):
        return (data.astype(np.uint32) << 16).view(np.float32)
    return data.astype(np.float32) if data.dtype.itemsize == 2 else data
