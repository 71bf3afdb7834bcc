"""Columns of a request from values of any library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any, TypeAlias

import numpy as np

from ..pairs import split_pairs
from ..proto import feature_service_pb2 as pb
from .column import column_field
from .containers import Given, given
from .descriptions import FeatureSet, Input
from .errors import RequestError, Violation
from .reading import is_column, read
from .reading.lists import as_lists, read_lists
from .vectors import (
    Lists,
    Numbers,
    Objects,
    Unreadable,
    Vector,
    first,
    is_constant,
    is_missing,
    objects_of,
    shown,
)
from .wire import Part

_COLUMNS = 4
"""The field of a request that holds its columns."""

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

Pairs: TypeAlias = tuple[list[Any], list[Any]]
"""Keys and values."""


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
    return column_field(_COLUMNS, one.name, one, vector)


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
