"""Asks the server's own binary, where it is found, whether it would serve a version before that is published."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .problems import ExportError, ExportProblem

Quiver = str | os.PathLike[str] | bool | None
"""The binary's path; None to look for it; False to do without."""


def find_binary(quiver: Quiver) -> str | None:
    """The binary that is given, else that of QUIVER_BINARY, else ``quiver`` on the PATH; None where there is none."""
    if quiver is False:
        return None
    given = os.fspath(quiver) if isinstance(quiver, (str, os.PathLike)) else os.environ.get("QUIVER_BINARY")
    found = shutil.which(given or "quiver")
    if given and found is None:
        raise ExportError.of(f"there is no program {given}, with which the version was to be checked")
    return found


def check(repository: Path, binary: str) -> None:
    """Runs ``quiver check`` on a repository; raises ExportError with the problems that it finds."""
    done = subprocess.run([binary, "check", str(repository)], capture_output=True, text=True, encoding="utf-8")
    if done.returncode == 0:
        return
    # The last line counts them and names the folder, which is gone when it is read.
    lines = [line for line in done.stderr.splitlines() if line.strip() and str(repository) not in line]
    problems = [ExportProblem("", line) for line in lines]
    raise ExportError(problems or [ExportProblem("", f"{binary} check ended with code {done.returncode}")])
