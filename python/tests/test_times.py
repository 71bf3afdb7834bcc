"""Times of every library become counts of the input's unit, exactly, or are rejected."""

from __future__ import annotations

import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from inputs import columns_sent, described, sent, values_sent

from quiver_features import RequestError, Time
from quiver_features.client.descriptions import feature_set
from quiver_features.proto import feature_service_pb2 as pb

UTC = datetime.timezone.utc
BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime.datetime(2024, 5, 1, 12)
SECONDS = 1_714_564_800
"""NOON in UTC."""

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
PROTO_UNITS = {
    "s": pb.TIME_UNIT_SECONDS,
    "ms": pb.TIME_UNIT_MILLISECONDS,
    "us": pb.TIME_UNIT_MICROSECONDS,
    "ns": pb.TIME_UNIT_NANOSECONDS,
}


def polars_series(values: list[Any], dtype: Any = None) -> Any:
    return pytest.importorskip("polars").Series(values, dtype=dtype)


AWARE = {
    "datetimes": lambda: [NOON.replace(tzinfo=UTC), None],
    "datetimes of another zone": lambda: [NOON.replace(tzinfo=UTC).astimezone(BERLIN), None],
    "Timestamps": lambda: [pd.Timestamp(NOON, tz="UTC").tz_convert("Asia/Tokyo"), pd.NaT],
    "pandas": lambda: pd.Series([NOON, None]).dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"),
    "pandas in seconds": lambda: pd.Series([NOON, None], dtype="datetime64[s]").dt.tz_localize("UTC"),
    "pandas' index": lambda: pd.DatetimeIndex([NOON, None], tz="UTC"),
    "pandas' Arrow": lambda: pd.Series([NOON, None], dtype=pd.ArrowDtype(pa.timestamp("us", "UTC"))),
    "Arrow": lambda: pa.array([NOON.replace(tzinfo=UTC), None], pa.timestamp("ms", "Europe/Berlin")),
    "Arrow's scalars": lambda: [pa.scalar(NOON, pa.timestamp("ns", "UTC")), None],
    "polars": lambda: polars_series([NOON, None]).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"),
    "category": lambda: pd.Series([NOON, None]).dt.tz_localize("UTC").astype("category"),
    "counts": lambda: Time([SECONDS, None], "s"),
    "counts in milliseconds": lambda: Time(np.ma.masked_array([SECONDS * 1000, 5], [False, True]), "ms"),
    "nullable counts": lambda: Time(pd.Series([SECONDS, None], dtype="Int64"), "s"),
}

NAIVE = {
    "datetimes": lambda: [NOON, None],
    "objects": lambda: pd.Series([NOON, None], dtype=object),
    "Timestamps": lambda: [pd.Timestamp(NOON), pd.NaT],
    "pandas": lambda: pd.Series([NOON, None]),
    "Arrow": lambda: pa.array([NOON, None]),
    "Arrow in chunks": lambda: pa.chunked_array([pa.array([NOON]), pa.array([None], pa.timestamp("us"))]),
    "polars": lambda: polars_series([NOON, None]),
    "masked": lambda: np.ma.masked_array(np.array([NOON, NOON], "M8[s]"), [False, True]),
    "big-endian": lambda: np.array([NOON, "NaT"], ">M8[s]"),
    "multiples": lambda: np.array([NOON, "NaT"], "M8[30m]"),
    **{
        f"datetime64[{unit}]": lambda unit=unit: np.array([NOON, "NaT"], f"M8[{unit}]")
        for unit in ("h", "m", "s", "ms", "us", "ns")
    },
    "picoseconds": lambda: np.array(["1970-01-01T00:00:05", "NaT"], "M8[ps]"),
    "datetime64 objects": lambda: [np.datetime64(NOON, "s"), np.datetime64("NaT")],
}


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("kind", AWARE)
def test_moments_are_counted_in_utc(kind: str, unit: str) -> None:
    for zone in ("", ", Europe/Berlin"):
        column = sent(f"timestamp[{unit}{zone}]", AWARE[kind]())
        assert values_sent(column) == [SECONDS * UNITS[unit], None]
        assert column.time_unit == PROTO_UNITS[unit]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("kind", NAIVE)
def test_times_without_a_zone_are_counted_as_they_stand(kind: str, unit: str) -> None:
    seconds = 5 if kind == "picoseconds" else SECONDS
    assert values_sent(sent(f"timestamp[{unit}]", NAIVE[kind]())) == [seconds * UNITS[unit], None]
    with pytest.raises(RequestError, match=r"x: holds .* at 0, which states no zone; the input's times belong to Eur"):
        sent(f"timestamp[{unit}, Europe/Berlin]", NAIVE[kind]())


