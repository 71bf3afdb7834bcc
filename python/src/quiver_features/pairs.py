"""Key-value collections as a request carries them: a list of keys and a list of values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


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
