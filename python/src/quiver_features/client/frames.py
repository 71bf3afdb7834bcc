"""Containers of columns with labels: pandas, polars, Arrow, NumPy's records, and what gives Arrow's stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .reading import library_of
from .vectors import Unreadable

_ANY = "biufMmOSU"
"""The kinds of NumPy's types that a frame has."""

_WORTH_A_BLOCK = 3
"""How many columns of one type are taken at once."""


@dataclass(frozen=True)
class Frame:
    """Columns with labels.

    Attributes:
        labels: Of all columns.
        rows: The number of rows.
        columns: Gives the columns at some places.
        singles: Gives the one value of some columns that hold it in each row, where that is faster to find.
    """

    labels: Sequence[Any]
    rows: int
    columns: Callable[[Sequence[int]], list[Any]]
    singles: Callable[[Sequence[int]], dict[int, Any]] = lambda _: {}


def frame_of(container: Any) -> Frame | None:
    """The container as columns with labels, or None if it has none.

    Raises:
        Unreadable: If it must be made one first.
    """
    library = library_of(container)
    if library == "pandas":
        return _of_pandas(container) if hasattr(container, "columns") else None
    if library == "polars":
        return _of_polars(container)
    if library == "pyarrow":
        return _of_arrow(container) if hasattr(container, "column_names") else None
    if isinstance(container, np.ndarray):
        return _of_records(container) if container.dtype.names is not None else None
    if hasattr(container, "__arrow_c_stream__"):
        import pyarrow

        return _of_arrow(pyarrow.table(container))
    return None


def _of_pandas(frame: Any) -> Frame:
    labels = list(frame.columns)
    by_label = frame.columns.is_unique and not isinstance(labels[0] if labels else None, tuple)

    def columns(places: Sequence[int]) -> list[Any]:
        blocks = {
            at: block[:, column] for block, of_type in _blocks(frame, places, _ANY) for column, at in enumerate(of_type)
        }
        return [blocks[at] if at in blocks else frame[labels[at]] if by_label else frame.iloc[:, at] for at in places]

    return Frame(labels, len(frame), columns, lambda places: _singles(frame, places))


def _blocks(frame: Any, places: Sequence[int], kinds: str) -> Iterator[tuple[Any, list[int]]]:
    """Columns of NumPy's types of some kinds: those of one type are taken at once, which is many times faster."""
    by_type: dict[Any, list[int]] = {}
    dtypes = frame.dtypes.tolist()
    for at in places:
        if isinstance(dtypes[at], np.dtype) and dtypes[at].kind in kinds:
            by_type.setdefault(dtypes[at], []).append(at)
    for of_type in by_type.values():
        if len(of_type) >= _WORTH_A_BLOCK:
            yield frame.take(of_type, axis=1).to_numpy(), of_type


def _singles(frame: Any, places: Sequence[int]) -> dict[int, Any]:
    """Numbers that columns hold in each row; all columns of a type are compared at once."""
    found: dict[int, Any] = {}
    for block, of_type in _blocks(frame, places, "biuf") if len(frame) else ():
        same = block == block[0]
        if block.dtype.kind == "f":
            same |= np.isnan(block) & np.isnan(block[0])
        values = block[0].tolist() if block.dtype.itemsize == 8 else list(block[0])
        found.update({at: value for at, value, one in zip(of_type, values, same.all(axis=0), strict=True) if one})
    return found


def _of_polars(frame: Any) -> Frame | None:
    import polars

    if isinstance(frame, polars.LazyFrame):
        raise Unreadable("are a LazyFrame; send what collect() gives")
    if not isinstance(frame, polars.DataFrame):
        return None
    series = frame.get_columns()
    return Frame(frame.columns, frame.height, lambda places: [series[at] for at in places])


def _of_arrow(table: Any) -> Frame:
    return Frame(table.column_names, table.num_rows, lambda places: [table.column(at) for at in places])


def _of_records(array: np.ndarray[Any, Any]) -> Frame:
    if array.ndim != 1:
        raise Unreadable(f"are records of {array.ndim} dimensions, must have one")
    names = array.dtype.names or ()
    return Frame(names, len(array), lambda places: [array[names[at]] for at in places])
