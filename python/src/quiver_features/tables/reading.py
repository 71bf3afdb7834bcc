"""Data of any kind as named Arrow columns."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ..pairs import split_pairs
from .problems import Refusal, TableError

Columns = dict[str, pa.ChunkedArray | Refusal]
"""Each column's values, or the reason why they can't be read."""

_READ = (
    "a pandas or polars frame, an Arrow table or record batches, a dict of columns, an array, or the path of a "
    "Parquet, Arrow or .npy file"
)


def read(data: Any) -> Columns:
    """The columns of data by name; an array without names is "vector", or "value" if it has one dimension."""
    if isinstance(data, (str, os.PathLike)):
        return _file(Path(data))
    if _is_pandas(data):
        return _gathered([(label, data.iloc[:, at]) for at, label in enumerate(data.columns)], data.index)
    if isinstance(data, Mapping):
        return _gathered(list(data.items()))
    if isinstance(data, np.ndarray) and data.dtype.names:
        return _gathered([(name, data[name]) for name in data.dtype.names])
    table = _arrow_table(data)
    if table is not None:
        return _gathered(list(zip(table.column_names, table.columns, strict=True)))
    if hasattr(data, "__array__"):
        array = np.asarray(data)
        return _gathered([("value" if array.ndim == 1 else "vector", array)])
    raise TableError.of(f"the data is a {type(data).__name__}; what is read is {_READ}")


def _is_pandas(data: Any) -> bool:
    return hasattr(data, "iloc") and hasattr(data, "columns")


def _file(path: Path) -> Columns:
    if path.suffix == ".npy":
        return read(np.load(path, mmap_mode="r", allow_pickle=False))
    if path.suffix in {".parquet", ".pq"}:
        from pyarrow import parquet

        return read(parquet.read_table(path))
    if path.suffix in {".arrow", ".feather"}:
        from pyarrow import feather

        return read(feather.read_table(path))
    raise TableError.of(
        f"{path.name} is not a Parquet, Arrow or .npy file: read it first, for instance with pandas, "
        "or use `quiver table import`"
    )


def _arrow_table(data: Any) -> pa.Table | None:
    if isinstance(data, (list, Iterator)):
        batches = list(data)
        if batches and all(isinstance(batch, pa.RecordBatch) for batch in batches):
            return pa.Table.from_batches(batches)
        return None
    if isinstance(data, pa.RecordBatchReader):
        return data.read_all()
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    if isinstance(data, pa.Table) or hasattr(data, "__arrow_c_stream__"):
        return pa.table(data)
    return None


def _gathered(columns: list[tuple[Any, Any]], index: Any = None) -> Columns:
    """All columns as Arrow's, key-value collections as two each, named levels of a pandas index before them."""
    if index is not None:
        columns = [*_index_levels(index, [label for label, _ in columns]), *columns]
    found: Columns = {}
    for label, values in columns:
        name = str(label)
        try:
            for own, column in _split(name, as_arrow(values)):
                found[own] = Refusal("there are two columns of this name") if own in found else column
        except Refusal as refusal:
            found[name] = refusal
    rows = {name: len(column) for name, column in found.items() if not isinstance(column, Refusal)}
    if len(set(rows.values())) > 1:
        listed = ", ".join(f"{name} has {count}" for name, count in rows.items())
        raise TableError.of(f"the columns have different numbers of rows: {listed}")
    return found


def readable(column: pa.ChunkedArray | Refusal) -> pa.ChunkedArray:
    """The column's values; raises why there are none."""
    if isinstance(column, Refusal):
        raise column
    return column


def _index_levels(index: Any, taken: list[Any]) -> list[tuple[Any, Any]]:
    return [(name, index.get_level_values(name)) for name in index.names if name is not None and name not in taken]


def as_arrow(values: Any) -> pa.ChunkedArray:
    """One column as Arrow data; NaN of pandas and NumPy is null, as it is for scikit-learn."""
    if isinstance(values, pa.ChunkedArray):
        column = values
    elif isinstance(values, pa.Array):
        column = pa.chunked_array([values])
    else:
        column = pa.chunked_array([_array(values)])
    if pa.types.is_dictionary(column.type):
        column = pa.chunked_array([_decoded(chunk) for chunk in column.chunks])
    return column


