"""What comes before a model: a pipeline's last step predicts, a search or a calibration holds a pipeline."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.pipeline import Pipeline

from .problems import ExportError


class ExportWarning(UserWarning):
    """Less was exported than was given: the features of a model, without the model."""


def features_of(fitted: Any) -> Any:
    """The transformer that makes a model's features; warns of what is left out, rejects a model without any before it.

    Knows pipelines whose last step predicts, and what wraps an estimator: GridSearchCV and the other searches,
    TransformedTargetRegressor, CalibratedClassifierCV, FrozenEstimator and the tuners of thresholds.
    """
    left_out: list[str] = []
    found = _before(fitted, left_out)
    if found is None:
        kind = left_out[-1] if left_out else type(fitted).__name__
        raise ExportError.of(f"{kind} predicts, and no step before it makes its features")
    if left_out:
        message = f"what is exported are the features of {left_out[-1]}, without it: serve its predictions elsewhere"
        warnings.warn(ExportWarning(message), stacklevel=3)
    return found


def _before(fitted: Any, left_out: list[str]) -> Any:
    """The transformer, or None where there is nothing before the model."""
    inner = _wrapped(fitted)
    if inner is not None:
        left_out.append(type(fitted).__name__)
        return _before(inner, left_out)
    if isinstance(fitted, Pipeline) and not hasattr(fitted, "transform"):
        name, last = fitted.steps[-1]
        features = _before(last, left_out)
        steps = fitted.steps[:-1] if features is None else [*fitted.steps[:-1], (name, features)]
        return Pipeline(steps) if steps else None
    if not hasattr(fitted, "transform") and hasattr(fitted, "predict"):
        left_out.append(type(fitted).__name__)
        return None
    return fitted


def _wrapped(fitted: Any) -> Any:
    """The fitted estimator inside of one that only searches, calibrates or freezes it."""
    if hasattr(fitted, "calibrated_classifiers_"):
        inside = [one.estimator for one in fitted.calibrated_classifiers_]
        if len(inside) > 1 and any(_before(one, []) is not None for one in inside):
            raise ExportError.of(
                f"{type(fitted).__name__} holds {len(inside)} estimators, each with features of its own; fit it with "
                "ensemble=False, or calibrate the model alone behind the steps that make its features"
            )
        return inside[0]
    kind = type(fitted).__name__
    attribute = {
        "TransformedTargetRegressor": "regressor_",
        "FrozenEstimator": "estimator",
        "TunedThresholdClassifierCV": "estimator_",
        "FixedThresholdClassifier": "estimator_",
    }.get(kind, "best_estimator_")
    return getattr(fitted, attribute, None)