DATES = {
    "dates": lambda: [NOON.date(), None],
    "midnights": lambda: [NOON.replace(hour=0), None],
    "pandas": lambda: pd.Series([NOON.date(), None], dtype="datetime64[ns]"),
    "datetime64[D]": lambda: np.array([NOON.date(), "NaT"], "M8[D]"),
    "date32": lambda: pa.array([NOON.date(), None], pa.date32()),
    "date64": lambda: pa.array([NOON.date(), None], pa.date64()),
    "polars": lambda: polars_series([NOON.date(), None]),
    "counts": lambda: Time([SECONDS // 86_400, None], "D"),
}


@pytest.mark.parametrize("kind", DATES)
def test_dates(kind: str) -> None:
    column = sent("date", DATES[kind]())
    assert values_sent(column) == [SECONDS // 86_400, None]
    assert column.time_unit == pb.TIME_UNIT_DAYS
    assert values_sent(sent("timestamp[s]", DATES[kind]())) == [SECONDS // 86_400 * 86_400, None]


DURATIONS = {
    "timedeltas": lambda: [datetime.timedelta(hours=1), None],
    "Timedeltas": lambda: [pd.Timedelta(hours=1), pd.NaT],
    "pandas": lambda: pd.Series([pd.Timedelta(hours=1), None]),
    "timedelta64[h]": lambda: np.array([1, "NaT"], "m8[h]"),
    "timedelta64[ns]": lambda: np.array([3600 * 10**9, "NaT"], "m8[ns]"),
    "Arrow": lambda: pa.array([datetime.timedelta(hours=1), None], pa.duration("ms")),
    "polars": lambda: polars_series([datetime.timedelta(hours=1), None]),
    "counts": lambda: Time([3600, None], "s"),
}


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("kind", DURATIONS)
def test_durations(kind: str, unit: str) -> None:
    assert values_sent(sent(f"duration[{unit}]", DURATIONS[kind]())) == [3600 * UNITS[unit], None]


def test_pandas_nanoseconds_are_kept() -> None:
    stamp = pd.Timestamp("2024-05-01T12:00:00.123456789", tz="Europe/Berlin")
    assert values_sent(sent("request timestamp[ns]", stamp)) == [stamp.value]
    assert values_sent(sent("timestamp[ns]", pd.Series([stamp]))) == [stamp.value]
    assert values_sent(sent("request duration[ns]", pd.Timedelta(1, "ns"))) == [1]


def test_before_1970() -> None:
    early = datetime.datetime(1969, 12, 31, 23, 59, 59)
    assert values_sent(sent("timestamp[ms]", [early])) == [-1000]
    assert values_sent(sent("timestamp[ms]", np.array([early], "M8[us]"))) == [-1000]
    with pytest.raises(RequestError, match=r"1969-12-31T23:59:59\.999000 at 1, which is no whole number of seconds"):
        sent("timestamp[s]", np.array([early, early + datetime.timedelta(microseconds=999_000)], "M8[us]"))


def test_lists_and_request_scope() -> None:
    assert values_sent(sent("list<timestamp[s]>", [[NOON], None, [NOON, None]])) == [[SECONDS], None, [SECONDS, None]]
    arrow = pa.array([[NOON.replace(tzinfo=UTC)], []], pa.list_(pa.timestamp("ns", "UTC")))
    assert values_sent(sent("list<timestamp[s, UTC]>", arrow)) == [[SECONDS], []]
    rows = [pd.Series([NOON]).dt.tz_localize("UTC"), pa.array([NOON.replace(tzinfo=UTC)])]
    assert values_sent(sent("list<timestamp[s, UTC]>", rows)) == [[SECONDS], [SECONDS]]
    assert values_sent(sent("list<timestamp[s]>", Time([[1, None], [2]], "s"))) == [[1, None], [2]]
    assert values_sent(sent("request list<timestamp[s]>", Time([1, 2], "s"))) == [[1, 2]]
    assert values_sent(sent("request timestamp[s]", Time(7, "s"))) == [7]
    assert values_sent(sent("request timestamp[s]", np.datetime64(7, "s"))) == [7]
    assert values_sent(sent("request timestamp[s]", None)) == [None]
    frame = pd.DataFrame({"at": [NOON, NOON], "day": [NOON.date()] * 2})
    columns = columns_sent(described(at="request timestamp[s]", day="request date"), frame)
    assert {name: values_sent(column) for name, column in columns.items()} == {
        "at": [SECONDS],
        "day": [SECONDS // 86_400],
    }
    assert values_sent(sent("date", [float("nan"), None])) == [None, None]
    assert values_sent(sent("timestamp[s]", np.array([np.nan]))) == [None]


WRONG = [
    ("timestamp[s]", [1], 'holds 1 at 0, must hold timestamps in seconds; .* quiver_features.Time.values, "s".'),
    ("timestamp[s]", np.array([1, 2]), "holds 1 at 0, must hold timestamps in seconds; state what numbers count"),
    ("timestamp[s]", np.array([np.nan, 2.5]), "holds 2.5 at 1, must hold timestamps in seconds; state"),
    ("timestamp[s]", ["2024-05-01"], "holds '2024-05-01' at 0, must hold timestamps in seconds; parse text"),
    ("timestamp[s]", [datetime.timedelta(1)], "holds 86400000000 us at 0, must hold timestamps in seconds"),
    ("timestamp[s]", [NOON.time()], "a time of day; send the duration since midnight"),
    ("timestamp[s]", pa.array([NOON.time()]), "times of day; send the durations since midnight"),
    ("timestamp[s]", pd.Series([pd.Period("2024-05")]), "spans of time"),
    ("timestamp[s]", [None, NOON.replace(microsecond=5)], "at 1, which is no whole number of seconds; round it"),
    ("timestamp[ns]", [datetime.datetime(9999, 1, 1)], "at 0, which is out of range in nanoseconds"),
    ("timestamp[ns]", np.array(["9999-01-01"], "M8[s]"), "9999-01-01T00:00:00 at 0, which is out of range in nanosec"),
    ("timestamp[ns]", Time([2**62], "s"), "4611686018427387904 s at 0, which is out of range"),
    ("timestamp[s]", Time([1.5], "s"), "holds 1.5 at 0, must hold integers"),
    ("timestamp[s]", Time([1], "h"), "has the unit 'h', must be one of s, ms, us, ns, D"),
    ("timestamp[s]", Time(["a"], "s"), "holds 'a' at 0, must hold integers"),
    ("date", [NOON], "holds 2024-05-01T12:00:00.000000 at 0, which is no whole number of days"),
    ("date", [NOON.replace(hour=0, tzinfo=BERLIN)], "a moment with a zone, whose date depends on it; send the date"),
    ("date", [datetime.timedelta(1)], "must hold dates"),
    ("duration[s]", [NOON], "must hold durations in seconds"),
    ("duration[s]", np.array([1], "m8[M]"), "a unit of no fixed length"),
    ("duration[s]", np.array([1], "m8"), "without a unit; give it one"),
    ("list<timestamp[s]>", [[NOON], [NOON, 5]], "row 1 holds 5 at 1, must hold timestamps in seconds"),
]


@pytest.mark.parametrize(("dtype", "values", "message"), WRONG, ids=lambda one: str(one)[:40])
def test_what_is_no_such_time_is_refused(dtype: str, values: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message) as raised:
        sent(dtype, values)
    assert [violation.field for violation in raised.value.violations] == ["x"]


@pytest.mark.parametrize("dtype", ["int64", "uint64", "float32", "float64", "bool", "string"])
@pytest.mark.parametrize("kind", [*NAIVE, *AWARE, *DATES, *DURATIONS])
def test_times_are_never_sent_as_numbers(kind: str, dtype: str) -> None:
    for times in (NAIVE, AWARE, DATES, DURATIONS):
        if kind in times and "counts" not in kind:
            with pytest.raises(RequestError, match="; declare the input as a timestamp, date or duration, or send"):
                sent(dtype, times[kind]())
            with pytest.raises(RequestError, match=r"^INVALID_ARGUMENT: x: "):
                sent(f"request {dtype}", times[kind]()[:1])


def test_descriptions_say_what_is_counted() -> None:
    inputs = [
        pb.InputDescription(
            name="at", dtype=pb.INPUT_TYPE_TIMESTAMP, time_unit=pb.TIME_UNIT_MICROSECONDS, time_zone="Europe/Berlin"
        ),
        pb.InputDescription(name="age", dtype=pb.INPUT_TYPE_DURATION, time_unit=pb.TIME_UNIT_SECONDS),
        pb.InputDescription(name="day", dtype=pb.INPUT_TYPE_DATE, time_unit=pb.TIME_UNIT_DAYS),
        pb.InputDescription(name="bid", dtype=pb.INPUT_TYPE_FLOAT64),
        pb.InputDescription(name="new", dtype=99),  # type: ignore[arg-type]
    ]
    described = feature_set(pb.GetFeatureSetResponse(inputs=inputs))
    assert [(one.dtype, one.time_unit, one.time_zone) for one in described.inputs] == [
        ("timestamp", "us", "Europe/Berlin"),
        ("duration", "s", None),
        ("date", "D", None),
        ("float64", None, None),
        ("unknown", None, None),
    ]
    with pytest.raises(RequestError, match="new: has a type that this client does not know; install a newer"):
        columns_sent(described, {"new": [1]})
