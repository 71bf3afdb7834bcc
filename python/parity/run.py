"""Served values against scikit-learn's own: makes the environments, measures in each, prints the table.

    python python/parity/run.py target/debug/quiver

Needs only the standard library of Python 3.10. The environments are made once, in target/parity, and made anew where
what they must hold has changed. Exits with 1 where a value is off, and with 3 where nothing could be measured.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent
FOLDER = PACKAGE.parent / "target" / "parity"

VERSIONS = {"1.9.1": (3, 11), "1.7.2": (3, 10)}
"""Versions of scikit-learn with the first Python that each takes."""

OTHERS = [
    "numpy",
    "pandas",
    "pyarrow",
    "polars",
    "grpcio",
    "protobuf",
    "googleapis-common-protos",
    "hatchling",
    "pytest",
]
NOT_RUN = 3

HASHES = [
    ("TensorFlow, Keras: buckets, crosses, lookups", "fixtures", "tests/it/hashes.rs"),
    ("Spark: hash, FeatureHasher", "fixtures", "tests/it/hashes.rs"),
    ("libstdc++: hash of strings", "fixtures", "tests/it/hashes.rs"),
]


class NotRun(Exception):
    """Why nothing could be measured."""


def main() -> int:
    binary = str(Path(sys.argv[1]).resolve())
    try:
        versions = [version for version, least in VERSIONS.items() if sys.version_info >= least]
        if not versions:
            raise NotRun("Python 3.10 or later is needed")
        environments = {version: environment(version) for version in versions}
    except NotRun as reason:
        print(f"parity was not run: {reason}", flush=True)
        return NOT_RUN
    started = time.monotonic()
    reports = measured(environments, binary)
    print_table(reports)
    print(f"parity took {time.monotonic() - started:.0f}s")
    for version in VERSIONS.keys() - environments.keys():
        wanted = ".".join(map(str, VERSIONS[version]))
        print(f"parity with scikit-learn {version} was not run: Python {wanted} is needed")
    return print_counts(reports)


def environment(version: str) -> Path:
    """The environment's Python, with everything installed."""
    folder = FOLDER / f"scikit-learn-{version}"
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    wanted = "\n".join([sys.version, f"scikit-learn=={version}", *OTHERS])
    if _stamp(folder / "requirements") != wanted or not python.exists():
        print(f"parity: making an environment with scikit-learn {version}", flush=True)
        venv.create(folder, clear=True, with_pip=True)
        _pip(python, "--only-binary=:all:", f"scikit-learn=={version}", *OTHERS)
        (folder / "requirements").write_text(wanted)
    package = _digest(PACKAGE)
    if _stamp(folder / "package") != package:
        _pip(python, "--no-deps", "--no-build-isolation", "--force-reinstall", str(PACKAGE))
        (folder / "package").write_text(package)
    return python


def _stamp(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def _digest(package: Path) -> str:
    """Changes with every file that is installed."""
    digest = hashlib.sha256()
    sources = (file for file in (package / "src").rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    for file in [package / "pyproject.toml", *sorted(sources)]:
        digest.update(f"{file.relative_to(package)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _pip(python: Path, *arguments: str) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotRun(f"pip could not install {arguments[-1]}: {last}")


def measured(environments: dict[str, Path], binary: str) -> dict[str, dict[str, Any]]:
    """The reports, by version; all versions are measured at the same time."""
    running = {}
    for version, python in environments.items():
        report = FOLDER / f"{version}.json"
        report.unlink(missing_ok=True)
        command = [str(python), str(HERE / "measure.py"), binary, str(report)]
        running[version] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        output_by = {version: process.communicate()[0] for version, process in running.items()}
    finally:
        for process in running.values():
            process.terminate()
    reports = {}
    for version, process in running.items():
        output = output_by[version]
        file = FOLDER / f"{version}.json"
        if process.returncode or not file.exists():
            result = {"name": "the whole run", "group": "-", "promise": "-", "problem": output[-3000:]}
            reports[version] = {"results": [result], "skipped": [], "elsewhere": [], "seconds": {}}
        else:
            reports[version] = json.loads(file.read_text())
    return reports


def lines(reports: dict[str, dict[str, Any]]) -> dict[tuple[str, str], dict[str, list[dict[str, Any]]]]:
    """The results of each line of the table, by version."""
    found: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = {}
    for version, report in reports.items():
        for result in report["results"]:
            if "values" in result:
                found.setdefault((result["group"], result["promise"]), {}).setdefault(version, []).append(result)
    return dict(sorted(found.items(), key=lambda one: (one[0][1] == "not promised", one[0][0].lower(), one[0][1])))


def print_table(reports: dict[str, dict[str, Any]]) -> None:
    """A line for each estimator and promise."""
    versions = list(reports)
    head = ["estimator", "promise"]
    for version in versions:
        head += [f"{version}: cases", "values", "worst"]
    rows = [[*head, "verdict"]]
    for (group, promise), by_version in lines(reports).items():
        row, verdict = [group, promise], "measured" if promise == "not promised" else "holds"
        for version in versions:
            results = by_version.get(version, [])
            row += [str(len(results)), f"{sum(one['values'] for one in results):,}", worst(results)]
            if any(one["violations"] or "problem" in one for one in results):
                verdict = "VIOLATED"
        rows.append([*row, verdict])
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) if at < 2 else cell.rjust(width) for at, (cell, width) in
                 enumerate(zip(row, widths, strict=True))]  # fmt: skip
        print("  ".join(cells).rstrip())
    for name, how, where in HASHES:
        print(f"{name.ljust(widths[0])}  {how}, held by {where}")


def worst(results: list[dict[str, Any]]) -> str:
    """In units in the last place of float32; beyond 1 with the difference, of max(1, |x|)."""
    if not results:
        return "-"
    ulps, apart = max(one["ulps"] for one in results), max(one["apart"] for one in results)
    return f"{ulps} ULP" if ulps <= 1 else f"{apart:.0e}"


def print_counts(reports: dict[str, dict[str, Any]]) -> int:
    """What was skipped and wrong, and at the end how many of all."""
    passed = failed = skipped = 0
    for version, report in reports.items():
        for result in report["results"]:
            if "problem" in result or result["violations"]:
                failed += 1
                print(f"FAILED {version} {result['name']}: {result.get('problem', '')}")
                for shown in result.get("shown", []):
                    print(f"    {shown}")
            else:
                passed += 1
        skipped += len(report["skipped"])
        seconds = ", ".join(f"{step} {took}s" for step, took in report["seconds"].items())
        print(f"scikit-learn {version}: {seconds}")
    for line in next(iter(reports.values()))["elsewhere"]:
        print(f"not scikit-learn's: {line}")
    if skipped:
        print("real data was not compared: QUIVER_REAL_DATA names no folder")
    print(f"parity: {passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
