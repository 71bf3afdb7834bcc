"""Tables from data of many kinds: types are found or asked for, losses are rejected, a server reads the files."""

from __future__ import annotations

import datetime
import decimal
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from server import check, needs_server, serving

from quiver_features import Client, TableError, write_table

ADS = pd.DataFrame(
    {
        "ad_id": np.array([1, 2, 3], dtype=np.int32),
        "price": [1.5, None, 2.0],
        "category": ["a", None, "b"],
        "color": pd.Categorical(["red", "blue", None]),
        "clicks": pd.array([5, None, 7], dtype="Int16"),
        "active": [True, None, False],
        "tags": [["x"], [], None],
        "taste": [{"a": 1}, {"b": 2.5, "c": 1}, None],
        "embedding": list(np.arange(12, dtype=np.float32).reshape(3, 4)),
        "wide": [[1.0, 2.0], [3.0, 4.0], None],
    }
)

TYPES = {
    "ad_id": "int64",
    "price": "float64",
    "category": "string",
    "color": "string",
    "clicks": "int16",
    "active": "bool",
    "tags": "list<string>",
    "taste_keys": "list<string>",
    "taste_values": "list<float64>",
    "embedding": "float32[4]",
    "wide": "float64[2]",
}


def types_of(table: Any) -> dict[str, str]:
    return {column.name: column.type for column in table.columns}


def rows_of(folder: Path) -> dict[str, list[Any]]:
    return parquet.read_table(folder / "rows.parquet").to_pydict()


def test_a_frame_becomes_a_table_with_the_types_that_it_has(tmp_path: Path) -> None:
    table = write_table(tmp_path, "ads", ADS, key="ad_id")
    assert table.path == tmp_path / "tables" / "ads" / "1"
    assert types_of(table) == TYPES
    assert {column.name for column in table.columns if not column.nulls} == {"ad_id", "embedding"}
    assert {column.nulls for column in table.columns} == {0, 1}
    document = json.loads((table.path / "table.json").read_text())
    assert document["key"] == [{"name": "ad_id", "dtype": "int64"}]
    embedding = {"name": "embedding", "dtype": "float32", "shape": {"vector": 4}, "nan": "value"}
    assert embedding in document["columns"]
    assert {"name": "price", "dtype": "float64", "shape": "scalar", "nan": "null"} in document["columns"]
    rows = rows_of(table.path)
    assert rows["taste_keys"] == [["a"], ["b", "c"], None] and rows["taste_values"] == [[1.0], [2.5, 1.0], None]
    assert rows["embedding"][1] == [4.0, 5.0, 6.0, 7.0] and rows["wide"][2] is None


def test_the_summary_shows_every_column(tmp_path: Path) -> None:
    text = str(write_table(tmp_path, "ads", ADS.head(2), key="ad_id"))
    assert text.startswith("table ads version 1: 2 rows, ")
    assert "  ad_id         int64          key" in text
    assert "float32[2]" in text and "takes half the memory and rounds" in text


def test_arrow_polars_and_dictionaries_become_tables(tmp_path: Path) -> None:
    arrow = pa.table({"id": ["a", "b"], "v": pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2))})
    expected = {"id": "string", "v": "float32[2]"}
    batches = arrow.to_batches(max_chunksize=1)
    for data in (arrow, batches, iter(batches), batches[0], pa.RecordBatchReader.from_batches(arrow.schema, batches)):
        assert types_of(write_table(tmp_path, "t", data, key="id")) == expected
    assert types_of(write_table(tmp_path, "t", {"id": ["a"], "v": np.ones((1, 2), np.float32)}, key="id")) == expected
    maps = pa.table({"id": [1, 2], "m": pa.array([[("a", 1.0)], None], pa.map_(pa.string(), pa.float64()))})
    rows = rows_of(write_table(tmp_path, "t", maps, key="id").path)
    assert rows == {"id": [1, 2], "m_keys": [["a"], None], "m_values": [[1.0], None]}
    numbered = write_table(tmp_path, "t", {"id": [1, 2], "m": [{7: 1.5}, {}]}, key="id")
    assert types_of(numbered)["m_keys"] == "list<int64>"
    large = write_table(tmp_path, "t", {"id": [1], "n": [2**63]}, key="id")
    assert types_of(large)["n"] == "uint64"


def test_arrays_of_pandas_keep_their_types(tmp_path: Path) -> None:
    large = 2**53 + 1
    columns = {"id": pd.array(["a", "b"]), "count": pd.array([large, None], "Int64"), "on": pd.array([True, None])}
    table = write_table(tmp_path, "ads", columns, key="id")
    assert types_of(table) == {"id": "string", "count": "int64", "on": "bool"}
    assert rows_of(table.path) == {"id": ["a", "b"], "count": [large, None], "on": [True, None]}


