"""The committed message classes are those of the proto."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from quiver_features.proto import feature_service_pb2 as pb

ROOT = Path(__file__).resolve().parents[1]


def test_the_compiled_proto_is_that_of_the_repository(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools", reason="grpcio-tools compiles the proto")
    generate = pytest.importorskip("generate")
    generate.generate(tmp_path)
    fresh = descriptor_pb2.FileDescriptorSet.FromString((tmp_path / "feature_service.binpb").read_bytes())
    committed = ROOT / "src" / "quiver_features" / "proto" / "feature_service.binpb"
    assert fresh == descriptor_pb2.FileDescriptorSet.FromString(committed.read_bytes()), "run python generate.py"


def test_types_name_every_message_and_enum() -> None:
    types = (ROOT / "src" / "quiver_features" / "proto" / "feature_service_pb2.pyi").read_text()
    names = [*pb.DESCRIPTOR.message_types_by_name, *pb.DESCRIPTOR.enum_types_by_name]
    assert [name for name in names if f"class {name}(" not in types] == []
