"""Answers: tensors as NumPy arrays over the bytes of the message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ..proto import feature_service_pb2 as pb
from .descriptions import Feature, FeatureSet, Output
from .ragged import RaggedValues
from .sparse import SparseValues
from .wire import fields

Part = Literal["all", "request", "row"]

_PARTS: dict[int, Part] = {
    pb.TENSOR_PART_ALL: "all",
    pb.TENSOR_PART_REQUEST: "request",
    pb.TENSOR_PART_ROW: "row",
}

_OUTPUTS, _DATA, _STATUS, _INDICES, _ROW_OFFSETS = 4, 4, 7, 10, 11
"""Fields of an answer and of a tensor."""


class Status(IntEnum):
    """What lies behind a value; of several the greatest. It is true even where a default was filled in."""

    PRESENT = 0
    STALE = 1
    OUT_OF_RANGE = 2
    UNKNOWN_CATEGORY = 3
    NULL = 4
    KEY_NOT_FOUND = 5
    FALLBACK = 6


def _element_type(dtype: int) -> np.dtype[Any]:
    if dtype == pb.DATA_TYPE_BFLOAT16:
        try:
            import ml_dtypes

            return np.dtype(ml_dtypes.bfloat16)
        except ImportError:
            return np.dtype("<u2")
    names: dict[int, str] = {
        pb.DATA_TYPE_FLOAT32: "<f4",
        pb.DATA_TYPE_FLOAT16: "<f2",
        pb.DATA_TYPE_FLOAT64: "<f8",
        pb.DATA_TYPE_INT64: "<i8",
    }
    return np.dtype(names[dtype])


@dataclass(frozen=True, eq=False)
class Tensor:
    """One matrix of an answer.

    Attributes:
        name: The output's name.
        part: "all" in the dense layout; "request" (shape ``[1, U]``) or "row" (``[N, R]``) in the factored one.
        shape: Rows and columns.
        sparse: The values that are not 0, where the answer is sparse; else None.
        statuses: ``[rows, features]`` of uint8, each a Status; None where they were not asked for.
        fallbacks: For each status FALLBACK the position of the fall-back that answered, from 1, else 0; None as above.
        ragged: The elements of lists with where each row's begin, where the output is ragged; else None. ``shape`` then
            has the number of elements in place of rows.
    """

    name: str
    part: Part
    shape: tuple[int, int]
    sparse: SparseValues | None
    statuses: np.ndarray[Any, np.dtype[np.uint8]] | None
    fallbacks: np.ndarray[Any, np.dtype[np.uint8]] | None
    _dense: np.ndarray[Any, Any] | None = field(repr=False)
    _output: Callable[[], Output] = field(repr=False)
    ragged: RaggedValues | None = None

    @property
    def values(self) -> np.ndarray[Any, Any]:
        """``[rows, columns]``, read-only, over the message's bytes.

        bfloat16 comes as ml_dtypes' type where that is installed, else as uint16 with the same bits.

        Raises:
            ValueError: If the tensor is sparse or ragged.
        """
        if self.ragged is not None:
            raise ValueError(
                f"the tensor {self.name!r} {list(self.shape)} is ragged: tensor({self.name!r}).ragged has the elements "
                "of all rows as .values and where each row's begin as .offsets, and .rows() gives them row by row"
            )
        if self._dense is None:
            raise ValueError(
                f"the tensor {self.name!r} {list(self.shape)} is sparse: tensor({self.name!r}).to_scipy() is a "
                "scipy.sparse.csr_array of it, .sparse has its arrays, and .to_dense() makes an array with all zeros"
            )
        return self._dense

    def to_scipy(self) -> Any:
        """A scipy.sparse.csr_array, over the message's bytes where the tensor is sparse.

        float16 and bfloat16, which SciPy lacks, come as float32, which holds each of their values.
        """
        if self.sparse is not None:
            return self.sparse.to_scipy()
        from scipy import sparse

        return sparse.csr_array(self.values)

    def to_dense(self) -> np.ndarray[Any, Any]:
        """All values, whether the tensor is sparse or not."""
        return self.values if self.sparse is None else self.sparse.to_dense()

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """The features in the order of the columns, and of the statuses'."""
        features = self._output().features
        return features if self.part == "all" else tuple(one for one in features if one.scope == self.part)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The name of each column."""
        return tuple(column for feature in self.features for column in feature.columns)


class Features(Mapping[str, np.ndarray[Any, Any]]):
    """The answer to one request: by the output's name its matrix, for the dense layout.

    Attributes:
        feature_set: The feature set's name.
        version: The version that answered.
        fingerprint: That version's fingerprint.
        rows: The number of rows N.
        tensors: All matrices in the answer's order.
        status_counts: For each (output, feature) with rows that are not PRESENT how many there are, where statuses
            were asked for.
    """

    def __init__(
        self,
        feature_set: str,
        head: pb.GetFeaturesResponse,
        tensors: list[Tensor],
        describe: Callable[[], FeatureSet],
    ) -> None:
        self.feature_set = feature_set
        self.version = head.version
        self.fingerprint = head.fingerprint
        self.rows = head.rows
        self.tensors = tuple(tensors)
        self.status_counts = {(one.output, one.feature): _counts(one) for one in head.status_counts}
        self._describe = describe

    def tensor(self, name: str, part: Part = "all") -> Tensor:
        """One matrix with its names and statuses.

        Raises:
            KeyError: If the answer does not have it.
        """
        for tensor in self.tensors:
            if (tensor.name, tensor.part) == (name, part):
                return tensor
        there = ", ".join(f"{one.name!r} ({one.part})" for one in self.tensors)
        raise KeyError(f"no tensor {name!r} ({part}) in the answer; there are: {there}")

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        return self.tensor(name).values

    def __iter__(self) -> Iterator[str]:
        return (tensor.name for tensor in self.tensors if tensor.part == "all")

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{one.name} ({one.part}) {list(one.shape)}" for one in self.tensors)
        return f"<Features {self.feature_set} version {self.version}: {shapes}>"

    def to_frame(self, output: str | None = None) -> Any:
        """A DataFrame with a column for each of the output's, or of all outputs', columns.

        Of the factored layout the dense one is made. A name that several outputs have is written ``output.name``.

        Raises:
            KeyError: If there is no such output.
        """
        import pandas as pd

        names = [output] if output is not None else list(dict.fromkeys(one.name for one in self.tensors))
        frames = [self._frame(name) for name in names]
        seen = [column for frame in frames for column in frame.columns]
        repeated = {column for column in seen if seen.count(column) > 1} if len(frames) > 1 else set()
        for name, frame in zip(names, frames, strict=True):
            frame.columns = [f"{name}.{column}" if column in repeated else column for column in frame.columns]
        return pd.concat(frames, axis=1) if frames else pd.DataFrame(index=range(self.rows))

    def _frame(self, name: str) -> Any:
        import pandas as pd

        parts = [tensor for tensor in self.tensors if tensor.name == name]
        if not parts:
            raise KeyError(name)
        blocks = []
        for tensor in parts:
            values = np.broadcast_to(tensor.values, (self.rows, tensor.shape[1]))
            at = 0
            for feature in tensor.features:
                blocks.append((feature.offset, feature.columns, values[:, at : at + feature.width]))
                at += feature.width
        blocks.sort(key=lambda block: block[0])
        columns = [column for _, names, _ in blocks for column in names]
        return pd.DataFrame(np.concatenate([values for *_, values in blocks], axis=1), columns=columns)


def _counts(one: pb.StatusCounts) -> dict[Status, int]:
    counts = {
        Status.STALE: one.stale,
        Status.OUT_OF_RANGE: one.out_of_range,
        Status.UNKNOWN_CATEGORY: one.unknown_category,
        Status.NULL: one.null,
        Status.KEY_NOT_FOUND: one.key_not_found,
        Status.FALLBACK: one.fallback,
    }
    return {status: count for status, count in counts.items() if count}


def read_answer(raw: bytes, feature_set: str, describe: Callable[[pb.GetFeaturesResponse], FeatureSet]) -> Features:
    """Reads an answer. The numbers stay where they lie; everything else is small and parsed as usual.

    Args:
        raw: The whole message.
        feature_set: The name that was asked for.
        describe: Finds the description of the version that answered, when names are wanted.
    """
    head: list[memoryview] = []
    found: list[memoryview] = []
    for number, whole, inside in fields(memoryview(raw)):
        if number == _OUTPUTS:
            found.append(inside)
        else:
            head.append(whole)
    answer = pb.GetFeaturesResponse.FromString(b"".join(head))

    def description() -> FeatureSet:
        return describe(answer)

    return Features(feature_set, answer, [_tensor(view, description) for view in found], description)


def _tensor(view: memoryview, describe: Callable[[], FeatureSet]) -> Tensor:
    large = dict.fromkeys((_DATA, _STATUS, _INDICES, _ROW_OFFSETS), memoryview(b""))
    head: list[memoryview] = []
    for number, whole, inside in fields(view):
        if number in large:
            large[number] = inside
        else:
            head.append(whole)
    tensor = pb.Tensor.FromString(b"".join(head))
    rows, width = tensor.shape
    data = np.frombuffer(large[_DATA], _element_type(tensor.dtype))
    dense, sparse, ragged, count = None, None, None, rows
    offsets = np.frombuffer(large[_ROW_OFFSETS], "<u8")
    if tensor.ragged:
        ragged, count = RaggedValues(data.reshape(rows, width), offsets), len(offsets) - 1
    elif len(offsets):
        sparse = SparseValues((rows, width), data, np.frombuffer(large[_INDICES], "<u4"), offsets)
    else:
        dense = data.reshape(rows, width)
    statuses = fallbacks = None
    if len(large[_STATUS]):
        both = np.frombuffer(large[_STATUS], np.uint8).reshape(count, -1)
        statuses, fallbacks = both & np.uint8(15), both >> np.uint8(4)

    def output() -> Output:
        return describe().output(tensor.name)

    part = _PARTS[tensor.part]
    return Tensor(tensor.name, part, (rows, width), sparse, statuses, fallbacks, dense, output, ragged)
