"""The message classes of proto/quiver/v1/feature_service.proto, made of its compiled form beside this file.

Made at import by the runtime's public functions: generated classes would tie the package to the runtime's major
version. A pool of their own keeps them apart from another copy of the proto in the same process.
"""

from __future__ import annotations

from importlib import resources

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal import enum_type_wrapper

_compiled = resources.files(__package__).joinpath("feature_service.binpb").read_bytes()
_pool = descriptor_pool.DescriptorPool()
for _file in descriptor_pb2.FileDescriptorSet.FromString(_compiled).file:
    _pool.AddSerializedFile(_file.SerializeToString())
DESCRIPTOR = _pool.FindFileByName("feature_service.proto")

for _message in DESCRIPTOR.message_types_by_name.values():
    globals()[_message.name] = message_factory.GetMessageClass(_message)
for _enum in DESCRIPTOR.enum_types_by_name.values():
    globals()[_enum.name] = enum_type_wrapper.EnumTypeWrapper(_enum)
    globals().update({_value.name: _value.number for _value in _enum.values})
