"""Names of a spec's parts: each once, kept letter for letter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def column_name(label: Any) -> str:
    """A frame's label as an input's name: text as it is, a number as text.

    The parts of a MultiIndex's label are joined by ``|``; within them ``\\`` and ``|`` have a ``\\`` before them, so
    that no two labels of strings have one name.

    >>> column_name(("ad", "price"))
    'ad|price'
    """
    if isinstance(label, tuple):
        parts = (column_name(part).replace("\\", "\\\\").replace("|", "\\|") for part in label)
        return "|".join(parts)
    return str(label)


Reference = str | dict[str, str]
"""What a feature or a key reads: a string, or an object where a string could be taken for something else."""


def input_reference(name: str) -> Reference:
    """An input as specs refer to it: behind a dot could stand a lookup's column, or a feature."""
    return {"input": name} if "." in name else name


class Names:
    """Gives out names, each once."""

    def __init__(self, wanted: Iterable[str] = ()) -> None:
        self._wanted = iter(wanted)
        self._taken: set[str] = set()

    def next(self) -> str:
        """The next of the names that were wanted."""
        return self.unique(next(self._wanted))

    def unique(self, name: str) -> str:
        """The name itself, or with a number where it is taken."""
        # A part of a spec can't be without a name.
        name = name or "_"
        found, number = name, 1
        while found in self._taken:
            number += 1
            found = f"{name}_{number}"
        self._taken.add(found)
        return found
