"""Lookups on a real log: Open Bandit's impressions with its items and users as tables."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from server import needs_server, serving
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from quiver_features import Client, Entry, Lookup, export

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
