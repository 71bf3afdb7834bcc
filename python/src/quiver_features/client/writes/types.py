"""The types of a table's columns: as people write them, and as data suggests them."""

from __future__ import annotations

import datetime
import decimal
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..descriptions import InputType, TimeUnit
from ..reading import is_column
from ..reading.lists import as_lists
from ..values import INT64
from ..vectors import Coded, Lists, Moment, Numbers, Objects, Scalars, Times, Unreadable, Vector, is_missing, shown

_CARRIED: dict[str, InputType] = {
    **dict.fromkeys(["float16", "float32"], "float32"),
    "float64": "float64",
    **dict.fromkeys(["int8", "int16", "int32", "int64"], "int64"),
    **dict.fromkeys(["uint8", "uint16", "uint32", "uint64"], "uint64"),
    "bool": "bool",
    "string": "string",
}
"""The types that values of a stored type are sent in."""

_TIME = re.compile(r"(?P<kind>timestamp|duration)\[(?P<unit>s|ms|us|ns)(?:, *(?P<zone>[\w+/:-]+))?\]")
_LIST = re.compile(r"list<(.*)>")
_VECTOR = re.compile(r"(float16|float32|float64)\[([1-9][0-9]*)(?:, *\w+)?\]")

_NUMBERS = {"int64", "uint64", "float32", "float64"}

_EXAMPLES = '"int64", "string", "timestamp[us]", "list<int64>", "float32[64]" and "list<float32[64]>"'

_UNITS: dict[str, TimeUnit] = {"s": "s", "ms": "ms", "us": "us", "ns": "ns", "m": "s", "h": "s", "W": "D", "D": "D"}
"""The unit in which counts of one are sent; finer ones are sent as nanoseconds, where they are whole."""


@dataclass(frozen=True)
class TableType:
    """A column's type.

    Attributes:
        dtype: The type that its values, or its lists' elements, are sent in.
        is_list: Whether a row is a list.
        width: The lanes of a vector, or of each of a list's vectors; None where there is none.
        time_unit: What times count.
        time_zone: The zone that timestamps belong to, where one is stated.
    """

    dtype: InputType
    is_list: bool = False
    width: int | None = None
    time_unit: TimeUnit | None = None
    time_zone: str | None = None

    @property
    def as_list(self) -> TableType:
        """Lists of the same elements."""
        return replace(self, is_list=True, width=None)


def parse(text: Any) -> TableType:
    """A type as people write it: "int64", "list<string>", "float32[64]", "timestamp[us, Europe/Berlin]".

    Raises:
        Unreadable: If it is none.
    """
    if isinstance(text, str):
        of_list = _LIST.fullmatch(text)
        if of_list is not None:
            return replace(_element(of_list[1], text), is_list=True)
    return _element(text, text)


def _element(text: Any, whole: Any) -> TableType:
    """The type of a single value or of a vector, as a part of a whole text."""
    vector = _VECTOR.fullmatch(text) if isinstance(text, str) else None
    if vector is not None:
        return TableType(_CARRIED[vector[1]], width=int(vector[2]))
    if text == "date":
        return TableType("date", time_unit="D")
    time = _TIME.fullmatch(text) if isinstance(text, str) else None
    if time is not None:
        kind: InputType = "timestamp" if time["kind"] == "timestamp" else "duration"
        unit: Any = time["unit"]
        return TableType(kind, time_unit=unit, time_zone=time["zone"])
    if not isinstance(text, str) or text not in _CARRIED:
        raise Unreadable(f"{shown(whole)} is not a type; types are written as in {_EXAMPLES}")
    return TableType(_CARRIED[text])


def suggested(vector: Vector) -> TableType | None:
    """The type that values suggest; None where all of them are null.

    Floats of one length, of at least 2, are taken for vectors, as ``write_table`` takes them.
    """
    if not isinstance(vector, Lists):
        return _scalar(vector)
    if isinstance(vector.elements, Objects) and any(map(is_column, vector.elements.values)):
        return _of_nested(as_lists(vector.elements))
    element = _scalar(vector.elements)
    if element is None:
        return None
    lengths = np.unique(vector.lengths[vector.lengths > 0])
    is_vector = element.dtype in {"float32", "float64"} and len(lengths) == 1 and int(lengths[0]) > 1
    return replace(element, width=int(lengths[0])) if is_vector else element.as_list


