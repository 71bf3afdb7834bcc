"""The types of a table's columns: as people write them, as ``table.json`` has them, and as Arrow data suggests them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .forms import FORMS
from .problems import Refusal

_ARROW: dict[str, pa.DataType] = {
    "float16": pa.float16(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "int8": pa.int8(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "uint8": pa.uint8(),
    "uint16": pa.uint16(),
    "uint32": pa.uint32(),
    "uint64": pa.uint64(),
    "bool": pa.bool_(),
    "string": pa.string(),
}

_BY_ARROW = {arrow: name for name, arrow in _ARROW.items()}

_TIME = re.compile(r"(?P<kind>timestamp|duration)\[(?P<unit>s|ms|us|ns)(?:, *(?P<zone>[\w+/:-]+))?\]|date")

_LIST = re.compile(r"list<(.*)>")

_PLAIN = re.compile(r"(?P<scalar>\w+)(?:\[(?P<width>[1-9][0-9]*)(?:, *(?P<form>\w+))?\])?")

_WIDEST = 65_536

KEYS = ("int64", "uint64", "string")
"""The types that a key column can have."""

_EXAMPLES = '"int64", "float32", "string", "timestamp[us]", "list<int64>", "float32[64]" and "float32[64, int8]"'


@dataclass(frozen=True)
class ColumnType:
    """A column's type.

    Attributes:
        dtype: The type of each element as it is stored.
        list: Whether a row is a list, of vectors where there is a width.
        width: The lanes of a vector, or None.
        is_whole: Whether a vector of which a lane is missing is missing as a whole.
        form: How a server keeps vectors, where that is not as float32 though they are.
    """

    dtype: str
    list: bool = False
    width: int | None = None
    is_whole: bool = False
    form: str | None = None

    def __str__(self) -> str:
        form = "" if self.form is None else f", {self.form}"
        element = self.dtype if self.width is None else f"{self.dtype}[{self.width}{form}]"
        return f"list<{element}>" if self.list else element

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of an element."""
        return _ARROW[self.dtype] if self.dtype in _ARROW else _arrow_time(self.dtype)

    @property
    def is_float(self) -> bool:
        """Whether elements are floats."""
        return self.dtype.startswith("float")

    @property
    def is_time(self) -> bool:
        """Whether elements are timestamps, durations or dates."""
        return self.dtype not in _ARROW

    @property
    def is_integer(self) -> bool:
        """Whether elements are integers."""
        return "int" in self.dtype and not self.is_time

    @property
    def element(self) -> str:
        """The type that the engine computes with."""
        if self.is_float:
            return "float64"
        if self.is_time:
            return self.dtype.partition(",")[0].removesuffix("]") + ("" if self.dtype == "date" else "]")
        return ("uint64" if self.dtype.startswith("u") else "int64") if self.is_integer else self.dtype

    @property
    def nan(self) -> str | None:
        """What NaN means: no value, but for a vector, of which a single lane may be missing."""
        if not self.is_float:
            return None
        return "null" if self.width is None or self.is_whole else "value"

    def document(self, name: str) -> dict[str, Any]:
        """The column as ``table.json`` has it."""
        shape: Any = "list" if self.list else "scalar"
        if self.width is not None:
            shape = {"vectors" if self.list else "vector": self.width}
        nan = {} if self.nan is None else {"nan": self.nan}
        form = {} if self.form is None else {"form": self.form}
        return {"name": name, "dtype": self.dtype, "shape": shape, **form, **nan}

    @classmethod
    def of_document(cls, column: dict[str, Any]) -> ColumnType:
        """The type of a column of ``table.json``."""
        shape = column["shape"]
        width = next(iter(shape.values())) if isinstance(shape, dict) else None
        is_list = shape == "list" or (isinstance(shape, dict) and "vectors" in shape)
        is_whole = width is not None and column["nan"] == "null"
        return cls(column["dtype"], is_list, width, is_whole, column.get("form"))


