"""Columns have the library's own names, and names that say their step where the library has none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from quiver_features import export

DATA = pd.DataFrame(
    {"d": list("pqrpqr"), "bid": [1.0, 2.0, 3.0, 4.0, 5.0, 7.0], "ad.price": [2.0, 2.0, 1.0, 0.0, 1.0, 2.0]}
)
TARGET = [0, 1, 0, 0, 1, 0]


def columns_of(fitted: Any, folder: Path, data: Any = DATA) -> list[str]:
    """The names that a spec's columns have, written or made by the server."""
    spec = json.loads((export(fitted, folder, "named", sample=data, quiver=False) / "spec.json").read_text())
    features = {feature["name"]: feature for feature in spec["features"]}
    return [name for served in spec["outputs"][0]["features"] for name in _columns_of(features[served])]


def _columns_of(feature: dict[str, Any]) -> list[str]:
    steps = feature.get("steps", [])
    categories = steps[-1].get("categories", []) if steps else []
    made_up = [f"{feature['name']}_{category}" for category in categories] or [feature["name"]]
    return feature.get("columns", made_up)


def test_selected_lanes_keep_their_category(tmp_path: Path) -> None:
    selected = make_pipeline(OneHotEncoder(), SelectKBest(f_classif, k=1)).fit(DATA[["d"]], TARGET)
    assert columns_of(selected, tmp_path, DATA[["d"]]) == ["d_q"] == list(selected.get_feature_names_out())


LOG = FunctionTransformer(np.log1p)
COMPOSITIONS: dict[str, tuple[Any, list[str]]] = {
    "a column transformer": (
        ColumnTransformer(
            [("num", StandardScaler(), ["ad.price"]), ("log", LOG, ["bid"]), ("cat", OneHotEncoder(), ["d"])],
            sparse_threshold=0,
        ),
        ["num__ad.price", "log__bid", "cat__d_p", "cat__d_q", "cat__d_r"],
    ),
    "without the steps' names": (
        ColumnTransformer(
            [("num", StandardScaler(), ["ad.price"]), ("log", LOG, ["bid"])], verbose_feature_names_out=False
        ),
        ["ad.price", "bid"],
    ),
    "a pattern": (
        ColumnTransformer(
            [("num", StandardScaler(), ["ad.price"]), ("log", LOG, ["bid"])],
            verbose_feature_names_out="{feature_name}-{transformer_name}",
        ),
        ["ad.price-num", "bid-log"],
    ),
    "a union inside": (
        ColumnTransformer([("both", FeatureUnion([("a", LOG), ("b", StandardScaler())]), ["bid"])]),
        ["both__a__bid", "both__b__bid"],
    ),
    "a pipeline inside": (
        Pipeline(
            [("columns", ColumnTransformer([("log", LOG, ["bid"])], remainder="drop")), ("scaled", StandardScaler())]
        ),
        ["log__bid"],
    ),
}


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_names_keep_their_steps_where_one_step_has_none(name: str, tmp_path: Path) -> None:
    estimator, names = COMPOSITIONS[name]
    fitted = estimator.fit(DATA)
    with pytest.raises(AttributeError):
        fitted.get_feature_names_out()
    assert columns_of(fitted, tmp_path) == names


def test_a_name_that_the_library_has_twice_is_written_once(tmp_path: Path) -> None:
    data = pd.DataFrame({"a": ["b_c", "d", "d"], "a_b": ["c", "e", "e"]})
    twice = OneHotEncoder().fit(data)
    assert list(twice.get_feature_names_out()).count("a_b_c") == 2
    assert columns_of(twice, tmp_path, data) == ["a_b_c", "a_d", "a_b_c", "a_b_e"]
    renamed = FeatureUnion([("a", StandardScaler()), ("b", StandardScaler())], verbose_feature_names_out=False)
    with pytest.raises(ValueError, match="unique"):
        renamed.fit(DATA[["bid"]]).get_feature_names_out()
    assert columns_of(renamed, tmp_path, DATA[["bid"]]) == ["bid", "bid_2"]
