"""What an estimator makes of rows: a matrix of float64, sparse where the library's own is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from .containers import dense
from .sources import json_value

Numbers = Any
"""A dense array, or compressed sparse rows, with a row for each of the container's."""

_WIDE = 256
"""Columns from which golden rows of a sparse matrix are written as their values that are not 0."""


def read(data: Any) -> Numbers:
    """The numbers of whatever container an estimator gives."""
    if not sparse.issparse(data):
        return dense(data)
    rows = sparse.csr_array(data, dtype=np.float64)
    rows.sum_duplicates()
    return rows


def joined(parts: Sequence[Numbers]) -> Numbers:
    """The rows of several below each other."""
    if any(sparse.issparse(part) for part in parts):
        return sparse.csr_array(sparse.vstack([sparse.csr_array(part) for part in parts], format="csr"))
    return np.concatenate(parts)


def cancelled(outputs: Numbers, inexact: np.ndarray[Any, np.dtype[np.bool_]], ratio: float) -> Numbers:
    """Whether a row has a sum in an inexact column that is not 0 and much smaller than the column's usual values."""
    rows, columns, values = _entries(outputs)
    kept = inexact[columns]
    rows, columns, values = rows[kept], columns[kept], np.abs(values[kept])
    usual = _medians(columns, values)
    found = np.zeros(outputs.shape[0], dtype=bool)
    with np.errstate(invalid="ignore"):
        found[rows[(values > 0) & (values < ratio * usual)]] = True
    return found


def has_nan(outputs: Numbers) -> Numbers:
    """Whether a row has a value that is missing."""
    rows, _, values = _entries(outputs)
    found = np.zeros(outputs.shape[0], dtype=bool)
    found[rows[np.isnan(values)]] = True
    return found


def numbers_of(outputs: Numbers) -> int:
    """How many numbers a row has in a golden file, at the most."""
    if not sparse.issparse(outputs) or outputs.shape[1] < _WIDE:
        return int(outputs.shape[1])
    return int(2 * np.diff(outputs.indptr).max(initial=0))


def written(outputs: Numbers) -> list[Any]:
    """Rows as golden files have them: all values, or of wide sparse ones those that are not 0."""
    if not sparse.issparse(outputs):
        return [_values(row) for row in outputs]
    if outputs.shape[1] < _WIDE:
        return [_values(row) for row in outputs.toarray()]
    rows = []
    for start, end in zip(outputs.indptr[:-1], outputs.indptr[1:], strict=True):
        kept = [at for at in range(start, end) if outputs.data[at] != 0]
        rows.append({"indices": outputs.indices[kept].tolist(), "values": _values(outputs.data[kept])})
    return rows


def _values(row: Any) -> list[Any]:
    return [json_value(float(value)) for value in row]


def _entries(outputs: Numbers) -> tuple[Any, Any, Any]:
    """Rows, columns and values of all numbers; of a sparse matrix those that it holds."""
    if sparse.issparse(outputs):
        entries = outputs.tocoo()
        return entries.row, entries.col, entries.data
    rows, columns = np.indices(outputs.shape)
    return rows.reshape(-1), columns.reshape(-1), outputs.reshape(-1)


def _medians(columns: Any, values: Any) -> Any:
    """For each number the median of its column's that are finite and not 0; 0 where there is none."""
    usual = np.zeros(len(values))
    counted = np.flatnonzero(np.isfinite(values) & (values > 0))
    order = counted[np.lexsort((values[counted], columns[counted]))]
    if not len(order):
        return usual
    found, starts = np.unique(columns[order], return_index=True)
    ends = np.append(starts[1:], len(order))
    # Values are sorted within each column: the median is the middle one, or lies between the two of them.
    low, high = values[order[(starts + ends - 1) // 2]], values[order[(starts + ends) // 2]]
    usual[counted] = ((low + high) / 2)[np.searchsorted(found, columns[counted])]
    return usual
