"""Columns of a request from values of any library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any, Literal, TypeAlias

import numpy as np

from ..pairs import split_pairs
from ..proto import feature_service_pb2 as pb
from . import values as typed
from .containers import Given, given
from .descriptions import TIME_UNITS, FeatureSet, Input
from .errors import RequestError, Violation
from .reading import is_column, read
from .reading.lists import as_lists, read_lists
from .values.unfit import Unfit
from .vectors import (
    Lists,
    Mask,
    Numbers,
    Objects,
    Scalars,
    Unreadable,
    Vector,
    first,
    is_constant,
    is_missing,
    objects_of,
    shown,
)
from .wire import Part, message, nested, packed

_COLUMNS = 4
"""The field of a request that holds its columns."""

_NAME, _FLOATS, _DOUBLES, _BOOLS, _VALUES = 1, 2, 3, 6, 1
"""Fields of a column, and the one that holds the values in each of its kinds of values."""

_PLAIN: dict[str, tuple[str, set[type]]] = {
    "float64": ("doubles", {float, int}),
    "int64": ("int64s", {int}),
    "uint64": ("uint64s", {int}),
    "bool": ("bools", {bool}),
    "string": ("strings", {str}),
}
"""The fields of values that the messages take as they are."""

_LARGEST_EXACT = 1 << 53
"""Larger integers may not be floats."""

_TIME_UNITS: dict[str, Any] = {unit: number for number, unit in TIME_UNITS.items()}

Pairs: TypeAlias = tuple[list[Any], list[Any]]
"""Keys and values."""

_MOST_ELEMENTS = (1 << 32) - 1


def write_columns(feature_set: FeatureSet, columns: Any) -> tuple[list[Part], int | None]:
    """The request's columns, ready to be sent, and how many rows a frame has.

    Args:
        feature_set: States names, types and scopes.
        columns: A mapping from inputs' names to values, or a container of rows.

    Raises:
        RequestError: With every column that can't be written.
    """
    found = given(columns, feature_set)
    parts: list[Part] = []
    violations = list(found.violations)
    values_of = [(name, value, False) for name, value in found.singles.items()]
    values_of += [(name, values, found.repeats) for name, values in found.columns.items()]
    for name, values, repeats in values_of:
        try:
            for one, of_input in _by_input(name, values, found):
                parts += _plain_value(one, of_input) or _column(one, of_input, repeats)
        except Unreadable as reason:
            violations.append(Violation(name, str(reason)))
        except Exception as error:
            # Whatever a caller's own container raises, its column can't be read.
            violations.append(Violation(name, f"can't be read: {type(error).__name__}: {error}"))
    if violations:
        raise RequestError.invalid(violations)
    return parts, found.rows


def _by_input(name: str, values: Any, found: Given) -> list[tuple[Input, Any]]:
    """The values of an input; collections of pairs become those of two."""
    one = found.inputs.get(name)
    if one is not None:
        return [(one, values)]
    keys, weights = (found.inputs[half] for half in found.pairs[name])
    rows = [values] if isinstance(values, Mapping) and keys.scope == "request" else objects_of(read(values))
    # scikit-learn's collections have names as keys, and make names of values that are texts.
    split = split_pairs if keys.dtype == "string" else _as_they_are
    pairs = [_pairs(collection, row, split) for row, collection in enumerate(rows)]
    return [
        (keys, [None if one is None else one[0] for one in pairs]),
        (weights, [None if one is None else one[1] for one in pairs]),
    ]


def _as_they_are(collection: Any) -> tuple[list[Any], list[Any]]:
    items = list(collection.items() if isinstance(collection, Mapping) else collection)
    return [key for key, _ in items], [value for _, value in items]


def _pairs(collection: Any, row: int, split: Callable[[Any], Pairs]) -> Pairs | None:
    if not isinstance(collection, Mapping) and not is_column(collection):
        if is_missing(collection):
            return None
        raise Unreadable(f"row {row} is {shown(collection)}, not a dictionary or pairs")
    try:
        return split(collection)
    except (TypeError, ValueError, OverflowError) as error:
        raise Unreadable(f"row {row} is {shown(collection)}, whose pairs can't be read: {error}") from None


def _plain_value(one: Input, value: Any) -> list[Part] | None:
    """The field of a request-scope column of one plain value, in a fraction of the time; None for all other."""
    field, kinds = _PLAIN.get(one.dtype, ("", set()))
    if one.scope == "row" or one.is_list or type(value) not in kinds:
        return None
    if field == "doubles" and type(value) is int and abs(value) > _LARGEST_EXACT:
        return None
    values: dict[str, Any] = {field: {"values": [value]}}
    try:
        column = pb.Column(name=one.name, **values)
    except (ValueError, OverflowError):
        # Out of range, or no Unicode: reported with what is wrong.
        return None
    return [pb.GetFeaturesRequest(columns=[column]).SerializeToString()]


def _column(one: Input, values: Any, repeats: bool) -> list[Part]:
    """The field of any column."""
    vector = _single(one, values, repeats) if one.scope == "request" else _rows(one, values)
    if one.scope == "request" and isinstance(vector, (Objects, Numbers)):
        plain = _plain_value(one, objects_of(vector)[0])
        if plain is not None:
            return plain
    name: list[Part] = [message(_NAME, one.name.encode())]
    if not one.is_list or not isinstance(vector, Lists):
        written, missing = _scalars(one, vector)
        return nested(_COLUMNS, name + written + _positions(missing, "nulls"))
    try:
        written, missing = _scalars(one, vector.elements)
    except Unfit as unfit:
        raise _in_its_list(unfit, vector) from None
    nulls = _positions(vector.missing, "nulls") + _positions(missing, "null_elements")
    return nested(_COLUMNS, name + written + _offsets(vector) + nulls)


def _rows(one: Input, values: Any) -> Vector:
    """A value for each row."""
    return read_lists(values) if one.is_list else read(values)


def _single(one: Input, values: Any, repeats: bool) -> Vector:
    """A request-scope value as a column of one row."""
    if not repeats:
        vector = _single_list(values) if one.is_list else _single_scalar(values)
        if vector.rows != 1:
            raise Unreadable(f"has {vector.rows} values; it is of request scope and has one")
        return vector
    vector = _rows(one, values)
    if vector.rows == 0:
        raise Unreadable("is of request scope, and there is no row to take its value from; send a mapping")
    if not is_constant(vector):
        raise Unreadable(
            "differs between rows; it is of request scope and has one value: send one request for each, or a mapping"
        )
    return first(vector)


def _single_scalar(values: Any) -> Vector:
    if is_column(values):
        return read(values)
    if isinstance(values, Mapping):
        raise Unreadable(f"is {shown(values)}, must be one value")
    return read(values.reshape(1) if isinstance(values, np.ndarray) else [values])


def _single_list(values: Any) -> Lists:
    """One list, or a column of one."""
    if not is_column(values):
        return as_lists(Objects([values]))
    vector = read(list(values) if isinstance(values, Set) else values)
    if isinstance(vector, Lists):
        return vector
    if isinstance(vector, Objects) and _holds_lists(vector.values):
        return as_lists(vector)
    return Lists(np.array([vector.rows], np.int64), vector)


def _holds_lists(values: list[Any]) -> bool:
    return any(map(is_column, values)) or (len(values) == 1 and values[0] is None)


def _in_its_list(unfit: Unfit, lists: Lists) -> Unreadable:
    """The problem of an element, with its row and its place in the row's list."""
    if unfit.at is None:
        return unfit
    ends = np.cumsum(lists.lengths)
    row = int(np.searchsorted(ends, unfit.at, side="right"))
    place = unfit.at - int(ends[row] - lists.lengths[row])
    return Unreadable(f"row {row} holds {unfit.found} at {place}, {unfit.rule}")


