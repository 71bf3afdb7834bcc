"""Quiver's Python side: exports fitted scikit-learn transformers, and asks a server for features.

The exporter needs scikit-learn and is imported when it is first used: ``pip install quiver-features[export]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .client import (
    Client,
    Feature,
    Features,
    FeatureSet,
    FeatureSetVersions,
    Input,
    Output,
    RequestError,
    Status,
    Table,
    Tensor,
    Violation,
)
from .pairs import split_pairs

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .exporter import ExportError, ExportProblem, export

__all__ = [
    "Client",
    "ExportError",
    "ExportProblem",
    "Feature",
    "FeatureSet",
    "FeatureSetVersions",
    "Features",
    "Input",
    "Output",
    "RequestError",
    "Status",
    "Table",
    "Tensor",
    "Violation",
    "__version__",
    "export",
    "split_pairs",
]

_EXPORTER = {"ExportError", "ExportProblem", "export"}


def __getattr__(name: str) -> Any:
    if name in _EXPORTER:
        try:
            from . import exporter
        except ModuleNotFoundError as error:
            hint = "install quiver-features[export]"
            raise ModuleNotFoundError(f"{name} needs {error.name}: {hint}", name=error.name) from error
        return getattr(exporter, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
