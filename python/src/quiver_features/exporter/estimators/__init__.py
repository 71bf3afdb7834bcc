"""One module for each family of estimators; importing this package registers them all."""

from . import (
    binning,
    composition,
    crossing,
    distribution,
    encoding,
    expansion,
    functions,
    hashing,
    labels,
    missing,
    projection,
    scaling,
    selection,
    text,
)

__all__ = [
    "binning",
    "composition",
    "crossing",
    "distribution",
    "encoding",
    "expansion",
    "functions",
    "hashing",
    "labels",
    "missing",
    "projection",
    "scaling",
    "selection",
    "text",
]