def test_polars_frames_become_tables(tmp_path: Path) -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {
            "id": pl.Series([1, 2], dtype=pl.UInt32),
            "kind": pl.Series(["x", "y"], dtype=pl.Categorical),
            "vector": pl.Series([[1.0, 2.0], [3.0, 4.0]], dtype=pl.Array(pl.Float32, 2)),
            "list": [[1], [2, 3]],
        }
    )
    table = write_table(tmp_path, "t", frame, key=["id", "kind"])
    assert types_of(table) == {"id": "int64", "kind": "string", "vector": "float32[2]", "list": "list<int64>"}
    assert [column.is_key for column in table.columns] == [True, True, False, False]


def test_arrays_take_their_keys_beside_them(tmp_path: Path) -> None:
    vectors = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.save(tmp_path / "vectors.npy", vectors)
    for data in (vectors, tmp_path / "vectors.npy", str(tmp_path / "vectors.npy")):
        table = write_table(tmp_path, "v", data, key={"item": [7, 8, 9]})
        assert rows_of(table.path) == {"item": [7, 8, 9], "vector": vectors.tolist()}
    assert types_of(write_table(tmp_path, "v", vectors, key=np.array(["a", "b", "c"]))) == {
        "id": "string",
        "vector": "float32[2]",
    }
    indexed = pd.DataFrame({"price": [1.0]}, index=pd.Index([5], name="ad_id"))
    assert types_of(write_table(tmp_path, "v", indexed, key="ad_id")) == {"ad_id": "int64", "price": "float64"}


def test_types_can_be_asked_for(tmp_path: Path) -> None:
    asked = {"embedding": "float16[4]", "wide": "list<float32>", "clicks": "float32", "ad_id": "string"}
    table = write_table(tmp_path, "ads", ADS, key="ad_id", columns=asked)
    assert types_of(table) == {**TYPES, **asked}
    assert rows_of(table.path)["ad_id"] == ["1", "2", "3"]
    # What pandas makes of integers with missing values.
    floats = pd.DataFrame({"id": [1.0, 2.0], "n": [3.0, None]})
    rows = rows_of(write_table(tmp_path, "t", floats, key="id", columns={"n": "int32"}).path)
    assert rows == {"id": [1, 2], "n": [3, None]}


TIMES = pd.to_datetime(["2020-01-01 03:00", None]).astype("M8[us]")

WITH_TIMES = {
    "id": [1, 2],
    "plain": TIMES,
    "zoned": TIMES.tz_localize("Europe/Berlin"),
    "fine": TIMES.astype("M8[ns]"),
    "waited": pd.to_timedelta([1, 2], unit="s").astype("m8[ms]"),
    "day": [datetime.date(2020, 1, 2), None],
    "days": np.array(["2020-01-01", "NaT"], "M8[D]"),
    "seen": [[datetime.datetime(2020, 1, 1)], []],
}


def test_times_keep_their_units_and_zones(tmp_path: Path) -> None:
    expected = {
        "id": "int64",
        "plain": "timestamp[us]",
        "zoned": "timestamp[us, Europe/Berlin]",
        "fine": "timestamp[ns]",
        "waited": "duration[ms]",
        "day": "date",
        "days": "date",
        "seen": "list<timestamp[us]>",
    }
    table = write_table(tmp_path, "t", WITH_TIMES, key="id")
    assert types_of(table) == expected
    assert {"name": "day", "dtype": "date", "shape": "scalar"} in json.loads((table.path / "table.json").read_text())[
        "columns"
    ]
    asked = {"plain": "timestamp[s]", "zoned": "timestamp[ms, UTC]", "fine": "int64", "waited": "duration[s]"}
    table = write_table(tmp_path, "t", WITH_TIMES, key="id", columns=asked)
    assert types_of(table) == {**expected, **asked}
    assert rows_of(table.path)["fine"] == [1577847600000000000, None]


