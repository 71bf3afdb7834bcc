"""Real data, where QUIVER_REAL_DATA names the folder: census incomes, taxi rides, impressions of a shop's items."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from cases import Case
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from trials import Trial

FOLDER = os.environ.get("QUIVER_REAL_DATA", "")

_NAMES = ["Adult", "Adult, float32", "taxi", "taxi, powers and logarithms", "Open Bandit", "Open Bandit, hashed"]


def trials() -> list[Trial]:
    """One for each pipeline."""
    if not FOLDER:
        return []
    made = [*_adult(), *_taxi(), *_bandit()]
    assert [trial.name for trial in made] == _NAMES
    return made


def skipped() -> list[str]:
    """The names of what is not run."""
    return [] if FOLDER else _NAMES


def _trial(name: str, estimator: Any, data: Any, target: Any = None) -> Trial:
    return Trial(name, f"{type(estimator).__name__} on real data", Case(estimator, data, data, target), rows=data)


def adult(folder: Path) -> pd.DataFrame:
    """The census; a question mark is no value."""
    return pd.read_csv(folder / "adult" / "adult.data.gz", sep=", ", engine="python", na_values="?")


def _adult() -> list[Trial]:
    data = adult(Path(FOLDER))
    income = (data.pop("Salary") == ">50K").to_numpy().astype(int)
    numbers = ["age", "education-num", "capital-gain", "capital-loss", "hours-per-week"]
    preprocess = ColumnTransformer(
        [
            ("scaled", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), numbers),
            ("ranked", QuantileTransformer(n_quantiles=500, subsample=None), ["fnlwgt", "age"]),
            ("binned", KBinsDiscretizer(8, strategy="uniform", subsample=None), ["hours-per-week", "age"]),
            (
                "named",
                make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
                ["workclass", "occupation", "native-country"],
            ),
            (
                "grouped",
                OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=500, drop="first"),
                ["education", "relationship"],
            ),
            ("coded", OrdinalEncoder(), ["workclass", "race", "sex"]),
            ("income", TargetEncoder(random_state=0), ["occupation", "marital-status"]),
        ]
    )
    narrow = data.astype({"age": np.float32, "hours-per-week": np.float32})
    robust = ColumnTransformer(
        [
            ("scaled", StandardScaler(), ["age", "hours-per-week"]),
            ("robust", make_pipeline(RobustScaler(), MinMaxScaler((-1, 1))), ["age"]),
            ("binned", KBinsDiscretizer(6, strategy="kmeans", random_state=0, subsample=None), ["age"]),
        ]
    )
    return [_trial("Adult", preprocess, data, income), _trial("Adult, float32", robust, narrow)]


def _taxi() -> list[Trial]:
    data = pd.read_csv(Path(FOLDER) / "taxi" / "green_tripdata_2020-04.csv.gz", low_memory=False)
    money = ["fare_amount", "tip_amount", "tolls_amount", "total_amount", "trip_distance"]
    missing = ["VendorID", "RatecodeID", "passenger_count", "payment_type", "trip_type", "congestion_surcharge"]
    places = ["PULocationID", "DOLocationID"]
    exact = ColumnTransformer(
        [
            (
                "money",
                FeatureUnion([("robust", RobustScaler()), ("rank", QuantileTransformer(n_quantiles=300))]),
                money,
            ),
            ("missing", SimpleImputer(strategy="most_frequent", add_indicator=True), [*missing, "ehail_fee"]),
            ("codes", OneHotEncoder(handle_unknown="ignore"), [*missing[:2], "store_and_fwd_flag"]),
            ("places", OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=40), places),
        ]
    )
    close = ColumnTransformer(
        [
            ("power", PowerTransformer(), money),
            ("log", make_pipeline(FunctionTransformer(np.abs), FunctionTransformer(np.log1p)), money),
            ("normal", QuantileTransformer(n_quantiles=300, output_distribution="normal"), money),
        ]
    )
    return [_trial("taxi", exact, data), _trial("taxi, powers and logarithms", close, data)]


def _bandit() -> list[Trial]:
    data = pd.read_csv(Path(FOLDER) / "open_bandit" / "random_men" / "men.csv.gz", index_col=0)
    users = [f"user_feature_{number}" for number in range(4)]
    affinities = [name for name in data.columns if name.startswith("user-item")]
    crosses = make_pipeline(
        OneHotEncoder(sparse_output=False, handle_unknown="ignore"), PolynomialFeatures(2, interaction_only=True)
    )
    preprocess = ColumnTransformer(
        [
            ("users", OneHotEncoder(handle_unknown="ignore"), users),
            ("crosses", crosses, ["user_feature_0", "position"]),
            ("item", TargetEncoder(random_state=0), ["item_id"]),
            ("affinities", MinMaxScaler(), affinities),
        ]
    )
    impressions = data[["item_id", "position", *users]].astype(str).to_dict("records")
    for one in impressions:
        one["item x user"] = f"{one['item_id']}|{one['user_feature_1']}"
        one["position x user"] = f"{one['position']}|{one['user_feature_2']}"
    hashed = FeatureUnion([("hashed", FeatureHasher(n_features=256)), ("named", DictVectorizer())])
    return [
        _trial("Open Bandit", preprocess, data, data["click"].to_numpy()),
        _trial("Open Bandit, hashed", hashed, impressions),
    ]
