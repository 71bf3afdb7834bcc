"""Of a model the steps before it are exported, and that is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from quiver_features import ExportError, ExportWarning, export

VALUES = np.random.default_rng(3).normal(size=(40, 2))
TARGET = (VALUES[:, 0] > 0).astype(int)
CLASSIFIER = make_pipeline(StandardScaler(), LogisticRegression())
REGRESSOR = make_pipeline(StandardScaler(), Ridge())

MODELS: dict[str, tuple[Any, str]] = {
    "a pipeline": (CLASSIFIER, "LogisticRegression"),
    "a pipeline in a pipeline": (make_pipeline(MinMaxScaler(), CLASSIFIER), "LogisticRegression"),
    "a grid search": (GridSearchCV(CLASSIFIER, {"logisticregression__C": [1.0]}), "LogisticRegression"),
    "a random search": (RandomizedSearchCV(REGRESSOR, {"ridge__alpha": [1.0]}, n_iter=1), "Ridge"),
    "a search at the end": (
        make_pipeline(StandardScaler(), GridSearchCV(LogisticRegression(), {"C": [1.0]})),
        "LogisticRegression",
    ),
    "a transformed target": (TransformedTargetRegressor(REGRESSOR, func=np.exp, inverse_func=np.log), "Ridge"),
    "a calibration": (CalibratedClassifierCV(CLASSIFIER, ensemble=False), "LogisticRegression"),
    "a calibration at the end": (
        make_pipeline(StandardScaler(), CalibratedClassifierCV(LogisticRegression())),
        "LogisticRegression",
    ),
    "a fixed threshold": (FixedThresholdClassifier(CLASSIFIER), "LogisticRegression"),
    "a frozen one": (
        FrozenEstimator(make_pipeline(StandardScaler(), LogisticRegression()).fit(VALUES, TARGET)),
        "LogisticRegression",
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_features_of_a_model_are_exported(name: str, tmp_path: Path) -> None:
    model, left_out = MODELS[name]
    with pytest.warns(ExportWarning, match=f"the features of {left_out}, without it"):
        folder = export(model.fit(VALUES, TARGET), tmp_path, "features", sample=VALUES)
    spec = json.loads((folder / "spec.json").read_text())
    steps = [[step["op"] for step in feature["steps"]] for feature in spec["features"]]
    assert steps == [["min_max", "standardize"] if "in a pipeline" in name else ["standardize"]] * 2


ALONE: dict[str, tuple[Any, str]] = {
    "a model": (LogisticRegression(), "LogisticRegression predicts, and no step before it"),
    "a pipeline of a model": (make_pipeline(LogisticRegression()), "LogisticRegression predicts"),
    "a search of a model": (GridSearchCV(Ridge(), {"alpha": [1.0]}), "Ridge predicts"),
    "a calibration by folds": (
        CalibratedClassifierCV(CLASSIFIER, cv=3),
        "holds 3 estimators, each with features of its own",
    ),
}


@pytest.mark.parametrize("name", ALONE)
def test_a_model_without_features_is_refused(name: str, tmp_path: Path) -> None:
    model, message = ALONE[name]
    with pytest.raises(ExportError, match=message):
        export(model.fit(VALUES, TARGET), tmp_path, "features", sample=VALUES)
    assert not any(tmp_path.rglob("*.json"))
