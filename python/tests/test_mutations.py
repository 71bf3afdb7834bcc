"""Golden rows catch a spec that is slightly off: nearly each fitted number or entry of a list matters."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from cases import CASES
from mutations import Mutant, mutants
from server import BINARY, needs_server

from quiver_features import export

LEAST = 0.95


@needs_server
def test_golden_rows_catch_one_number_or_one_entry_off(tmp_path: Path) -> None:
    made: dict[tuple[str, int], tuple[str, Mutant]] = {}
    for number, (name, case) in enumerate(CASES.items()):
        folder = export(case.fitted(), tmp_path / "good", f"case{number}", sample=case.sample, **case.options)
        for version, mutant in enumerate(mutants(json.loads((folder / "spec.json").read_text())), 1):
            _write(mutant, version, folder, tmp_path / "mutants" / "feature_sets" / f"case{number}")
            made[f"case{number}", version] = (name, mutant)
    done = subprocess.run([BINARY, "check", str(tmp_path / "mutants")], capture_output=True, text=True, timeout=600)
    named = re.findall(r"feature_sets/(case\d+)/(\d+)", done.stderr)
    caught = {(name, int(version)) for name, version in named}
    for of_list in (False, True):
        counted = {key: what for key, what in made.items() if what[1].of_list == of_list}
        passed_over = [f"{name}: {mutant.place}" for key, (name, mutant) in counted.items() if key not in caught]
        assert len(counted) > 300
        assert len(passed_over) <= (1 - LEAST) * len(counted), "\n".join(passed_over)


def _write(mutant: Mutant, version: int, good: Path, feature_set: Path) -> None:
    folder = feature_set / str(version)
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps({**mutant.spec, "version": version}))
    for file in good.iterdir():
        if file.name != "spec.json":
            (folder / file.name).write_bytes(file.read_bytes())
