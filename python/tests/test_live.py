"""TableClient against a real server: rows that are written are served to the next request."""

from __future__ import annotations

import asyncio
import datetime
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet
from server import Addresses, needs_server, started

from quiver_features import Client, TableClient, Time, WriteError, aio, write_table

pytestmark = needs_server

README = Path(__file__).resolve().parents[1] / "README.md"

NOON = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.timezone.utc)

ADS = {
    "ad_id": ["a", "b"],
    "price": [0.5, 1.5],
    "clicks": pd.Series([1, None], dtype="Int64"),
    "category": ["shoes", "hats"],
    "embedding": np.array([[1, 2, 3], [4, 5, 6]], np.float32),
}

USERS = {"user_id": np.array([7, 8]), "items": [[1, 2], [3]], "tags": [["x", "y"], ["z"]]}

SPEC: dict[str, Any] = {
    "format": "quiver.spec/1",
    "name": "live",
    "version": 1,
    "inputs": [
        {"name": "user_id", "dtype": "int64", "scope": "request", "required": True},
        {"name": "ad_id", "dtype": "string", "scope": "row", "required": True},
    ],
    "lookups": [
        {"name": "ad", "table": "ads", "key": "ad_id"},
        {"name": "user", "table": "users", "key": "user_id"},
    ],
    "features": [
        {"name": "price", "input": "ad.price", "default": -1},
        {"name": "clicks", "input": "ad.clicks", "default": -1},
        {"name": "embedding", "input": "ad.embedding", "default": -1},
        {"name": "items", "input": "user.items", "default": -1},
    ],
    "outputs": [
        {"name": "dense", "dtype": "float64", "features": ["price", "clicks", "embedding"]},
        {"name": "events", "dtype": "int64", "features": ["items"], "ragged": True},
    ],
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write_table(tmp_path, "ads", ADS, key="ad_id", live=True)
    write_table(tmp_path, "users", USERS, key="user_id", live=True)
    folder = tmp_path / "feature_sets" / "live" / "1"
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps(SPEC))
    return tmp_path


@pytest.fixture
def addresses(repository: Path) -> Iterator[Addresses]:
    with started(repository) as addresses:
        yield addresses


@pytest.fixture
def tables(addresses: Addresses) -> Iterator[TableClient]:
    with TableClient(addresses.serving) as tables:
        yield tables


@pytest.fixture
def client(addresses: Addresses) -> Iterator[Client]:
    with Client(addresses.serving) as client:
        yield client


def dense(client: Client, *ads: str) -> list[list[float]]:
    """Price, clicks and embedding of ads, -1 where they are null."""
    return client.get_features("live", {"user_id": 7, "ad_id": list(ads)}, outputs=["dense"])["dense"].tolist()


def events(client: Client, user: int) -> list[int]:
    answer = client.get_features("live", {"user_id": user, "ad_id": ["a"]}, outputs=["events"])
    ragged = answer.tensor("events").ragged
    assert ragged is not None
    return ragged.rows()[0].ravel().tolist()


CHANGED = {"ad_id": ["b", "c"], "price": [2.5, None], "clicks": [5, 6], "embedding": [[7.0, 8.0, 9.0], None]}


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame(CHANGED).set_index("ad_id"),
        pl.DataFrame(CHANGED),
        pa.table(CHANGED),
        pa.table(CHANGED).to_reader(),
        CHANGED,
        [dict(zip(CHANGED, row, strict=True)) for row in zip(*CHANGED.values(), strict=True)],
    ],
    ids=lambda data: type(data).__name__,
)
def test_rows_are_served_as_soon_as_they_are_written(tables: TableClient, client: Client, data: Any) -> None:
    assert dense(client, "a", "b", "c") == [[0.5, 1, 1, 2, 3], [1.5, -1, 4, 5, 6], [-1] * 5]
    written = tables.upsert("ads", data)
    assert (written.applied, written.ignored, written.durable, written.table_version) == (2, 0, False, 1)
    assert dense(client, "a", "b", "c") == [[0.5, 1, 1, 2, 3], [2.5, 5, 7, 8, 9], [-1, 6, -1, -1, -1]]


