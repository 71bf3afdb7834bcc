"""Numbered versions in a repository: each one a folder that is written aside, then renamed into place."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_VERSION = re.compile(r"[1-9][0-9]*")
_LARGEST_VERSION = (1 << 32) - 1


class VersionError(Exception):
    """A version's folder can't be written."""


@dataclass(frozen=True)
class NewVersion:
    """A version that is being written.

    Attributes:
        number: Its number.
        repository: A repository of this version alone.
        folder: The version's folder in it, to write into.
        target: The folder's place once everything is written.
    """

    number: int
    repository: Path
    folder: Path
    target: Path


def name_problem(name: str) -> str | None:
    """Why a name can't be that of a feature set or a table, whose folders have it."""
    bad = [letter for letter in name if letter in "./\\" or ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0]
    if name and not bad:
        return None
    return f"the name {name!r} must be a folder's name without dots, slashes and control characters"


def versions_in(folder: Path) -> list[int]:
    """The numbers of the versions in a folder, in order."""
    if not folder.is_dir():
        return []
    return sorted(int(one.name) for one in folder.iterdir() if _VERSION.fullmatch(one.name))


@contextmanager
def new_version(repository: Path, kind: str, name: str, number: int | None) -> Iterator[NewVersion]:
    """Gives a folder to write a version into; it takes its place when the block ends well.

    Without a number it is the highest one plus 1. Nothing is in place before all of it is.

    Args:
        kind: "feature_sets" or "tables".
    """
    versions = repository / kind / name
    if number is None:
        number = max(versions_in(versions), default=0) + 1
    if not 1 <= number <= _LARGEST_VERSION:
        raise VersionError(f"the version is {number}, must be from 1 to {_LARGEST_VERSION}")
    target = versions / str(number)
    if target.exists():
        raise VersionError(f"{target} exists already")
    aside = _aside(versions, number)
    try:
        folder = aside / kind / name / str(number)
        folder.mkdir(parents=True)
        yield NewVersion(number, aside, folder, target)
        _rename(folder, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _aside(versions: Path, number: int) -> Path:
    try:
        versions.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".{number}-", dir=versions))
    except OSError as error:
        raise VersionError(f"{versions} can't be written into: {error.strerror}") from error


def _rename(aside: Path, target: Path) -> None:
    try:
        os.rename(aside, target)
    except OSError as error:
        # Somebody else's version of this number came first.
        raise VersionError(f"{target} can't be put in place: {error.strerror}") from error


def checksum(file: Path) -> dict[str, Any]:
    """The file's size and SHA-256, as table.json lists them."""
    digest = hashlib.sha256()
    with file.open("rb") as read:
        while step := read.read(1 << 18):
            digest.update(step)
        return {"bytes": read.tell(), "sha256": digest.hexdigest()}


def write_json(file: Path, document: Any) -> None:
    """Writes a document and waits until it is on the disk."""
    with file.open("w", encoding="utf-8") as out:
        json.dump(document, out, ensure_ascii=False, allow_nan=False, indent=1)
        out.write("\n")
        out.flush()
        os.fsync(out.fileno())
