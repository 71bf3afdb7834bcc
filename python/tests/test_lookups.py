"""Exports with lookups: a pipeline over a joined frame is served from keys and tables, value for value."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from impressions import (
    ADS,
    ADVERTISERS,
    LOG,
    LOOKUPS,
    PEOPLE,
    RNG,
    SIMPLE,
    TABLES,
    TASTES,
    USERS,
    assert_served,
    golden_of,
    joined,
    log,
    spec_of,
)
from server import needs_server, serving
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from quiver_features import Client, Entry, ExportError, Lookup, export, write_table
from quiver_features.exporter import expressions as ex
from quiver_features.exporter import registry
from quiver_features.exporter.containers import dense
from quiver_features.exporter.matrix import Column, Matrix, elementwise, number


@needs_server
def test_columns_of_tables_are_looked_up(tmp_path: Path) -> None:
    frame = joined(LOG)
    pipeline = SIMPLE.fit(frame)
    folder = export(pipeline, tmp_path, "ctr", sample=frame, lookups=LOOKUPS, tables=TABLES)
    spec = spec_of(folder)
    assert [one["name"] for one in spec["inputs"]] == ["user_id", "ad_id", "bid"]
    assert spec["lookups"] == [
        {"name": "ads", "table": "ads", "key": "ad_id"},
        {"name": "users", "table": "users", "key": "user_id"},
    ]
    fresh = log(200)
    fresh.loc[::17, "user_id"] = None
    assert_served(tmp_path, "ctr", pipeline, joined(fresh), ["user_id"])


def test_ages_and_fallbacks_are_written(tmp_path: Path) -> None:
    frame = joined(LOG)
    pipeline = SIMPLE.fit(frame)
    fallbacks = [{"row": {name: None for name in ADS.columns if name != "ad_id"}}]
    lookups = [
        Lookup("ads", key="ad_id", fallbacks=fallbacks),
        Lookup("users", key="user_id", scope="request", max_age=timedelta(hours=6), stale="serve"),
    ]
    write_table(tmp_path, "users", PEOPLE, key="user_id", event_time=datetime(2026, 11, 25, 10, tzinfo=timezone.utc))
    folder = export(pipeline, tmp_path, "ctr", sample=frame, lookups=lookups, tables={"ads": ADS})
    assert spec_of(folder)["lookups"] == [
        {"name": "ads", "table": "ads", "key": "ad_id", "fallbacks": fallbacks},
        {"name": "users", "table": "users", "key": "user_id", "max_age": "21600s", "stale": "serve"},
    ]
    known = set(golden_of(folder)["tables"]["ads"]["ad_id"])
    for case in golden_of(folder)["cases"]:
        assert set(case["inputs"]["ad_id"]) <= known


def test_an_age_needs_what_is_served_of_older_rows(tmp_path: Path) -> None:
    frame = joined(LOG)
    lookups = [Lookup("ads", key="ad_id", max_age="6h"), Lookup("users", key="user_id", scope="request")]
    with pytest.raises(ExportError, match="max_age and stale go together"):
        export(SIMPLE.fit(frame), tmp_path, "ctr", sample=frame, lookups=lookups, tables=TABLES)


@needs_server
def test_names_of_keys_may_have_dots(tmp_path: Path) -> None:
    renamed = {"ad_id": "ad.id"}
    frame = joined(LOG).rename(columns=renamed)
    pipeline = SIMPLE.fit(frame)
    tables = {"ads": ADS.rename(columns=renamed), "users": PEOPLE}
    lookups = [Lookup("ads", key="ad.id"), Lookup("users", key="user_id", scope="request")]
    export(pipeline, tmp_path, "ctr", sample=frame, lookups=lookups, tables=tables)
    assert_served(tmp_path, "ctr", pipeline, joined(log(50)).rename(columns=renamed), ["user_id"])


def test_golden_rows_have_real_missing_and_null_keys(tmp_path: Path) -> None:
    frame = joined(LOG)
    folder = export(SIMPLE.fit(frame), tmp_path, "ctr", sample=frame, lookups=LOOKUPS, tables=TABLES, quiver=False)
    golden = golden_of(folder)
    known = golden["tables"]["ads"]["ad_id"]
    asked = [key for case in golden["cases"] for key in case["inputs"]["ad_id"]]
    assert None in asked
    assert any(key in known and key in set(ADS["ad_id"]) for key in asked)
    assert any(key is not None and key not in known for key in asked)
    users = {case["inputs"]["user_id"][0] for case in golden["cases"]}
    assert None in users and users & set(USERS)
    by_key = dict(zip(known, golden["tables"]["ads"]["clicks"], strict=True))
    real = ADS.set_index("ad_id")["clicks"]
    assert any(by_key[key] == real[key] for key in known if key in real.index)
    # Hard values stand in tables too.
    assert None in golden["tables"]["ads"]["price"] and len(known) > 40


@needs_server
def test_tables_may_be_in_the_repository(tmp_path: Path) -> None:
    frame = joined(LOG)
    pipeline = SIMPLE.fit(frame)
    write_table(tmp_path, "ads", ADS.drop(columns="category"), key="ad_id")
    write_table(tmp_path, "ads", ADS, key="ad_id", columns={"clicks": "int32"})
    write_table(tmp_path, "people", PEOPLE, key="user_id")
    lookups = [Lookup("ads", key="ad_id"), Lookup("user", table="people", key="user_id")]
    folder = export(pipeline, tmp_path, "ctr", sample=frame, lookups=lookups)
    assert spec_of(folder)["lookups"][1] == {"name": "user", "table": "people", "key": "user_id"}
    assert_served(tmp_path, "ctr", pipeline, joined(log(100)), [])


@needs_server
def test_integers_that_are_never_missing_in_the_sample_may_be_missing_later(tmp_path: Path) -> None:
    rows = LOG[LOG["ad_id"].isin(ADS["ad_id"])]
    frame = rows.merge(ADS, on="ad_id")
    assert frame["clicks"].dtype == np.int64
    steps = [
        ("filled", make_pipeline(SimpleImputer(), StandardScaler()), ["clicks"]),
        ("plain", StandardScaler(), ["clicks"]),
        ("key", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["ad_id"]),
        ("same", "passthrough", ["advertiser_id"]),
    ]
    pipeline = ColumnTransformer(steps).fit(frame)
    export(pipeline, tmp_path, "ctr", sample=frame, lookups=[Lookup("ads", key="ad_id")], tables={"ads": ADS})
    assert_served(tmp_path, "ctr", pipeline, log(50).merge(ADS, on="ad_id", how="left"), [])


@needs_server
def test_keys_may_be_floats_with_missing_values_and_features_too(tmp_path: Path) -> None:
    rows = LOG.assign(ad_id=LOG["ad_id"].where(LOG["ad_id"] % 7 > 0))
    frame = rows.merge(ADS.astype({"ad_id": float}), on="ad_id", how="left")
    assert frame["ad_id"].dtype == np.float64
    pipeline = make_pipeline(
        ColumnTransformer([("key", OrdinalEncoder(), ["ad_id"]), ("price", StandardScaler(), ["price"])])
    ).fit(frame)
    folder = export(pipeline, tmp_path, "ctr", sample=frame, lookups=[Lookup("ads", key="ad_id")], tables={"ads": ADS})
    assert spec_of(folder)["inputs"] == [{"name": "ad_id", "dtype": "int64", "scope": "row", "required": True}]
    present = frame.assign(ad_id=frame["ad_id"].astype("Int64"))
    expected = dense(pipeline.transform(frame)).astype(np.float32)
    with serving(tmp_path) as address, Client(address) as client:
        served = client.get_features("ctr", {"ad_id": present["ad_id"]})["features"]
    np.testing.assert_array_equal(served, expected)


@needs_server
def test_keys_may_come_out_of_other_tables(tmp_path: Path) -> None:
    frame = joined(LOG)
    steps = [("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["price", "score", "taste", "bid"])]
    pipeline = ColumnTransformer(steps).fit(frame)
    lookups = [
        Lookup("tastes", key={"user_id": "user_id", "category": "ads.category"}),
        Lookup("ads", key="ad_id", columns=["price"]),
        Lookup("advertisers", key="ads.advertiser_id", columns=["score"]),
    ]
    tables = {"ads": ADS, "advertisers": ADVERTISERS, "tastes": TASTES}
    options = {"sample": frame, "lookups": lookups, "tables": tables, "scopes": {"user_id": "request"}}
    folder = export(pipeline, tmp_path, "ctr", **options)
    assert {one["name"]: one["key"] for one in spec_of(folder)["lookups"]} == {
        "ads": "ad_id",
        "advertisers": "ads.advertiser_id",
        "tastes": {"user_id": "user_id", "category": "ads.category"},
    }
    assert_served(tmp_path, "ctr", pipeline, joined(log(200)), ["user_id"])


def test_a_derived_key_may_be_named_by_the_frames_column(tmp_path: Path) -> None:
    frame = joined(LOG)
    pipeline = ColumnTransformer([("numbers", StandardScaler(), ["price", "score"])]).fit(frame)
    lookups = [
        Lookup("ads", key="ad_id", columns=["price", "advertiser_id"]),
        Lookup("advertisers", key="advertiser_id", columns=["score"]),
    ]
    tables = {"ads": ADS, "advertisers": ADVERTISERS}
    folder = export(pipeline, tmp_path, "ctr", sample=frame, lookups=lookups, tables=tables)
    assert spec_of(folder)["lookups"][1]["key"] == "ads.advertiser_id"
    assert [one["name"] for one in spec_of(folder)["inputs"]] == ["ad_id"]


@needs_server
def test_one_table_may_be_looked_up_twice_under_other_names(tmp_path: Path) -> None:
    rows = LOG.assign(shown_before=RNG.permutation(LOG["ad_id"].to_numpy()))
    before = ADS.add_prefix("before_").rename(columns={"before_ad_id": "shown_before"})

    def join(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.merge(ADS, on="ad_id", how="left").merge(before, on="shown_before", how="left")

    frame = join(rows)
    pipeline = ColumnTransformer(
        [
            ("prices", StandardScaler(), ["price", "before_price", "before_clicks"]),
            ("kinds", OneHotEncoder(handle_unknown="ignore"), ["category", "before_category"]),
        ],
        sparse_threshold=0,
    ).fit(frame)
    lookups = [
        Lookup("ads", key="ad_id", columns={"price": "price", "category": "category"}),
        Lookup("before", table="ads", key={"ad_id": "shown_before"}, prefix="before_"),
    ]
    export(pipeline, tmp_path, "ctr", sample=frame, lookups=lookups, tables={"ads": ADS})
    fresh = log(60)
    assert_served(tmp_path, "ctr", pipeline, join(fresh.assign(shown_before=fresh["ad_id"][::-1].to_numpy())), [])


EMBEDDINGS = pd.DataFrame(
    {"ad_id": ADS["ad_id"], "embedding": list(RNG.random((40, 6)).astype(np.float32)), "clicks": ADS["clicks"]}
)
LANES = [f"embedding_{lane}" for lane in range(6)]


def with_lanes(rows: pd.DataFrame) -> pd.DataFrame:
    lanes = pd.DataFrame(np.stack(EMBEDDINGS["embedding"]), columns=LANES).assign(ad_id=EMBEDDINGS["ad_id"])
    return rows.merge(lanes.assign(clicks=EMBEDDINGS["clicks"]), on="ad_id", how="left")


@needs_server
def test_lanes_of_a_vector_may_be_columns(tmp_path: Path) -> None:
    frame = with_lanes(LOG)
    pipeline = ColumnTransformer(
        [
            ("scaled", StandardScaler(), LANES),
            ("filled", SimpleImputer(), [*LANES[:3], "clicks"]),
            ("same", "passthrough", LANES[1:2]),
        ]
    ).fit(frame)
    lookups = [Lookup("vectors", key="ad_id", vectors={"embedding": LANES})]
    folder = export(pipeline, tmp_path, "ctr", sample=frame, lookups=lookups, tables={"vectors": EMBEDDINGS}, max_ulp=1)
    scaled = spec_of(folder)["features"][0]
    assert scaled["input"] == "vectors.embedding" and len(scaled["steps"][-1]["mean"]) == 6
    assert_served(tmp_path, "ctr", pipeline, with_lanes(log(80)), [])


@needs_server
def test_a_table_may_hold_that_a_vector_with_a_missing_lane_is_none(tmp_path: Path) -> None:
    folder = write_table(tmp_path, "vectors", EMBEDDINGS, key="ad_id").path
    document = folder / "table.json"
    document.write_text(document.read_text().replace('"nan": "value"', '"nan": "null"'))
    frame = with_lanes(LOG)
    pipeline = ColumnTransformer([("filled", SimpleImputer(), LANES)]).fit(frame)
    lookups = [Lookup("vectors", key="ad_id", vectors={"embedding": LANES})]
    golden = golden_of(export(pipeline, tmp_path, "ctr", sample=frame, lookups=lookups, max_ulp=1))
    assert None in golden["tables"]["vectors"]["embedding"]


@needs_server
@pytest.mark.parametrize("stack", [np.vstack, np.stack])
def test_a_column_of_arrays_may_be_stacked(stack: Any, tmp_path: Path) -> None:
    frame = LOG.merge(EMBEDDINGS, on="ad_id")
    scaled = make_pipeline(FunctionTransformer(stack), StandardScaler())
    pipeline = ColumnTransformer([("vector", scaled, "embedding"), ("clicks", StandardScaler(), ["clicks"])]).fit(frame)
    lookups = [Lookup("vectors", key="ad_id")]
    folder = export(pipeline, tmp_path, "ctr", sample=frame, lookups=lookups, tables={"vectors": EMBEDDINGS}, max_ulp=1)
    assert spec_of(folder)["features"][0]["input"] == "vectors.embedding"
    assert_served(tmp_path, "ctr", pipeline, log(80).merge(EMBEDDINGS, on="ad_id"), [])


def test_columns_that_no_feature_reads_may_differ_from_the_tables(tmp_path: Path) -> None:
    frame = joined(LOG).assign(clicks="none", price=lambda rows: rows["price"] + 1)
    pipeline = ColumnTransformer([("kind", OneHotEncoder(handle_unknown="ignore"), ["category"])]).fit(frame)
    lookups = [Lookup("ads", key="ad_id")]
    folder = export(pipeline, tmp_path, "ctr", sample=frame, lookups=lookups, tables={"ads": ADS}, quiver=False)
    assert list(golden_of(folder)["tables"]["ads"]) == ["ad_id", "category"]


MAPS = pd.DataFrame(
    {
        "user_id": USERS,
        "affinities": [
            {int(ad): float(RNG.random()) for ad in RNG.choice(ADS["ad_id"], size)} for size in RNG.integers(0, 9, 20)
        ],
    }
)


def with_affinity(rows: pd.DataFrame) -> pd.DataFrame:
    maps = dict(zip(MAPS["user_id"], MAPS["affinities"], strict=True))
    values = [
        maps[user].get(ad, 0.0) if user in maps else np.nan
        for user, ad in zip(rows["user_id"], rows["ad_id"], strict=True)
    ]
    return rows.assign(affinity=values)


@needs_server
def test_an_entry_of_a_users_map_may_be_a_column(tmp_path: Path) -> None:
    frame = with_affinity(LOG)
    pipeline = ColumnTransformer([("scaled", StandardScaler(), ["affinity", "bid"])]).fit(frame)
    entries = {"affinity": Entry("affinities", at="ad_id", missing=0.0)}
    lookups = [Lookup("users", key="user_id", scope="request", entries=entries)]
    folder = export(pipeline, tmp_path, "ctr", sample=frame, lookups=lookups, tables={"users": MAPS})
    assert spec_of(folder)["features"][0]["inputs"] == ["users.affinities_keys", "users.affinities_values", "ad_id"]
    assert_served(tmp_path, "ctr", pipeline, with_affinity(log(200)), ["user_id"])


@needs_server
def test_an_entry_may_be_that_of_another_tables_column(tmp_path: Path) -> None:
    favourites = [{int(one): float(RNG.random()) for one in RNG.choice(9, 4)} for _ in USERS]
    users = pd.DataFrame({"user_id": USERS, "favourites": favourites})

    def join(rows: pd.DataFrame) -> pd.DataFrame:
        frame = rows.merge(ADS, on="ad_id", how="left")
        maps = dict(zip(USERS, favourites, strict=True))
        pairs = zip(frame["user_id"], frame["advertiser_id"], strict=True)
        return frame.assign(favour=[maps.get(user, {}).get(advertiser) for user, advertiser in pairs])

    frame = join(LOG)
    assert frame["advertiser_id"].dtype == np.float64
    pipeline = ColumnTransformer([("favour", SimpleImputer(), ["favour", "price"])]).fit(frame)
    lookups = [
        Lookup("users", key="user_id", entries={"favour": Entry("favourites", at="advertiser_id")}),
        Lookup("ads", key="ad_id"),
    ]
    tables = {"ads": ADS, "users": users}
    folder = export(pipeline, tmp_path, "ctr", sample=frame, lookups=lookups, tables=tables)
    assert spec_of(folder)["features"][0]["inputs"][-1] == "ads.advertiser_id"
    assert_served(tmp_path, "ctr", pipeline, join(log(150)), [])


@needs_server
def test_lists_dictionaries_and_text_of_tables_are_read(tmp_path: Path) -> None:
    tags = [list(RNG.choice(["a", "b", "c"], size, replace=False)) for size in RNG.integers(0, 4, 40)]
    weights = [{str(key): float(RNG.random()) for key in of_ad} for of_ad in tags]
    titles = [" ".join(f"{tag}{tag}" for tag in of_ad) + " offer" for of_ad in tags]
    table = pd.DataFrame({"ad_id": ADS["ad_id"], "tags": tags, "weights": weights, "title": titles})
    frame = LOG.merge(table, on="ad_id")
    pipeline = ColumnTransformer(
        [
            ("tags", FeatureHasher(8, input_type="string"), "tags"),
            ("weights", DictVectorizer(), "weights"),
            ("title", CountVectorizer(), "title"),
        ],
        sparse_threshold=0,
    ).fit(frame)
    export(pipeline, tmp_path, "ctr", sample=frame, lookups=[Lookup("ads", key="ad_id")], tables={"ads": table})
    assert_served(tmp_path, "ctr", pipeline, log(100).merge(table, on="ad_id"), [])


def test_tables_are_taken_away_if_the_version_is_refused(tmp_path: Path) -> None:
    frame = joined(LOG)
    pipeline = SIMPLE.fit(frame)
    options = {"sample": frame, "lookups": LOOKUPS, "tables": TABLES, "version": 1, "quiver": False}
    export(pipeline, tmp_path, "ctr", **options)
    with pytest.raises(ExportError, match="exists already"):
        export(pipeline, tmp_path, "ctr", **options)
    assert [one.name for one in (tmp_path / "tables" / "ads").iterdir()] == ["1"]


README = Path(__file__).parents[1] / "README.md"


@needs_server
def test_the_readmes_example_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = README.read_text(encoding="utf-8").split("## Lookups\n")[1].split("\n## ")[0]
    code = section.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(code, names)
    described = spec_of(tmp_path / "repository" / "feature_sets" / "ads_ctr" / "1")
    assert [one["name"] for one in described["inputs"]] == ["user_id", "ad_id", "bid"]
    assert_served(tmp_path / "repository", "ads_ctr", names["pipeline"], names["train"], ["user_id"])


STEPS = [
    ("scaled", make_pipeline(SimpleImputer(), StandardScaler()), ["price", "clicks"]),
    ("key", OneHotEncoder(handle_unknown="ignore"), ["ad_id"]),
]


def containers() -> dict[str, Any]:
    frame = pd.concat([LOG, LOG.assign(ad_id=7)]).merge(ADS, on="ad_id", how="left")
    frames: dict[str, Any] = {
        "nullable": frame.convert_dtypes(),
        "pyarrow": frame.convert_dtypes(dtype_backend="pyarrow"),
    }
    try:
        import polars as pl
    except ModuleNotFoundError:
        return frames
    frames["polars"] = pl.from_pandas(LOG).join(pl.from_pandas(ADS), on="ad_id", how="left")
    frames["arrow"] = frames["polars"].to_arrow()
    return frames


def sklearn_version() -> tuple[int, ...]:
    return tuple(int(part) for part in sklearn.__version__.split(".")[:2])


@needs_server
@pytest.mark.parametrize("name", containers())
def test_the_sample_may_be_any_frame(name: str, tmp_path: Path) -> None:
    frame = containers()[name]
    pipeline = ColumnTransformer(STEPS, sparse_threshold=0)
    if name == "polars" and sklearn_version() < (1, 8):
        with pytest.raises(AttributeError, match="get_loc"):
            pipeline.fit(frame)
        pytest.skip("this scikit-learn finds no columns by name in a polars frame")
    pipeline.fit(frame)
    export(pipeline, tmp_path, "ctr", sample=frame, lookups=[Lookup("ads", key="ad_id")], tables={"ads": ADS})
    with serving(tmp_path) as address, Client(address) as client:
        served = client.get_features("ctr", {"ad_id": frame["ad_id"].to_numpy()})["features"]
    np.testing.assert_array_equal(served, dense(pipeline.transform(frame)).astype(np.float32))


class Doubled(BaseEstimator):
    """Twice a number, and 6 for none: a pipeline whose answer for a missing key is a number."""

    def fit(self, values: Any, target: Any = None) -> Doubled:
        self.n_features_in_ = values.shape[1]
        return self

    def transform(self, values: Any) -> Any:
        return np.nan_to_num(values.to_numpy(dtype=float), nan=3.0) * 2.0


@needs_server
def test_a_missing_key_gives_what_the_pipeline_gives_for_nulls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(estimator: Any, matrix: Matrix, context: Any) -> list[Column]:
        return elementwise(
            matrix.columns, lambda x, _: ex.standardize(number(x), 0.0, 2.0, form="multiply", precision="float64")
        )

    monkeypatch.setitem(registry._HANDLERS, (Doubled.__module__.split(".")[0], "Doubled"), doubled)
    ads = ADS.dropna()
    frame = LOG.merge(ads, on="ad_id", how="left")
    pipeline = ColumnTransformer([("twice", Doubled(), ["price", "clicks"])]).fit(frame)
    export(pipeline, tmp_path, "ctr", sample=frame, lookups=[Lookup("ads", key="ad_id")], tables={"ads": ads})
    assert_served(tmp_path, "ctr", pipeline, log(50).merge(ads, on="ad_id", how="left"), [])