def test_columns_that_are_not_sent_stay_and_rows_are_removed(tables: TableClient, client: Client) -> None:
    tables.upsert("ads", pd.DataFrame(CHANGED), columns=["ad_id", "price"])
    assert dense(client, "b", "c") == [[2.5, -1, 4, 5, 6], [-1] * 5]
    assert tables.delete("ads", {"ad_id": ["b", "none"]}).applied == 2
    assert dense(client, "a", "b") == [[0.5, 1, 1, 2, 3], [-1] * 5]


def test_an_older_row_is_passed_over(tables: TableClient, client: Client) -> None:
    at = pd.DataFrame({"ad_id": ["a", "b"], "price": [1.0, 2.0], "at": [NOON, NOON - datetime.timedelta(seconds=1)]})
    assert tables.upsert("ads", {"ad_id": ["a", "b"], "price": [8.0, 9.0]}, event_time=NOON).applied == 2
    written = tables.upsert("ads", at, event_time="at")
    assert (written.applied, written.ignored) == (1, 1)
    assert [row[0] for row in dense(client, "a", "b")] == [1.0, 9.0]


def test_events_are_appended(tables: TableClient, client: Client) -> None:
    log = pd.DataFrame({"user_id": [7, 8, 7, 9], "items": [11, 12, 13, 14], "tags": ["x", "y", "z", None]})
    assert tables.append("users", log, key="user_id").applied == 4
    assert [events(client, user) for user in (7, 8, 9)] == [[1, 2, 11, 13], [3, 12], [14]]
    tables.append("users", {"user_id": [7], "items": [[15, 16]]}, key="user_id", cap=3)
    assert events(client, 7) == [13, 15, 16]


def test_vectors_of_events_are_appended(tmp_path: Path) -> None:
    folder = tmp_path / "tables" / "users" / "1"
    folder.mkdir(parents=True)
    of = pa.list_(pa.list_(pa.float32(), 2))
    parquet.write_table(pa.table({"user_id": [7], "events": pa.array([[[1, 2]]], of)}), folder / "rows.parquet")
    column = {"name": "events", "dtype": "float32", "shape": {"vectors": 2}, "nan": "value"}
    key = [{"name": "user_id", "dtype": "int64"}]
    document = {
        "format": "quiver.table/1",
        "name": "users",
        "version": 1,
        "key": key,
        "columns": [column],
        "live": True,
    }
    (folder / "table.json").write_text(json.dumps(document))
    spec = {**SPEC, "inputs": SPEC["inputs"][:1], "lookups": SPEC["lookups"][1:]}
    spec["features"] = [{"name": "events", "input": "user.events", "default": -1}]
    spec["outputs"] = [{"name": "events", "dtype": "float32", "features": ["events"], "ragged": True}]
    folder = tmp_path / "feature_sets" / "live" / "1"
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps(spec))
    appended = {"user_id": [7, 7], "events": np.array([[3, 4], [5, 6]], np.float32)}
    with started(tmp_path) as addresses, TableClient(addresses.serving) as tables, Client(addresses.serving) as client:
        tables.append("users", appended, key="user_id", columns={"events": "float32[2]"})
        ragged = client.get_features("live", {"user_id": 7}).tensor("events").ragged
    assert ragged is not None
    assert ragged.values.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_many_rows_come_back_bit_for_bit(tables: TableClient, client: Client) -> None:
    vectors = np.random.default_rng(7).standard_normal((20_000, 3)).astype(np.float32)
    names = [f"n{at}" for at in range(len(vectors))]

    def parts() -> Iterator[Any]:
        for start in range(0, len(vectors), 3000):
            rows = slice(start, start + 3000)
            yield pa.table(
                {"ad_id": names[rows], "embedding": pa.FixedSizeListArray.from_arrays(vectors[rows].ravel(), 3)}
            )

    reported: list[int] = []
    assert tables.upsert("ads", parts(), progress=reported.append).applied == sum(reported) == len(vectors)
    asked = range(0, len(vectors), 37)
    assert np.array_equal(np.array(dense(client, *(names[at] for at in asked)))[:, 2:], vectors[asked])


