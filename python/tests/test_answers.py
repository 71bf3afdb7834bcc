"""Answers are arrays over the message's bytes, with names, statuses and counts."""

from __future__ import annotations

import grpc
import numpy as np
import pytest
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from quiver_features import Features, RequestError, Status
from quiver_features.client.answers import read_answer
from quiver_features.client.descriptions import FeatureSet, feature_set
from quiver_features.client.wire import fields, message, varint
from quiver_features.proto import feature_service_pb2 as pb


def description() -> FeatureSet:
    """An output "dense" of three features: a row-scope one, a request-scope vector, a row-scope vector with names."""
    features = [
        pb.FeatureDescription(name="bid", offset=0, width=1, scope=pb.SCOPE_ROW, part_offset=0),
        pb.FeatureDescription(name="user", offset=1, width=2, scope=pb.SCOPE_REQUEST, part_offset=0),
        pb.FeatureDescription(
            name="city", offset=3, width=2, scope=pb.SCOPE_ROW, part_offset=1, columns=["oslo", "rome"]
        ),
    ]
    output = pb.OutputDescription(name="dense", dtype=pb.DATA_TYPE_FLOAT32, width=5, features=features)
    more = pb.OutputDescription(
        name="ids", dtype=pb.DATA_TYPE_INT64, width=1, features=[pb.FeatureDescription(name="bid", width=1)]
    )
    answer = pb.GetFeatureSetResponse(feature_set="ads", version=3, fingerprint="f", outputs=[output, more])
    return feature_set(answer)


def tensor(name: str, values: np.ndarray, part: int = pb.TENSOR_PART_ALL, **more: bytes) -> pb.Tensor:
    dtypes = {"float32": pb.DATA_TYPE_FLOAT32, "float16": pb.DATA_TYPE_FLOAT16, "int64": pb.DATA_TYPE_INT64}
    return pb.Tensor(
        name=name, dtype=dtypes[str(values.dtype)], shape=values.shape, data=values.tobytes(), part=part, **more
    )


def answer(*tensors: pb.Tensor, **more: object) -> Features:
    message = pb.GetFeaturesResponse(version=3, fingerprint="f", rows=2, outputs=tensors, **more)
    return read_answer(message.SerializeToString(), "ads", lambda _: description())


DENSE = np.arange(10, dtype=np.float32).reshape(2, 5)


def test_arrays_lie_in_the_message() -> None:
    raw = pb.GetFeaturesResponse(rows=2, outputs=[tensor("dense", DENSE)]).SerializeToString()
    features = read_answer(raw, "ads", lambda _: description())
    values = features["dense"]
    np.testing.assert_array_equal(values, DENSE)
    assert not values.flags.owndata and not values.flags.writeable
    start = np.frombuffer(raw, np.uint8).__array_interface__["data"][0]
    assert 0 <= values.__array_interface__["data"][0] - start < len(raw)


def test_full_names_of_columns_are_taken_as_they_are() -> None:
    feature = pb.FeatureDescription(
        name="city", width=2, columns=["oslo", "rome"], column_names=["cat__city_oslo", "cat__city_rome"]
    )
    output = pb.OutputDescription(name="dense", dtype=pb.DATA_TYPE_FLOAT32, width=2, features=[feature])
    answer = pb.GetFeatureSetResponse(feature_set="ads", outputs=[output])
    assert feature_set(answer).output("dense").columns == ("cat__city_oslo", "cat__city_rome")


def test_columns_and_statuses_have_names() -> None:
    statuses = np.array([[0, 4, 3], [0, 0, 5]], dtype=np.uint8)
    counts = pb.StatusCounts(output="dense", feature="city", unknown_category=1, key_not_found=1)
    features = answer(tensor("dense", DENSE, status=statuses.tobytes()), status_counts=[counts])
    dense = features.tensor("dense")
    assert dense.columns == ("bid", "user_0", "user_1", "city_oslo", "city_rome")
    assert [feature.name for feature in dense.features] == ["bid", "user", "city"]
    np.testing.assert_array_equal(dense.statuses, statuses)
    assert features.status_counts == {("dense", "city"): {Status.UNKNOWN_CATEGORY: 1, Status.KEY_NOT_FOUND: 1}}
    assert (features.version, features.fingerprint, features.rows) == (3, "f", 2)


