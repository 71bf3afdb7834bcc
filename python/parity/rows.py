"""Rows to compare: the sample's own, random ones, and hard values in every column, as far as the estimator takes them.

Nothing here looks at what the exporter reports about an estimator: hard numbers come from its fitted attributes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from quiver_features.exporter.golden import Oracle
from quiver_features.exporter.nulls import is_missing
from quiver_features.exporter.samples import Sample
from quiver_features.exporter.sources import NEVER, UNDECIDED, Row, Source

RANDOM_ROWS = 200
MOST_OWN_ROWS = 300
MOST_FITTED = 40
"""Fitted numbers whose neighbourhood is tried, for each estimator."""

HARD_FLOATS = [
    0.0, -0.0, 1.0, -1.0, 0.1, 0.3, 0.6, 0.9, 0.5, 1e-10, -1e-10, 1e-7, -1e-7, 1e-300, -5e-324, 1e9, -1e9, 1e30,
    123456.789, 2.0**24 + 1, 2.0**53 + 2, math.pi,
]  # fmt: skip

HARD_STRINGS = [
    "", " ", "nan", "NaN", "None", "null", "0", "1", "1.0", "True", "unknown \u2603", "\u00e9", "e\u0301", "a\0b",
    "\0", "\uffff", "\U00010000", "\u0130", "x\u00b2  \u00bd \u0130 \u203f e\u0307", "OSLO", "oslo ", "a=b", "a" * 300,
]  # fmt: skip


def rows_for(estimator: Any, oracle: Oracle, sample: Sample, seed: int) -> list[Row]:
    """Rows that the estimator takes."""
    random = np.random.default_rng(seed)
    own = oracle.accepted(sample.rows[:MOST_OWN_ROWS]).rows
    fitted = list(_fitted_numbers(estimator))
    fitted = [fitted[at] for at in random.permutation(len(fitted))[:MOST_FITTED]]
    choices = []
    for position, source in enumerate(sample.sources):
        hard = _accepted(oracle, own[0], position, _hard(source, fitted))
        choices.append(hard + [value for value in _plain(source, random) if not _refused(source, value)])
    hard_rows = max(len(values) for values in choices)
    made = [
        tuple(values[(number + 7 * position) % len(values)] for position, values in enumerate(choices))
        for number in range(hard_rows)
    ]
    for _ in range(RANDOM_ROWS):
        made.append(tuple(values[int(random.integers(len(values)))] for values in choices))
    return own + oracle.accepted(made).rows


def _accepted(oracle: Oracle, row: Row, position: int, values: list[Any]) -> list[Any]:
    rows = [(*row[:position], value, *row[position + 1 :]) for value in values]
    return [accepted[position] for accepted in oracle.accepted(rows).rows]


def _fitted_numbers(estimator: Any) -> Iterator[float]:
    """The numbers in the fitted attributes of an estimator and of those inside it."""
    if isinstance(estimator, (list, tuple)):
        for one in estimator:
            yield from _fitted_numbers(one)
    elif hasattr(estimator, "get_params"):
        for name, value in vars(estimator).items():
            if name.endswith("_") or name in {"steps", "transformer_list", "_scaler", "threshold"}:
                yield from _fitted_numbers(value)
    elif isinstance(estimator, np.ndarray):
        if estimator.dtype.kind == "f":
            yield from estimator.reshape(-1)[np.isfinite(estimator.reshape(-1))].tolist()
        elif estimator.dtype == object:
            yield from _fitted_numbers(list(estimator.reshape(-1)))
    elif isinstance(estimator, (float, np.floating)) and math.isfinite(estimator):
        yield float(estimator)


def _hard(source: Source, fitted: list[float]) -> list[Any]:
    absent = [] if source.missing is NEVER else [float("nan") if source.missing is UNDECIDED else source.missing]
    if source.element == "pairs":
        return absent + _hard_pairs(source)
    if source.is_list:
        present = [list(value) for value in source.values if not _absent(value)]
        unknown = HARD_STRINGS if source.element == "string" else [987_654_321, -1]
        return [*absent, [], unknown, *([*value, *value] for value in present[:10]), *([one] for one in unknown)]
    if source.element == "string":
        return absent + HARD_STRINGS
    if source.element == "bool":
        return [*absent, True, False]
    if source.element == "float64":
        return [*absent, float("inf"), float("-inf"), *_around(HARD_FLOATS[:8] + fitted, source), *_floats(source)]
    around = [int(one) + step for one in fitted if abs(one) < 2**62 for step in (-1, 0, 1)]
    edges = [0, 1, -1, 2**31, -(2**31) - 1, 2**53, 2**53 + 1, 2**62, 2**63 - 1, -(2**63), 2**64 - 1]
    return absent + [value for value in around + edges if _fits(value, source)]


def _around(values: list[float], source: Source) -> list[float]:
    """The values and their neighbours in the source's type, and the neighbours in the other one."""
    found = []
    with np.errstate(over="ignore", under="ignore"):
        for kind in (np.float32, np.float64):
            for value in values:
                here = kind(value)
                found += [here, np.nextafter(here, kind(-np.inf)), np.nextafter(here, kind(np.inf))]
        kind = np.float32 if source.float32 else np.float64
        return list({repr(one): one for one in (kind(value).item() for value in found)}.values())


def _floats(source: Source) -> list[float]:
    kind = np.float32 if source.float32 else np.float64
    with np.errstate(over="ignore", under="ignore"):
        return [kind(value).item() for value in HARD_FLOATS]


def _hard_pairs(source: Source) -> list[Any]:
    present = [value for value in source.values if not _absent(value)]
    as_dicts = [dict(value) for value in present[:10]]
    made: list[dict[str, Any]] = [{}, {"unknown": 1.0}, {"unknown": "x"}, {"\u00e9": 1}, {"": 2.5}, {"a": 0}]
    made += [{**one, "unknown": -2.5} for one in as_dicts] + [dict.fromkeys(one, 1e9) for one in as_dicts]
    if all(hasattr(value, "items") for value in present):
        return made
    return [list(one.items()) for one in made]


def _plain(source: Source, random: np.random.Generator) -> list[Any]:
    """Random values of the kind that the sample has, and beyond its range."""
    present = [value for value in source.values if not _absent(value)]
    if source.element not in {"float64", "int64", "uint64"} or source.is_list or not present:
        return present[:100] or source.values[:1]
    numbers = np.asarray([float(value) for value in present])
    numbers = numbers[np.isfinite(numbers)]
    low, high = float(numbers.min()), float(numbers.max())
    span = (high - low) or 1.0
    made = [
        *random.uniform(low, high, 80),
        *random.uniform(low - span, high + span, 40),
        *(random.choice(numbers, 40) + random.normal(0, span * 1e-6, 40)),
    ]
    if source.element == "float64":
        made += list(random.choice([-1, 1], 30) * 10.0 ** random.uniform(-12, 12, 30))
        kind = np.float32 if source.float32 else np.float64
        return [kind(value).item() for value in made] + present[:40]
    return [int(value) for value in made if _fits(int(value), source)] + present[:40]


def _refused(source: Source, value: Any) -> bool:
    """Whether the sample's container can't hold a value."""
    return source.missing is NEVER and _absent(value)


def _absent(value: Any) -> bool:
    return not hasattr(value, "__iter__") and is_missing(value)


def _fits(value: int, source: Source) -> bool:
    least, most = source.limits
    return least <= value <= most
