"""Lists of Python objects."""

from __future__ import annotations

from typing import Any

from ..vectors import Objects, Vector
from . import arrow


def of_objects(values: list[Any]) -> Vector:
    """A list's values as they are; Arrow's scalars as a column of their type."""
    if any(hasattr(kind, "as_py") for kind in set(map(type, values))):
        return arrow.of_scalars(values)
    return Objects(values)
