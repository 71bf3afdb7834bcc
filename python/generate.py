"""Compiles the API for the package: ``python generate.py`` with grpcio-tools installed.

What it writes is committed, so that the package installs without a compiler: the compiled protos, of which the modules
of ``quiver_features.proto`` make the message classes, and their types for type checkers. ``tests/test_proto.py`` holds
both to the protos.
"""

from __future__ import annotations

import sys
from pathlib import Path

from grpc_tools import protoc

HERE = Path(__file__).resolve().parent
PROTO = HERE.parent / "proto"
SERVICES = ("feature_service", "table_service", "admin_service")
TARGET = HERE / "src" / "quiver_features" / "proto"


def generate(target: Path) -> None:
    """Runs the compiler into a folder."""
    files = [f"quiver/v1/{service}.proto" for service in SERVICES]
    arguments = [f"-I{PROTO}", f"--descriptor_set_out={target / 'quiver.binpb'}", f"--pyi_out={target}", *files]
    if protoc.main(["protoc", *arguments]) != 0:
        sys.exit("the compiler failed")
    compiled = target / "quiver" / "v1"
    for types in compiled.glob("*.pyi"):
        # They lie in a package of their own, not in one of the proto's name.
        text = types.read_text().replace("from quiver.v1 import", "from . import")
        (target / types.name).write_text(text)
        types.unlink()
    compiled.rmdir()
    compiled.parent.rmdir()


if __name__ == "__main__":
    generate(TARGET)
