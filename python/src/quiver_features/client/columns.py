"""Columns of a request from Python's, NumPy's and pandas' values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..names import spec_name
from ..pairs import find_pair, split_pairs
from ..proto import feature_service_pb2 as pb
from .descriptions import FeatureSet, Input
from .errors import RequestError, Violation
from .wire import message

_COLUMNS = 4
"""The field of a request that holds its columns."""

_NAME, _FLOATS, _DOUBLES, _VALUES = 1, 2, 3, 1

_WORTH_A_DICTIONARY = 2
"""How often a string stands in a column on average, for the column to be sent as a dictionary."""

_INT64 = (-(1 << 63), (1 << 63) - 1)
_UINT64 = (0, (1 << 64) - 1)


class _Wrong(Exception):
    """Why values are not of an input's type."""


def write_columns(feature_set: FeatureSet, columns: Any) -> list[bytes]:
    """The request's field of each column, ready to be sent.

    Args:
        feature_set: Tells names, types and scopes.
        columns: A mapping from inputs' names to values, or a DataFrame, whose other columns are passed over.

    Raises:
        RequestError: With every column that can't be written.
    """
    by_name = {one.name: one for one in feature_set.inputs}
    violations: list[Violation] = []
    fields = []
    for name, values in _named(columns, by_name).items():
        if name not in by_name:
            known = ", ".join(by_name)
            violations.append(Violation(name, f"there is no such input; there are: {known}"))
            continue
        try:
            fields.append(message(_COLUMNS, _write(by_name[name], values)))
        except _Wrong as wrong:
            violations.append(Violation(name, str(wrong)))
    if violations:
        raise RequestError.invalid(violations)
    return fields


def _named(columns: Any, by_name: Mapping[str, Input]) -> dict[str, Any]:
    """Values by input; collections of pairs under "x" become those of the inputs "x_keys" and "x_values"."""
    is_frame = hasattr(columns, "columns") and hasattr(columns, "iloc")
    named: dict[str, Any] = {}
    for column in columns.columns if is_frame else columns:
        name = _input_name(str(column), by_name)
        if not is_frame:
            named[name] = columns[column]
        elif name in by_name or find_pair(name, by_name):
            named[name] = _of_frame(by_name.get(name), columns[column])
    return _split(named, by_name)


def _input_name(name: str, by_name: Mapping[str, Input]) -> str:
    """The input's name: a spec holds underscores for what a name may not have."""
    plain = spec_name(name)
    return plain if name not in by_name and (plain in by_name or find_pair(plain, by_name)) else name


def _of_frame(one: Input | None, values: Any) -> Any:
    """The single value of a request-scope column, which a frame repeats."""
    if one is None or one.scope == "row" or len(values) == 0:
        return values
    return values.iloc[:1] if one.is_list or values.nunique(dropna=False) == 1 else values


