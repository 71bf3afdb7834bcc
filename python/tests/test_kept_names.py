"""Names are kept letter for letter: no column stands in for another whose name is alike."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
from server import BINARY, check, needs_server, serving
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from quiver_features import Client, export

FRAME = pd.DataFrame({"ad.price": [1.0, 2.0, 3.0, 6.0], "ad_price": [100.0, 200.0, 10.0, 40.0]})


def standardized(*columns: str | int, frame: pd.DataFrame = FRAME) -> ColumnTransformer:
    return ColumnTransformer([("num", StandardScaler(), list(columns))]).fit(frame[list(columns)])


def spec_of(folder: Path) -> dict:
    return json.loads((folder / "spec.json").read_text())


def transformed(repository: Path, name: str, frame: pd.DataFrame, suffix: str) -> np.ndarray:
    """What `quiver transform` gives for the rows of a file."""
    rows, features = repository / f"rows.{suffix}", repository / "features.parquet"
    frame.to_parquet(rows) if suffix == "parquet" else frame.to_csv(rows, index=False)
    command = [BINARY, "transform", "--repository", repository, "--feature-set", name, "--input", rows]
    done = subprocess.run([*map(str, command), "--output", str(features)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return pd.read_parquet(features).to_numpy()


def test_dots_are_written_as_objects(tmp_path: Path) -> None:
    spec = spec_of(export(standardized("ad.price"), tmp_path, "ads", sample=FRAME[["ad.price"]]))
    assert [one["name"] for one in spec["inputs"]] == ["ad.price"]
    assert spec["features"][0]["name"] == "num__ad.price"
    assert spec["features"][0]["input"] == {"input": "ad.price"}


def test_integers_are_text(tmp_path: Path) -> None:
    frame = FRAME.set_axis([7, 8], axis=1)
    spec = spec_of(export(StandardScaler().fit(frame), tmp_path, "ads", sample=frame, scopes={7: "request"}))
    assert [(one["name"], one["scope"]) for one in spec["inputs"]] == [("7", "request"), ("8", "row")]


def test_any_name_is_an_input(tmp_path: Path) -> None:
    names = ["feature.x", "a/b", "c\\d", "ключ", "e=f[0]", " "]
    frame = pd.DataFrame({name: FRAME["ad.price"] + at for at, name in enumerate(names)})
    folder = export(StandardScaler().fit(frame), tmp_path, "ads", sample=frame)
    assert [one["name"] for one in spec_of(folder)["inputs"]] == names


def test_long_lists_have_files_whatever_the_name(tmp_path: Path) -> None:
    from sklearn.preprocessing import OrdinalEncoder

    frame = pd.DataFrame({"a/b": [f"category {number}" for number in range(1200)]})
    folder = export(OrdinalEncoder().fit(frame), tmp_path, "ads", sample=frame)
    assert [one.suffix for one in folder.iterdir() if one.name.startswith("0-")] == [".parquet"]


@needs_server
def test_the_right_one_of_two_columns_is_read(tmp_path: Path) -> None:
    one, both = standardized("ad.price"), standardized("ad.price", "ad_price")
    export(one, tmp_path, "one", sample=FRAME[["ad.price"]])
    export(both, tmp_path, "both", sample=FRAME)
    assert check(tmp_path) == ""
    expected = {"one": one.transform(FRAME[["ad.price"]]), "both": both.transform(FRAME)}
    with serving(tmp_path) as address, Client(address) as client:
        for name, values in expected.items():
            np.testing.assert_array_equal(client.get_features(name, FRAME)["features"], values.astype(np.float32))
    for name, values in expected.items():
        for suffix in ("parquet", "csv"):
            got = transformed(tmp_path, name, FRAME, suffix)
            np.testing.assert_array_equal(got, values.astype(np.float32))


@needs_server
def test_names_of_every_kind_are_served(tmp_path: Path) -> None:
    names = ["feature.x", "a/b", "c\\d", "ключ", "e=f[0]", '"', "num.x", "num_x"]
    frame = pd.DataFrame({name: FRAME["ad.price"] * (at + 1) for at, name in enumerate(names)})
    fitted = FunctionTransformer(np.log1p, feature_names_out="one-to-one").fit(frame)
    export(fitted, tmp_path, "ads", sample=frame)
    with serving(tmp_path) as address, Client(address) as client:
        features = client.get_features("ads", frame)
        np.testing.assert_allclose(features["features"], np.log1p(frame.to_numpy()), rtol=1e-6)
        assert list(features.to_frame().columns) == names
        values = [f"{json.dumps(name)}={frame[name][0]}" for name in names]
        command = [BINARY, "get", "--server", address, "--feature-set", "ads", "--json", *values]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        (row,) = json.loads(done.stdout)["outputs"][0]["rows"]
        assert list(row["features"]) == sorted(names)
