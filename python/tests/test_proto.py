"""The committed message classes are those of the protos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2

from quiver_features.proto import admin_service_pb2, feature_service_pb2, table_service_pb2

COMMITTED = Path(__file__).resolve().parents[1] / "src" / "quiver_features" / "proto"
SERVICES: list[Any] = [feature_service_pb2, table_service_pb2, admin_service_pb2]


def test_the_compiled_protos_are_those_of_the_repository(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools", reason="grpcio-tools compiles the protos")
    generate = pytest.importorskip("generate")
    generate.generate(tmp_path)
    assert len(SERVICES) == len(generate.SERVICES)
    fresh = descriptor_pb2.FileDescriptorSet.FromString((tmp_path / "quiver.binpb").read_bytes())
    committed = descriptor_pb2.FileDescriptorSet.FromString((COMMITTED / "quiver.binpb").read_bytes())
    assert fresh == committed, "run python generate.py"


@pytest.mark.parametrize("pb", SERVICES, ids=lambda pb: pb.__name__.rpartition(".")[2])
def test_types_name_every_message_and_enum(pb: Any) -> None:
    types = (COMMITTED / f"{pb.__name__.rpartition('.')[2]}.pyi").read_text()
    names = [*pb.DESCRIPTOR.message_types_by_name, *pb.DESCRIPTOR.enum_types_by_name]
    assert [name for name in names if f"class {name}(" not in types] == []
