"""Starts the real server: the binary that QUIVER_BINARY names, on free ports, with its address from its log."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

BINARY = os.environ.get("QUIVER_BINARY", "")

needs_server = pytest.mark.skipif(
    not BINARY, reason="QUIVER_BINARY is not set: give the path of the built server, as in target/debug/quiver"
)


def check(repository: Path, binary: str = BINARY) -> str:
    """What `quiver check` says of a repository; nothing if it finds no problem."""
    done = subprocess.run([binary, "check", str(repository)], capture_output=True, text=True, timeout=300)
    return "" if done.returncode == 0 else done.stderr or f"exit code {done.returncode}"


@dataclass(frozen=True)
class Addresses:
    """Where a server listens.

    Attributes:
        serving: For features and writes.
        admin: For what AdminService does.
    """

    serving: str
    admin: str


@contextmanager
def started(repository: Path, *options: str, binary: str = BINARY) -> Iterator[Addresses]:
    """A server of a repository; gives its addresses."""
    command = [binary, "serve", "--repository", str(repository), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
    process = subprocess.Popen([*command, "--log-format", "json", *options], stderr=subprocess.PIPE, text=True)
    try:
        yield _addresses(process)
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def serving(repository: Path, binary: str = BINARY) -> Iterator[str]:
    """A server of a repository; gives its address."""
    with started(repository, binary=binary) as addresses:
        yield addresses.serving


def _addresses(process: subprocess.Popen[str]) -> Addresses:
    lines = []
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line)
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry.get("message") == "serving":
            # What the server goes on to log must be read, or it waits.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return Addresses(entry["listen"], entry["admin"])
    raise AssertionError(f"the server ended: {''.join(lines)}")