def test_wrong_rows_are_named_and_nothing_of_their_message_is_written(tables: TableClient, client: Client) -> None:
    wrong = {
        "ad_id": ["a", None, "c"],
        "price": ["x", "y", "z"],
        "embedding": np.zeros((3, 2), np.float32),
        "more": [1, 2, 3],
    }
    with pytest.raises(WriteError) as raised:
        tables.upsert("ads", wrong, event_time=Time([1, 2, 2**40], "s"))
    assert raised.value.code == grpc.StatusCode.INVALID_ARGUMENT
    fields = {violation.field.partition(".")[0] for violation in raised.value.violations}
    assert fields == {"ad_id", "price", "embedding", "more", "event_time"}
    assert "row 1 has no key" in str(raised.value) and "event_time: row 2" in str(raised.value)
    assert "price: is string; the table's is float64" in str(raised.value)
    assert dense(client, "a") == [[0.5, 1, 1, 2, 3]]
    with pytest.raises(WriteError, match="ad_id: is int64; the table's is string"):
        tables.delete("ads", {"ad_id": [1]})
    with pytest.raises(WriteError, match="items: is a list of string; the table's is list<int64>"):
        tables.append("users", {"user_id": [7], "items": ["x"]}, key="user_id")
    with pytest.raises(WriteError, match="ads, users") as raised:
        tables.upsert("none", {"ad_id": ["a"]})
    assert raised.value.code == grpc.StatusCode.NOT_FOUND


def test_rows_of_a_journal_survive_the_process(repository: Path, tmp_path: Path) -> None:
    journal = str(tmp_path / "journal")
    with started(repository, "--journal", journal) as addresses, TableClient(addresses.serving) as tables:
        assert tables.upsert("ads", CHANGED).durable
    with started(repository, "--journal", journal) as addresses, Client(addresses.serving) as client:
        assert dense(client, "b") == [[2.5, 5, 7, 8, 9]]
    with started(repository) as addresses, Client(addresses.serving) as client:
        assert dense(client, "b") == [[1.5, -1, 4, 5, 6]]


def test_the_readme_does_what_it_says(tmp_path: Path) -> None:
    block = re.search(r"## Live rows.*?```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    ads = {"ad_id": ["a1", "a3"], "price": [0.5, 1.0], "embedding": np.ones((2, 2), np.float32)}
    write_table(tmp_path, "ads", ads, key="ad_id", live=True)
    write_table(tmp_path, "users", {"user_id": [7], "clicked": [["a0"]]}, key="user_id", live=True)
    features = [{"name": "price", "input": "ad.price", "default": -1}, {"name": "clicks", "inputs": ["user.clicked"]}]
    features[1] |= {"default": 0, "steps": [{"op": "count", "what": "elements"}]}
    outputs = [{"name": "dense", "dtype": "float32", "features": ["price", "clicks"]}]
    folder = tmp_path / "feature_sets" / "live" / "1"
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps({**SPEC, "features": features, "outputs": outputs}))
    names: dict[str, Any] = {}
    with started(tmp_path) as addresses, Client(addresses.serving) as client:
        exec(block[1].replace("127.0.0.1:50051", addresses.serving), names)
        answer = client.get_features("live", {"user_id": 7, "ad_id": ["a1", "a2", "a3"]})
    assert f"print(written)  # {names['written']}\n" in block[1]
    assert answer["dense"].tolist() == [[1.5, 3], [-1, 3], [-1, 3]]


def test_the_asynchronous_client_writes_too(addresses: Addresses, client: Client) -> None:
    async def write() -> None:
        async with aio.TableClient(addresses.serving) as tables:
            await tables.upsert("ads", CHANGED)
            await tables.delete("ads", {"ad_id": ["a"]})
            await tables.append("users", {"user_id": [7], "items": [5]}, key="user_id")

    asyncio.run(write())
    assert dense(client, "a", "b") == [[-1] * 5, [2.5, 5, 7, 8, 9]]
    assert events(client, 7) == [1, 2, 5]