def _of_nested(elements: Lists) -> TableType | None:
    """The type of lists whose elements are lists."""
    element = suggested(elements)
    if element is None or element.width is None:
        raise Unreadable('holds lists of lists, which must be floats of one length; state it: "list<float32[64]>"')
    return replace(element, is_list=True)


def joined(of: TableType | None, other: TableType | None) -> TableType | None:
    """The type of a column that suggests one type and, further down, another."""
    if of is None or other is None or of == other:
        return other if of is None else of
    floats = {"float32", "float64"} & {of.dtype, other.dtype}
    if of.dtype != other.dtype and floats and {of.dtype, other.dtype} <= _NUMBERS:
        of = replace(of, dtype="float64")
    elif {of.dtype, other.dtype} == {"int64", "uint64"}:
        of = replace(of, dtype="uint64")
    return of if (of.is_list, of.width) == (other.is_list, other.width) else of.as_list


def is_settled(of: TableType | None, vector: Vector) -> bool:
    """Whether more rows of a column can't suggest another type than these."""
    elements = vector.elements if isinstance(vector, Lists) else vector
    if of is None or of.width is not None:
        return False
    return not isinstance(elements, Objects) or of.dtype not in {"int64", "uint64", "float64"}


def _scalar(vector: Scalars) -> TableType | None:
    if isinstance(vector, Coded):
        return _scalar(vector.distinct)
    if isinstance(vector, Objects):
        return _of_objects(vector.values)
    if not vector.rows or (vector.missing is not None and vector.missing.all()):
        return None
    if isinstance(vector, Times):
        return _of_times(vector.unit, vector.kind == "duration")
    return _of_numbers(vector)


def _of_numbers(vector: Numbers) -> TableType:
    dtype = vector.values.dtype
    if dtype.kind == "f":
        return TableType("float32" if dtype.itemsize <= 4 else "float64")
    return TableType({"b": "bool", "i": "int64", "u": "uint64"}[dtype.kind])  # type: ignore[arg-type]


def _of_times(unit: str, is_duration: bool) -> TableType:
    sent = _UNITS.get(unit, "ns")
    if is_duration:
        return TableType("duration", time_unit="s" if sent == "D" else sent)
    return TableType("date" if sent == "D" else "timestamp", time_unit=sent)


def _of_objects(values: Iterable[Any]) -> TableType | None:
    kinds: dict[type, Any] = {}
    least = most = 0
    for value in values:
        if is_missing(value):
            continue
        kinds.setdefault(type(value), value)
        if isinstance(value, (int, np.integer)):
            least, most = min(least, int(value)), max(most, int(value))
    types = [_of_object(value) for value in kinds.values()]
    if not types:
        return None
    if all(isinstance(value, (int, np.integer)) for value in kinds.values()) and types[0].dtype != "bool":
        return TableType("uint64" if most > INT64[1] and least >= 0 else "int64")
    floats = [of for of in types if of.dtype in {"float32", "float64"}]
    if floats:
        return TableType("float64") if len(set(types)) > 1 else floats[0]
    finest = [of for of in types if of.time_unit == "ns"]
    return finest[0] if finest else types[0]


def _of_object(value: Any) -> TableType:
    """The type of one value; what no column holds is taken for a text, which it is rejected as."""
    if isinstance(value, (bool, np.bool_)):
        return TableType("bool")
    if isinstance(value, (datetime.timedelta, np.timedelta64)) or getattr(value, "kind", None) == "duration":
        return _of_times(_unit_of(value), is_duration=True)
    if isinstance(value, (datetime.date, np.datetime64, Moment)):
        return _of_times(_unit_of(value), is_duration=False)
    if isinstance(value, (int, np.integer)):
        return TableType("int64")
    if isinstance(value, (float, decimal.Decimal)):
        return TableType("float64")
    if isinstance(value, np.floating):
        return TableType("float32" if value.dtype.itemsize <= 4 else "float64")
    return TableType("string")


def _unit_of(value: Any) -> str:
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return str(np.datetime_data(value.dtype)[0])
    if isinstance(value, Moment):
        return value.unit
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return "D"
    # pandas' types are Python's with more digits.
    return "ns" if getattr(value, "nanosecond", 0) or getattr(value, "nanoseconds", 0) else "us"