def test_statuses_say_which_fallback_answered() -> None:
    statuses = np.array([[0, 0x16, 3], [1, 0x26, 5]], dtype=np.uint8)
    counts = pb.StatusCounts(output="dense", feature="user", fallback=2)
    features = answer(tensor("dense", DENSE, status=statuses.tobytes()), status_counts=[counts])
    dense = features.tensor("dense")
    np.testing.assert_array_equal(dense.statuses, [[0, Status.FALLBACK, 3], [1, Status.FALLBACK, 5]])
    np.testing.assert_array_equal(dense.fallbacks, [[0, 1, 0], [0, 2, 0]])
    assert features.status_counts == {("dense", "user"): {Status.FALLBACK: 2}}


def test_a_frame_of_the_factored_layout_is_dense() -> None:
    request = np.array([[10, 20]], dtype=np.float32)
    rows = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32)
    features = answer(tensor("dense", request, pb.TENSOR_PART_REQUEST), tensor("dense", rows, pb.TENSOR_PART_ROW))
    assert list(features) == []
    assert features.tensor("dense", "request").columns == ("user_0", "user_1")
    assert features.tensor("dense", "row").columns == ("bid", "city_oslo", "city_rome")
    frame = features.to_frame("dense")
    assert list(frame.columns) == ["bid", "user_0", "user_1", "city_oslo", "city_rome"]
    np.testing.assert_array_equal(frame.to_numpy(), [[1, 10, 20, 2, 3], [4, 10, 20, 5, 6]])
    with pytest.raises(KeyError, match="'dense' \\(request\\), 'dense' \\(row\\)"):
        features["dense"]


def test_a_frame_of_all_outputs_tells_equal_names_apart() -> None:
    features = answer(tensor("dense", DENSE), tensor("ids", np.array([[1], [2**60]])))
    frame = features.to_frame()
    assert list(frame.columns) == ["dense.bid", "user_0", "user_1", "city_oslo", "city_rome", "ids.bid"]
    assert frame["ids.bid"].tolist() == [1, 2**60]
    assert len(features) == 2 and features["ids"].dtype == np.int64


def test_no_rows_and_other_types() -> None:
    features = answer(tensor("dense", np.zeros((0, 5), np.float16)))
    assert features["dense"].shape == (0, 5)
    assert features["dense"].dtype == np.float16
    halves = pb.Tensor(name="dense", dtype=pb.DATA_TYPE_BFLOAT16, shape=[1, 1], data=b"\x80\x3f")
    assert answer(halves)["dense"].view(np.uint16)[0, 0] == 0x3F80


def test_names_are_asked_for_only_when_wanted() -> None:
    asked = []

    def describe(head: pb.GetFeaturesResponse) -> FeatureSet:
        asked.append(head.fingerprint)
        return description()

    raw = pb.GetFeaturesResponse(fingerprint="f", rows=2, outputs=[tensor("dense", DENSE)]).SerializeToString()
    features = read_answer(raw, "ads", describe)
    assert features["dense"].shape == (2, 5) and not asked
    assert len(features.tensor("dense").columns) == 5 and asked == ["f"]


def test_the_wire_is_read_field_by_field() -> None:
    bytes_of = message(300, b"abc") + varint(8) + varint(1 << 40) + b"\x0d1234" + b"\x1112345678"
    found = [(number, bytes(inside)) for number, _, inside in fields(memoryview(bytes_of))]
    assert found == [(300, b"abc"), (1, b""), (1, b""), (2, b"")]
    for cut in (b"\x0a\x05ab", b"\x80", b"\x0b"):
        with pytest.raises(ValueError):
            list(fields(memoryview(cut)))


class CallError(grpc.RpcError):
    """What gRPC raises."""

    def __init__(self, *details: object) -> None:
        self._status = status_pb2.Status(code=3, message="two problems")
        for detail in details:
            packed = any_pb2.Any()
            packed.Pack(detail)
            self._status.details.append(packed)

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.INVALID_ARGUMENT

    def details(self) -> str:
        return "two problems"

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        return (("grpc-status-details-bin", self._status.SerializeToString()),)


def test_errors_carry_every_violation() -> None:
    violation = error_details_pb2.BadRequest.FieldViolation
    bad = error_details_pb2.BadRequest(
        field_violations=[violation(field="rows", description="too many"), violation(description="and 3 more problems")]
    )
    retry = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=1, nanos=500_000_000))
    error = RequestError.of(CallError(bad, retry))
    assert str(error) == "INVALID_ARGUMENT: rows: too many\nand 3 more problems"
    assert (error.violations[0].field, error.message, error.retry_after) == ("rows", "two problems", 1.5)
