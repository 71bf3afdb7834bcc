"""The kinds of containers that scikit-learn takes: their columns, and others of the same kind from rows of values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from . import column_types
from .nulls import is_missing
from .problems import ExportError
from .sources import Source

Columns = Sequence[Sequence[Any]]
"""For each column its values."""

Build = Callable[[Columns, Sequence[Source]], Any]


@dataclass(frozen=True)
class Container:
    """What a sample is held in.

    Attributes:
        labels: The columns' labels, or None where the container has none.
        read: Makes a source of the column at a position, under a name.
        build: Makes a container of the same kind from columns of values and their sources.
        width: The number of columns.
    """

    labels: list[Any] | None
    width: int
    read: Callable[[str, int], Source]
    build: Build


def thinned(sample: Any, step: int) -> Any:
    """Every so many rows of a container."""
    if hasattr(sample, "iloc"):
        return sample.iloc[::step]
    if is_polars(sample):
        return sample.gather_every(step)
    if is_arrow(sample):
        return sample.take(list(range(0, len(sample), step)))
    return sample[::step]


def rows_of(sample: Any) -> int:
    """The number of rows; 0 for what is no container."""
    if hasattr(sample, "shape"):
        return int(sample.shape[0]) if sample.shape else 0
    return len(sample) if hasattr(sample, "__len__") else 0


def of(sample: Any, rows_are_lists: bool) -> Container:
    """The container of a sample.

    Args:
        rows_are_lists: Whether a list of lists holds rows, not one list for each row of a single column.
    """
    if is_pandas(sample):
        return _pandas_frame(sample) if sample.ndim == 2 else _pandas_series(sample)
    if is_polars(sample):
        return _polars_frame(sample) if hasattr(sample, "columns") else _polars_series(sample)
    if is_arrow(sample):
        return _arrow_table(sample)
    if sparse.issparse(sample):
        return _sparse(sample)
    if isinstance(sample, (list, tuple)):
        return _rows(list(sample)) if rows_are_lists else _list(list(sample))
    if not isinstance(sample, np.ndarray):
        kind = type(sample).__name__
        raise ExportError.of(f"the sample is a {kind}; a DataFrame, a Table, an array or a list is read")
    if isinstance(sample, np.ma.MaskedArray):
        raise ExportError.of("the sample is a masked array, whose masks scikit-learn ignores: fill it")
    if sample.dtype.names is not None:
        raise ExportError.of("the sample is an array of records; make a frame of it: pandas.DataFrame(sample)")
    if sample.ndim == 1:
        return Container(None, 1, lambda name, _: column_types.of_numpy(name, sample), _vector)
    if sample.ndim != 2:
        raise ExportError.of(f"the sample has {sample.ndim} dimensions; one or two are read")
    return Container(None, sample.shape[1], lambda name, at: column_types.of_numpy(name, sample[:, at]), _matrix)


def is_pandas(data: Any) -> bool:
    """Whether it is a DataFrame or a Series of pandas."""
    return hasattr(data, "iloc")


def is_polars(data: Any) -> bool:
    """Whether it is a DataFrame or a Series of polars."""
    return type(data).__module__.split(".")[0] == "polars" and type(data).__name__ in {"DataFrame", "Series"}


def is_arrow(data: Any) -> bool:
    """Whether it is a Table or a RecordBatch."""
    return type(data).__module__.split(".")[0] == "pyarrow" and hasattr(data, "schema")


def is_sparse(data: Any) -> bool:
    """Whether the library computes with a sparse matrix: for a DataFrame, where all its columns are sparse."""
    if is_pandas(data) and data.ndim == 2:
        return bool(len(data.columns)) and all(type(dtype).__name__ == "SparseDtype" for dtype in data.dtypes)
    return bool(sparse.issparse(data))


def labels_of(data: Any) -> list[Any] | None:
    """The labels of a frame's columns, or None where it has no labels."""
    if is_arrow(data):
        return list(data.schema.names)
    return list(data.columns) if hasattr(data, "columns") else None


def numpy_types(data: Any) -> list[np.dtype[Any]]:
    """For each column the type in which NumPy computes it; object where it is not one of numbers."""
    if is_pandas(data) and data.ndim == 2:
        return [column_types.numpy_type(dtype) for dtype in data.dtypes]
    # A frame of another library is one array to NumPy.
    array = data if hasattr(data, "dtype") else np.asarray(data)
    return [np.dtype(array.dtype)] * (1 if len(array.shape) < 2 else array.shape[1])


