"""Quiver's Python side: exports fitted scikit-learn transformers, asks a server for features, and writes live rows.

The exporter needs scikit-learn, ``write_table`` pyarrow; they are imported when they are first used:
``pip install quiver-features[export]``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .client import (
    AdminClient,
    Client,
    FailedVersion,
    Feature,
    Features,
    FeatureSet,
    FeatureSetVersions,
    Input,
    Output,
    RequestError,
    Status,
    Table,
    TableClient,
    Tensor,
    Time,
    Traffic,
    Violation,
    WriteError,
    Written,
)
from .pairs import split_pairs

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .exporter import Entry, ExportError, ExportProblem, ExportWarning, Lookup, export, register
    from .feature_cross import FeatureCross
    from .tables import TableColumn, TableError, TableProblem, WrittenTable, round_vectors, write_table

__all__ = [
    "AdminClient",
    "Client",
    "Entry",
    "ExportError",
    "ExportProblem",
    "ExportWarning",
    "FailedVersion",
    "Feature",
    "FeatureCross",
    "FeatureSet",
    "FeatureSetVersions",
    "Features",
    "Input",
    "Lookup",
    "Output",
    "RequestError",
    "Status",
    "Table",
    "TableClient",
    "TableColumn",
    "TableError",
    "TableProblem",
    "Tensor",
    "Time",
    "Traffic",
    "Violation",
    "WriteError",
    "Written",
    "WrittenTable",
    "__version__",
    "export",
    "register",
    "round_vectors",
    "split_pairs",
    "write_table",
]

_MODULES = {
    **dict.fromkeys(
        ["Entry", "ExportError", "ExportProblem", "ExportWarning", "Lookup", "export", "register"], ".exporter"
    ),
    "FeatureCross": ".feature_cross",
    **dict.fromkeys(
        ["TableColumn", "TableError", "TableProblem", "WrittenTable", "round_vectors", "write_table"], ".tables"
    ),
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        try:
            module = importlib.import_module(_MODULES[name], __name__)
        except ModuleNotFoundError as error:
            hint = "install quiver-features[export]"
            raise ModuleNotFoundError(f"{name} needs {error.name}: {hint}", name=error.name) from error
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
