"""Feature sets by their inputs, and the columns that a client sends for them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from quiver_features import FeatureSet, Input
from quiver_features.client.columns import write_columns
from quiver_features.proto import feature_service_pb2 as pb


def described(dtypes: Mapping[str, str] | None = None, **more: str) -> FeatureSet:
    """A feature set whose inputs are written as "float32", "list<string>", "request int64", "timestamp[us, UTC]"."""
    inputs = []
    for name, written in {**(dtypes or {}), **more}.items():
        dtype = written.removeprefix("request ")
        is_list = dtype.startswith("list<")
        scalar: Any = dtype[5:-1] if is_list else dtype
        kind, _, rest = scalar.partition("[")
        unit, _, zone = rest.rstrip("]").partition(", ")
        times: Any = ("D" if kind == "date" else unit or None, zone or None)
        inputs.append(Input(name, kind, "row" if dtype == written else "request", is_list, True, False, *times))
    return FeatureSet("ads", 1, "print", tuple(inputs), (), ())


def columns_sent(feature_set: FeatureSet, columns: Any) -> dict[str, pb.Column]:
    """The columns of a request, by name."""
    fields, _ = write_columns(feature_set, columns)
    return {column.name: column for column in pb.GetFeaturesRequest.FromString(b"".join(fields)).columns}


def sent(dtype: str, values: Any) -> pb.Column:
    """The one column that values become."""
    (column,) = columns_sent(described(x=dtype), {"x": values}).values()
    assert column.name == "x"
    return column


def values_sent(column: pb.Column) -> list[Any]:
    """The column's values, with None for null and a list for a list."""
    kind = column.WhichOneof("values")
    if kind == "dictionary":
        elements: list[Any] = [column.dictionary.dictionary[at] for at in column.dictionary.indices]
    else:
        elements = list(getattr(column, str(kind)).values)
    if not column.HasField("list"):
        return _with_nulls(elements, column.nulls)
    elements = _with_nulls(elements, column.null_elements)
    offsets = list(column.list.offsets)
    lists: list[Any] = [elements[start:end] for start, end in pairwise(offsets)]
    return _with_nulls(lists, column.nulls)


def _with_nulls(values: list[Any], nulls: Any) -> list[Any]:
    hidden = set(nulls)
    return [None if at in hidden else value for at, value in enumerate(values)]
