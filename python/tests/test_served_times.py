"""Times of every library, through the client, to the server."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from server import needs_server, serving

from quiver_features import Client, RequestError, Time

pytestmark = needs_server

NOW = datetime.datetime(2024, 5, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
SEEN = [NOW - datetime.timedelta(hours=24), NOW - datetime.timedelta(minutes=90), None]

SPEC = {
    "format": "quiver.spec/1",
    "name": "times",
    "version": 1,
    "inputs": [
        {"name": "now", "dtype": "timestamp[ms, Europe/Berlin]", "scope": "request", "required": True},
        {"name": "seen", "dtype": "timestamp[ms]", "scope": "row", "required": True},
        {"name": "day", "dtype": "date", "scope": "row", "required": False},
        {"name": "spent", "dtype": "duration[s]", "scope": "row", "required": False},
    ],
    "features": [
        {
            "name": "hours",
            "inputs": ["seen", "now"],
            "default": -1,
            "steps": [{"op": "age", "unit": "milliseconds", "in": "hours", "negative": "keep"}],
        },
        {"name": "day", "input": "day", "default": -1},
        {"name": "spent", "input": "spent", "default": -1},
    ],
    "outputs": [
        {"name": "hours", "dtype": "float64", "features": ["hours"]},
        {"name": "counts", "dtype": "int64", "features": ["day", "spent"]},
    ],
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("times")
    version = folder / "feature_sets" / "times" / "1"
    version.mkdir(parents=True)
    (folder / "tables").mkdir()
    (version / "spec.json").write_text(json.dumps(SPEC))
    with serving(Path(folder)) as address, Client(address) as client:
        yield client


def test_descriptions_say_what_is_counted(client: Client) -> None:
    assert [(one.dtype, one.time_unit, one.time_zone) for one in client.describe("times").inputs] == [
        ("timestamp", "ms", "Europe/Berlin"),
        ("timestamp", "ms", None),
        ("date", "D", None),
        ("duration", "s", None),
    ]


def test_a_moment_has_the_same_age_in_every_library(client: Client) -> None:
    utc = [None if one is None else one.astimezone(datetime.timezone.utc) for one in SEEN]
    naive = [None if one is None else one.replace(tzinfo=None) for one in utc]
    polars = pytest.importorskip("polars")
    series = pd.Series(utc)
    for seen in (
        SEEN,
        utc,
        naive,
        series,
        series.dt.tz_convert("Asia/Tokyo"),
        series.dt.tz_localize(None),
        *(np.array([one or "NaT" for one in naive], f"M8[{unit}]") for unit in ("s", "ms", "us", "ns")),
        pa.array(SEEN),
        pa.array(naive, pa.timestamp("s")),
        polars.Series(naive),
        Time([None if one is None else int(one.timestamp()) for one in SEEN], "s"),
    ):
        for now in (NOW, pd.Timestamp(NOW), [NOW], Time(int(NOW.timestamp()), "s")):
            answer = client.get_features("times", {"now": now, "seen": seen})
            assert answer["hours"].ravel().tolist() == [24.0, 1.5, -1.0]


def test_frames_of_times(client: Client) -> None:
    frame = pd.DataFrame({"now": [NOW] * 3, "seen": pd.to_datetime(pd.Series(SEEN), utc=True)})
    frame["day"] = [NOW.date(), None, NOW.date()]
    frame["spent"] = pd.to_timedelta([90, 0, None], unit="s")
    polars = pytest.importorskip("polars")
    for columns in (frame, pa.Table.from_pandas(frame), polars.from_pandas(frame)):
        answer = client.get_features("times", columns)
        assert answer["hours"].ravel().tolist() == [24.0, 1.5, -1.0]
        assert answer["counts"].tolist() == [[19_844, 90], [-1, 0], [19_844, -1]]


def test_what_has_no_unit_or_no_zone_is_refused(client: Client) -> None:
    with pytest.raises(RequestError, match=r"now: holds .*, which states no zone; the input's times belong to Europe"):
        client.get_features("times", {"now": NOW.replace(tzinfo=None), "seen": SEEN})
    with pytest.raises(RequestError, match=r"seen: holds 1714557600 at 0, .* quiver_features\.Time\(values, \"ms\"\)"):
        client.get_features("times", {"now": NOW, "seen": [int(NOW.timestamp())]})
