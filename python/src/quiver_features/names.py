"""Names that the spec can hold: unique, without dots, slashes and control characters."""

from __future__ import annotations

from collections.abc import Iterable


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
