"""From a fitted scikit-learn transformer to a feature set that Quiver serves."""

from .exporting import export
from .problems import ExportError, ExportProblem

__all__ = ["ExportError", "ExportProblem", "export"]
