"""A log of impressions with tables of ads, users and advertisers, and what tests of lookups ask of an export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from server import check, serving
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from quiver_features import Client, Lookup
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
