"""The sample: which inputs a request has, how the library's containers are built of rows, and rows written as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..names import Names
from ..pairs import split_pairs
from . import expressions as ex
from .expressions import Expression, ValueType
from .matrix import Column, Matrix, scalar_column
from .nulls import is_missing
from .problems import ExportError

Row = tuple[Any, ...]
"""One value for each source."""

_SAFE_INTEGER = 1 << 53

_MOST_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class PairsExpression(Expression):
    """A column of key-value collections: two inputs of the request, one list each."""

    keys: Expression = field(default_factory=lambda: ex.source("", "string", is_list=True))
    values: Expression = field(default_factory=lambda: ex.source("", "float64", is_list=True))


@dataclass(eq=False)
class Source:
    """One column of the sample.

    Attributes:
        name: The input's name; for pairs that of the two inputs without their endings.
        element: The engine's element type, "pairs", or "unusable".
        is_list: Whether a row is a list.
        float32: Whether floats come in 32 bits.
        values: The sample's values as Python objects.
        missing: What the library's container holds for null, or UNDECIDED; NEVER where it can't hold any.
        dtype: The container's own type for the column, to build others.
        problem: Why it can't be an input, if so.
    """

    name: str
    element: str
    values: list[Any]
    dtype: Any
    missing: Any
    is_list: bool = False
    float32: bool = False
    problem: str = ""
    expression: Expression = field(init=False)

    def __post_init__(self) -> None:
        if self.element == "pairs":
            keys, values = self.input_names
            self.expression = PairsExpression(
                ValueType("pairs", list=True),
                name=self.name,
                keys=ex.source(keys, "string", is_list=True),
                values=ex.source(values, "float64", is_list=True),
            )
        else:
            self.expression = ex.source(self.name, self.element, is_list=self.is_list)

    @property
    def input_names(self) -> list[str]:
        """The names of its inputs in a request."""
        return [f"{self.name}_keys", f"{self.name}_values"] if self.element == "pairs" else [self.name]

    def inputs(self, scope: str, required: bool) -> list[dict[str, Any]]:
        """The spec's inputs. NaN in a column is no value; among the values of pairs it is a number."""
        if self.element == "pairs":
            types = [("list<string>", None), ("list<float64>", "value")]
        else:
            scalar = "float32" if self.float32 else self.element
            nan = "null" if self.element == "float64" else None
            types = [(f"list<{scalar}>" if self.is_list else scalar, nan)]
        return [
            {"name": name, "dtype": dtype, "scope": scope, "required": required} | ({} if nan is None else {"nan": nan})
            for name, (dtype, nan) in zip(self.input_names, types, strict=True)
        ]

    def encoded(self, values: Sequence[Any]) -> dict[str, list[Any]]:
        """Values as golden rows hold them, by input."""
        if self.element == "pairs":
            split = [None if is_missing(value) else split_pairs(value) for value in values]
            keys = [None if one is None else one[0] for one in split]
            weights = [None if one is None else [json_value(weight) for weight in one[1]] for one in split]
            return dict(zip(self.input_names, [keys, weights], strict=True))
        if self.is_list:
            lists = [None if _is_null(value) else [self._element(one) for one in value] for value in values]
            return {self.name: lists}
        return {self.name: [self._element(value) for value in values]}

    def _element(self, value: Any) -> Any:
        if is_missing(value):
            return None
        if self.element == "float64":
            return json_value(float(np.float32(value)) if self.float32 else float(value))
        if self.element in {"int64", "uint64"}:
            return json_value(int(value))
        return bool(value) if self.element == "bool" else value


class _Marker:
    """A value that no column holds."""


UNDECIDED = _Marker()
NEVER = _Marker()


def _is_null(value: Any) -> bool:
    return not isinstance(value, Iterable) and is_missing(value)


