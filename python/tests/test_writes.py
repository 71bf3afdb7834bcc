"""Rows of every kind as the messages of TableService, and what a client makes of the answers, without a real server."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import dataset
from written import Refusal, Tables, applied, taking_writes

from quiver_features import RequestError, TableClient, Time, WriteError, Written, aio
from quiver_features.proto import feature_service_pb2 as features
from quiver_features.proto import table_service_pb2 as pb

NOON = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.timezone.utc)
ADS = {
    "ad_id": ["a", "b", "c"],
    "price": [1.5, None, 2.0],
    "clicks": [1, 2, None],
    "on": [True, False, None],
    "tags": [["x", "y"], [], None],
    "embedding": [[0.5, 1.0], [2.0, 4.0], None],
}
SENT = {**ADS, "embedding": [0.5, 1.0, None, 4.0, 0.0, 0.0]}
"""Values as ``values_of`` shows them; that row 2 of the vectors is null shows in place of its third number."""


@pytest.fixture
def tables() -> Iterator[Tables]:
    with taking_writes() as tables:
        yield tables


@pytest.fixture
def client(tables: Tables) -> Iterator[TableClient]:
    with TableClient(tables.address) as client:
        yield client


def in_pandas() -> pd.DataFrame:
    frame = pd.DataFrame(ADS)
    return frame.astype({"price": "Float64", "clicks": "Int64", "on": "boolean"})


@pytest.mark.parametrize(
    "data",
    [
        ADS,
        in_pandas(),
        in_pandas().set_index("ad_id"),
        pl.DataFrame(ADS),
        pl.DataFrame(ADS, schema_overrides={"embedding": pl.Array(pl.Float64, 2)}),
        pa.table(ADS),
        pa.table(ADS).to_batches(),
        pa.table({**ADS, "embedding": pa.array(ADS["embedding"], pa.list_(pa.float64(), 2))}).to_batches()[0],
        pa.table(ADS).to_reader(),
        dataset.dataset(pa.table(ADS)),
        iter([ADS]),
        [dict(zip(ADS, row, strict=True)) for row in zip(*ADS.values(), strict=True)],
    ],
    ids=lambda data: type(data).__name__,
)
def test_rows_of_every_container_are_the_same_columns(tables: Tables, client: TableClient, data: Any) -> None:
    assert client.upsert("ads", data) == Written(3, 0, True, 3)
    assert tables.columns() == SENT
    (request,) = tables.requests
    kinds = {column.name: column.WhichOneof("values") for column in request.columns}
    assert kinds["clicks"] == "int64s" and kinds["price"] == kinds["embedding"] == "doubles"
    assert request.table == "ads" and not request.HasField("event_times")


def test_values_are_sent_in_the_types_that_they_have(tables: Tables, client: TableClient) -> None:
    data = {
        "small": np.array([1, 2], np.int8),
        "unsigned": np.array([1, 2], np.uint32),
        "huge": [1, 2**64 - 1],
        "half": np.array([0.5, 1.5], np.float16),
        "mixed": [1, 0.5],
        "matrix": np.array([[1.0, 2.0], [3.0, 4.0]], np.float32),
        "ints": np.array([[1, 2], [3, 4]]),
        "moment": [NOON, None],
        "nanos": pd.Series(pd.to_datetime(["2024-05-01", None])).astype("datetime64[ns]"),
        "day": [NOON.date(), None],
        "spent": pa.array([5, None], pa.duration("ms")),
        "stated": Time([1, 2], "s"),
        "names": pd.Series(["x", "x"], dtype="category"),
    }
    client.upsert("ads", data)
    kinds = {column.name: (column.WhichOneof("values"), column.time_unit) for column in tables.requests[0].columns}
    assert kinds == {
        "small": ("int64s", 0),
        "unsigned": ("uint64s", 0),
        "huge": ("uint64s", 0),
        "half": ("floats", 0),
        "mixed": ("doubles", 0),
        "matrix": ("floats", 0),
        "ints": ("int64s", 0),
        "moment": ("int64s", features.TIME_UNIT_MICROSECONDS),
        "nanos": ("int64s", features.TIME_UNIT_NANOSECONDS),
        "day": ("int64s", features.TIME_UNIT_DAYS),
        "spent": ("int64s", features.TIME_UNIT_MILLISECONDS),
        "stated": ("int64s", features.TIME_UNIT_SECONDS),
        "names": ("strings", 0),
    }
    sent = tables.columns()
    assert sent["moment"] == [int(NOON.timestamp()) * 1_000_000, None]
    assert sent["day"] == [19_844, None]
    assert sent["ints"] == [[1, 2], [3, 4]] and sent["matrix"] == [1, 2, 3, 4]


def test_stated_types_win(tables: Tables, client: TableClient) -> None:
    weights = [[0.5, 1.0], [2.0, 3.0]]
    data = {"ad_id": [1, 2], "price": [1, 2], "weights": weights, "seen": [NOON, NOON], "none": [None, None]}
    types = {"ad_id": "uint32", "price": "float32", "weights": "list<float64>", "seen": "timestamp[ms]", "none": "bool"}
    client.upsert("ads", data, columns=types)
    assert {column.name: column.WhichOneof("values") for column in tables.requests[0].columns} == {
        "ad_id": "uint64s",
        "price": "floats",
        "weights": "doubles",
        "seen": "int64s",
        "none": "bools",
    }
    sent = tables.columns()
    assert sent["weights"] == weights and sent["none"] == [None, None]
    assert sent["seen"] == [int(NOON.timestamp()) * 1000] * 2


def test_a_type_is_found_in_any_row(tables: Tables, client: TableClient) -> None:
    last = 40_000
    columns = {
        "late": [*[None] * last, 2**64 - 1],
        "ragged": [*[[1.0, 2.0]] * last, [3.0]],
        "half": [*range(last), 0.5],
        "large": [*range(last), 2**63],
    }
    client.upsert("ads", columns)
    for request in tables.requests:
        kinds = [column.WhichOneof("values") for column in request.columns]
        assert kinds == ["uint64s", "doubles", "doubles", "uint64s"]
        assert request.columns[1].HasField("list")


def test_a_type_is_that_of_all_rows(tables: Tables, client: TableClient) -> None:
    late = [*[None] * 600, 0.5]
    ragged = [*[[1.0, 2.0]] * 600, [3.0]]
    client.upsert("ads", {"late": late, "ragged": ragged, "whole": [*range(600), 0.5]})
    for request in tables.requests:
        assert [column.WhichOneof("values") for column in request.columns] == ["doubles"] * 3
        assert request.columns[1].HasField("list")


VECTORS = [[[1.0, 2.0], [3.0, 4.0]], None, [], [None, [5.0, 6.0]]]


@pytest.mark.parametrize(
    "vectors",
    [
        VECTORS,
        [np.array(VECTORS[0]), None, np.zeros((0, 2)), VECTORS[3]],
        pl.Series(VECTORS, dtype=pl.List(pl.List(pl.Float64))),
        pa.array(VECTORS, pa.list_(pa.list_(pa.float64(), 2))),
        pd.Series(VECTORS),
    ],
    ids=lambda data: type(data).__name__,
)
def test_lists_of_vectors(tables: Tables, client: TableClient, vectors: Any) -> None:
    client.upsert("users", {"user_id": [1, 2, 3, 4], "events": vectors})
    column = tables.requests[0].columns[1]
    assert list(column.doubles.values) == [1, 2, 3, 4, 0, 0, 5, 6]
    assert (list(column.list.offsets), list(column.nulls), list(column.null_elements)) == ([0, 2, 2, 2, 4], [1], [2])


def test_vectors_are_appended_as_elements(tables: Tables, client: TableClient) -> None:
    events = {"user_id": [1, 2], "events": np.array([[1, 2], [3, 4]], np.float32)}
    client.append("users", events, key="user_id", columns={"events": "float32[2]"})
    client.append("users", {"user_id": [1], "events": np.ones((1, 3, 2))}, key="user_id")
    first, second = (request.columns[1] for request in tables.requests)
    assert list(first.floats.values) == [1, 2, 3, 4] and list(first.list.offsets) == [0, 1, 2]
    assert list(second.doubles.values) == [1] * 6 and list(second.list.offsets) == [0, 3]
    with pytest.raises(WriteError, match="events: row 1 element 1 has 3 numbers, a vector has 2"):
        wrong = {"user_id": [1, 2], "events": [[[1.0, 2.0]], [[1.0, 2.0], [1.0, 2.0, 3.0]]]}
        client.append("users", wrong, key="user_id", columns={"events": "list<float32[2, int8]>"})
    with pytest.raises(WriteError, match="events: holds lists of lists, which must be floats of one length"):
        client.upsert("users", {"user_id": [1], "events": [[["x"]]]})


@pytest.mark.parametrize("many", [True, False])
def test_vectors_with_holes(tables: Tables, client: TableClient, many: bool) -> None:
    vectors = [[1.0, 2.0], None, [], [3.0, None]] if many else np.array([[1.0, 2.0], [3.0, np.nan]])
    client.upsert("ads", {"embedding": vectors}, columns={"embedding": "float32[2]"})
    (column,) = tables.requests[0].columns
    assert list(column.nulls) == ([1, 2] if many else [])
    expected = [1, 2, 0, 0, 0, 0, 3, np.nan] if many else [1, 2, 3, np.nan]
    assert np.array_equal(column.floats.values, expected, equal_nan=True)


@pytest.mark.parametrize(
    "event_time, unit, values",
    [
        (NOON, features.TIME_UNIT_MICROSECONDS, [int(NOON.timestamp()) * 1_000_000]),
        (np.datetime64("2024-05-01T12"), features.TIME_UNIT_SECONDS, [int(NOON.timestamp())]),
        (Time(7, "ms"), features.TIME_UNIT_MILLISECONDS, [7]),
        (Time([7, 8], "ns"), features.TIME_UNIT_NANOSECONDS, [7, 8]),
        (pd.Series([NOON, NOON]), features.TIME_UNIT_MICROSECONDS, [int(NOON.timestamp()) * 1_000_000] * 2),
        ("seen", features.TIME_UNIT_MILLISECONDS, [1, 2]),
    ],
)
def test_event_times(tables: Tables, client: TableClient, event_time: Any, unit: int, values: list[int]) -> None:
    data = pd.DataFrame({"ad_id": ["a", "b"], "seen": np.array([1, 2], "M8[ms]")})
    if isinstance(event_time, pd.Series):
        event_time = event_time.astype("datetime64[us, UTC]")
    client.upsert("ads", data, event_time=event_time)
    (request,) = tables.requests
    assert (request.event_times.unit, list(request.event_times.values)) == (unit, values)
    names = [column.name for column in request.columns]
    assert names == (["ad_id"] if isinstance(event_time, str) else ["ad_id", "seen"])


def test_a_column_may_be_sent_and_give_the_event_times(tables: Tables, client: TableClient) -> None:
    data = {"ad_id": ["a"], "seen": [NOON], "more": [1]}
    client.upsert("ads", data, event_time="seen", columns=["ad_id", "seen"])
    assert list(tables.columns()) == ["ad_id", "seen"]
    assert len(tables.requests[0].event_times.values) == 1


def test_keys_alone_are_deleted(tables: Tables, client: TableClient) -> None:
    assert client.delete("ads", pd.DataFrame(ADS), columns=["ad_id"], event_time=NOON).applied == 3
    assert tables.columns() == {"ad_id": ["a", "b", "c"]}
    assert isinstance(tables.requests[0], pb.DeleteRequest)


def test_each_row_of_events_appends_an_element(tables: Tables, client: TableClient) -> None:
    events = pd.DataFrame({"user": ["u", "v"], "item": [7, 8], "place": ["x", None], "codes": [[1, 2], [3, 4]]})
    client.append("events", events, key="user", cap=100)
    assert tables.columns() == {
        "user": ["u", "v"],
        "item": [[7], [8]],
        "place": [["x"], [None]],
        "codes": [[1, 2], [3, 4]],
    }
    assert tables.requests[0].cap == 100
    lanes = {"user": ["u"], "lanes": np.array([[0.5, 1.5]])}
    client.append("events", lanes, key=["user"])
    assert list(tables.requests[1].columns[1].list.offsets) == [0, 2]


def test_many_rows_are_messages_of_bounded_size(tables: Tables, client: TableClient) -> None:
    vectors = np.arange(20_000 * 64, dtype=np.float32).reshape(-1, 64)
    reported: list[int] = []
    written = client.upsert("ads", {"ad_id": np.arange(20_000), "embedding": vectors}, progress=reported.append)
    assert written.applied == sum(reported) == 20_000
    sizes = [request.ByteSize() for request in tables.requests]
    assert max(sizes) < 3 << 20 and len(sizes) < 10
    keys = [key for request in tables.requests for key in request.columns[0].int64s.values]
    assert keys == list(range(20_000))
    assert np.array_equal(tables.requests[-1].columns[1].floats.values, vectors[-reported[-1] :].reshape(-1))


def test_large_rows_are_sent_in_small_numbers(tables: Tables, client: TableClient) -> None:
    texts = [f"{at}" * (1 if at < 512 else 40_000) for at in range(1024)]
    client.upsert("ads", {"ad_id": list(range(1024)), "text": texts})
    assert max(request.ByteSize() for request in tables.requests) <= 8 << 20
    assert [key for request in tables.requests for key in request.columns[0].int64s.values] == list(range(1024))


def test_batch_rows_is_what_is_applied_as_a_whole(tables: Tables, client: TableClient) -> None:
    client.upsert("ads", {"ad_id": list(range(10))}, batch_rows=4, event_time=Time(list(range(10)), "s"))
    assert [list(request.columns[0].int64s.values) for request in tables.requests] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]
    assert list(tables.requests[2].event_times.values) == [8, 9]


def test_parts_are_taken_one_at_a_time(tables: Tables, client: TableClient) -> None:
    def parts() -> Iterator[Any]:
        for at in range(3):
            assert len(tables.requests) == at
            yield {"ad_id": [at], "price": [float(at)]}

    assert client.upsert("ads", parts()).applied == 3
    assert client.upsert("ads", iter([])) == Written()
    assert client.upsert("ads", pd.DataFrame({"ad_id": []})) == Written()
    assert len(tables.requests) == 3


def test_every_problem_of_a_message_has_its_column_and_row(tables: Tables, client: TableClient) -> None:
    good = {"ad_id": ["a"], "price": [1], "tags": [[1]], "embedding": [[1.0, 2.0]]}
    bad = {"ad_id": ["b", 5], "price": [2.5, 1], "tags": [[1], [2, "x"]], "embedding": [[1.0, 2.0], [1.0]]}
    types = {"price": "int64", "tags": "list<int64>", "embedding": "float32[2]", "ad_id": "string"}
    with pytest.raises(WriteError) as raised:
        client.upsert("ads", iter([good, bad]), columns=types, event_time="price")
    assert raised.value.code == grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(WriteError) as raised:
        client.upsert("ads", iter([good, bad]), columns=types)
    assert raised.value.written == Written(1, 0, True, 3)
    assert [str(violation) for violation in raised.value.violations] == [
        "ad_id: row 2 holds 5, must hold strings",
        "price: row 1 holds 2.5, must hold integers",
        "tags: row 2 holds 'x' at 1, must hold integers",
        "embedding: row 2 has 1 numbers, a vector has 2",
    ]


@pytest.mark.parametrize(
    "data, options, problem",
    [
        (7, {}, "data: are 7; what is written is a frame"),
        ([1, 2], {}, "data: row 0 is 1, not a dictionary"),
        (pl.DataFrame(ADS).lazy(), {}, "data: are a LazyFrame"),
        ({"ad_id": "a"}, {}, "ad_id: is 'a', not a column of values"),
        ({"ad_id": ["a"], "price": [1, 2]}, {}, "different numbers of rows: ad_id has 1, price has 2"),
        ({"ad_id": ["a"]}, {"columns": ["id"]}, "id: is not in the data, which has ad_id"),
        ({"ad_id": ["a"]}, {"columns": {"ad_id": "text"}}, "'text' is not a type; types are written as in \"int64\""),
        ({"ad_id": ["a"], "price": [None]}, {}, "price: holds only nulls, which have no type; state it"),
        ({"ad_id": [b"a"]}, {}, "ad_id: row 0 holds b'a', must hold strings; decode bytes"),
        (
            {"ad_id": ["a"]},
            {"event_time": 7},
            "event_time: holds 7, must hold times: datetimes, or quiver_features.Time",
        ),
        ({"ad_id": ["a"]}, {"event_time": "at"}, "event_time: is 'at', which is not in the data"),
        ({"ad_id": ["a"]}, {"event_time": Time([1, 2], "s")}, "event_time: has 2 times for 1 rows"),
        ({"ad_id": ["a", "b"]}, {"event_time": Time([1, None], "s")}, "event_time: row 1 has none"),
        ({"ad_id": ["a"]}, {"batch_rows": "many"}, "batch_rows: is 'many', must be an integer"),
    ],
)
def test_what_cannot_be_written(
    tables: Tables, client: TableClient, data: Any, options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(RequestError) as raised:
        client.upsert("ads", data, **options)
    assert problem in str(raised.value)
    assert tables.requests == []


def test_what_the_server_rejects_has_its_column_and_row(tables: Tables, client: TableClient) -> None:
    def answer(request: Any) -> pb.WriteResponse:
        if len(tables.requests) < 2:
            return applied(request)
        raise Refusal(
            grpc.StatusCode.INVALID_ARGUMENT,
            (
                ("columns[1]", '"price", row 1: 300 does not fit into int8'),
                ("columns[0]", '"ad_id" is string; the table\'s is int64'),
                ("columns[0].nulls", "row 0 has no key"),
                ("event_times.values[1]", "is 2262-01-01T00:00:00Z, in the future"),
                ("columns", 'key column "slot" is missing'),
                ("columns[9].name", "is none of ours"),
            ),
        )

    tables.answer = answer
    with pytest.raises(WriteError) as raised:
        client.upsert("ads", {"ad_id": ["a", "b", "c", "d"], "price": [1, 2, 3, 300]}, batch_rows=2)
    assert raised.value.written.applied == 2
    assert [str(violation) for violation in raised.value.violations] == [
        "price: row 3: 300 does not fit into int8",
        "ad_id: is string; the table's is int64",
        "ad_id.nulls: row 2 has no key",
        "event_time: row 3 is 2262-01-01T00:00:00Z, in the future",
        'columns: key column "slot" is missing',
        "columns[9].name: is none of ours",
    ]


def test_a_busy_server_is_asked_again(tables: Tables, client: TableClient) -> None:
    def answer(request: Any) -> pb.WriteResponse:
        if len(tables.requests) in {2, 3}:
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after_ms=1)
        return applied(request)

    tables.answer = answer
    assert client.append("ads", {"ad_id": [1, 2, 3], "x": [1, 2, 3]}, key="ad_id", batch_rows=1).applied == 3
    assert [request.columns[0].int64s.values[0] for request in tables.requests] == [1, 2, 2, 2, 3]


def test_the_timeout_bounds_asking_again(tables: Tables, client: TableClient) -> None:
    def answer(request: Any) -> pb.WriteResponse:
        raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after_ms=900)

    tables.answer = answer
    with pytest.raises(WriteError) as raised:
        client.upsert("ads", ADS, timeout=0.8)
    assert raised.value.code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert len(tables.requests) == 1


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_other_failures_are_not_asked_again(tables: Tables, client: TableClient, code: grpc.StatusCode) -> None:
    def answer(request: Any) -> pb.WriteResponse:
        raise Refusal(code)

    tables.answer = answer
    with pytest.raises(WriteError) as raised:
        client.upsert("ads", ADS)
    assert raised.value.code == code and raised.value.written == Written()
    assert len(tables.requests) == 1


def test_durable_is_said_only_of_all_rows(tables: Tables, client: TableClient) -> None:
    durable = pb.WriteResponse(applied=1, durable=True, table_version=1)
    answers = iter([durable, pb.WriteResponse(ignored=1, table_version=2)])
    tables.answer = lambda request: next(answers)
    assert client.upsert("ads", {"ad_id": [1, 2]}, batch_rows=1) == Written(1, 1, False, 2)


def test_the_asynchronous_client_writes_the_same(tables: Tables) -> None:
    async def parts() -> AsyncIterator[Any]:
        yield ADS
        yield pd.DataFrame({"ad_id": ["d"], "price": [0.5]})

    async def write() -> list[Written]:
        async with aio.TableClient(tables.address) as client:
            reported: list[int] = []
            written = [
                await client.upsert("ads", parts(), columns=["ad_id", "price"], progress=reported.append),
                await client.delete("ads", {"ad_id": ["a"]}),
                await client.append("ads", {"ad_id": ["a"], "tag": ["x"]}, key="ad_id"),
            ]
            assert reported == [3, 1]
            with pytest.raises(WriteError, match="ad_id: row 0 holds 5, must hold strings"):
                await client.upsert("ads", {"ad_id": [5]}, columns={"ad_id": "string"})
            return written

    assert [one.applied for one in asyncio.run(write())] == [4, 1, 1]
    assert [type(request).__name__ for request in tables.requests] == [
        "UpsertRequest",
        "UpsertRequest",
        "DeleteRequest",
        "AppendRequest",
    ]
