"""Every export means what the estimator computes: a plain interpreter of the spec reproduces the golden rows."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import reference
from cases import CASES

from quiver_features import export


def rounded(values: np.ndarray, dtype: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        return values.astype(dtype if dtype != "bfloat16" else "float32")


def ulps(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Units in the last place between two arrays of one float type; NaN equals NaN, and zeros differ by sign."""
    if one.dtype.kind == "i":
        return np.abs(one - other).astype(float)
    integer = {2: np.int16, 4: np.int32, 8: np.int64}[one.dtype.itemsize]

    def ordered(values: np.ndarray) -> np.ndarray:
        bits = values.view(integer).astype(object)
        return np.where(bits < 0, -(bits & np.iinfo(integer).max), bits)

    apart = np.abs(ordered(one) - ordered(other)).astype(float)
    return np.where(np.isnan(one) & np.isnan(other), 0.0, apart)


def values_of(row: list | dict, width: int) -> np.ndarray:
    """An expected row of golden.json, which says all values or those that are not 0."""
    if isinstance(row, list):
        return np.asarray([float(value) for value in row])
    values = np.zeros(width)
    values[row["indices"]] = [float(value) for value in row["values"]]
    return values


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("repository")


@pytest.mark.parametrize("name", CASES)
def test_an_export_means_what_the_estimator_computes(name: str, repository: Path) -> None:
    case = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {**case.options, "quiver": False}
        folder = export(case.fitted(), repository, name.replace(".", ""), sample=case.sample, **options)
    spec, golden = reference.load(folder)
    output = spec["outputs"][0]
    assert golden["cases"]
    for one in golden["cases"]:
        expected = one["outputs"][output["name"]]
        got = reference.evaluate(spec, one, output["name"])
        wanted = np.asarray([values_of(row, got.shape[1]) for row in expected["rows"]])
        assert got.shape == wanted.shape
        apart = ulps(rounded(got, output["dtype"]), rounded(wanted, output["dtype"]))
        worst = np.unravel_index(np.argmax(apart), apart.shape)
        place = f"row {worst[0]}, column {worst[1]}: {got[worst]!r}, expected {wanted[worst]!r}"
        inputs = {key: values[worst[0] if len(values) > 1 else 0] for key, values in one["inputs"].items()}
        assert apart.max() <= expected["max_ulp"], f"{place}, of {json.dumps(inputs)[:300]}"