@pytest.mark.parametrize(
    "columns, message",
    [
        ({"plain": "date"}, "column 'plain': 2020-01-01 03:00:00 is not a whole date"),
        ({"plain": "timestamp[us, UTC]"}, "column 'plain': has no time zone, and timestamp[us, UTC] has one"),
        ({"id": "int64", "waited": "timestamp[s]"}, "is duration[ms], which can't be stored as timestamp[s]"),
        ({"waited": "duration[s, UTC]"}, "a duration has no time zone"),
        ({"plain": "timestamp[d]"}, "'timestamp[d]' is not a type"),
        ({"id": "timestamp[s]"}, "column 'id': is timestamp[s]; a key is int64, uint64 or string"),
        ({"number": "timestamp[s]"}, "column 'number': is int64, which has no unit: make times of it first"),
    ],
)
def test_times_are_refused_that_would_change(columns: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(TableError) as raised:
        write_table(tmp_path, "t", {**WITH_TIMES, "number": [1, 2]}, key="id", columns=columns)
    assert message in str(raised.value)
    offset = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    with pytest.raises(TableError, match=r"has the offset \+02:00 and no time zone; give one"):
        write_table(tmp_path, "t", {"id": [1], "at": [offset]}, key="id")
    with pytest.raises(TableError, match=r"a time of day; give \"int64\""):
        write_table(tmp_path, "t", {"id": [1], "at": [datetime.time(3)]}, key="id")


def test_decimals_are_rounded_when_asked(tmp_path: Path) -> None:
    data = {"id": [1], "price": [decimal.Decimal("1.1")]}
    with pytest.raises(TableError, match=r"column 'price': decimals lose digits.*\"float64\".*lossy=True"):
        write_table(tmp_path, "t", data, key="id")
    for options in ({"lossy": True}, {"columns": {"price": "float64"}}):
        assert rows_of(write_table(tmp_path, "t", data, key="id", **options).path)["price"] == [1.1]


REFUSALS: list[tuple[Any, Any, dict[str, Any], str]] = [
    ({"a": [1, 1, 2, 2]}, "a", {}, "2 keys have several rows: 1 in rows 0 and 1; 2 in rows 2 and 3"),
    ({"a": [1, 1], "b": ["x", "x"]}, ["a", "b"], {}, "(1, 'x') in rows 0 and 1; keep one row for each key"),
    ({"a": ["x", None, None]}, "a", {}, "2 keys are missing, in rows 1, 2; leave them out"),
    ({"a": [1.5, 2.0]}, "a", {}, "a key is whole numbers or strings: 1.5 is not a whole number"),
    ({"a": [True]}, "a", {}, "is bool; a key is int64, uint64 or string"),
    ({"a": [1]}, "b", {}, "there is no key column 'b'; the columns are a"),
    ({"a": [9007199254740992.0]}, "a", {}, "9007199254740992.0 may have been another integer, since float64 is exact"),
    ({"a": [1], "b": np.float32([2**24])}, "a", {"columns": {"b": "int64"}}, "since float32 is exact only below 2^24"),
    (np.zeros((2, 3)), "b", {}, "the columns are vector; give the keys themselves, as in key={'b': ids}"),
    ({"a": [1], "b": [1, 2]}, "a", {}, "different numbers of rows: a has 1, b has 2"),
    ({"a": [1], "n": [None]}, "a", {}, "column 'n': every value is missing, so that its type is unknown"),
    ({"a": [1], "n": [[[1]]]}, "a", {}, "column 'n': holds lists of lists"),
    ({"a": [1], "n": [b"x"]}, "a", {}, "column 'n': holds bytes; decode them"),
    ({"a": [1, 2], "n": [1, "x"]}, "a", {}, "column 'n': its values have no one type"),
    ({"a": [1, 2], "n": [1.5, 2.0]}, "a", {"columns": {"n": "int32"}}, "column 'n': 1.5 is not a whole number"),
    ({"a": [1], "n": [300]}, "a", {"columns": {"n": "int8"}}, "column 'n': Integer value 300 not in range"),
    ({"a": [1], "n": [1e300]}, "a", {"columns": {"n": "float32"}}, "1e+300 is beyond what float32 holds"),
    ({"a": [1], "n": [[1.0, 2.0]]}, "a", {"columns": {"n": "float32[3]"}}, "row 0 has 2 numbers, a vector has 3"),
    ({"a": [1], "n": [[1.0, 2.0]]}, "a", {"columns": {"n": "float32"}}, "can't be stored as float32"),
    ({"a": [1], "n": [1]}, "a", {"columns": {"n": "float31", "m": "bool"}}, "'float31' is not a type of elements"),
    ({"a": [1], "n": [1]}, "a", {"columns": {"m": "bool"}}, "column 'm': is not in the data, which has a, n"),
    ({"a": [1]}, "a", {"version": 0}, "the version is 0, must be from 1"),
    ([1, 2], "a", {}, "the data is a list; what is read is a pandas or polars frame"),
    ("rows.csv", "a", {}, "rows.csv is not a Parquet, Arrow or .npy file"),
    (np.ones((2, 2)), [1, 2, 3], {}, "column 'id': has 3 keys for 2 rows"),
    (np.ones((2, 2, 2)), [1, 2], {}, "has 3 dimensions"),
    (pd.DataFrame([[1, 2]], columns=["a", "a"]), "a", {}, "there are two columns of this name"),
]


@pytest.mark.parametrize("data, key, options, message", REFUSALS)
def test_it_is_refused(data: Any, key: Any, options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(TableError) as raised:
        write_table(tmp_path, "t", data, key=key, **options)
    assert message in str(raised.value)
    assert not list(tmp_path.rglob("*.json"))


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    data = {"id": [1, 1, None], "mixed": [1, "x", 2], "none": [None] * 3, "fine": [1, 2, 3]}
    with pytest.raises(TableError) as raised:
        write_table(tmp_path, "a/b", data, key="id", columns={"fine": "int"})
    assert [problem.column for problem in raised.value.problems] == ["", "fine", "id", "mixed", "none"]


def test_versions_are_numbered_and_never_overwritten(tmp_path: Path) -> None:
    data = {"id": [1]}
    numbers = [write_table(tmp_path, "t", data, key="id", version=version).version for version in (None, 7, None)]
    assert numbers == [1, 7, 8]
    with pytest.raises(TableError, match="exists already"):
        write_table(tmp_path, "t", data, key="id", version=7)
    assert sorted(one.name for one in (tmp_path / "tables" / "t").iterdir()) == ["1", "7", "8"]


def test_a_table_takes_writes_only_if_it_says_so(tmp_path: Path) -> None:
    for live in (False, True):
        written = write_table(tmp_path, "t", {"id": [1], "x": [0.5]}, key="id", live=live)
        assert json.loads((written.path / "table.json").read_text()).get("live", False) is live


SPEC = {
    "format": "quiver.spec/1",
    "name": "ads",
    "version": 1,
    "inputs": [{"name": "ad_id", "dtype": "int64", "scope": "row", "required": True}],
    "lookups": [{"name": "ad", "table": "ads", "key": "ad_id"}],
    "features": [
        {"name": "price", "input": "ad.price", "default": -1.0},
        {"name": "clicks", "input": "ad.clicks", "steps": [{"op": "cast", "to": "float64"}], "default": -1.0},
        {"name": "embedding", "input": "ad.embedding", "default": -1.0},
        {"name": "wide", "input": "ad.wide", "default": -1.0},
    ],
    "outputs": [{"name": "features", "dtype": "float32", "features": ["price", "clicks", "embedding", "wide"]}],
}


@needs_server
def test_a_server_reads_what_was_written(tmp_path: Path) -> None:
    write_table(tmp_path, "ads", ADS, key="ad_id")
    folder = tmp_path / "feature_sets" / "ads" / "1"
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps(SPEC))
    assert check(tmp_path) == ""
    with serving(tmp_path) as address, Client(address) as client:
        served = client.get_features("ads", {"ad_id": [1, 2, 3, 4]})["features"]
    expected = [
        [1.5, 5, 0, 1, 2, 3, 1, 2],
        [-1, -1, 4, 5, 6, 7, 3, 4],
        [2, 7, 8, 9, 10, 11, -1, -1],
        [-1] * 8,
    ]
    np.testing.assert_array_equal(served, np.array(expected, dtype=np.float32))


@needs_server
def test_a_server_reads_times(tmp_path: Path) -> None:
    table = write_table(tmp_path, "ads", {**WITH_TIMES, "ad_id": [1, 2]}, key="ad_id")
    times = [column.name for column in table.columns if column.type.startswith(("time", "dur", "date"))]
    assert times == ["plain", "zoned", "fine", "waited", "day", "days"]
    counted = {"steps": [{"op": "cast", "to": "float64"}], "default": -1.0}
    features = [{"name": name, "input": f"ad.{name}", **counted} for name in times]
    outputs = [{"name": "features", "dtype": "float64", "features": times}]
    folder = tmp_path / "feature_sets" / "ads" / "1"
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps({**SPEC, "features": features, "outputs": outputs}))
    assert check(tmp_path) == ""
    with serving(tmp_path) as address, Client(address) as client:
        served = client.get_features("ads", {"ad_id": [1, 2]})["features"]
    second = 1577847600.0
    expected = [[second * 1e6, (second - 3600) * 1e6, second * 1e9, 1000.0, 18263.0, 18262.0], [-1.0] * 6]
    expected[1][3] = 2000.0
    np.testing.assert_array_equal(served, expected)


def test_rows_have_an_event_time_where_it_is_stated(tmp_path: Path) -> None:
    data = {"id": [1], "seen": [datetime.datetime(2026, 11, 25, tzinfo=datetime.timezone.utc)], "x": [0.5]}

    def written(event_time: Any) -> Any:
        table = write_table(tmp_path, "t", data, key="id", event_time=event_time)
        return json.loads((table.path / "table.json").read_text()).get("event_time")

    assert written(None) is None
    assert written("seen") == "seen"
    assert written(datetime.datetime(2026, 11, 25, 10, tzinfo=datetime.timezone.utc)) == "2026-11-25T10:00:00+00:00"
    with pytest.raises(TableError, match="there is no column 'then' beside the key; there are seen, x"):
        written("then")
    with pytest.raises(TableError, match="column 'x' is float64, must be a timestamp or a date"):
        written("x")
    with pytest.raises(TableError, match="has no time zone"):
        written(datetime.datetime(2026, 11, 25))