def dense(data: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The numbers of a container as float64, one row for each of its own; what is missing is NaN."""
    if sparse.issparse(data):
        data = data.toarray()
    elif is_pandas(data):
        # Its own conversion knows neither sparse columns nor that dates are no numbers.
        series = [data] if data.ndim == 1 else [data.iloc[:, at] for at in range(data.shape[1])]
        data = np.stack([_of_series(one) for one in series], axis=1) if series else np.empty(data.shape)
    elif is_polars(data) or is_arrow(data):
        columns = data.iter_columns() if is_polars(data) else data.columns
        lists = [column.to_list() if is_polars(data) else column.to_pylist() for column in columns]
        data = np.asarray([[np.nan if value is None else float(value) for value in column] for column in lists]).T
    array = np.asarray(data)
    if array.dtype.kind in "cmM":
        raise TypeError(f"{array.dtype} is no type of numbers")
    if array.dtype == object:
        array = np.asarray([np.nan if is_missing(value) else value for value in array.flat]).reshape(array.shape)
    return (array.reshape(-1, 1) if array.ndim == 1 else array).astype(np.float64)


# pandas


def _of_series(series: Any) -> np.ndarray[Any, Any]:
    dtype = getattr(series.dtype, "subtype", series.dtype)
    dtype = dtype.categories.dtype if hasattr(dtype, "categories") else dtype
    if getattr(dtype, "kind", "") in "cmM":
        raise TypeError(f"{dtype} is no type of numbers")
    return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))


def _pandas_frame(sample: Any) -> Container:
    labels = sample.columns

    def build(columns: Columns, sources: Sequence[Source]) -> Any:
        import pandas as pd

        # One index for all, so that none is compared with another.
        index = pd.RangeIndex(len(columns[0]) if columns else 0)
        named = enumerate(zip(columns, sources, strict=True))
        series = {at: _series(values, source, index) for at, (values, source) in named}
        return pd.DataFrame(series, index=index).set_axis(labels, axis=1)

    return Container(
        list(labels), len(labels), lambda name, at: column_types.of_pandas(name, sample.iloc[:, at]), build
    )


def _pandas_series(sample: Any) -> Container:
    labels = [sample.name] if isinstance(sample.name, str) else None
    return Container(
        labels,
        1,
        lambda name, _: column_types.of_pandas(name, sample),
        lambda columns, sources: _series(columns[0], sources[0]),
    )


def _series(values: Sequence[Any], source: Source, index: Any = None) -> Any:
    import pandas as pd

    dtype = source.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        # Values beyond the categories must fit in; the library looks at the values alone.
        known = set(dtype.categories)
        others = dict.fromkeys(value for value in values if not is_missing(value) and value not in known)
        dtype = pd.CategoricalDtype([*dtype.categories, *others]) if others else pd.CategoricalDtype(dtype.categories)
    return pd.Series(list(values), dtype=dtype, index=index)


# polars and Arrow


def _polars_frame(sample: Any) -> Container:
    def build(columns: Columns, sources: Sequence[Source]) -> Any:
        import polars as pl

        named = zip(sample.columns, columns, sources, strict=True)
        return pl.DataFrame([_polars_column(name, values, source) for name, values, source in named])

    return Container(
        list(sample.columns),
        sample.width,
        lambda name, at: column_types.of_polars(name, sample.to_series(at)),
        build,
    )


def _polars_series(sample: Any) -> Container:
    return Container(
        [sample.name] if sample.name else None,
        1,
        lambda name, _: column_types.of_polars(name, sample),
        lambda columns, sources: _polars_column(sample.name, columns[0], sources[0]),
    )


def _polars_column(name: str, values: Sequence[Any], source: Source) -> Any:
    import polars as pl

    return pl.Series(name, list(values), dtype=source.dtype)


def _arrow_table(sample: Any) -> Container:
    names = list(sample.schema.names)

    def build(columns: Columns, sources: Sequence[Source]) -> Any:
        import pyarrow as pa

        arrays = [_arrow_array(values, source.dtype) for values, source in zip(columns, sources, strict=True)]
        return type(sample).from_arrays(arrays, schema=sample.schema) if arrays else pa.table({})

    return Container(names, len(names), lambda name, at: column_types.of_arrow(name, sample.column(at)), build)


def _arrow_array(values: Sequence[Any], dtype: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_dictionary(dtype):
        return pa.array(list(values), dtype.value_type).dictionary_encode().cast(dtype)
    return pa.array(list(values), dtype)


# Arrays and lists


def _array(values: Sequence[Any], dtype: Any) -> np.ndarray[Any, Any]:
    if dtype.hasobject:
        array = np.empty(len(values), dtype=object)
        for position, value in enumerate(values):
            array[position] = value
        return array
    return np.asarray(values, dtype=None if dtype.kind in "US" else dtype)


def _vector(columns: Columns, sources: Sequence[Source]) -> Any:
    return _array(columns[0], sources[0].dtype)


def _matrix(columns: Columns, sources: Sequence[Source]) -> Any:
    return np.stack([_array(values, source.dtype) for values, source in zip(columns, sources, strict=True)], axis=1)


def _sparse(sample: Any) -> Container:
    csc = sample.tocsc()

    def read(name: str, at: int) -> Source:
        return column_types.of_numpy(name, csc[:, [at]].toarray().reshape(-1))

    def build(columns: Columns, sources: Sequence[Source]) -> Any:
        return type(sample)(_matrix(columns, sources))

    return Container(None, sample.shape[1], read, build)


def _list(sample: list[Any]) -> Container:
    return Container(
        None,
        1,
        lambda name, _: column_types.of_objects(name, sample, np.dtype(object)),
        lambda columns, _: list(columns[0]),
    )


def _rows(sample: list[Any]) -> Container:
    """A list with a list for each row."""
    widths = {len(row) for row in sample}
    if len(widths) > 1:
        raise ExportError.of(f"the sample's rows have from {min(widths)} to {max(widths)} values")
    columns = list(zip(*sample, strict=True))
    return Container(
        None,
        len(columns),
        lambda name, at: column_types.of_objects(name, columns[at], np.dtype(object)),
        lambda columns, _: [list(row) for row in zip(*columns, strict=True)],
    )
