"""A version's folder in a repository: written aside, then renamed into place."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ..names import spec_name
from .checking import check
from .problems import ExportError

LONGEST_INLINE = 1000
"""Longer lists go to Parquet files beside the spec."""

_VERSION = re.compile(r"[1-9][0-9]*")
_LARGEST_VERSION = (1 << 32) - 1


def check_name(name: str) -> None:
    """Refuses names that are no folder's."""
    if not name or name.startswith(".") or spec_name(name) != name:
        raise ExportError.of(f"the name {name!r} must be a folder's name without dots and slashes")


def next_version(folder: Path) -> int:
    """The highest version in a feature set's folder, plus 1."""
    versions = [int(one.name) for one in folder.iterdir() if _VERSION.fullmatch(one.name)] if folder.is_dir() else []
    return max(versions, default=0) + 1


def write_version(
    repository: Path, name: str, version: int | None, spec: dict[str, Any], golden: Any, binary: str | None
) -> Path:
    """Writes ``feature_sets/<name>/<version>/`` and gives its path.

    Nothing is there before all of it is, and before the binary, if there is one, has found no problem.
    """
    folder = repository / "feature_sets" / name
    number = next_version(folder) if version is None else version
    if not 1 <= number <= _LARGEST_VERSION:
        raise ExportError.of(f"the version is {number}, must be from 1 to {_LARGEST_VERSION}")
    target = folder / str(number)
    if target.exists():
        raise ExportError.of(f"{target} is there already")
    folder.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{number}-", dir=folder))
    try:
        # A repository of this version alone.
        version_aside = aside / "feature_sets" / name / str(number)
        version_aside.mkdir(parents=True)
        document = {**spec, "version": number}
        _write_json(version_aside / "spec.json", _with_files(document, version_aside))
        _write_json(version_aside / "golden.json", golden)
        if binary is not None:
            _link_tables(repository, aside, document)
            check(aside, binary)
        _rename(version_aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def _link_tables(repository: Path, aside: Path, spec: dict[str, Any]) -> None:
    """Gives a repository the tables of another that a spec looks rows up in."""
    names = {lookup["table"] for lookup in spec.get("lookups", [])}
    (aside / "tables").mkdir()
    for name in names:
        (aside / "tables" / name).symlink_to((repository / "tables" / name).resolve(), target_is_directory=True)


def _rename(aside: Path, target: Path) -> None:
    try:
        os.rename(aside, target)
    except OSError as error:
        # Somebody else's version of this number came first.
        raise ExportError.of(f"{target} can't be put in place: {error.strerror}") from error


def _write_json(file: Path, document: Any) -> None:
    with file.open("w", encoding="utf-8") as out:
        json.dump(document, out, ensure_ascii=False, allow_nan=False, indent=1)
        out.write("\n")
        out.flush()
        os.fsync(out.fileno())


def _with_files(spec: dict[str, Any], folder: Path) -> dict[str, Any]:
    features = []
    for feature in spec["features"]:
        steps = [
            {field: _or_file(value, f"{feature['name']}-{at}-{field}", folder) for field, value in step.items()}
            for at, step in enumerate(feature.get("steps", []))
        ]
        features.append({**feature, "steps": steps} if steps else feature)
    return {**spec, "features": features}


def _or_file(value: Any, name: str, folder: Path) -> Any:
    """The list itself, or the reference to the file that it is written to."""
    if not isinstance(value, list) or len(value) <= LONGEST_INLINE or isinstance(value[0], list):
        return value
    import pyarrow as pa
    from pyarrow import parquet

    file = f"{name.lstrip('.')}.parquet"
    parquet.write_table(pa.table({"value": _column(value)}), folder / file, compression="zstd")
    return {"file": file, "column": "value"}


def _column(values: list[Any]) -> Any:
    """An Arrow array of one type; numbers that the spec writes as strings are numbers here."""
    import pyarrow as pa

    if all(isinstance(value, str) for value in values):
        return pa.array(values, pa.string())
    if any(isinstance(value, float) for value in values):
        return pa.array([float(value) for value in values], pa.float64())
    integers = [int(value) for value in values]
    return pa.array(integers, pa.int64() if min(integers) < 0 or max(integers) < 1 << 63 else pa.uint64())
