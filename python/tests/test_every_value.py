"""Every container with every kind of value is accepted, or rejected with the input's name, for every type and scope."""

from __future__ import annotations

import datetime
import decimal
import fractions
import itertools
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from inputs import described, sent, values_sent
from scipy import sparse

from quiver_features import RequestError
from quiver_features.client.columns import write_columns
from quiver_features.client.containers import settled

polars = pytest.importorskip("polars")

DAY = datetime.datetime(2024, 5, 1, 12, 30)

VALUES: dict[str, list[Any]] = {
    "floats": [1.5, 2.5],
    "whole floats": [1.0, 2.0],
    "floats and none": [1.5, None],
    "floats and NaN": [1.5, float("nan")],
    "infinity": [float("inf"), 1.0],
    "rounded floats": [2.0**53, 1.0],
    "integers": [1, 2],
    "integers and none": [1234567890123456781, None],
    "large integers": [2**63, 2**64 - 1],
    "negative integers": [-1, -(2**63)],
    "integers of 400 digits": [10**400, -(10**400)],
    "integers without text": [10**5000],
    "booleans": [True, False],
    "booleans and none": [True, None],
    "zeros and ones": [0, 1],
    "strings": ["a", "b"],
    "strings and none": ["a", None],
    "lone surrogates": ["a", "\ud800"],
    "bytes": [b"a", b"\xff"],
    "decimals": [decimal.Decimal("1.5"), decimal.Decimal("NaN")],
    "whole decimals": [decimal.Decimal("2"), None],
    "fractions": [fractions.Fraction(1, 3)],
    "complex numbers": [1j, 2.0],
    "missing": [None, None],
    "nothing": [],
    "pandas' NA": [pd.NA, 1],
    "NaT": [pd.NaT, None],
    "masked": [np.ma.masked, 1.0],
    "datetimes": [DAY, None],
    "aware datetimes": [DAY.replace(tzinfo=datetime.timezone.utc)],
    "dates": [DAY.date()],
    "times of day": [DAY.time()],
    "durations": [datetime.timedelta(hours=1)],
    "Timestamps": [pd.Timestamp(DAY), pd.Timestamp(DAY, tz="Europe/Berlin")],
    "periods": [pd.Period("2024-05", "M")],
    "datetime64": [np.datetime64("2024-05-01T12"), np.datetime64("NaT")],
    "timedelta64": [np.timedelta64(5, "h")],
    "Arrow's scalars": [pa.scalar(1), pa.scalar(2)],
    "small floats": [np.float32(2**24), np.float16(1.5)],
    "lists": [[1.0, 2.0], [3.0]],
    "lists and none": [[1], None],
    "lists of strings": [["a"], ["b", None], []],
    "lists of lists": [[[1.0]], [[2.0]]],
    "arrays": [np.array([1, 2]), np.array([3])],
    "arrays of several types": [np.array([1.5], np.float32), np.array([2**60])],
    "arrays of two dimensions": [np.zeros((2, 2))],
    "times of several libraries": [pd.Series([DAY]), pa.array([DAY]), polars.Series([DAY]), np.array([DAY], "M8[s]")],
    "columns": [pd.Series([1.0]), pa.array([2.0]), polars.Series([3.0])],
    "sets": [{"a"}, frozenset("b")],
    "dictionaries": [{"a": 1.0}, {}],
    "dictionaries of objects": [{"a": object()}],
    "objects": [object(), 1],
    "mixed": [1, "a", None, [2.0]],
}

