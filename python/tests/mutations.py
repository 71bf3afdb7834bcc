"""Specs with one number or one category off: what golden rows must catch."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

_OF_A_LIST = 8
"""The most entries of one list that are mutated, evenly spaced."""

Path = tuple[str | int, ...]


class Mutant(NamedTuple):
    """A spec with one value changed.

    Attributes:
        place: Where: ``features[2].steps[0].mean``.
        spec: The changed spec.
        of_list: Whether the value is an entry of a list.
    """

    place: str
    spec: dict[str, Any]
    of_list: bool


def mutants(spec: dict[str, Any]) -> Iterator[Mutant]:
    """Each number, and each string or number in a list, of the features' steps, changed by itself."""
    for position, feature in enumerate(spec["features"]):
        for number, step in enumerate(feature.get("steps", [])):
            for path, value in _leaves(step, ()):
                if _changes_nothing(step, path):
                    continue
                whole: Path = ("features", position, "steps", number, *path)
                changed = copy.deepcopy(spec)
                _put(changed, whole, _off(value))
                yield Mutant(_place(whole), changed, isinstance(path[-1], int))


def _changes_nothing(step: dict[str, Any], path: Path) -> bool:
    """Whether no row can show the change: the changed spec serves the same values."""
    field, at = path[0], path[-1]
    if (step["op"], field) == ("normalize", "zero_below"):
        # A norm would have to lie within a thousandth of ten times the smallest spacing of floats.
        return True
    if (step["op"], field) == ("tokenize", "stop_words"):
        # No stop word is in the vocabulary that was fitted without it.
        return True
    if (step["op"], field) == ("spline", "knots"):
        # Within the fitted range no basis depends on the outermost knots.
        return at in (0, len(step["knots"]) - 1)
    if (step["op"], field) == ("quantile", "references"):
        return isinstance(at, int) and _within_a_run(step["quantiles"], at)
    if step["op"] == "one_hot" and isinstance(at, int):
        # What has no lane of its own is served as an unknown category is.
        dropped = step["drop"]["position"] if isinstance(step["drop"], dict) else None
        return field == "infrequent" or (field == "categories" and at == dropped)
    return False


def _within_a_run(quantiles: list[float], at: int) -> bool:
    """Whether the knots on both sides are equal to this one: a value there takes the run's ends alone."""
    run = [position for position, one in enumerate(quantiles) if one == quantiles[at]]
    return run[0] < at < run[-1]


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """The fitted values: numbers anywhere, strings in lists and as keys' values; no switches."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(inner, (str, bool)):
                yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        step = max(1, -(-len(value) // _OF_A_LIST))
        for position in range(0, len(value), step):
            yield from _leaves(value[position], (*path, position))
    elif value is not None and not isinstance(value, bool):
        yield path, value


def _off(value: Any) -> Any:
    if isinstance(value, str):
        return {"nan": 0.5, "inf": 0.5, "-inf": -0.5}.get(value, value + "~")
    if isinstance(value, int):
        return value + 1
    return value * 1.001 if value else 0.001


def _put(document: Any, path: Path, value: Any) -> None:
    for part in path[:-1]:
        document = document[part]
    document[path[-1]] = value


def _place(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
