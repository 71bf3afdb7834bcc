"""From a fitted scikit-learn transformer to a feature set that Quiver serves."""

from .exporting import export
from .lookups import Entry, Lookup
from .models import ExportWarning
from .own_functions import register
from .problems import ExportError, ExportProblem

__all__ = ["Entry", "ExportError", "ExportProblem", "ExportWarning", "Lookup", "export", "register"]