def parse(text: str) -> ColumnType:
    """A type as people write it: "int64", "list<string>", "float32[64, int8]", "list<float32[32]>"."""
    text = text if isinstance(text, str) else repr(text)
    of_list = _LIST.fullmatch(text)
    element = of_list[1] if of_list else text
    if _TIME.fullmatch(element):
        _arrow_time(element)
        return ColumnType(element, of_list is not None)
    found = _PLAIN.fullmatch(element)
    if found is None:
        raise Refusal(f"{text!r} is not a type; types are written as in {_EXAMPLES}")
    dtype = found["scalar"]
    if dtype not in _ARROW:
        known = ", ".join(_ARROW)
        raise Refusal(f"{text!r}: {dtype!r} is not a type of elements; those are {known}, {_TIMES}")
    width = None if found["width"] is None else int(found["width"])
    if width is not None and (not dtype.startswith("float") or width > _WIDEST):
        raise Refusal(f"{text!r}: vectors are of floats and have at most {_WIDEST} lanes")
    form = found["form"]
    if form is not None and (dtype != "float32" or form not in FORMS):
        raise Refusal(f"{text!r}: vectors of float32 are kept as {', '.join(FORMS)}")
    return ColumnType(dtype, of_list is not None, width, form=None if form == "float32" else form)


_TIMES = "timestamp[UNIT], timestamp[UNIT, ZONE], duration[UNIT] (s, ms, us, ns) and date"


def _arrow_time(dtype: str) -> pa.DataType:
    found = _TIME.fullmatch(dtype)
    assert found is not None
    if found["kind"] is None:
        return pa.date32()
    if found["kind"] == "duration":
        if found["zone"]:
            raise Refusal(f"{dtype!r}: a duration has no time zone")
        return pa.duration(found["unit"])
    return pa.timestamp(found["unit"], found["zone"])


def _time(arrow: pa.DataType) -> str:
    """The type of a column of times."""
    if pa.types.is_date(arrow):
        return "date"
    if pa.types.is_duration(arrow):
        return f"duration[{arrow.unit}]"
    if not pa.types.is_timestamp(arrow):
        raise Refusal(f'is {arrow}, a time of day; give "int64" to store it as a whole number of that unit')
    if arrow.tz is None:
        return f"timestamp[{arrow.unit}]"
    if arrow.tz[:1] in {"+", "-"}:
        raise Refusal(f'has the offset {arrow.tz} and no time zone; give one, as in "timestamp[{arrow.unit}, UTC]"')
    return f"timestamp[{arrow.unit}, {arrow.tz}]"


def is_list(arrow: pa.DataType) -> bool:
    """Whether rows hold several elements."""
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(is_kind(arrow) for is_kind in kinds)


def infer(column: pa.ChunkedArray) -> ColumnType:
    """The type that loses nothing, or the reason why there is none."""
    arrow = column.type
    if not is_list(arrow):
        return ColumnType(_element(arrow))
    if is_list(arrow.value_type):
        return _infer_vectors(column)
    element = ColumnType(_element(arrow.value_type))
    width = _width(column) if element.is_float else None
    return ColumnType(element.dtype, width is None, width)


def _infer_vectors(column: pa.ChunkedArray) -> ColumnType:
    """The type of lists of lists: of vectors, where those inside are floats of one length."""
    inside = infer(pa.chunked_array([pc.list_flatten(chunk) for chunk in column.chunks], column.type.value_type))
    if inside.width is None:
        raise Refusal("holds lists of lists, and those inside are no vectors of floats of one length; leave it out")
    return ColumnType(inside.dtype, True, inside.width)


def _width(column: pa.ChunkedArray) -> int | None:
    """The lanes that all rows have; floats of one length are vectors, unless it is 1."""
    if pa.types.is_fixed_size_list(column.type):
        return int(column.type.list_size)
    lengths = pc.unique(pc.list_value_length(column.drop_null())).to_pylist()
    # An empty list stands for a missing vector.
    lengths = [length for length in lengths if length]
    return lengths[0] if len(lengths) == 1 and 1 < lengths[0] <= _WIDEST else None


def _element(arrow: pa.DataType) -> str:
    if arrow in _BY_ARROW:
        return _BY_ARROW[arrow]
    if pa.types.is_large_string(arrow) or pa.types.is_string_view(arrow):
        return "string"
    if pa.types.is_null(arrow):
        raise Refusal('every value is missing, so that its type is unknown; leave it out or give it, as in "float64"')
    if pa.types.is_decimal(arrow):
        raise Refusal('decimals lose digits as floats: give "float64" if that is meant, or lossy=True')
    if pa.types.is_temporal(arrow):
        return _time(arrow)
    if is_list(arrow):
        raise Refusal(f"holds lists of lists ({arrow}); a row has one value, one list or one vector")
    if pa.types.is_binary(arrow) or pa.types.is_large_binary(arrow):
        raise Refusal("holds bytes; decode them to strings first")
    raise Refusal(f"is {arrow}, which no column can have; split it into columns of its own")
