"""Moments, dates and durations as counts of an input's unit; never rounded."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..vectors import Array, Coded, Mask, Moment, Numbers, Objects, TimeKind, Times, Vector, is_missing, shown
from .integers import INT64
from .unfit import Unfit, mask_of, unfit_column

_SECOND = 10**18

_ATTOSECONDS = {
    "W": 604_800 * _SECOND,
    "D": 86_400 * _SECOND,
    "h": 3_600 * _SECOND,
    "m": 60 * _SECOND,
    "s": _SECOND,
    "ms": 10**15,
    "us": 10**12,
    "ns": 10**9,
    "ps": 10**6,
    "fs": 10**3,
    "as": 1,
}
"""What NumPy's units of fixed length hold."""

_WORDS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds", "D": "days"}

_MICROSECOND = datetime.timedelta(microseconds=1)
_EPOCH = datetime.datetime(1970, 1, 1)
_EPOCH_UTC = _EPOCH.replace(tzinfo=datetime.timezone.utc)


@dataclass(frozen=True)
class TimeType:
    """What an input counts.

    Attributes:
        kind: "timestamp", "date" or "duration".
        unit: "s", "ms", "us", "ns" or "D".
        zone: The zone that its timestamps belong to, or nothing.
    """

    kind: str
    unit: str
    zone: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}s in {_WORDS[self.unit]}" if self.kind != "date" else "dates"


def times(vector: Vector, wanted: TimeType) -> tuple[list[int], Mask | None]:
    """The counts, 0 where they are null, and the rows that are.

    Moments with a zone or an offset are counted in UTC. Those without are counted as they stand where the input has no
    zone.

    Raises:
        Unfit: At the first value that is no such time, or no whole number of the unit.
    """
    if isinstance(vector, Coded):
        vector = vector.decoded()
    if isinstance(vector, Times):
        return _of_times(vector, wanted)
    if isinstance(vector, Objects):
        return _of_objects(vector.values, wanted)
    if isinstance(vector, Numbers):
        return _of_numbers(vector, wanted)
    raise unfit_column(vector, f"must hold {wanted}")


