"""Walks a fitted estimator: each step's expressions beside what the library itself computes for the sample."""

from __future__ import annotations

import warnings
from typing import Any

from . import registry
from .columns import Columns, LaneNames
from .containers import labels_of
from .matrix import Matrix
from .problems import Refusal
from .registry import Context

_MOST_NUMBERED = 1 << 16
"""Columns without names of their own for which the library is still asked."""


class Stopped(Exception):
    """A step could not be exported, so that what follows it is not known. The problem was noted."""


def is_passthrough(step: Any) -> bool:
    """Whether a step leaves its input as it is."""
    return step is None or (isinstance(step, str) and step == "passthrough")


def walk(estimator: Any, matrix: Matrix, context: Context) -> Matrix:
    """What an estimator makes of a matrix; raises Stopped after noting why it can't be expressed."""
    handler = registry.find(estimator)
    if handler is None:
        context.refuse(not_known(estimator))
        raise Stopped
    try:
        if not registry.composes(estimator):
            _check_inputs(matrix, context)
        columns = Columns.of(handler(estimator, matrix, context))
    except Refusal as refusal:
        context.refuse(str(refusal))
        raise Stopped from refusal
    data = transformed(estimator, matrix.data)
    if len(columns) != width(data):
        context.refuse(f"gives {width(data)} columns for the sample, {len(columns)} were expected of its parameters")
        raise Stopped
    return Matrix(_named(estimator, matrix, columns, data), data)


def _check_inputs(matrix: Matrix, context: Context) -> None:
    """Rejects columns of the sample that can't be inputs before an estimator reads them."""
    sources = [(column.name, context.sources.get(column.expression)) for column in matrix.columns]
    problems = [f"column {name!r}: {source.problem}" for name, source in sources if source and source.problem]
    for problem in problems:
        context.refuse(problem)
    if problems:
        raise Stopped


def not_known(estimator: Any) -> str:
    """Why an estimator without a function is rejected."""
    cls = type(estimator)
    for base in cls.__mro__[1:]:
        if registry.is_known(base):
            return f"{cls.__name__} is a subclass of {base.__name__} and may compute something else"
    if hasattr(estimator, "predict") and not hasattr(estimator, "transform"):
        return f"{cls.__name__} predicts; export the steps before it, as in pipeline[:-1]"
    return f"{cls.__name__} can't be expressed; what can: {', '.join(registry.known())}"


def transformed(estimator: Any, data: Any) -> Any:
    """What the library makes of a container."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.transform(data)


def width(data: Any) -> int:
    """The columns of a container; 1 for one without columns."""
    if isinstance(data, list) and data and isinstance(data[0], list):
        return len(data[0])
    shape = getattr(data, "shape", None)
    return 1 if shape is None or len(shape) < 2 else int(shape[1])


def _named(estimator: Any, matrix: Matrix, columns: Columns, data: Any) -> Columns:
    # Of a million hashes the library makes a name each where it makes any.
    numbered = all(isinstance(block.names, LaneNames) and block.names.is_numbered for block in columns.blocks)
    names = None if numbered and len(columns) > _MOST_NUMBERED else _output_names(estimator, matrix, data)
    if names is None or len(names) != len(columns):
        return columns
    return columns.renamed(names)


def _output_names(estimator: Any, matrix: Matrix, data: Any) -> list[str] | None:
    labels = labels_of(data)
    if labels is not None:
        return [str(label) for label in labels]
    for arguments in ([matrix.names], []):
        try:
            return [str(name) for name in estimator.get_feature_names_out(*arguments)]
        except Exception:
            # Some estimators have no names, some not for these inputs: the columns keep the names they have.
            continue
    return None