def json_value(value: Any) -> Any:
    """A number as specs write it: non-finite ones and integers beyond 2^53 as strings."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return "nan" if np.isnan(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE_INTEGER:
        return str(value)
    return value


@dataclass
class Sample:
    """Rows of the library's input.

    Attributes:
        sources: One for each column.
        like: A container of the same kind: a DataFrame without rows, or a word for the others.
    """

    sources: list[Source]
    like: Any

    @property
    def rows(self) -> list[Row]:
        """The sample's own rows."""
        return list(zip(*(source.values for source in self.sources), strict=True))

    def build(self, rows: Sequence[Row]) -> Any:
        """A container of these rows, of the sample's kind and types."""
        columns = list(zip(*rows, strict=True)) if rows else [() for _ in self.sources]
        if hasattr(self.like, "columns"):
            return self._frame(columns)
        if self.like == "list":
            return list(columns[0])
        if self.like == "series":
            return _series(columns[0], self.sources[0])
        arrays = [_array(values, source.dtype) for values, source in zip(columns, self.sources, strict=True)]
        return arrays[0] if self.like == "vector" else np.stack(arrays, axis=1)

    def _frame(self, columns: Sequence[Sequence[Any]]) -> Any:
        import pandas as pd

        series = [_series(values, source) for values, source in zip(columns, self.sources, strict=True)]
        frame = pd.concat(series, axis=1) if series else pd.DataFrame()
        frame.columns = self.like.columns
        return frame

    def matrix(self, rows: Sequence[Row]) -> Matrix:
        """The library's input for these rows, with its expressions."""
        labels: list[Any] = [source.name for source in self.sources]
        if hasattr(self.like, "columns"):
            # The library gives other labels than strings no meaning.
            labels = [
                label if isinstance(label, str) else own for label, own in zip(self.like.columns, labels, strict=True)
            ]
        columns: list[Column] = [
            scalar_column(label, source.expression) for label, source in zip(labels, self.sources, strict=True)
        ]
        return Matrix(tuple(columns), self.build(rows))


def _array(values: Sequence[Any], dtype: Any) -> np.ndarray[Any, Any]:
    if dtype.hasobject:
        array = np.empty(len(values), dtype=object)
        for position, value in enumerate(values):
            array[position] = value
        return array
    return np.asarray(values, dtype=None if dtype.kind in "US" else dtype)


def _series(values: Sequence[Any], source: Source) -> Any:
    import pandas as pd

    if isinstance(source.dtype, pd.CategoricalDtype):
        # Values beyond the categories must fit in; the library looks at the values alone.
        plain = source.dtype.categories.dtype
        return pd.Series(list(values), dtype=object if any(is_missing(value) for value in values) else plain)
    return pd.Series(list(values), dtype=source.dtype)