def _of_times(vector: Times, wanted: TimeType) -> tuple[list[int], Mask | None]:
    missing = vector.missing
    counts = vector.counts if missing is None else np.where(missing, 0, vector.counts)
    if missing is None or not missing.all():
        at = 0 if missing is None else int(np.argmin(missing))
        _check_kind(Moment(int(counts[at]), vector.unit, vector.kind) if len(counts) else None, wanted, at)
    theirs, ours = _ATTOSECONDS[vector.unit], _ATTOSECONDS[wanted.unit]
    counts, wrong = _multiplied(counts, theirs // ours) if theirs >= ours else _divided(counts, ours // theirs)
    if wrong.any():
        at = int(np.argmax(wrong))
        _count(Moment(int(vector.counts[at]), vector.unit, vector.kind), wanted, at)
    return counts.tolist(), missing


def _multiplied(counts: Array, factor: int) -> tuple[Array, Mask]:
    """And which are out of range."""
    most = INT64[1] // factor
    wrong = (counts > most) | (counts < -most)
    return np.where(wrong, 0, counts) * np.int64(min(factor, INT64[1])), wrong


def _divided(counts: Array, factor: int) -> tuple[Array, Mask]:
    """And which are not divisible."""
    if factor > INT64[1]:
        return counts, counts != 0
    return counts // factor, counts % factor != 0


def _of_objects(values: list[Any], wanted: TimeType) -> tuple[list[int], Mask | None]:
    counts = []
    nulls = []
    for at, value in enumerate(values):
        if is_missing(value):
            nulls.append(at)
            counts.append(0)
            continue
        moment = _moment(value, wanted, at)
        _check_kind(moment, wanted, at)
        counts.append(_count(moment, wanted, at))
    return counts, mask_of(nulls, len(values))


def _of_numbers(vector: Numbers, wanted: TimeType) -> tuple[list[int], Mask | None]:
    """Only where all of them are null: numbers have no unit."""
    missing = np.zeros(vector.rows, dtype=np.bool_) if vector.missing is None else vector.missing
    if vector.values.dtype.kind == "f":
        missing = missing | np.isnan(vector.values)
    if not missing.all():
        at = int(np.argmin(missing))
        raise _without_unit(vector.values[at].item(), wanted, at)
    return [0] * vector.rows, missing if vector.rows else None


def _count(moment: Moment, wanted: TimeType, at: int) -> int:
    count, rest = divmod(moment.count * _ATTOSECONDS[moment.unit], _ATTOSECONDS[wanted.unit])
    word = _WORDS[wanted.unit]
    if rest:
        raise Unfit(str(moment), f"which is no whole number of {word}; round it before it is sent", at)
    if not INT64[0] <= count <= INT64[1]:
        raise Unfit(str(moment), f"which is out of range in {word}", at)
    return count


def _moment(value: Any, wanted: TimeType, at: int) -> Moment:
    """A time object of Python, NumPy or pandas.

    Raises:
        Unfit: If it is another one.
    """
    if isinstance(value, Moment):
        return value
    zoned = getattr(value, "tzinfo", None) is not None and value.utcoffset() is not None
    # pandas' types are Python's with more digits.
    for exact in ("to_datetime64", "to_timedelta64"):
        if hasattr(value, exact):
            value = getattr(value, exact)()
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return _of_numpy(value, zoned, at)
    if isinstance(value, datetime.datetime):
        passed = value - _EPOCH_UTC if zoned else value.replace(tzinfo=None) - _EPOCH
        return Moment(passed // _MICROSECOND, "us", "instant" if zoned else "local")
    if isinstance(value, datetime.date):
        return Moment((value - _EPOCH.date()).days, "D", "local")
    if isinstance(value, datetime.timedelta):
        return Moment(value // _MICROSECOND, "us", "duration")
    if isinstance(value, datetime.time):
        raise Unfit(shown(value), "a time of day; send the duration since midnight", at)
    raise _without_unit(value, wanted, at)


def _of_numpy(value: np.datetime64 | np.timedelta64, zoned: bool, at: int) -> Moment:
    unit, many = np.datetime_data(value.dtype)
    is_duration = isinstance(value, np.timedelta64)
    if unit in {"Y", "M"} and not is_duration:
        value, unit, many = value.astype("datetime64[D]"), "D", 1
    if unit not in _ATTOSECONDS:
        raise Unfit(shown(value), "which has no unit of fixed length", at)
    kind: TimeKind = "duration" if is_duration else "instant" if zoned else "local"
    return Moment(int(value.astype(np.int64)) * many, unit, kind)


def _without_unit(value: Any, wanted: TimeType, at: int) -> Unfit:
    rule = f"must hold {wanted}"
    if isinstance(value, str):
        rule += "; parse text before it is sent"
    elif isinstance(value, (int, float, np.number)):
        rule += f'; state what numbers count, as in quiver_features.Time(values, "{wanted.unit}")'
    return Unfit(shown(value), rule, at)


def _check_kind(moment: Moment | None, wanted: TimeType, at: int) -> None:
    if moment is None or moment.kind == "count":
        return
    if (moment.kind == "duration") != (wanted.kind == "duration"):
        raise Unfit(str(moment), f"must hold {wanted}", at)
    if wanted.kind == "date" and moment.kind == "instant":
        raise Unfit(str(moment), "a moment with a zone, whose date depends on it; send the date", at)
    if wanted.zone and moment.kind == "local":
        raise Unfit(
            str(moment),
            f"which states no zone; the input's times belong to {wanted.zone}: give it its zone or offset, or the zone "
            "UTC if that is what it counts in",
            at,
        )
