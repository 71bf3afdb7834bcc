"""Values of a column that are hard to get right: missing, the range's ends and beyond, edges, unknown categories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .nulls import is_missing
from .sources import NEVER, UNDECIDED, Source, identity

_SAMPLE_VALUES = 25


class Inside(float):
    """A hint between two values at which something changes: tried by itself, without the floats next to it."""


UNKNOWN = "unknown \u2603"


def missing(source: Source) -> list[Any]:
    """What stands for no value, where the column can hold it."""
    if source.missing is NEVER:
        return []
    return [float("nan") if source.missing is UNDECIDED else source.missing]


def infinite(source: Source, sign: float) -> list[Any]:
    """An infinity, where the column can hold it."""
    return [sign * float("inf")] if source.element == "float64" and not source.is_list else []


def hard(source: Source, hints: Sequence[Any]) -> list[Any]:
    """What most estimators take, each value once."""
    present = [value for value in source.values if not _absent(value)]
    if source.element == "pairs":
        found = [*present[:_SAMPLE_VALUES], {}, {UNKNOWN: 1.0}, {UNKNOWN: UNKNOWN}]
        found += [{**dict(value), UNKNOWN: -2.5} for value in present[:2]]
        found += [dict.fromkeys(dict(value), 0) for value in present[:1]]
    elif source.is_list:
        unknown = UNKNOWN if source.element == "string" else 987_654_321
        found = [*present[:_SAMPLE_VALUES], [], [unknown], *hints]
        found += [[*value, *value, unknown] for value in present[:2]]
    elif source.element == "float64":
        found = _floats(present, [hint for hint in hints if not is_missing(hint)], source.float32)
    elif source.element in {"int64", "uint64"}:
        found = _integers(present, [hint for hint in hints if not is_missing(hint)], source)
    elif source.element == "bool":
        found = [True, False]
    else:
        distinct = list(dict.fromkeys(present))[:_SAMPLE_VALUES]
        cased = [value.swapcase() for value in distinct[:3] if isinstance(value, str)]
        found = [
            *[hint for hint in hints if isinstance(hint, str)],
            *distinct,
            *cased,
            "",
            UNKNOWN,
            "0",
            "nan",
        ]
    return [value for value in _as_sent(_once(found), source) if source.can_hold(value)]


def _as_sent(values: list[Any], source: Source) -> list[Any]:
    """Pairs stay pairs where the sample has those."""
    if source.element != "pairs" or all(hasattr(value, "items") for value in source.values if not _absent(value)):
        return values
    return [list(value.items()) if hasattr(value, "items") else value for value in values]


def _absent(value: Any) -> bool:
    return not hasattr(value, "__iter__") and is_missing(value)


def _once(values: list[Any]) -> list[Any]:
    return list({identity(value): value for value in values}.values())


def _floats(present: list[Any], hints: list[Any], float32: bool) -> list[Any]:
    number = np.float32 if float32 else np.float64
    around = []
    with np.errstate(over="ignore"):
        numbers = [hint for hint in hints if isinstance(hint, (int, float, np.number)) and not isinstance(hint, Inside)]
        for hint in (number(one) for one in numbers):
            around += [hint, np.nextafter(hint, number(-np.inf)), np.nextafter(hint, number(np.inf))]
        inside = [hint for hint in hints if isinstance(hint, Inside)]
        ends = []
        finite = [float(value) for value in present if np.isfinite(float(value))]
        if finite:
            low, high = min(finite), max(finite)
            span = (high - low) or 1.0
            ends = [low, high, low - span, high + span, low - 100 * span, high + 100 * span, (low + high) / 2]
        values = [number(value).item() for value in [*around, *ends, 0.0, -0.0, *finite[:_SAMPLE_VALUES], *inside]]
    return [value for value in values if np.isfinite(value)]


def _integers(present: list[Any], hints: list[Any], source: Source) -> list[Any]:
    numbers = [int(value) for value in present]
    for hint in (hint for hint in hints if isinstance(hint, (int, float, np.number)) and np.isfinite(hint)):
        numbers += [int(hint), int(np.ceil(hint)), int(np.floor(hint)) - 1]
    low, high = (min(numbers), max(numbers)) if numbers else (0, 0)
    numbers = [low, high, low - 1, high + 1, 0, *numbers]
    least, most = source.limits
    return [number for number in numbers if least <= number <= most]
