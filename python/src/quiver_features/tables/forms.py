"""The forms in which a server keeps vectors, and what they make of values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FORMS = ("float32", "float16", "bfloat16", "int8", "binary")
"""The names of all forms, as ``table.json`` has them."""


def round_vectors(vectors: ArrayLike, form: str) -> NDArray[np.float32]:
    """The vectors as a server reads them out of a column of this form, bit for bit.

    Train with these where the loss matters: they are what is served, and what golden rows must be computed from.

    Args:
        vectors: One vector a row; a single vector is a row by itself.
        form: "float32", "float16", "bfloat16", "int8" or "binary".

    Raises:
        ValueError: The form is unknown, or can't keep a value: beyond the range of float16 or bfloat16, NaN or an
            infinity in int8, NaN in binary.
    """
    if form not in FORMS:
        raise ValueError(f"{form!r} is not a form; those are {', '.join(FORMS)}")
    values = np.asarray(vectors, dtype=np.float32)
    if form == "binary":
        if np.isnan(values).any():
            raise ValueError("binary can't keep NaN")
        return np.where(values > 0, np.float32(1), np.float32(-1))
    if form == "int8":
        return _int8(values)
    rounded: NDArray[np.float32] = values.copy()
    if form != "float32":
        with np.errstate(over="ignore"):
            rounded = values.astype(np.float16).astype(np.float32) if form == "float16" else _bfloat16(values)
    if np.isinf(rounded[np.isfinite(values)]).any():
        raise ValueError(f"a value is beyond what {form} holds")
    return rounded


def _bfloat16(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The upper 16 bits, rounded to nearest, ties to even."""
    bits = values.view(np.uint32)
    upper = (bits + (0x7FFF + ((bits >> 16) & 1)).astype(np.uint32)) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(values), values, upper.view(np.float32))


def _int8(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Codes from 0 to 255 between each vector's least and greatest value."""
    if not np.isfinite(values).all():
        raise ValueError("int8 keeps finite values only")
    offset: Any = values.min(axis=-1, keepdims=True)
    with np.errstate(over="ignore"):
        scale: Any = (values.max(axis=-1, keepdims=True) - offset) / np.float32(255)
    if not np.isfinite(scale).all():
        raise ValueError("a vector reaches over more than float32 holds, so that int8 can't keep it")
    steps = np.divide(values - offset, scale, out=np.zeros_like(values), where=scale > 0)
    codes = np.minimum(np.rint(steps), np.float32(255))
    result: NDArray[np.float32] = offset + scale * codes
    return result