def read_sample(sample: Any, names: Sequence[str] | None) -> Sample:
    """Reads a DataFrame, an array of one or two dimensions, a Series, or a list with one element for each row.

    Of a long sample every so many rows are read.
    """
    step = -(-len(sample) // _MOST_ROWS) if hasattr(sample, "__len__") else 1
    if step > 1:
        sample = sample.iloc[::step] if hasattr(sample, "iloc") else sample[::step]
    if hasattr(sample, "iloc") and hasattr(sample, "columns"):
        labels = [str(label) if isinstance(label, str) else f"x{at}" for at, label in enumerate(sample.columns)]
        unique = Names(list(names or labels))
        sources = [_source(unique.next(), sample.iloc[:, at]) for at in range(sample.shape[1])]
        return Sample(sources, sample.iloc[:0])
    if hasattr(sample, "iloc"):
        name = sample.name if isinstance(sample.name, str) else "x0"
        return Sample([_source(Names(list(names or [name])).next(), sample)], "series")
    if isinstance(sample, (list, tuple)):
        values = list(sample)
        name = Names(list(names or ["x0"])).next()
        return Sample([_of_objects(name, values, np.dtype(object))], "list")
    if not isinstance(sample, np.ndarray):
        raise ExportError.of(f"the sample is a {type(sample).__name__}; a DataFrame, an array or a list is read")
    if sample.ndim == 1:
        return Sample([_source(Names(list(names or ["x0"])).next(), sample)], "vector")
    if sample.ndim != 2:
        raise ExportError.of(f"the sample has {sample.ndim} dimensions; one or two are read")
    unique = Names(list(names or (f"x{at}" for at in range(sample.shape[1]))))
    return Sample([_source(unique.next(), sample[:, at]) for at in range(sample.shape[1])], "matrix")


def _source(name: str, column: Any) -> Source:
    dtype = column.dtype
    if not isinstance(dtype, np.dtype):
        return _of_extension(name, column)
    if dtype.hasobject or dtype.kind in "US":
        return _of_objects(name, [_plain(value) for value in column], dtype)
    values = [_plain(value) for value in np.asarray(column)]
    if dtype.kind == "f":
        problem = "" if dtype.itemsize in (4, 8) else f"its type is {dtype}; cast it to float32 or float64"
        return Source(name, "float64", values, dtype, float("nan"), float32=dtype.itemsize == 4, problem=problem)
    if dtype.kind in "iu":
        return Source(name, "uint64" if dtype == np.uint64 else "int64", values, dtype, NEVER)
    if dtype.kind == "b":
        return Source(name, "bool", values, dtype, NEVER)
    return Source(name, "unusable", values, dtype, NEVER, problem=f"its type is {dtype}, which no input has")


def _of_extension(name: str, column: Any) -> Source:
    """A column of one of pandas' own types."""
    import pandas as pd

    dtype = column.dtype
    values = [_plain(value) for value in column]
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(dtype):
        found = _of_objects(name, values, dtype)
        found.missing = pd.NA if getattr(dtype, "na_value", None) is pd.NA else float("nan")
        return found
    kinds = {"f": "float64", "i": "int64", "u": "int64", "b": "bool"}
    kind = getattr(dtype, "kind", "")
    if kind not in kinds:
        return Source(name, "unusable", values, dtype, NEVER, problem=f"its type is {dtype}, which no input has")
    element = "uint64" if str(dtype) == "UInt64" else kinds[kind]
    return Source(name, element, values, dtype, pd.NA, float32=str(dtype) == "Float32")


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _of_objects(name: str, values: list[Any], dtype: Any) -> Source:
    """A column of Python objects, by what they are."""
    present = [value for value in values if not _is_null(value)]
    absent = next((value for value in values if _is_null(value)), UNDECIDED)

    def source(element: str, *, is_list: bool = False, problem: str = "") -> Source:
        return Source(name, element, values, dtype, absent, is_list=is_list, problem=problem)

    scalar = _element_of(present)
    if scalar is not None:
        return source(scalar)
    if all(isinstance(value, Mapping) for value in present):
        return source("pairs")
    if all(isinstance(value, Iterable) and not isinstance(value, (str, bytes)) for value in present):
        elements = [_plain(element) for value in present for element in value]
        if elements and all(isinstance(element, tuple) and len(element) == 2 for element in elements):
            return source("pairs")
        element = _element_of([element for element in elements if not is_missing(element)])
        if element is not None:
            return source(element, is_list=True)
    kinds = ", ".join(sorted({type(value).__name__ for value in present}))
    return source("unusable", problem=f"its values are of several kinds or of one that no input has: {kinds}")


def _element_of(values: list[Any]) -> str | None:
    """The element type of scalars, or None where they have none in common."""
    if all(isinstance(value, str) for value in values):
        return "string"
    if all(isinstance(value, (bool, np.bool_)) for value in values):
        return "bool"
    if any(isinstance(value, (bool, np.bool_)) for value in values):
        return None
    if all(isinstance(value, (int, np.integer)) for value in values):
        return "int64" if all(-(1 << 63) <= int(value) < 1 << 63 for value in values) else "uint64"
    return "float64" if all(isinstance(value, (int, float, np.number)) for value in values) else None
