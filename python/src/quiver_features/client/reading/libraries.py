"""Which library an object comes from."""

from __future__ import annotations

_LIBRARIES = {"pandas", "pyarrow", "polars", "scipy"}

_BY_TYPE: dict[type, str] = {}
"""The types that were met."""


def library_of(value: object) -> str:
    """The library that an object's type, or what this inherits from, comes from; nothing for others."""
    kind = type(value)
    found = _BY_TYPE.get(kind)
    if found is None:
        roots = [base.__module__.partition(".")[0] for base in kind.__mro__]
        found = _BY_TYPE[kind] = next((root for root in roots if root in _LIBRARIES), "")
    return found
