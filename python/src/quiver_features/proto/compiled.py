"""The message classes of Quiver's API, made of its compiled form beside this file.

Made at import by the runtime's public functions: generated classes would tie the package to the runtime's major
version. A pool of their own keeps them apart from another copy of the protos in the same process.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal import enum_type_wrapper

_pool = descriptor_pool.DescriptorPool()
for _file in descriptor_pb2.FileDescriptorSet.FromString(
    resources.files(__package__).joinpath("quiver.binpb").read_bytes()
).file:
    _pool.AddSerializedFile(_file.SerializeToString())


def names_of(service: str) -> dict[str, Any]:
    """What the module of a service's proto holds: its message classes, enums, and these enums' values."""
    descriptor = _pool.FindFileByName(f"quiver/v1/{service}.proto")
    names: dict[str, Any] = {"DESCRIPTOR": descriptor}
    for message in descriptor.message_types_by_name.values():
        names[message.name] = message_factory.GetMessageClass(message)
    for enum in descriptor.enum_types_by_name.values():
        names[enum.name] = enum_type_wrapper.EnumTypeWrapper(enum)
        names.update({value.name: value.number for value in enum.values})
    return names