def _offsets(lists: Lists) -> list[Part]:
    ends = np.cumsum(lists.lengths)
    if len(ends) and int(ends[-1]) > _MOST_ELEMENTS:
        raise Unreadable(f"holds {int(ends[-1])} elements, more than a request can hold")
    offsets = pb.ListOffsets(offsets=[0, *ends.tolist()])
    return [pb.Column(list=offsets).SerializeToString()]


def _positions(missing: Mask | None, field: Literal["nulls", "null_elements"]) -> list[Part]:
    if missing is None:
        return []
    rows = np.flatnonzero(missing).tolist()
    column = pb.Column(nulls=rows) if field == "nulls" else pb.Column(null_elements=rows)
    return [column.SerializeToString()]


def _scalars(one: Input, vector: Vector) -> tuple[list[Part], Mask | None]:
    """The column's field with the values, and where they are null."""
    if isinstance(vector, Lists):
        raise Unreadable("holds a list in each row, must hold one value")
    if one.dtype == "string":
        return _texts(vector)
    if one.dtype in {"float32", "float64"}:
        floats, missing = typed.floats(vector, one.dtype)
        return _packed(_FLOATS if one.dtype == "float32" else _DOUBLES, packed(floats)), missing
    if one.dtype == "bool":
        booleans, missing = typed.booleans(vector)
        return _packed(_BOOLS, packed(booleans)), missing
    if one.dtype == "int64":
        signed, missing = typed.integers(vector, typed.INT64)
        return [pb.Column(int64s=pb.Int64Values(values=signed)).SerializeToString()], missing
    if one.dtype == "uint64":
        unsigned, missing = typed.integers(vector, typed.UINT64)
        return [pb.Column(uint64s=pb.Uint64Values(values=unsigned)).SerializeToString()], missing
    return _times(one, vector)


def _packed(field: int, values: Part) -> list[Part]:
    return nested(field, nested(_VALUES, [values]))


def _times(one: Input, vector: Scalars) -> tuple[list[Part], Mask | None]:
    if one.dtype == "unknown" or one.time_unit is None:
        raise Unreadable("has a type that this client does not know; install a newer quiver-features")
    counts, missing = typed.times(vector, typed.TimeType(one.dtype, one.time_unit, one.time_zone))
    column = pb.Column(int64s=pb.Int64Values(values=counts), time_unit=_TIME_UNITS[one.time_unit])
    return [column.SerializeToString()], missing


def _texts(vector: Scalars) -> tuple[list[Part], Mask | None]:
    texts, missing = typed.texts(vector)
    if texts.indices is None:
        column = pb.Column(strings=pb.StringValues(values=texts.values))
    else:
        column = pb.Column(dictionary=pb.DictionaryValues(dictionary=texts.values, indices=texts.indices))
    return [column.SerializeToString()], missing
