"""Exports with lookups: a pipeline over a joined frame is served from keys and tables, value for value."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from server import check, needs_server, serving
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler

from quiver_features import Client, Entry, ExportError, Lookup, export, write_table
from quiver_features.exporter.containers import dense

RNG = np.random.default_rng(7)
CATEGORIES = ["auto", "food", "travel"]
USERS = [f"u{at}" for at in range(20)]

ADS = pd.DataFrame(
    {
        "ad_id": np.arange(100, 140),
        "price": np.where(RNG.random(40) < 0.1, np.nan, RNG.random(40) * 10),
        "clicks": RNG.integers(0, 100, 40),
        "category": RNG.choice(CATEGORIES, 40),
        "advertiser_id": RNG.integers(0, 9, 40),
    }
)
PEOPLE = pd.DataFrame({"user_id": USERS, "age": RNG.integers(18, 80, 20).astype(float)})
ADVERTISERS = pd.DataFrame({"advertiser_id": np.arange(8), "score": RNG.random(8)})
TASTES = pd.DataFrame(
    [(user, category, RNG.random()) for user in USERS for category in CATEGORIES if RNG.random() < 0.7],
    columns=["user_id", "category", "taste"],
)


def log(rows: int = 300) -> pd.DataFrame:
    """Impressions, some of users and ads that no table has."""
    return pd.DataFrame(
        {
            "user_id": RNG.choice([*USERS, "nobody"], rows),
            "ad_id": RNG.integers(98, 142, rows),
            "bid": RNG.random(rows),
        }
    )


LOG = log()


def joined(rows: pd.DataFrame) -> pd.DataFrame:
    frame = rows.merge(ADS, on="ad_id", how="left").merge(PEOPLE, on="user_id", how="left")
    frame = frame.merge(ADVERTISERS, on="advertiser_id", how="left")
    return frame.merge(TASTES, on=["user_id", "category"], how="left")


SIMPLE = ColumnTransformer(
    [
        ("scaled", make_pipeline(SimpleImputer(), StandardScaler()), ["price", "clicks", "bid"]),
        ("age", MinMaxScaler(), ["age"]),
        ("kind", OneHotEncoder(handle_unknown="ignore"), ["category"]),
    ],
    sparse_threshold=0,
)
LOOKUPS = [Lookup("ads", key="ad_id"), Lookup("users", key="user_id", scope="request")]
TABLES = {"ads": ADS, "users": PEOPLE}


def spec_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "spec.json").read_text())


def golden_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "golden.json").read_text())


def assert_served(repository: Path, name: str, pipeline: Any, frame: pd.DataFrame, request: list[str]) -> None:
    """What a server gives for the keys of a joined frame is what the pipeline gives for the frame."""
    expected = dense(pipeline.transform(frame)).astype(np.float32)
    assert check(repository) == ""
    with serving(repository) as address, Client(address) as client:
        described = client.describe(name)
        names = [one.name for one in described.inputs]
        assert {one.name for one in described.inputs if one.scope == "request"} == set(request)
        groups = frame.groupby(request, dropna=False).indices.values() if request else [np.arange(len(frame))]
        for rows in groups:
            part = frame.iloc[rows]
            columns = {one: part[one].iloc[0] if one in request else list(part[one]) for one in names}
            columns = {key: None if np.isscalar(value) and pd.isna(value) else value for key, value in columns.items()}
            served = client.get_features(name, columns)["features"]
            np.testing.assert_array_equal(served, expected[rows])


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


def fitted() -> tuple[Any, pd.DataFrame]:
    frame = joined(LOG)
    return SIMPLE.fit(frame), frame


REFUSALS: list[tuple[list[Lookup], dict[str, Any], str]] = [
    ([Lookup("ads", key="ad")], {}, "table 'ads': there is no key column 'ad'; the columns are ad_id"),
    ([Lookup("ads", key={"id": "ad_id"})], {}, "table 'ads': there is no key column 'id'"),
    ([Lookup("ads", key={"lookup": "x", "column": "ad_id"})], {}, "lookup 'ads': there is no lookup 'x'"),
    ([Lookup("ads", key={"ad_id": "ad"})], {}, "lookup 'ads': the sample has no column 'ad'"),
    ([Lookup("ads", key={"ad_id": ["ad_id"]})], {}, "lookup 'ads': ['ad_id'] is no reference"),
    ([Lookup("ads", key="ad_id", columns=["cost"])], {}, "lookup 'ads': the sample has no column 'cost'"),
    (
        [Lookup("ads", key="ad_id", columns={"bid": "cost"})],
        {},
        "table 'ads' has no column 'cost'; it has price, clicks",
    ),
    ([Lookup("ads", key="ad_id", columns={"bid": "price"})], {}, "has the value of 'price' of table 'ads' in no row"),
    ([Lookup("ads", key="ad_id", columns={"price": "category"})], {}, "the sample holds float64, the table string"),
    (
        [Lookup("ads", key="ad_id", vectors={"price": ["price"]})],
        {},
        "vectors names 1 lanes of 'price', which is float64",
    ),
    ([Lookup("ads", key="ad_id", scope="rows")], {}, '"request" and "row" are known'),
    ([Lookup("ads", key="ad_id"), Lookup("ads", key="ad_id")], {}, "there are two lookups of this name"),
    ([Lookup("a.b", table="ads", key="ad_id")], {}, "the name 'a.b' must be a folder's name"),
    ([Lookup("feature", table="ads", key="ad_id")], {}, 'the name "feature" stands for features'),
    ([Lookup("more", key="ad_id")], {}, "table 'more': is not in"),
    ([Lookup("ads", key="ad_id")], {"tables": {"ads": ADS, "add": ADS}}, "tables: no lookup reads the table 'add'"),
    ([Lookup("ads", key="ad_id")], {"tables": {"ads": ADS.assign(x=[1, "x"] * 20)}}, "table 'ads': column 'x'"),
    ([Lookup("ads", key="ad_id")], {"tables": {"ads": pd.concat([ADS, ADS])}}, "keys have several rows: 100 in rows"),
    ([Lookup("ads", key="ad_id")], {"scopes": {"price": "request"}}, "scopes: there is no column 'price'"),
    (
        [Lookup("ads", key="ad_id")],
        {"tables": {"ads": ADS.astype({"ad_id": str})}},
        "the sample's 'ad_id' holds int64, the key 'ad_id' of table 'ads' is string: give the sample's column",
    ),
    (
        [Lookup("ads", key="ad_id")],
        {"tables": {"ads": ADS.assign(ad_id=ADS["ad_id"] + 1000)}},
        "table 'ads' has none of the sample's keys, such as",
    ),
    (
        [Lookup("ads", key="ad_id"), Lookup("twin", table="ads", key="ad_id")],
        {},
        "column 'price': may be ads.price or twin.price: say which columns each lookup brings",
    ),
    (
        [Lookup("ads", key="ad_id"), Lookup("advertisers", key="advertiser_id")],
        {"tables": {"ads": ADS, "advertisers": ADVERTISERS}},
        "column 'advertiser_id': may be ads.advertiser_id or the input advertiser_id",
    ),
    (
        [Lookup("ads", key="advertisers.score"), Lookup("advertisers", key="ads.advertiser_id")],
        {"tables": {"ads": ADS.rename(columns={"ad_id": "score"}), "advertisers": ADVERTISERS}},
        "advertisers.score is float64, the key 'score' of table 'ads' is int64",
    ),
    (
        [Lookup("ads", key="ads.advertiser_id", columns=["price"])],
        {"tables": {"ads": ADS.drop(columns="ad_id").assign(advertiser_id=range(40))}},
        "lookup 'ads' has no column 'advertiser_id'",
    ),
    (
        [Lookup("ads", key="ad_id", entries={"bid": Entry("tags", at="ad_id")})],
        {},
        "table 'ads' has no map (lists tags_keys and tags_values) 'tags'",
    ),
    (
        [Lookup("users", key="user_id", scope="request"), Lookup("more", key="user_id", scope="row")],
        {"tables": {"users": PEOPLE, "more": PEOPLE.rename(columns={"age": "years"})}},
        "lookup 'more': 'user_id' has the scope 'request' elsewhere",
    ),
]


@pytest.mark.parametrize("lookups, options, message", REFUSALS)
def test_it_is_refused(lookups: list[Lookup], options: dict[str, Any], message: str, tmp_path: Path) -> None:
    pipeline, frame = fitted()
    options = {"tables": {"ads": ADS} if any(one.of_table == "ads" for one in lookups) else {}, **options}
    with pytest.raises(ExportError) as raised:
        export(pipeline, tmp_path, "ctr", sample=frame, lookups=lookups, **options)
    assert message in str(raised.value)
    assert not list(tmp_path.rglob("*.json"))


def test_a_reference_that_fits_two_columns_is_refused_with_both(tmp_path: Path) -> None:
    pipeline, frame = fitted()
    frame = frame.assign(**{"ads.advertiser_id": frame["advertiser_id"]})
    lookups = [
        Lookup("ads", key="ad_id", columns=["price", "clicks", "category"]),
        Lookup("advertisers", key="ads.advertiser_id", columns=["score"]),
    ]
    tables = {"ads": ADS, "advertisers": ADVERTISERS}
    with pytest.raises(ExportError) as raised:
        export(pipeline, tmp_path, "ctr", sample=frame, lookups=lookups, tables=tables)
    assert "write {'input': 'ads.advertiser_id'} or {'lookup': 'ads', 'column': 'advertiser_id'}" in str(raised.value)


def test_arrays_have_no_names_for_lookups(tmp_path: Path) -> None:
    values = np.ones((3, 2))
    with pytest.raises(ExportError, match="the sample must be a frame"):
        export(StandardScaler().fit(values), tmp_path, "ctr", sample=values, lookups=[Lookup("ads", key="ad_id")])


def test_tables_are_taken_away_if_the_version_is_refused(tmp_path: Path) -> None:
    pipeline, frame = fitted()
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


DATA = os.environ.get("QUIVER_REAL_DATA", "")


@needs_server
@pytest.mark.skipif(not DATA, reason="QUIVER_REAL_DATA is not set: give the folder with open_bandit/random_men")
def test_open_bandit_in_one_call(tmp_path: Path) -> None:
    folder = Path(DATA) / "open_bandit" / "random_men"
    rows = pd.read_csv(folder / "men.csv.gz", index_col=0)
    items = pd.read_csv(folder / "item_context.csv", index_col=0)
    # The log has a user's features and affinities in each row, and no id.
    affinities = [f"user-item_affinity_{item}" for item in items["item_id"]]
    hashed = [f"user_feature_{at}" for at in range(4)]
    groups = rows.groupby([*hashed, *affinities], dropna=False, sort=False)
    rows = rows.assign(user_id=groups.ngroup())
    people = rows.drop_duplicates("user_id")
    numbers = people[affinities].to_numpy()
    maps = [{int(item): float(row[item]) for item in np.flatnonzero(row)} for row in numbers]
    users = people[["user_id", *hashed]].assign(affinities=maps)
    of_item = rows[affinities].to_numpy()[np.arange(len(rows)), rows["item_id"]]
    log = rows[["user_id", "item_id", "position"]].assign(affinity=of_item)
    train = log.merge(items, on="item_id", how="left").merge(users.drop(columns="affinities"), on="user_id", how="left")
    pipeline = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["affinity", "item_feature_0"]),
            ("item", OneHotEncoder(handle_unknown="ignore"), [f"item_feature_{at}" for at in (1, 2, 3)]),
            ("user", OneHotEncoder(handle_unknown="ignore"), hashed),
            ("place", OneHotEncoder(handle_unknown="ignore"), ["position", "item_id"]),
        ],
        sparse_threshold=0,
    ).fit(train)
    export(
        pipeline,
        tmp_path,
        "bandit",
        sample=train,
        lookups=[
            Lookup("items", key="item_id"),
            Lookup("users", key="user_id", entries={"affinity": Entry("affinities", at="item_id", missing=0.0)}),
        ],
        tables={"items": items, "users": users},
    )
    expected = pipeline.transform(train).astype(np.float32)
    assert (of_item > 0).sum() == 22 and len(users) > 100
    with serving(tmp_path) as address, Client(address) as client:
        for start in range(0, len(train), 2000):
            part = log.iloc[start : start + 2000]
            served = client.get_features("bandit", part[["user_id", "item_id", "position"]])["features"]
            np.testing.assert_array_equal(served, expected[start : start + 2000])
