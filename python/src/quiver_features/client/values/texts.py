"""Strings, which are sent once where they repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..vectors import Coded, Mask, Objects, Vector, is_missing
from .unfit import mask_of, unfit, unfit_column

_RULE = "must hold strings"

_WORTH_A_DICTIONARY = 2
"""How often a string stands in a column on average, for the column to be sent as a dictionary."""


@dataclass(frozen=True)
class Texts:
    """Strings of a column.

    Attributes:
        values: A string for each row, or the distinct ones.
        indices: For each row the position of its string, where these are the distinct ones.
    """

    values: list[str]
    indices: list[int] | None


def texts(vector: Vector) -> tuple[Texts, Mask | None]:
    """The strings, and the rows that are null.

    Raises:
        Unfit: At the first value that is no string, or can't be UTF-8.
    """
    if isinstance(vector, Coded) and _is_worth_a_dictionary(vector.rows, vector.distinct.rows):
        return _of_codes(vector)
    if isinstance(vector, Coded):
        vector = vector.decoded()
    if not isinstance(vector, Objects):
        raise unfit_column(vector, _RULE)
    values, nulls = _strings(vector.values)
    missing = mask_of(nulls, len(values))
    positions = {value: at for at, value in enumerate(dict.fromkeys(values))}
    if _is_worth_a_dictionary(len(values), len(positions)):
        return Texts(list(positions), [positions[value] for value in values]), missing
    return Texts(values, None), missing


def _is_worth_a_dictionary(rows: int, distinct: int) -> bool:
    return rows > 2 and rows >= _WORTH_A_DICTIONARY * distinct


def _of_codes(vector: Coded) -> tuple[Texts, Mask | None]:
    if not isinstance(vector.distinct, Objects):
        if vector.distinct.rows:
            raise unfit_column(vector.distinct, _RULE)
        return texts(vector.decoded())
    values, nulls = _strings(vector.distinct.values)
    missing = vector.codes < 0
    if nulls:
        missing |= np.isin(vector.codes, nulls)
    if not missing.any():
        return Texts(values, vector.codes.tolist()), None
    return Texts(values or [""], np.where(missing, 0, vector.codes).tolist()), missing


def _strings(values: list[Any]) -> tuple[list[str], list[int]]:
    """Checked strings, with an empty one where they are null, and where that is."""
    nulls: list[int] = []
    if set(map(type, values)) != {str}:
        nulls = [at for at, value in enumerate(values) if not isinstance(value, str)]
        values = list(values)
        for at in nulls:
            if not is_missing(values[at]):
                raise unfit(values[at], _RULE, at)
            values[at] = ""
    try:
        "".join(values).encode()
    except UnicodeEncodeError:
        _check_unicode(values)
    return values, nulls


def _check_unicode(values: list[str]) -> None:
    for at, value in enumerate(values):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            half = f"\\u{ord(value[error.start]):04x}"
            raise unfit(value, f"half of a surrogate pair ({half}), which is no Unicode text", at) from None
