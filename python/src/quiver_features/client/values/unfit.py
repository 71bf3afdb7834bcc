"""What does not fit an input's type, with its place."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..vectors import Array, Lists, Mask, Numbers, Times, Unreadable, Vector, is_time, shown

_TIME = "declare the input as a timestamp, date or duration, or send the number that it was fitted on"


class Unfit(Unreadable):
    """A value that does not fit.

    Attributes:
        at: Its row, or its position among all lists' elements; None where the whole column does not fit.
        found: What it is.
        rule: What is expected instead.
    """

    def __init__(self, found: str, rule: str, at: int | None = None) -> None:
        self.found, self.rule, self.at = found, rule, at
        place = "" if at is None else f" at {at}"
        super().__init__(f"holds {found}{place}, {rule}")


def unfit(value: Any, rule: str, at: int) -> Unfit:
    """For one value of a column."""
    if isinstance(value, (bytes, bytearray)):
        rule = f"{rule}; decode bytes"
    elif is_time(value):
        rule = f"{rule}; {_TIME}"
    return Unfit(shown(value), rule, at)


def unfit_column(vector: Vector, rule: str) -> Unfit:
    """For a column of which no value fits."""
    if isinstance(vector, Times):
        return Unfit("durations" if vector.kind == "duration" else "times", f"{rule}; {_TIME}")
    if isinstance(vector, Lists):
        return Unfit("a list in each row", rule)
    return Unfit("values", rule)


def zero_filled(vector: Numbers) -> tuple[Array, Mask | None]:
    """Numbers of a type without NaN: 0 where they are null or NaN, and the rows that are."""
    values, missing = vector.values, vector.missing
    if values.dtype.kind == "f":
        absent = np.isnan(values)
        missing = absent if missing is None else absent | missing
        missing = missing if missing.any() else None
    if missing is not None:
        values = np.where(missing, values.dtype.type(0), values)
    return values, missing


def mask_of(rows: list[int], length: int) -> Mask | None:
    """Hides the rows, if there are any."""
    if not rows:
        return None
    mask = np.zeros(length, dtype=np.bool_)
    mask[rows] = True
    return mask