CONTAINERS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "generator": lambda values: (value for value in values),
    "dictionary": lambda values: dict(enumerate(values)),
    "its values": lambda values: dict(enumerate(values)).values(),
    "array": np.array,
    "array of objects": lambda values: _objects(values),
    "masked array": lambda values: np.ma.masked_array(_objects(values), [at == 0 for at in range(len(values))]),
    "structured array": lambda values: np.array([(value,) for value in values], dtype=[("x", "O")]),
    "sparse matrix": lambda values: sparse.csr_matrix(np.array(values, dtype=float).reshape(-1, 1)),
    "Series": pd.Series,
    "Series of objects": lambda values: pd.Series(values, dtype=object),
    "category": lambda values: pd.Series(values, dtype="category"),
    "nullable": lambda values: pd.Series(pd.array(values)),
    "pandas' Arrow": lambda values: pd.Series(values, dtype=pd.ArrowDtype(pa.array(values).type)),
    "sparse Series": lambda values: pd.Series(values, dtype=pd.SparseDtype(float)),
    "Index": pd.Index,
    "MultiIndex": lambda values: pd.MultiIndex.from_arrays([values, values]),
    "DataFrame": lambda values: pd.DataFrame({"x": values}),
    "Arrow array": pa.array,
    "Arrow chunks": lambda values: pa.chunked_array([pa.array(values).slice(0, 1), pa.array(values).slice(1)]),
    "Arrow dictionary": lambda values: pa.array(values).dictionary_encode(),
    "Arrow table": lambda values: pa.table({"x": values}),
    "polars": polars.Series,
    "polars category": lambda values: polars.Series(values, dtype=polars.Categorical),
    "polars objects": lambda values: polars.Series(values, dtype=polars.Object),
    "polars frame": lambda values: polars.DataFrame({"x": values}),
    "the first": lambda values: values[0],
    "array without dimensions": lambda values: _objects(values).reshape(()),
}


def _objects(values: list[Any]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    for at, value in enumerate(values):
        array[at] = value
    return array


TIMES = ["timestamp[us]", "timestamp[ms, Europe/Berlin]", "date", "duration[s]"]
TYPES = ["float32", "float64", "int64", "uint64", "bool", "string", *TIMES]
DTYPES = [f"{scope}{form}" for form in [*TYPES, *(f"list<{one}>" for one in TYPES)] for scope in ("", "request ")]


FEW_DTYPES = ["float64", "request string", "list<int64>", "request list<float64>"]

WRAPPED: list[tuple[Callable[[Any], Any], list[str]]] = [
    (lambda column: settled({"x": column}), DTYPES),
    (settled, FEW_DTYPES),
    (lambda column: pd.DataFrame({"x": column}), FEW_DTYPES),
]


def contained(container: str, values: list[Any], wrapped: Callable[[Any], Any] = lambda one: one) -> Any:
    """The values in a container, or None where it can't hold them."""
    try:
        return wrapped(CONTAINERS[container](values))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:
        # What a library written in Rust panics with is no Exception.
        return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("container", CONTAINERS)
def test_every_value_is_accepted_or_refused_by_name(container: str) -> None:
    tried = 0
    for (name, values), (wrapped, dtypes) in itertools.product(VALUES.items(), WRAPPED):
        if name == "integers without text" and "polars" in container:
            # polars itself ends the test's process there.
            continue
        columns = contained(container, values, wrapped)
        for dtype in dtypes if columns is not None else []:
            tried += 1
            try:
                write_columns(described(x=dtype), columns)
            except RequestError as error:
                names = {str(key) for key in columns} if isinstance(columns, dict) else {"columns"}
                assert {violation.field for violation in error.violations} <= names | {"x"}
                assert str(error).encode()
    assert tried


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("dtype", TYPES)
def test_every_container_sends_the_same(container: str, dtype: str) -> None:
    """What is accepted does not depend on the container that holds it: never another value, never another null."""
    for name, values in VALUES.items():
        given = None if name == "integers without text" else contained(container, values)
        if given is None or container in {"masked array", "the first", "array without dimensions"}:
            continue
        try:
            plain = values_sent(sent(dtype, values))
            other = values_sent(sent(dtype, given))
        except RequestError:
            continue
        # NaN and null are the same for what can't hold both.
        assert _comparable(other) == _comparable(plain), name


def _comparable(values: list[Any]) -> list[Any]:
    return ["null" if value is None or value != value else value for value in values]
