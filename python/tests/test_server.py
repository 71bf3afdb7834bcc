"""Exports are served: `quiver check` finds no problem, and the client gets what `transform` gives."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pandas as pd
import pytest
from cases import CASES, frame
from server import check, needs_server, serving
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from quiver_features import Client, RequestError, Status, export
from quiver_features.exporter.containers import dense

pytestmark = needs_server


def name_of(case: str) -> str:
    return case.replace(".", "")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    for name, case in CASES.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            export(case.fitted(), folder, name_of(name), sample=case.sample, quiver=False, **case.options)
    export(ADS.fit(frame()), folder, "ads", sample=frame(), scopes={"age": "request"}, optional=["price"])
    return folder


@pytest.fixture(scope="module")
def client(repository: Path) -> Iterator[Client]:
    with serving(repository) as address, Client(address) as client:
        yield client


ADS = ColumnTransformer(
    [
        ("num", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "price"]),
        ("cat", OneHotEncoder(handle_unknown="ignore"), ["city", "device"]),
    ],
    sparse_threshold=0,
)


def test_the_server_finds_no_problem(repository: Path) -> None:
    assert check(repository) == ""


@pytest.mark.parametrize("name", CASES)
def test_the_sample_is_served_as_transformed(name: str, client: Client) -> None:
    case = CASES[name]
    if "request" in case.options.get("scopes", {}).values():
        pytest.skip("its sample is of many requests")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = dense(case.fitted().transform(case.sample))
    got = client.get_features(name_of(name), case.sample)
    values = got["features"]
    assert values.shape == expected.shape
    default = case.options.get("default", np.nan)
    if not np.isnan(default):
        expected = np.where(np.isnan(expected), default, expected)
    # Sums and functions may be off by their last bits, also where they nearly cancel out.
    with np.errstate(invalid="ignore"):
        scale = np.nanmax(np.abs(np.where(np.isfinite(expected), expected, 0)), axis=0, initial=1.0)
    digits = 1e-3 if values.dtype == np.float16 else 2.0**-23 if values.dtype == np.float32 else 2e-12
    wanted = expected.astype(values.dtype)
    with np.errstate(invalid="ignore"):
        close = np.abs(values.astype(float) - expected) <= digits * np.abs(expected) + 1e-12 * scale
    same = (values == wanted) | (np.isnan(values) & np.isnan(wanted)) | close
    assert same.all(), f"{np.argwhere(~same)[:5].tolist()}: {values[~same][:5]}, expected {wanted[~same][:5]}"


@pytest.mark.parametrize("name", CASES)
def test_columns_are_named_as_the_library_names_them(name: str, client: Client) -> None:
    fitted = CASES[name].fitted()
    try:
        names = list(fitted.get_feature_names_out())
    except Exception:
        pytest.skip("the library has no names for it")
    if len(set(names)) < len(names):
        pytest.skip("the library has a name twice")
    assert list(client.describe(name_of(name)).output("features").columns) == names


CANDIDATES = {"age": 31.0, "price": [1.5, None, 2.5], "city": ["oslo", "paris", None], "device": ["tv"] * 3}


def test_a_request_with_a_user_and_candidates(client: Client) -> None:
    got = client.get_features("ads", CANDIDATES, status="rows")
    fitted = ADS.fit(frame())
    rows = pd.DataFrame({**CANDIDATES, "age": 31.0, "clicks": 0, "active": False})
    rows = rows.astype({"price": "float32"}).assign(city=pd.Series(CANDIDATES["city"], dtype=object))
    np.testing.assert_array_equal(got["features"], fitted.transform(rows).astype(np.float32))
    tensor = got.tensor("features")
    assert list(tensor.columns) == list(fitted.get_feature_names_out())
    statuses = {
        feature.name: [Status(one) for one in of_feature]
        for feature, of_feature in zip(tensor.features, tensor.statuses.T, strict=True)
    }
    present = Status.PRESENT
    assert statuses["num__age"] == [present] * 3
    assert statuses["num__price"] == [present, Status.NULL, present]
    assert statuses["cat__city"] == [present, Status.UNKNOWN_CATEGORY, Status.NULL]
    assert got.status_counts["features", "cat__city"] == {Status.UNKNOWN_CATEGORY: 1, Status.NULL: 1}


def test_layouts_and_types(client: Client) -> None:
    plain = client.get_features("ads", CANDIDATES)
    factored = client.get_features("ads", CANDIDATES, layout="factored", dtype="float64")
    assert factored.tensor("features", "request").values.shape == (1, 1)
    pd.testing.assert_frame_equal(factored.to_frame().astype("float32"), plain.to_frame())
    halves = client.get_features("ads", CANDIDATES, outputs={"features": "float16"})
    assert halves["features"].dtype == np.float16
    assert halves.version == 1 and halves.fingerprint == client.describe("ads").fingerprint


def test_optional_inputs_and_no_rows(client: Client) -> None:
    without = {key: value for key, value in CANDIDATES.items() if key != "price"}
    assert client.get_features("ads", without)["features"].shape[0] == 3
    none = client.get_features("ads", {"age": 1.0, "price": [], "city": [], "device": []})
    assert none["features"].shape == (0, plain_width(client))
    only_user = client.get_features("ads", CANDIDATES, rows=3)
    assert only_user.rows == 3


def plain_width(client: Client) -> int:
    return client.describe("ads").output("features").width


def test_a_stream_answers_in_order(client: Client) -> None:
    requests = [{**CANDIDATES, "age": float(age)} for age in range(20, 40)]
    answers = list(client.stream("ads", iter(requests)))
    for request, answer in zip(requests, answers, strict=True):
        np.testing.assert_array_equal(answer["features"], client.get_features("ads", request)["features"])


def test_a_stream_ends_with_the_first_request_that_fails(client: Client) -> None:
    answers = client.stream("ads", [CANDIDATES, {"age": 1.0, "city": ["a"], "device": ["b", "c"]}, CANDIDATES])
    assert next(answers).rows == 3
    with pytest.raises(RequestError, match="has 2 rows; the request has 1"):
        next(answers)
    answers = client.stream("ads", [CANDIDATES, {"age": "old"}])
    assert next(answers).rows == 3
    with pytest.raises(RequestError, match="must hold numbers"):
        next(answers)


def test_what_is_served_can_be_listed(client: Client) -> None:
    listed = {one.name: one for one in client.list_feature_sets()}
    assert listed["ads"].versions == (1,) and listed["ads"].default_version == 1
    described = client.describe("ads")
    assert [(one.name, one.dtype, one.scope, one.required) for one in described.inputs] == [
        ("age", "float64", "request", True),
        ("price", "float32", "row", False),
        ("city", "string", "row", True),
        ("device", "string", "row", True),
    ]


def test_problems_are_told_with_their_fields(client: Client) -> None:
    with pytest.raises(RequestError) as raised:
        client.get_features("ads", {"city": ["a"], "price": [1.0, 2.0]})
    assert raised.value.code == grpc.StatusCode.INVALID_ARGUMENT
    descriptions = "\n".join(violation.description for violation in raised.value.violations)
    assert "'age'" in descriptions.replace('"', "'") and "has 2 rows" in descriptions
    with pytest.raises(RequestError) as raised:
        client.get_features("nothing", {})
    assert raised.value.code == grpc.StatusCode.NOT_FOUND
    with pytest.raises(RequestError, match="layout: is 'wide'"):
        client.get_features("ads", CANDIDATES, layout="wide")  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", ["int64", "Int64"])
def test_large_ids_are_served_as_integers(dtype: str, tmp_path: Path) -> None:
    ids = [2**53 + 1, 2**60 + 3, 5]
    data = pd.DataFrame({"id": pd.Series(ids, dtype=dtype)})
    fitted = ColumnTransformer([("id", "passthrough", ["id"])]).set_output(transform="pandas").fit(data)
    export(fitted, tmp_path, "ids", sample=data, dtype="int64", default=-1)
    with serving(tmp_path) as address, Client(address) as client:
        assert client.get_features("ids", data)["features"].tolist() == [[one] for one in ids]


def test_a_version_whose_golden_rows_do_not_come_out_is_refused(tmp_path: Path) -> None:
    values = np.arange(12.0).reshape(6, 2)
    folder = export(StandardScaler().fit(values), tmp_path, "scaled", sample=values)
    assert check(tmp_path) == ""
    spec = folder / "spec.json"
    spec.write_text(spec.read_text().replace('"mean": 5.0', '"mean": 5.5'))
    assert "units in the last place apart" in check(tmp_path)


def test_a_server_that_is_not_there_is_told() -> None:
    with Client("127.0.0.1:1", timeout=2) as client, pytest.raises(RequestError) as raised:
        client.list_feature_sets()
    assert raised.value.code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


def test_the_address_of_the_server_comes_from_its_log(repository: Path) -> None:
    with serving(repository) as address:
        assert address.startswith("127.0.0.1:") and not address.endswith(":0")


def test_a_version_that_failed_is_listed_with_its_problem(tmp_path: Path) -> None:
    good = export(ADS.fit(frame()), tmp_path, "ads", sample=frame(), quiver=False)
    bad = good.with_name("2")
    bad.mkdir()
    (bad / "spec.json").write_text("{")
    with serving(tmp_path) as address, Client(address) as client:
        (listed,) = client.list_feature_sets()
        assert (listed.versions, listed.default_version) == ((1,), 1)
        (failed,) = listed.failed_versions
        assert failed.version == 2
        assert failed.problem.startswith("feature_sets/ads/2/spec.json: not valid JSON")
        with pytest.raises(RequestError, match='version 2 of feature set "ads" failed to load') as refused:
            client.describe("ads", 2)
        assert refused.value.code is grpc.StatusCode.NOT_FOUND
