"""Lists of vectors as table columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from server import check, needs_server, serving

from quiver_features import Client, round_vectors, write_table
from quiver_features.tables.converting import convert
from quiver_features.tables.problems import Refusal
from quiver_features.tables.types import ColumnType, infer, parse

EVENTS = [[[1.0, 2.0], [3.0, 4.0]], [], None, [[5.0, 6.0]]]


def test_types_are_written_as_they_are_read() -> None:
    for text in ("list<float32[32]>", "list<float32[32, int8]>", "list<float64[2]>"):
        of = parse(text)
        assert str(of) == text and of.list and of.width
        assert ColumnType.of_document(of.document("x")) == of


def test_lists_of_lists_of_one_length_are_vectors() -> None:
    column = pa.chunked_array([pa.array(EVENTS)])
    assert infer(column) == ColumnType("float64", True, 2)
    converted = convert(column, parse("list<float32[2]>"))
    assert converted.to_pylist() == EVENTS
    with pytest.raises(Refusal, match="holds lists of lists"):
        infer(pa.chunked_array([pa.array([[[1.0], [2.0, 3.0]]])]))
    with pytest.raises(Refusal, match="has 2 numbers"):
        convert(column, parse("list<float32[3]>"))


def spec() -> dict[str, Any]:
    """Users' events as they are, and the two nearest to a vector of the request's ad."""
    nearest = {"op": "nearest", "count": 2, "order": "greatest"}
    inputs = [{"name": name, "dtype": "int64", "scope": "row", "required": True} for name in ("user", "ad")]
    return {
        "format": "quiver.spec/1",
        "name": "events",
        "version": 1,
        "inputs": inputs,
        "lookups": [{"name": name, "table": f"{name}s", "key": name} for name in ("user", "ad")],
        "features": [
            {"name": "events", "input": "user.events", "default": 0.0},
            {"name": "nearest", "inputs": ["user.events", "ad.vector"], "steps": [nearest], "default": -1},
        ],
        "outputs": [
            {"name": "events", "dtype": "float32", "features": ["events"], "ragged": True},
            {"name": "nearest", "dtype": "int64", "features": ["nearest"], "ragged": True},
        ],
    }


def products(events: np.ndarray[Any, Any], vector: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Dot products in float32, lane after lane."""
    sums = np.zeros(len(events), np.float32)
    for lane, value in zip(events.T, vector, strict=True):
        sums += lane * value
    return sums


@needs_server
@pytest.mark.parametrize("form", ["float32", "float16", "int8"])
def test_a_server_serves_them_and_finds_the_nearest(tmp_path: Path, form: str) -> None:
    rng = np.random.default_rng(11)
    width, users = 8, 30
    events = [rng.standard_normal((length, width)).astype(np.float32) for length in rng.integers(0, 60, users)]
    vectors = rng.standard_normal((users, width)).astype(np.float32)
    columns = {"events": f"list<float32[{width}, {form}]>"}
    nested = pa.array([one.tolist() for one in events], pa.list_(pa.list_(pa.float32())))
    write_table(tmp_path, "users", {"id": np.arange(users), "events": nested}, key="id", columns=columns)
    write_table(tmp_path, "ads", {"id": np.arange(users), "vector": vectors}, key="id")
    version = tmp_path / "feature_sets" / "events" / "1"
    version.mkdir(parents=True)
    (version / "spec.json").write_text(json.dumps(spec()))
    assert check(tmp_path) == ""
    with serving(tmp_path) as address, Client(address) as client:
        answer = client.get_features("events", {"user": np.arange(users), "ad": np.arange(users)})
    kept = [round_vectors(one, form) if len(one) else one for one in events]
    served, nearest = answer.tensor("events").ragged, answer.tensor("nearest").ragged
    assert served is not None and nearest is not None
    for row, (expected, got) in enumerate(zip(kept, served.rows(), strict=True)):
        np.testing.assert_array_equal(got, expected, strict=True)
        order = np.argsort(-products(expected, vectors[row]), kind="stable")[:2]
        np.testing.assert_array_equal(nearest.rows()[row][:, 0], order)