def _decoded(chunk: pa.DictionaryArray) -> pa.Array:
    values = chunk.dictionary
    if pa.types.is_string_view(values.type):
        # Of which Arrow takes nothing.
        values = values.cast(pa.string())
    return values.take(chunk.indices)


def _array(values: Any) -> pa.Array:
    if hasattr(values, "sparse"):
        values = values.sparse.to_dense()
    if hasattr(values, "iloc") or hasattr(values, "get_level_values"):
        # A column of pandas; of its objects the kind is looked at first.
        return _objects(list(values)) if values.dtype == object else _made(values)
    if hasattr(values, "__arrow_array__"):
        # One of pandas' own arrays: as an array of NumPy integers with a null would become floats.
        return _made(values)
    if hasattr(values, "__arrow_c_array__") or hasattr(values, "__arrow_c_stream__"):
        return pa.chunked_array(values).combine_chunks()
    if hasattr(values, "__array__"):
        array = np.ma.asarray(values) if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
        if array.ndim > 1:
            return _rows(array)
        return _objects(list(array)) if array.dtype == object else _made(array)
    if isinstance(values, (list, tuple)):
        return _objects(list(values))
    raise Refusal(f"is a {type(values).__name__}, not a column of values")


def _rows(array: np.ndarray[Any, Any]) -> pa.Array:
    """The rows of a matrix as lists of one length."""
    if array.ndim != 2:
        raise Refusal(f"has {array.ndim} dimensions; a column has one, or two for vectors")
    if array.shape[1] == 0:
        raise Refusal("its rows hold no numbers")
    flat = _made(np.ascontiguousarray(array).reshape(-1), nan_is_null=False)
    return pa.FixedSizeListArray.from_arrays(flat, array.shape[1])


def _objects(values: list[Any]) -> pa.Array:
    """Python objects; dictionaries become Arrow maps."""
    first = next((value for value in values if isinstance(value, Mapping)), None)
    if first is not None:
        return _maps(values)
    return _made(values)


def _maps(values: list[Any]) -> pa.Array:
    """Maps from whole numbers where all keys are such; else as scikit-learn reads dictionaries."""
    keys = {type(key) for value in values if isinstance(value, Mapping) for key in value}
    integers = bool(keys) and all(issubclass(kind, (int, np.integer)) and kind is not bool for kind in keys)
    pairs: list[Any] = []
    for value in values:
        if isinstance(value, Mapping):
            pairs.append(list(value.items() if integers else zip(*split_pairs(value), strict=True)))
        elif value is None or value != value:
            pairs.append(None)
        else:
            raise Refusal(f"holds dictionaries and a {type(value).__name__}")
    return _made(pairs, type=pa.map_(pa.int64() if integers else pa.string(), pa.float64()))


def _made(values: Any, nan_is_null: bool = True, type: pa.DataType | None = None) -> pa.Array:
    try:
        try:
            made = pa.array(values, type, from_pandas=nan_is_null)
        except OverflowError:
            # Python integers beyond int64.
            made = pa.array(values, pa.uint64(), from_pandas=nan_is_null)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
        why = str(error).splitlines()[0].rstrip(".")
        raise Refusal(f"its values have no one type: {why}") from None
    return made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made


def _split(name: str, column: pa.ChunkedArray) -> list[tuple[str, pa.ChunkedArray]]:
    """The column itself, or the keys and the values of maps as two columns of lists."""
    if not pa.types.is_map(column.type):
        return [(name, column)]
    keys, items = [], []
    for chunk in column.chunks:
        # Nulls of the map are nulls of both.
        missing = np.append(chunk.is_null().to_numpy(False), False)
        offsets = pa.array(chunk.offsets.to_numpy(), pa.int32(), mask=missing)
        keys.append(pa.ListArray.from_arrays(offsets, chunk.keys))
        items.append(pa.ListArray.from_arrays(offsets, chunk.items))
    return [(f"{name}_keys", pa.chunked_array(keys)), (f"{name}_values", pa.chunked_array(items))]
