"""Ragged tensors in the client: elements of lists, and where each row's begin."""

from __future__ import annotations

import numpy as np
import pytest

from quiver_features.client.answers import Features, read_answer
from quiver_features.client.descriptions import FeatureSet
from quiver_features.proto import feature_service_pb2 as pb


def answer(offsets: list[int], width: int = 2) -> Features:
    values = np.arange(offsets[-1] * width, dtype="<f4")
    tensor = pb.Tensor(
        name="events",
        dtype=pb.DATA_TYPE_FLOAT32,
        shape=[offsets[-1], width],
        data=values.tobytes(),
        row_offsets=np.array(offsets, "<u8").tobytes(),
        status=bytes([0, 4] * (len(offsets) - 1)),
        ragged=True,
    )
    message = pb.GetFeaturesResponse(rows=len(offsets) - 1, outputs=[tensor])
    return read_answer(message.SerializeToString(), "set", _undescribed)


def _undescribed(_: pb.GetFeaturesResponse) -> FeatureSet:
    raise AssertionError("no names are asked for")


def test_elements_and_offsets_lie_in_the_message() -> None:
    tensor = answer([0, 2, 2, 3]).tensor("events")
    assert tensor.ragged is not None and tensor.sparse is None
    assert tensor.ragged.values.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert tensor.ragged.offsets.tolist() == [0, 2, 2, 3]
    assert [row.tolist() for row in tensor.ragged.rows()] == [[[0, 1], [2, 3]], [], [[4, 5]]]
    assert not tensor.ragged.values.flags.writeable
    assert tensor.statuses is not None and tensor.statuses.shape == (3, 2)


@pytest.mark.parametrize("offsets", [[0], [0, 0], [0, 0, 0]])
def test_rows_without_elements(offsets: list[int]) -> None:
    ragged = answer(offsets).tensor("events").ragged
    assert ragged is not None and len(ragged) == len(offsets) - 1
    assert [len(row) for row in ragged.rows()] == [0] * len(ragged)
    assert ragged.values.shape == (0, 2)


def test_there_is_no_matrix_of_rows() -> None:
    with pytest.raises(ValueError, match="is ragged"):
        _ = answer([0, 1])["events"]
