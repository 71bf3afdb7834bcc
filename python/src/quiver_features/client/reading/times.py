"""Counts whose unit the caller states."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from ..descriptions import TimeUnit
from ..values import INT64, integers
from ..vectors import Lists, Scalars, Times, Unreadable, Vector


@dataclass(frozen=True, eq=False)
class Time:
    """Integers that count a unit of time, for inputs that are times.

    >>> columns = {"seen_at": Time([1_700_000_000, None], "s")}

    Attributes:
        values: A column of integers in any container, or one integer for a request-scope input.
        unit: "s", "ms", "us", "ns", or "D" for days: since 1970-01-01 UTC where the input is a moment or a date.
    """

    values: Any
    unit: TimeUnit

    def stamped_lists(self, vector: Lists) -> Lists:
        """The same of lists."""
        return replace(vector, elements=self._counts(vector.elements))

    def stamped(self, vector: Vector) -> Vector:
        """What was read of the values, with the unit.

        Raises:
            Unreadable: If they are not integers, or the unit is not known.
        """
        return self.stamped_lists(vector) if isinstance(vector, Lists) else self._counts(vector)

    def _counts(self, vector: Scalars) -> Times:
        if self.unit not in get_args(TimeUnit):
            raise Unreadable(f"has the unit {self.unit!r}, must be one of {', '.join(get_args(TimeUnit))}")
        counts, missing = integers(vector, INT64)
        return Times(np.array(counts, dtype=np.int64), self.unit, "count", missing)
