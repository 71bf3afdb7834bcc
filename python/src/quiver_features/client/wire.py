"""Protocol buffers' wire format, as far as numbers should pass without being taken apart one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

Part: TypeAlias = bytes | memoryview
"""Bytes of a message."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


def varint(number: int) -> bytes:
    """A number of at least 0."""
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def message(field: int, *parts: Part) -> bytes:
    """A field that holds bytes: a message, a string or packed numbers."""
    return b"".join(nested(field, parts))


def nested(field: int, parts: Sequence[Part]) -> list[Part]:
    """The same in parts, so that large ones are copied once, when the whole message is joined."""
    size = sum(len(part) for part in parts)
    return [varint(field << 3 | _LENGTH) + varint(size), *parts]


def packed(array: np.ndarray[Any, Any]) -> Part:
    """An array's bytes where they lie."""
    return np.ascontiguousarray(array).view(np.uint8).data if len(array) else b""


def fields(view: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """The fields of a message: number, the whole field, and the bytes inside one that holds bytes (else nothing).

    Raises:
        ValueError: If the bytes are no message.
    """
    at = 0
    while at < len(view):
        start = at
        key, at = _varint(view, at)
        wire = key & 7
        inside = view[at:at]
        if wire == _VARINT:
            _, at = _varint(view, at)
        elif wire == _FIXED64:
            at += 8
        elif wire == _FIXED32:
            at += 4
        elif wire == _LENGTH:
            size, at = _varint(view, at)
            inside = view[at : at + size]
            at += size
        else:
            raise ValueError(f"wire type {wire} in an answer")
        if at > len(view):
            raise ValueError("an answer ends within a field")
        yield key >> 3, view[start:at], inside


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(view) and shift < 70:
        byte = view[at]
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return number, at
        shift += 7
    raise ValueError("an answer ends within a number")
