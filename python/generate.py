"""Compiles the API for the package: ``python generate.py`` with grpcio-tools installed.

What it writes is committed, so that the package installs without a compiler: the compiled proto, of which
``quiver_features.proto.feature_service_pb2`` makes the message classes, and their types for type checkers.
``tests/test_proto.py`` holds both to the proto.
"""

from __future__ import annotations

import sys
from pathlib import Path

from grpc_tools import protoc

HERE = Path(__file__).resolve().parent
PROTO = HERE.parent / "proto"
FILE = "feature_service.proto"
TARGET = HERE / "src" / "quiver_features" / "proto"


def generate(target: Path) -> None:
    """Runs the compiler into a folder."""
    compiled = target / "feature_service.binpb"
    # The file's own name without its folders, so that the types are put right beside it.
    arguments = [
        f"-I{PROTO / 'quiver' / 'v1'}",
        f"--descriptor_set_out={compiled}",
        f"--pyi_out={target}",
        FILE,
    ]
    if protoc.main(["protoc", *arguments]) != 0:
        sys.exit("the compiler failed")


if __name__ == "__main__":
    generate(TARGET)
