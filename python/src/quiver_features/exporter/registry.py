"""Which function exports which estimator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .columns import Column
from .expressions import Expression
from .matrix import Matrix
from .problems import ExportProblem
from .sources import EITHER, NEVER, UNDECIDED, Source


@dataclass
class Context:
    """What an exporting function knows besides the estimator and its input.

    Attributes:
        path: The names of the steps down to this one.
        library: The version of scikit-learn as numbers.
        problems: What was found so far, for those that go on after a problem.
        hints: For each input's expression the values at which something changes: edges, knots, categories.
        sources: The sample's columns by their expressions.
        differing: The rows of the data, by position, for which the engine is known to give something else.
        telling_rows: The rows of the data, by position, that golden rows should hold.
        unsteady: The steps that note such rows; without any no rows need to be looked through.
        expressions: What FunctionTransformers compute, by step or function.
        functions: The steps that are FunctionTransformers.
        used: The expressions' keys that were found.
    """

    path: tuple[str, ...]
    library: tuple[int, ...]
    problems: list[ExportProblem] = field(default_factory=list)
    hints: dict[Expression, list[Any]] = field(default_factory=dict)
    sources: dict[Expression, Source] = field(default_factory=dict)
    differing: set[int] = field(default_factory=set)
    telling_rows: list[int] = field(default_factory=list)
    unsteady: set[str] = field(default_factory=set)
    expressions: Mapping[Any, str | Sequence[str]] = field(default_factory=dict)
    functions: set[str] = field(default_factory=set)
    used: set[Any] = field(default_factory=set)

    def below(self, name: str) -> Context:
        """The context of a step inside."""
        return replace(self, path=(*self.path, name))

    def refuse(self, reason: str) -> None:
        """Notes a problem of this step."""
        self.problems.append(ExportProblem(" > ".join(self.path), reason))

    def expression_of(self, function: Any) -> str | Sequence[str] | None:
        """What was said that this step computes with its function."""
        self.functions.add(self.path[-1])
        keys = [self.path[-1], " > ".join(self.path)]
        found = [key for key in self.expressions if key is function or (isinstance(key, str) and key in keys)]
        self.used.update(found)
        return self.expressions[found[0]] if found else None

    def hint(self, expression: Expression, values: Sequence[Any]) -> None:
        """Gives golden rows values to test if the expression is an input whose values come through unchanged."""
        found = _input_of(expression)
        if found is not None:
            self.hints.setdefault(found, []).extend(values)

    def holds(self, expression: Expression, missing: Any) -> bool:
        """Whether the sample's container holds this (None or NaN) where a request's column is null.

        A sample without missing values leaves it open; then the first estimator that asks decides.
        """
        source = self.sources.get(_input_of(expression) or expression)
        if source is None or source.missing is NEVER or source.seen is EITHER:
            return True
        if source.missing is UNDECIDED:
            source.missing = source.seen = missing
        return (source.seen is None) == (missing is None)


def _input_of(expression: Expression) -> Expression | None:
    """The input whose present values an expression holds unchanged."""
    while expression.op in {"cast", "impute", "choose"}:
        expression = expression.inputs[-1]
    return expression if expression.step is None else None


Handler = Callable[[Any, Matrix, Context], Sequence[Column]]
"""Gives the columns that an estimator makes of a matrix, or raises Refusal."""

_HANDLERS: dict[tuple[str, str], Handler] = {}
_BY_CLASS: dict[type, Handler] = {}
_COMPOSITIONS: set[Handler] = set()


def exports(*class_names: str, package: str = "sklearn", composition: bool = False) -> Callable[[Handler], Handler]:
    """Registers a function for a package's classes of these names.

    Classes are known by package and name, so that nothing is imported for them. A subclass is another class: it may
    compute something else.

    Args:
        package: The package that has them.
        composition: Whether they only pass columns on to estimators inside them.
    """

    def register(handler: Handler) -> Handler:
        for name in class_names:
            _HANDLERS[package, name] = handler
            if composition:
                _COMPOSITIONS.add(handler)
        return handler

    return register


def add(cls: type, handler: Handler) -> None:
    """Registers a function for a class that is not scikit-learn's."""
    _BY_CLASS[cls] = handler


def is_known(cls: type) -> bool:
    """Whether there is a function for a class."""
    return cls in _BY_CLASS or (cls.__module__.split(".")[0], cls.__name__) in _HANDLERS


def find(estimator: Any) -> Handler | None:
    """The function for an estimator, if there is one."""
    cls = type(estimator)
    if cls in _BY_CLASS:
        return _BY_CLASS[cls]
    found = _HANDLERS.get((cls.__module__.split(".")[0], cls.__name__))
    if found is None and _is_selector(cls):
        return _HANDLERS["sklearn", "SelectorMixin"]
    return found


def composes(estimator: Any) -> bool:
    """Whether an estimator only passes columns on to others inside it."""
    return find(estimator) in _COMPOSITIONS


def _is_selector(cls: type) -> bool:
    """Whether a class selects columns by its support and does nothing else."""
    from sklearn.feature_selection import SelectorMixin

    return issubclass(cls, SelectorMixin) and getattr(cls, "transform", None) is SelectorMixin.transform


def known() -> list[str]:
    """The names of all classes that can be exported."""
    return sorted([*(name for _, name in _HANDLERS), *(cls.__name__ for cls in _BY_CLASS)])
