"""A version's folder in a repository: written aside, then renamed into place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..versions import VersionError, name_problem, new_version, write_json
from .checking import check
from .problems import ExportError

LONGEST_INLINE = 1000
"""Longer lists go to Parquet files beside the spec."""

_NO_FILE = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_STEM = 60


def check_name(name: str) -> None:
    """Rejects names that are no folder's."""
    problem = name_problem(name)
    if problem:
        raise ExportError.of(problem)


def write_version(
    repository: Path, name: str, version: int | None, spec: dict[str, Any], golden: Any, binary: str | None
) -> Path:
    """Writes ``feature_sets/<name>/<version>/`` and gives its path.

    Nothing is there before all of it is, and before the binary, if there is one, has found no problem.
    """
    try:
        with new_version(repository, "feature_sets", name, version) as new:
            document = {**spec, "version": new.number}
            write_json(new.folder / "spec.json", _with_files(document, new.folder))
            write_json(new.folder / "golden.json", golden)
            if binary is not None:
                _link_tables(repository, new.repository, document)
                check(new.repository, binary)
    except VersionError as error:
        raise ExportError.of(str(error)) from error
    return new.target


def _link_tables(repository: Path, aside: Path, spec: dict[str, Any]) -> None:
    """Gives a repository the tables of another that a spec looks rows up in."""
    names = {lookup["table"] for lookup in spec.get("lookups", [])}
    (aside / "tables").mkdir()
    for name in names:
        (aside / "tables" / name).symlink_to((repository / "tables" / name).resolve(), target_is_directory=True)


def _with_files(spec: dict[str, Any], folder: Path) -> dict[str, Any]:
    features = []
    for position, feature in enumerate(spec["features"]):
        # Features' names may hold what a file's may not.
        file = f"{position}-{_NO_FILE.sub('_', feature['name'])[:_LONGEST_STEM]}"
        steps = [
            {field: _or_file(value, f"{file}-{at}-{field}", folder) for field, value in step.items()}
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

    file = f"{name}.parquet"
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
