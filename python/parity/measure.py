"""Exports every trial into one repository, serves it with the real binary, and compares with `transform` itself.

Runs in an environment with one version of scikit-learn: python measure.py BINARY REPORT
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import re
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import hard_cases
import real_data
from compare import Worst, compared
from rows import rows_for
from scipy import sparse
from server import check, serving
from trials import MEASURED, Trial, library_trials

from quiver_features import Client, ExportError, export
from quiver_features.exporter.containers import dense
from quiver_features.exporter.golden import Oracle
from quiver_features.exporter.samples import read_sample

BATCH = 5000
"""Rows of one request."""

MOST_ROWS = 1200
"""Rows of a trial whose rows are made up."""

FLOAT32_GOLDEN_ULP = 1 << 16
"""For sums and functions that scikit-learn computes in float32, the exporter wants a tolerance for golden rows."""


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("binary")
    arguments.add_argument("report", type=Path)
    given = arguments.parse_args()
    os.environ["QUIVER_BINARY"] = given.binary
    warnings.simplefilter("ignore")
    started = time.monotonic()
    trials = [*library_trials(), *hard_cases.trials(), *real_data.trials()]
    with tempfile.TemporaryDirectory() as folder:
        results = [_exported(trial, number, Path(folder)) for number, trial in enumerate(trials)]
        _take_out(Path(folder), given.binary, results)
        exported = time.monotonic()
        with serving(Path(folder), given.binary) as address, Client(address, timeout=120) as client:
            served = time.monotonic()
            for number, (trial, result) in enumerate(zip(trials, results, strict=True)):
                if "problem" not in result:
                    _measure(trial, number, client, result)
    report = {
        "library": sklearn.__version__,
        "python": sys.version.split()[0],
        "seconds": {
            "export": round(exported - started, 1),
            "load": round(served - exported, 1),
            "compare": round(time.monotonic() - served, 1),
        },
        "results": results,
        "skipped": real_data.skipped(),
        "elsewhere": hard_cases.elsewhere(),
    }
    given.report.write_text(json.dumps(report, indent=1))


def name_of(trial: Trial, number: int) -> str:
    """A folder's name."""
    return f"{number}-{re.sub(r'[^a-z0-9]+', '-', trial.name.lower()).strip('-')}"


def _exported(trial: Trial, number: int, folder: Path) -> dict[str, Any]:
    result: dict[str, Any] = {"name": trial.name, "group": trial.group, "promise": trial.promise}
    try:
        if trial.fitted is None:
            trial.fitted = trial.case.fitted()
        options = {**trial.case.options, "sample": trial.case.sample, "quiver": False}
        options["scopes"] = None
        try:
            export(trial.fitted, folder, name_of(trial, number), **options)
        except ExportError as error:
            if "in float32 for these" not in str(error):
                raise
            trial.promise = result["promise"] = MEASURED
            options["max_ulp"] = FLOAT32_GOLDEN_ULP
            export(trial.fitted, folder, name_of(trial, number), **options)
    except Exception as error:
        result["problem"] = f"{type(error).__name__}: {error}"
    return result


def _take_out(folder: Path, binary: str, results: list[dict[str, Any]]) -> None:
    """Takes out what the server would refuse, so that the others are served."""
    for line in check(folder, binary).splitlines():
        found = re.match(r"feature_sets/((\d+)-[^/]*)/", line)
        if found is None:
            continue
        results[int(found[2])].setdefault("problem", f"the server rejects it: {line}")
        shutil.rmtree(folder / "feature_sets" / found[1], ignore_errors=True)


def _measure(trial: Trial, number: int, client: Client, result: dict[str, Any]) -> None:
    worst = Worst()
    trial.is_sparse = sparse.issparse(trial.fitted.transform(trial.case.sample[:1]))
    result["values"] = 0
    try:
        for container, expected in _asked(trial, number):
            answer = client.get_features(name_of(trial, number), container)
            compared(answer["features"], expected, trial, container, worst)
    except Exception as error:
        result["problem"] = f"{type(error).__name__}: {error}"
    result |= worst.as_result()


def _asked(trial: Trial, number: int) -> list[tuple[Any, np.ndarray]]:
    """Containers of rows with what must be served for them."""
    if trial.rows is not None:
        expected = trial.expected
        if expected is None:
            expected = dense(trial.fitted.transform(trial.rows))
        return _batches(trial.rows, np.asarray(expected, dtype=np.float64))
    sample = read_sample(trial.case.sample, None)
    fitted = copy.deepcopy(trial.fitted)
    oracle = Oracle(fitted, sample)
    accepted = oracle.accepted(rows_for(fitted, oracle, sample, number)[:MOST_ROWS])
    return [(sample.build(accepted.rows), dense(accepted.outputs))]


def _batches(rows: Any, expected: np.ndarray) -> list[tuple[Any, np.ndarray]]:
    cut = rows.iloc if hasattr(rows, "iloc") else rows
    return [(cut[at : at + BATCH], expected[at : at + BATCH]) for at in range(0, len(expected), BATCH)]


if __name__ == "__main__":
    main()
