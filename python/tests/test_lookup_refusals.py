"""Lookups that don't fit the sample or the tables are rejected with what to do, and nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from impressions import ADS, ADVERTISERS, LOG, PEOPLE, SIMPLE, TASTES, joined
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from quiver_features import Entry, ExportError, Lookup, export


def fitted() -> tuple[Any, pd.DataFrame]:
    frame = joined(LOG)
    return SIMPLE.fit(frame), frame


MORE = pd.DataFrame({"clicks": np.arange(5), "price": np.arange(5)})

REFUSALS: list[tuple[list[Lookup], dict[str, Any], str]] = [
    ([], {"tables": {"ads": ADS}}, "no lookup reads the tables that are given: ads"),
    (Lookup("ads", key="ad_id"), {}, "lookups is no list of Lookup(...)"),
    ([{"name": "ads", "key": "ad_id"}], {}, 'as in [Lookup("ads", key="ad_id")]'),
    ([Lookup("ads", key="ad_id")], {"tables": ADS}, "tables is a DataFrame; give each table its name"),
    ([Lookup("ads", key="ad_id", columns="price")], {}, "columns is 'price'; give a list, as in columns=['price']"),
    ([Lookup("ads", key="ad_id", vectors={"v": "v_"})], {}, "vectors gives 'v' the string 'v_'; give the columns"),
    ([Lookup("ads", key="ad_id", entries={"bid": ("tags", "ad_id")})], {}, "entries gives 'bid' a tuple; give Entry"),
    ([Lookup("ads", key=["ad_id"])], {}, "lookup 'ads': ['ad_id'] is no reference: give a column's name"),
    (
        [Lookup("tastes", key=["user_id", "category"])],
        {"tables": {"tastes": TASTES}},
        "give what holds each of them, as in key={'user_id': ..., 'category': ...}",
    ),
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
    (
        [Lookup("ads", key="ad_id", columns={"clicks": "price", "price": "price"})],
        {},
        "column 'clicks': has the value of",
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
        [Lookup("ads", key="ad_id", columns=[], entries={"bid": Entry("tags", at="item")})],
        {"tables": {"ads": ADS.assign(tags=[{"a": 1.0}] * 40)}},
        "lookup 'ads': the sample has no column 'item'",
    ),
    (
        [Lookup("ads", key="ad_id", columns=[], entries={"bid": Entry("tags", at="ad_id")})],
        {"tables": {"ads": ADS.assign(tags=[{"a": 1.0}] * 40)}},
        "column 'bid': is not what ads.tags brings: its key is int64, those of 'tags' are string",
    ),
    (
        [Lookup("a", table="ads", key="b.price", columns=[]), Lookup("b", table="more", key="a.clicks", columns=[])],
        {
            "tables": {
                "ads": ADS.rename(columns={"price": "p", "ad_id": "price"}).astype({"clicks": int}),
                "more": MORE,
            }
        },
        "the keys of these lookups depend on themselves: a, b",
    ),
    (
        [Lookup("users", key="user_id", scope="request"), Lookup("more", key="user_id", scope="row")],
        {"tables": {"users": PEOPLE, "more": PEOPLE.rename(columns={"age": "years"})}},
        "lookup 'more': 'user_id' has the scope 'request' elsewhere",
    ),
]


def test_keys_of_the_sample_that_floats_have_rounded_are_refused(tmp_path: Path) -> None:
    pipeline, frame = fitted()
    frame["ad_id"] = frame["ad_id"] + 2.0**53
    with pytest.raises(
        ExportError, match=r"'ad_id' holds float64, .* is int64: .*nullable Int64 keeps them as they are$"
    ):
        export(pipeline, tmp_path, "ctr", sample=frame, lookups=[Lookup("ads", key="ad_id")], tables={"ads": ADS})


def test_a_repository_that_can_not_be_written_is_refused(tmp_path: Path) -> None:
    pipeline, frame = fitted()
    (tmp_path / "file").touch()
    for given in ({}, {"lookups": [Lookup("ads", key="ad_id")], "tables": {"ads": ADS}}):
        with pytest.raises(ExportError, match="can't be written into: Not a directory"):
            export(pipeline, tmp_path / "file", "ctr", sample=frame, **given)


@pytest.mark.parametrize("lookups, options, message", REFUSALS)
def test_it_is_refused(lookups: list[Lookup], options: dict[str, Any], message: str, tmp_path: Path) -> None:
    pipeline, frame = fitted()
    options = {"tables": {"ads": ADS} if "tastes" not in str(lookups) else {}, **options}
    with pytest.raises(ExportError) as raised:
        export(pipeline, tmp_path, "ctr", sample=frame, lookups=lookups, **options)
    assert message in str(raised.value)
    assert not list(tmp_path.rglob("*.json"))


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    pipeline, frame = fitted()
    frame = pd.concat([frame, frame[["bid"]]], axis=1)
    with pytest.raises(ExportError, match="several columns of one name: bid"):
        export(pipeline, tmp_path, "ctr", sample=frame, lookups=[Lookup("ads", key="ad_id")], tables={"ads": ADS})


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_none_and_nan_are_one_thing_or_refused(threshold: float, tmp_path: Path) -> None:
    ads = ADS.assign(kind=pd.Series(["a", None] * 20, dtype=object))
    frame = LOG[LOG["ad_id"].isin(ADS["ad_id"])].merge(ads, on="ad_id")
    lookups = [Lookup("ads", key="ad_id")]
    steps = [("kind", OneHotEncoder(handle_unknown="ignore"), ["kind"])]
    two = ColumnTransformer(steps, sparse_threshold=threshold).fit(frame)
    with pytest.raises(ExportError, match=r"column 'kind': the pipeline takes None .* and NaN .* for two things; make"):
        export(two, tmp_path, "ctr", sample=frame, lookups=lookups, tables={"ads": ads})
    frame["kind"] = frame["kind"].where(frame["kind"].notna())
    one = ColumnTransformer(steps, sparse_threshold=threshold).fit(frame)
    assert export(one, tmp_path, "ctr", sample=frame, lookups=lookups, tables={"ads": ads}).name == "1"


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
