"""Names that the spec can hold: unique, without dots, slashes and control characters."""

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


def spec_name(name: str) -> str:
    """The name with what a spec's names may not hold replaced by underscores."""
    kept = "".join("_" if letter in "./\\" or _is_control(letter) else letter for letter in name)
    return kept or "_"


def _is_control(letter: str) -> bool:
    return ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0


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
        name = spec_name(name)
        found, number = name, 1
        while found in self._taken:
            number += 1
            found = f"{name}_{number}"
        self._taken.add(found)
        return found
