"""Wide results stay sparse: in the export's memory and files, in the answer, and in the client."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from server import needs_server, serving
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler

from quiver_features import Client, RequestError, export
from quiver_features.client.answers import read_answer
from quiver_features.exporter.columns import Columns
from quiver_features.exporter.expressions import concat, source
from quiver_features.exporter.matrix import elementwise, parts, vector_columns
from quiver_features.proto import feature_service_pb2 as pb

MIB = 1 << 20


def documents(count: int = 60) -> list[str]:
    rng = np.random.default_rng(3)
    return [" ".join(f"word{number}" for number in rng.integers(0, 400, size)) for size in rng.integers(0, 30, count)]


def categories(columns: int, values: int) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    named = {f"c{at}": rng.permutation([f"value {number}" for number in range(values)]) for at in range(columns)}
    return pd.DataFrame(named | {"price": rng.normal(size=values)})


def one_hot(sample: pd.DataFrame) -> BaseEstimator:
    names = [name for name in sample.columns if name != "price"]
    steps = [("num", StandardScaler(), ["price"]), ("cat", OneHotEncoder(handle_unknown="ignore"), names)]
    return ColumnTransformer(steps, sparse_threshold=1.0).fit(sample)


def test_columns_in_blocks_are_the_same_columns() -> None:
    scalar, wide = source("a", "float64"), concat([source(name, "float64") for name in "bcde"])
    columns = Columns.joined([elementwise(vector_columns(wide, "v"), lambda x, _: x), [*vector_columns(wide, "w")][:2]])
    assert [column.name for column in columns] == ["v_0", "v_1", "v_2", "v_3", "w_0", "w_1"]
    assert [column.name for column in columns[1:3]] == ["v_1", "v_2"] and columns[-1].lane == 1
    assert [part.positions for part in parts(columns)] == [range(4), range(4, 6)]
    renamed = columns.renamed([f"x__{column.name}" for column in columns])
    assert [block.group for block in renamed.blocks] == ["x__v", "x__w"]
    picked = Columns.of(columns[at] for at in (2, 0, 5))
    assert [(part.expression.op, len(part.positions)) for part in parts(picked)] == [("lanes", 3)]
    single = Columns.joined([vector_columns(wide, "v"), Columns.of([])])
    assert len(single) == 4 and scalar not in [column.expression for column in single]


def test_a_wide_one_hot_export_takes_little_memory(tmp_path: Path) -> None:
    sample = categories(20, 1000)
    fitted = one_hot(sample)
    tracemalloc.start()
    folder = export(fitted, tmp_path, "wide", sample=sample, quiver=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Its values are a few MiB as Python's objects; 120 golden rows of 20,001 numbers alone would be 19 MiB.
    assert peak < 40 * MIB, f"{peak / MIB:.0f} MiB"
    golden = folder / "golden.json"
    assert golden.stat().st_size < MIB
    rows = [row for case in json.loads(golden.read_text())["cases"] for row in case["outputs"]["features"]["rows"]]
    assert len(rows) > 50 and all(len(row["indices"]) == len(row["values"]) <= 21 for row in rows)


def test_a_hashing_vectorizer_is_one_block_of_a_million_columns(tmp_path: Path) -> None:
    tracemalloc.start()
    folder = export(HashingVectorizer(), tmp_path, "hashed", sample=documents(), quiver=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * MIB, f"{peak / MIB:.0f} MiB"
    assert sum(file.stat().st_size for file in folder.iterdir()) < MIB


def answered(**more: object) -> pb.Tensor:
    offsets = np.array([0, 2, 2, 3], "<u8").tobytes()
    indices = np.array([1, 4, 0], "<u4").tobytes()
    return pb.Tensor(name="wide", shape=[3, 5], indices=indices, row_offsets=offsets, **more)


def tensor_of(tensor: pb.Tensor) -> object:
    message = pb.GetFeaturesResponse(rows=3, outputs=[tensor]).SerializeToString()
    return read_answer(message, "ads", lambda _: pytest.fail("no names are wanted")).tensor("wide")


def test_sparse_tensors_are_scipys_rows() -> None:
    data = np.array([1.5, -2.0, np.nan], "<f4")
    tensor = tensor_of(answered(dtype=pb.DATA_TYPE_FLOAT32, data=data.tobytes()))
    expected = [[0, 1.5, 0, 0, -2], [0] * 5, [np.nan, 0, 0, 0, 0]]
    np.testing.assert_array_equal(tensor.to_dense(), expected)
    matrix = tensor.to_scipy()
    np.testing.assert_array_equal(matrix.toarray(), expected)
    assert matrix.dtype == np.float32 and not matrix.data.flags.owndata, "over the message's bytes"
    assert tensor.shape == matrix.shape == (3, 5)
    with pytest.raises(ValueError, match=r"'wide' \[3, 5\] is sparse: .*to_scipy\(\)"):
        tensor.values  # noqa: B018


@pytest.mark.parametrize(
    ("dtype", "data"),
    [
        (pb.DATA_TYPE_FLOAT16, np.array([1.5, -2, 3], "<f2")),
        (pb.DATA_TYPE_BFLOAT16, (np.array([1.5, -2, 3], "<f4").view("<u4") >> 16).astype("<u2")),
        (pb.DATA_TYPE_INT64, np.array([2**60, -2, 3], "<i8")),
    ],
)
def test_half_types_are_widened_for_scipy(dtype: int, data: np.ndarray) -> None:
    matrix = tensor_of(answered(dtype=dtype, data=data.tobytes())).to_scipy()
    wide = data if dtype == pb.DATA_TYPE_INT64 else np.array([1.5, -2, 3], np.float32)
    np.testing.assert_array_equal(matrix.data, wide)
    assert matrix.dtype == wide.dtype


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    export(HashingVectorizer(), folder, "hashed", sample=documents(), quiver=False)
    export(TfidfVectorizer().fit(documents()), folder, "tfidf", sample=documents(), quiver=False)
    export(one_hot(categories(3, 200)), folder, "wide", sample=categories(3, 200), quiver=False)
    scaled = make_pipeline(OneHotEncoder(handle_unknown="ignore"), MaxAbsScaler())
    sample = categories(3, 200).drop(columns="price")
    export(scaled.fit(sample), folder, "scaled", sample=sample, quiver=False)
    return folder


@needs_server
def test_served_rows_are_those_of_transform(repository: Path) -> None:
    frame = categories(3, 200)
    unknown = frame.assign(c1="no such value")
    plain = frame.drop(columns="price")
    scaled = make_pipeline(OneHotEncoder(handle_unknown="ignore"), MaxAbsScaler()).fit(plain)
    texts = [*documents(), "word1 new new", ""]
    cases = [
        ("hashed", HashingVectorizer(), {"x0": texts}, texts),
        ("tfidf", TfidfVectorizer().fit(documents()), {"x0": texts}, texts),
        ("wide", one_hot(frame), unknown, unknown),
        ("scaled", scaled, plain, plain),
    ]
    with serving(repository) as address, Client(address) as client:
        for name, fitted, columns, rows in cases:
            expected = sparse.csr_array(fitted.transform(rows)).astype(np.float32)
            # Where two signs cancel scikit-learn keeps a 0.
            expected.eliminate_zeros()
            expected.sort_indices()
            tensor = client.get_features(name, columns, encoding="sparse").tensor("features")
            served = tensor.to_scipy()
            assert tensor.shape == expected.shape, name
            np.testing.assert_array_equal(served.indices, expected.indices, err_msg=name)
            np.testing.assert_array_equal(served.indptr, expected.indptr, err_msg=name)
            np.testing.assert_array_max_ulp(served.data, expected.data, 1)


@needs_server
def test_a_dense_answer_that_is_too_wide_names_the_sparse_one(repository: Path) -> None:
    with serving(repository) as address, Client(address) as client:
        with pytest.raises(RequestError, match="ENCODING_SPARSE"):
            client.get_features("hashed", {"x0": documents()})
        mixed = client.get_features("hashed", {"x0": ["a b"]}, encoding={"features": "sparse"})
        assert mixed.tensor("features").sparse is not None
        with pytest.raises(RequestError, match="'other', which is not among the outputs"):
            client.get_features("hashed", {"x0": ["a b"]}, encoding={"other": "sparse"})
        with pytest.raises(RequestError, match="encoding: is 'csr', must be one of raw, sparse"):
            client.get_features("hashed", {"x0": ["a b"]}, encoding="csr")
