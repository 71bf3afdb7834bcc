"""True and False."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..vectors import Array, Coded, Mask, Numbers, Objects, Vector, is_missing
from .unfit import Unfit, mask_of, unfit, unfit_column, zero_filled

_RULE = "must hold True and False"


def booleans(vector: Vector) -> tuple[Array, Mask | None]:
    """The values as bytes of 0 and 1, and the rows that are null. Numbers are accepted where they are 0 and 1.

    Raises:
        Unfit: At the first other value.
    """
    if isinstance(vector, Coded):
        vector = vector.decoded()
    if isinstance(vector, Objects):
        return _of_objects(vector.values)
    if not isinstance(vector, Numbers):
        raise unfit_column(vector, _RULE)
    values, missing = zero_filled(vector)
    if values.dtype.kind != "b":
        wrong = (values != 0) & (values != 1)
        if wrong.any():
            at = int(np.argmax(wrong))
            raise Unfit(repr(values[at].item()), _RULE, at)
        values = values == 1
    return values.astype(np.uint8), missing


def _of_objects(values: list[Any]) -> tuple[Array, Mask | None]:
    array = np.zeros(len(values), dtype=np.uint8)
    nulls = []
    for at, value in enumerate(values):
        if is_missing(value):
            nulls.append(at)
        elif isinstance(value, (bool, np.bool_, int, np.integer, float, np.floating)) and value in (0, 1):
            array[at] = bool(value)
        else:
            raise unfit(value, _RULE, at)
    return array, mask_of(nulls, len(values))
