"""Key-value collections as a request carries them: a list of keys and a list of values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any


def pair_names(name: str, others: Collection[str]) -> tuple[str, str]:
    """The names of the two inputs of a column of collections: ``x_keys`` and ``x_values``.

    They are numbered beyond what other columns are called: ``x_keys_2`` and ``x_values_2``.
    """
    keys, values = _numbered(name, others)
    return _names(name, max(keys | values, default=0) + 1)


def find_pair(name: str, inputs: Collection[str]) -> tuple[str, str] | None:
    """Which two of the inputs hold a column of collections, if any do."""
    keys, values = _numbered(name, inputs)
    both = keys & values
    return _names(name, max(both)) if both else None


def split_pairs(collection: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> tuple[list[str], list[float]]:
    """Splits a dictionary, or pairs, into keys and values, as scikit-learn's DictVectorizer and FeatureHasher read it.

    A string value becomes the key ``"name=value"`` with the value 1.0, an iterable of strings one such key each, and
    None the value NaN.

    >>> split_pairs({"city": "Oslo", "clicks": 3, "tags": ["a", "b"]})
    (['city=Oslo', 'clicks', 'tags=a', 'tags=b'], [1.0, 3.0, 1.0, 1.0])
    """
    items = collection.items() if isinstance(collection, Mapping) else collection
    keys: list[str] = []
    values: list[float] = []
    for key, value in items:
        if isinstance(value, str):
            keys.append(f"{key}={value}")
            values.append(1.0)
        elif isinstance(value, Iterable):
            for one in value:
                keys.append(f"{key}={one}")
                values.append(1.0)
        else:
            keys.append(str(key))
            values.append(float("nan") if value is None else float(value))
    return keys, values


def _names(name: str, number: int) -> tuple[str, str]:
    ending = "" if number == 1 else f"_{number}"
    return f"{name}_keys{ending}", f"{name}_values{ending}"


def _numbered(name: str, inputs: Collection[str]) -> tuple[set[int], set[int]]:
    """The numbers of the inputs that are called as keys, and as values, of a column."""
    found: tuple[set[int], set[int]] = (set(), set())
    for one in inputs:
        if not one.startswith(f"{name}_"):
            continue
        word, _, number = one[len(name) + 1 :].partition("_")
        if word in {"keys", "values"} and (not number or (number.isascii() and number.isdecimal())):
            found[word == "values"].add(int(number or 1))
    return found
