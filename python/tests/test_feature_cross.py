"""FeatureCross: how each type is written, what is missing, and that a server makes the same of it."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from impressions import LOG, LOOKUPS, TABLES, assert_served, golden_of, joined, log, spec_of
from server import needs_server, serving
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, TargetEncoder

from quiver_features import Client, ExportError, FeatureCross, export
from quiver_features.exporter.containers import dense

README = Path(__file__).resolve().parents[1] / "README.md"
NAN = float("nan")
TYPED = pd.DataFrame(
    {
        "city": pd.Series(["oslo", "são paulo", None, ""], dtype=object),
        "clicks": [7, -3, 0, 2**62],
        "vip": [True, False, True, False],
        "price": [7.0, 0.1, 1e-05, -0.0],
    }
)
NUMBERS = TYPED[["price", "clicks"]].abs()


def crossed(cross: FeatureCross, data: Any) -> list[Any]:
    return [None if value is np.nan else value for value in cross.fit(data).transform(data)[:, 0]]


def test_each_type_is_written_in_one_way() -> None:
    texts = ["oslo|7|True|7.0", "são paulo|-3|False|0.1", None, "|4611686018427387904|False|-0.0"]
    assert crossed(FeatureCross(), TYPED) == texts
    texts[2] = "?|0|True|1e-05"
    assert crossed(FeatureCross(missing="?"), TYPED) == texts
    assert crossed(FeatureCross(" x ", ""), TYPED[["vip", "city"]])[:3] == [
        "True x oslo", "False x são paulo", "True x "
    ]  # fmt: skip
    assert FeatureCross().fit(TYPED).types_ == ["text", "integer", "boolean", "float"]


def test_every_container_gives_the_same() -> None:
    expected = crossed(FeatureCross(), TYPED)
    assert crossed(FeatureCross(), TYPED.to_numpy(dtype=object)) == expected
    assert crossed(FeatureCross(), TYPED.to_numpy(dtype=object).tolist()) == expected
    nullable = TYPED.astype({"city": "string", "clicks": "Int64", "vip": "boolean", "price": "Float64"})
    assert crossed(FeatureCross(), nullable) == expected
    assert crossed(FeatureCross(), nullable.astype({"city": "category"})) == expected
    assert crossed(FeatureCross(), np.array([[1, 2], [3, -4]])) == ["1|2", "3|-4"]
    assert crossed(FeatureCross(), np.array([["a", "b"]])) == ["a|b"]
    of_32_bits = pd.DataFrame({"a": np.array([0.1, np.nan, np.inf], "float32"), "b": ["x", "y", "z"]})
    assert crossed(FeatureCross(), of_32_bits) == ["0.10000000149011612|x", None, "inf|z"]


def test_a_column_keeps_the_type_that_it_was_fitted_to() -> None:
    cross = FeatureCross(missing="-").fit(TYPED[["clicks", "price"]])
    later = pd.DataFrame({"clicks": [7.0, NAN], "price": [7, 8]})
    assert cross.transform(later)[:, 0].tolist() == ["7|7.0", "-|8.0"]
    with pytest.raises(ValueError, match=r"'clicks', row 1: holds 2\.5 \(float\), was fitted to the type integer"):
        cross.transform(pd.DataFrame({"clicks": [1.0, 2.5], "price": [7, 8]}))
    with pytest.raises(ValueError, match=r"column 'price', row 0: holds 'a' \(str\), was fitted to the type float"):
        cross.transform(pd.DataFrame({"clicks": [1], "price": ["a"]}))
    with pytest.raises(ValueError, match="feature names"):
        cross.transform(TYPED[["price", "clicks"]])


def test_a_text_that_is_too_long_to_be_served_is_missing() -> None:
    data = pd.DataFrame({"a": ["é" * 511, "é" * 512], "b": ["x", "x"]})
    assert [value is np.nan for value in FeatureCross(missing="-").fit(data).transform(data)[:, 0]] == [False, True]


def test_it_is_a_transformer_like_others() -> None:
    cross = FeatureCross("-", "none")
    assert clone(cross).get_params() == {"separator": "-", "missing": "none"}
    fitted = cross.fit(TYPED)
    again = pickle.loads(pickle.dumps(fitted))
    assert again.transform(TYPED).tolist() == fitted.transform(TYPED).tolist()
    assert fitted.get_feature_names_out().tolist() == ["city_clicks_vip_price"]
    assert FeatureCross().fit(np.array([[1, 2]])).get_feature_names_out().tolist() == ["x0_x1"]
    with pytest.raises(ValueError, match="input_features has 1 names, there are 4 columns"):
        fitted.get_feature_names_out(["a"])
    framed = FeatureCross().set_output(transform="pandas").fit(TYPED).transform(TYPED)
    assert list(framed.columns) == ["city_clicks_vip_price"] and framed.iloc[:, 0].isna().tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize(
    ("cross", "data", "message"),
    [
        (FeatureCross(), TYPED[["city"]], "a cross takes two or more columns, there are 1"),
        (FeatureCross(1), TYPED, "separator is 1, must be a text"),
        (FeatureCross(missing=0), TYPED, "missing is 0, must be a text or None"),
        (FeatureCross(), pd.DataFrame({"a": [["x"]], "b": [1]}), "column 'a' holds lists or pairs"),
        (FeatureCross(), pd.DataFrame({"a": ["x", 1], "b": [1, 2]}), "column 'a': its values are of several kinds"),
        (FeatureCross(), pd.DataFrame({"a": pd.to_datetime(["2024-01-01"]), "b": [1]}), "column 'a': its type is date"),
        (FeatureCross(), {"a": 1}, "the columns can't be read"),
    ],
)
def test_what_can_t_be_crossed_is_rejected(cross: FeatureCross, data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        cross.fit(data)


def impressions(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    cities = random.choice(["oslo", "rome", "é" * 600, None, "nan", ""], rows).astype(object)
    data = {
        "city": pd.Series(cities, dtype=object),
        "slot": random.integers(-2, 4, rows),
        "vip": random.random(rows) < 0.5,
        "price": random.choice([0.1, 7.0, 1e-5, 1e16, -0.0, np.inf, np.nan, 1 / 3], rows),
    }
    return pd.DataFrame(data).assign(other=random.choice(["é" * 500, "a", "b"], rows))


@needs_server
@pytest.mark.parametrize("missing", [None, "none", ""])
def test_a_server_gives_what_transform_gives(tmp_path: Path, missing: str | None) -> None:
    train = impressions(400, 1)
    cross = FeatureCross(missing=missing)
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    pipeline = ColumnTransformer(
        [
            ("mean", make_pipeline(cross, TargetEncoder(random_state=0)), ["city", "other"]),
            ("hot", make_pipeline(cross, OneHotEncoder(handle_unknown="ignore")), ["slot", "vip", "price"]),
            ("number", make_pipeline(cross, ordinal), ["price", "city"]),
        ],
        sparse_threshold=0,
    ).fit(train, np.random.default_rng(0).integers(0, 2, 400))
    options: dict[str, Any] = {"scopes": {"vip": "request"}, "dtype": "float64"}
    folder = export(pipeline, tmp_path, "crossed", sample=train, **options)
    ops = [step["op"] for feature in spec_of(folder)["features"] for step in feature.get("steps", [])]
    assert {"format", "join_text"} <= set(ops)
    fresh = impressions(300, 2).assign(vip=True)
    with serving(tmp_path) as address, Client(address) as client:
        served = client.get_features("crossed", fresh)["features"]
    np.testing.assert_array_equal(served, dense(pipeline.transform(fresh)))


@needs_server
def test_looked_up_columns_are_crossed(tmp_path: Path) -> None:
    """Clicks are integers in the table and floats in the joined log, where some ads are in no table."""
    frame = joined(LOG)
    assert frame["clicks"].dtype == np.float64
    steps = [
        ("mean", make_pipeline(FeatureCross(), TargetEncoder(random_state=0)), ["category", "user_id"]),
        ("hot", make_pipeline(FeatureCross("/", "?"), OneHotEncoder(handle_unknown="ignore")), ["category", "clicks"]),
    ]
    pipeline = ColumnTransformer(steps, sparse_threshold=0).fit(frame, LOG["bid"] > 0.5)
    folder = export(pipeline, tmp_path, "ctr", sample=frame, lookups=LOOKUPS, tables=TABLES)
    assert [one["name"] for one in spec_of(folder)["inputs"]] == ["user_id", "ad_id"]
    fresh = log(200)
    fresh.loc[::17, "user_id"] = None
    assert_served(tmp_path, "ctr", pipeline, joined(fresh), ["user_id"])


def test_golden_rows_pass_through_each_cross_of_the_sample(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    data = pd.DataFrame({"a": random.choice(list("abcdefgh"), 200), "b": random.integers(0, 8, 200)})
    pipeline = make_pipeline(FeatureCross(), OneHotEncoder(handle_unknown="ignore")).fit(data)
    folder = export(pipeline, tmp_path, "crossed", sample=data, quiver=False)
    inputs = [case["inputs"] for case in golden_of(folder)["cases"]]
    found = {f"{a}|{b}" for one in inputs for a, b in zip(one["a"], one["b"], strict=True)}
    assert set(pipeline[-1].categories_[0]) <= found


def logged(x: Any) -> Any:
    return np.log1p(x)


@pytest.mark.parametrize(
    ("pipeline", "sample", "message"),
    [
        (
            make_pipeline(FunctionTransformer(logged), FeatureCross(), OrdinalEncoder()).fit(NUMBERS),
            NUMBERS,
            "column 'price': floats may differ from scikit-learn's in the last digits",
        ),
        (
            make_pipeline(FeatureCross(), OrdinalEncoder()).fit(pd.DataFrame({"a": [1, 2], "b": [1, 2]})),
            pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0]}),
            "column 'a': was fitted to the type integer, the sample holds float64: give it the same type in both; "
            "column 'b'",
        ),
        (FeatureCross().fit(TYPED), TYPED, "holds strings; an output holds numbers"),
    ],
)
def test_refusals(tmp_path: Path, pipeline: Any, sample: pd.DataFrame, message: str) -> None:
    with pytest.raises(ExportError, match=re.escape(message)):
        export(pipeline, tmp_path, "crossed", sample=sample, quiver=False)
    assert not list(tmp_path.iterdir())


def test_the_readme_s_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.search(r"### Crosses.*?```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    monkeypatch.chdir(tmp_path)
    data = {"train": TYPED, "clicked": [0, 1, 1, 0], "export": export}
    exec(found[1], data)
    assert (tmp_path / "repository/feature_sets/ads_ctr/1/spec.json").exists()
