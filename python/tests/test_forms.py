"""Vectors kept in other forms: what a server reads out is what NumPy computes by the documented rounding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from server import check, needs_server, serving

from quiver_features import Client, TableError, round_vectors, write_table

FORMS = ("float32", "float16", "bfloat16", "int8", "binary")


def vectors(rows: int = 200, width: int = 37) -> np.ndarray[Any, Any]:
    """Vectors of many scales, with ties, zeros of both signs, constant rows, subnormal and large numbers."""
    rng = np.random.default_rng(7)
    values = (rng.standard_normal((rows, width)) * np.exp(rng.uniform(-12, 8, (rows, 1)))).astype(np.float32)
    values[0], values[1], values[2] = 0.0, -0.0, 0.3
    values[3] = np.arange(width) / 2
    values[4] = np.linspace(-1, 1, width) * 65_000
    values[5] = np.arange(width) * 1.4e-45
    values[6] = 1 + np.arange(width) * 2.0**-12
    return values


def serve(folder: Path, steps: list[dict[str, Any]], columns: dict[str, np.ndarray[Any, Any]], **outputs: str) -> Any:
    """Every column's vectors by key, after the steps; outputs are named by type."""
    first = next(iter(columns.values()))
    features = [{"name": name, "input": f"ad.{name}", "steps": steps} for name in columns]
    spec = {
        "format": "quiver.spec/1",
        "name": "ads",
        "version": 1,
        "inputs": [{"name": "ad_id", "dtype": "int64", "scope": "row", "required": True}],
        "lookups": [{"name": "ad", "table": "ads", "key": "ad_id"}],
        "features": [{**feature, "default": 0.0} for feature in features],
        "outputs": [{"name": name, "dtype": dtype, "features": list(columns)} for name, dtype in outputs.items()],
    }
    version = folder / "feature_sets" / "ads" / "1"
    version.mkdir(parents=True)
    (version / "spec.json").write_text(json.dumps(spec))
    assert check(folder) == ""
    with serving(folder) as address, Client(address) as client:
        return client.get_features("ads", {"ad_id": np.arange(len(first))})


@needs_server
def test_a_server_reads_what_numpy_computes_bit_for_bit(tmp_path: Path) -> None:
    values = vectors()
    columns = dict.fromkeys(FORMS, values)
    types = {form: f"float32[{values.shape[1]}, {form}]" for form in FORMS}
    write_table(tmp_path, "ads", {"ad_id": np.arange(len(values)), **columns}, key="ad_id", columns=types)
    answer = serve(tmp_path, [], columns, wide="float32", half="float16")
    expected = np.concatenate([round_vectors(values, form) for form in FORMS], axis=1)
    np.testing.assert_array_equal(answer["wide"].view(np.uint32), expected.view(np.uint32))
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(answer["half"], expected.astype(np.float16))


@needs_server
@pytest.mark.parametrize("form", ["float32", "bfloat16", "int8"])
def test_truncated_embeddings_are_what_sentence_transformers_gives(tmp_path: Path, form: str) -> None:
    values = vectors()
    columns = {"embedding": values}
    types = {"embedding": f"float32[{values.shape[1]}, {form}]"}
    write_table(tmp_path, "ads", {"ad_id": np.arange(len(values)), **columns}, key="ad_id", columns=types)
    step = {"op": "truncate", "lanes": 16, "renormalize": "l2", "least_norm": 1e-12}
    served = serve(tmp_path, [step], columns, wide="float32")["wide"]
    # truncate_dim=16, then torch.nn.functional.normalize(x, p=2, dim=1, eps=1e-12).
    first = round_vectors(values, form)[:, :16].astype(np.float64)
    norms = np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-12)
    np.testing.assert_array_max_ulp(served, (first / norms).astype(np.float32), maxulp=1)


def test_rounding_is_what_the_documents_state() -> None:
    np.testing.assert_array_equal(round_vectors([[-1.0, 254.0, 0.5, 1.5]], "int8"), [[-1.0, 254.0, 1.0, 1.0]])
    np.testing.assert_array_equal(round_vectors([[0.5, -0.5, 0.0]], "binary"), [[1.0, -1.0, -1.0]])
    np.testing.assert_array_equal(round_vectors([1 + 2**-8, 1 + 3 * 2**-8], "bfloat16"), [1.0, 1 + 2**-6])
    np.testing.assert_array_equal(round_vectors([np.inf, np.nan], "bfloat16"), [np.inf, np.nan])
    np.testing.assert_array_equal(round_vectors([1 + 2**-11, 1 + 3 * 2**-11], "float16"), [1.0, 1 + 2**-9])


@pytest.mark.parametrize(
    ("value", "form", "message"),
    [
        (np.nan, "int8", "finite values only"),
        (np.inf, "int8", "finite values only"),
        (np.nan, "binary", "can't keep NaN"),
        (65_520.0, "float16", "beyond what float16 holds"),
        (3.4e38, "bfloat16", "beyond what bfloat16 holds"),
        (3.4e38, "int8", "more than float32 holds"),
        (1.0, "int4", "is not a form"),
    ],
)
def test_what_a_form_cannot_keep_is_rejected(value: float, form: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        round_vectors([[value, -3.4e38 if form == "int8" else 0.0]], form)


@needs_server
def test_a_server_rejects_what_a_form_cannot_keep(tmp_path: Path) -> None:
    data = {"ad_id": [1, 2], "v": np.array([[1.0, 2.0], [np.inf, 1.0]], np.float32)}
    write_table(tmp_path, "ads", data, key="ad_id", columns={"v": "float32[2, int8]"})
    assert "row 1, column v: holds inf, int8 keeps finite values only" in check(tmp_path)


def test_forms_are_those_of_float32_vectors(tmp_path: Path) -> None:
    data = {"id": [1], "v": np.ones((1, 2), np.float32)}
    for wrong in ("float64[2, int8]", "float32[2, int4]", "list<float32, int8>"):
        with pytest.raises(TableError):
            write_table(tmp_path, "t", data, key="id", columns={"v": wrong})
    table = write_table(tmp_path, "t", data, key="id", columns={"v": "float32[2, binary]"})
    assert table.columns[1].type == "float32[2, binary]"
    column = json.loads((table.path / "table.json").read_text())["columns"][0]
    assert column == {"name": "v", "dtype": "float32", "shape": {"vector": 2}, "form": "binary", "nan": "value"}
    assert table.columns == write_table(tmp_path, "t", data, key="id", columns={"v": "float32[2, binary]"}).columns