def _split(named: dict[str, Any], by_name: Mapping[str, Input]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, values in named.items():
        pair = None if name in by_name else find_pair(name, by_name)
        if pair is None:
            result[name] = values
            continue
        if by_name[pair[0]].scope == "request" and isinstance(values, Mapping):
            values = [values]
        both = [None if value is None else split_pairs(value) for value in values]
        for at, input_name in enumerate(pair):
            result[input_name] = [None if one is None else one[at] for one in both]
    return result


def _write(one: Input, values: Any) -> bytes:
    if one.scope == "request":
        values = _single(one, values)
    name = message(_NAME, one.name.encode())
    if not one.is_list:
        written, nulls = _scalars(one, values)
        return name + written + pb.Column(nulls=nulls).SerializeToString()
    elements, offsets, nulls = _flattened(values)
    written, null_elements = _scalars(one, elements)
    rest = pb.Column(list=pb.ListOffsets(offsets=offsets), nulls=nulls, null_elements=null_elements)
    return name + written + rest.SerializeToString()


def _single(one: Input, values: Any) -> Any:
    """A request-scope value as a column of one row."""
    if one.is_list:
        holds_lists = len(values) == 1 and (_is_sequence(_first(values)) or _first(values) is None)
        return values if holds_lists else [values]
    if not _is_sequence(values):
        return [values]
    if len(values) != 1:
        raise _Wrong(f"has {len(values)} values; it is of request scope and has one")
    return values


def _first(values: Any) -> Any:
    return values.iloc[0] if hasattr(values, "iloc") else values[0]


def _is_sequence(value: Any) -> bool:
    if isinstance(value, (str, bytes)):
        return False
    return isinstance(value, Sequence) or (hasattr(value, "__len__") and getattr(value, "ndim", 1) > 0)


def _flattened(values: Any) -> tuple[Any, list[int], list[int]]:
    """All lists' elements, the offsets of the rows, and the rows without a list."""
    if isinstance(values, np.ndarray) and values.ndim == 2:
        rows, width = values.shape
        return values.reshape(-1), [row * width for row in range(rows + 1)], []
    elements: list[Any] = []
    offsets, nulls = [0], []
    for row, of_row in enumerate(values):
        if not _is_sequence(of_row) and not isinstance(of_row, (set, frozenset)):
            if not _is_null(of_row):
                raise _Wrong(f"row {row} is {of_row!r}, not a list")
            nulls.append(row)
        else:
            elements.extend(of_row)
        offsets.append(len(elements))
    return elements, offsets, nulls


def _is_null(value: Any) -> bool:
    """None, NaN, pandas' NA and NumPy's masked."""
    if value is None or value is np.ma.masked or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def _scalars(one: Input, values: Any) -> tuple[bytes, list[int]]:
    """The column's field with the values, and the positions of nulls."""
    if one.dtype in {"float32", "float64"}:
        return _floats(one, values)
    if one.dtype == "string":
        return _strings(values)
    plain, nulls = _plain(values)
    if one.dtype == "bool":
        booleans = pb.BoolValues(values=[_boolean(value) for value in plain])
        return pb.Column(bools=booleans).SerializeToString(), nulls
    if one.dtype == "int64":
        return pb.Column(int64s=pb.Int64Values(values=_integers(plain, _INT64))).SerializeToString(), nulls
    return pb.Column(uint64s=pb.Uint64Values(values=_integers(plain, _UINT64))).SerializeToString(), nulls


def _plain(values: Any) -> tuple[list[Any], list[int]]:
    """Python values with 0 in the place of nulls, and where these are."""
    listed = _listed(values)
    if set(map(type, listed)) <= {int, bool, str}:
        return listed, []
    nulls = [position for position, value in enumerate(listed) if _is_null(value)]
    for position in nulls:
        listed[position] = 0
    return listed, nulls


def _listed(values: Any) -> list[Any]:
    """A new list of the values."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise _Wrong(f"is {values!r}, not a column of values")
    if isinstance(values, np.ma.MaskedArray):
        return [None if value is np.ma.masked else value for value in values]
    if hasattr(values, "to_numpy"):
        # pandas' own types come as objects: as they are, with NA for what is missing.
        plain = isinstance(getattr(values, "dtype", None), np.dtype)
        values = values.to_numpy() if plain else values.to_numpy(dtype=object)
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def _floats(one: Input, values: Any) -> tuple[bytes, list[int]]:
    """Floats go as the bytes that they are. NaN is sent as it is; the server knows what it means."""
    array, nulls = _float_array(values)
    with np.errstate(over="ignore"):
        packed = array.astype("<f4" if one.dtype == "float32" else "<f8", copy=False)
    field = _FLOATS if one.dtype == "float32" else _DOUBLES
    return message(field, message(_VALUES, packed.tobytes())), nulls


def _float_array(values: Any) -> tuple[np.ndarray[Any, Any], list[int]]:
    if isinstance(values, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(values)
        return _numeric(values.filled(0)), np.flatnonzero(mask).tolist()
    if hasattr(values, "isna") and not isinstance(getattr(values, "dtype", None), np.dtype):
        mask = values.isna().to_numpy()
        return _numeric(values.fillna(0).to_numpy()), np.flatnonzero(mask).tolist()
    array = values.to_numpy() if hasattr(values, "to_numpy") else values
    if isinstance(array, np.ndarray) and array.dtype.kind in "fiub":
        return _numeric(array), []
    listed = _listed(array)
    nulls = [position for position, value in enumerate(listed) if value is None or type(value).__name__ == "NAType"]
    for position in nulls:
        listed[position] = 0.0
    return _numeric(np.asarray(listed if listed else [], dtype=None if listed else float)), nulls


def _numeric(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if array.ndim != 1:
        raise _Wrong(f"has {array.ndim} dimensions, must have one")
    if array.dtype == object and all(isinstance(value, (int, float, np.number)) for value in array):
        array = array.astype(np.float64)
    if array.dtype.kind not in "fiub":
        raise _Wrong(f"holds {array.dtype}, must hold numbers")
    return array


def _integers(values: list[Any], limits: tuple[int, int]) -> list[int]:
    if set(map(type, values)) != {int}:
        values = [_integer(value, position) for position, value in enumerate(values)]
    if values and not (limits[0] <= min(values) and max(values) <= limits[1]):
        outside = next(at for at, value in enumerate(values) if not limits[0] <= value <= limits[1])
        raise _Wrong(f"holds {values[outside]} at {outside}, which is out of range")
    return values


def _integer(value: Any, position: int) -> int:
    if isinstance(value, (int, np.integer)) or (isinstance(value, (float, np.floating)) and float(value).is_integer()):
        return int(value)
    raise _Wrong(f"holds {value!r} at {position}, must hold integers")


def _boolean(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_, int)) and value in (0, 1):
        return bool(value)
    raise _Wrong(f"holds {value!r}, must hold True and False")


def _strings(values: Any) -> tuple[bytes, list[int]]:
    """As a dictionary where values repeat."""
    listed = _listed(values)
    nulls: list[int] = []
    if set(map(type, listed)) != {str}:
        nulls = [position for position, value in enumerate(listed) if not isinstance(value, str)]
        for position in nulls:
            if not _is_null(listed[position]):
                raise _Wrong(f"holds {listed[position]!r} at {position}, must hold strings")
            listed[position] = ""
    positions = {value: position for position, value in enumerate(dict.fromkeys(listed))}
    if len(listed) > 2 and len(listed) >= _WORTH_A_DICTIONARY * len(positions):
        indices = [positions[value] for value in listed]
        values_of = pb.DictionaryValues(dictionary=list(positions), indices=indices)
        return pb.Column(dictionary=values_of).SerializeToString(), nulls
    return pb.Column(strings=pb.StringValues(values=listed)).SerializeToString(), nulls
