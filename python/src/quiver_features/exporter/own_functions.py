"""Columns by formulas: what users say of their own functions and transformers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import expressions as ex
from . import formulas, registry
from .columns import Column
from .containers import numpy_types
from .expressions import Expression
from .formulas import Formula
from .matrix import Matrix, number, scalar_column, scalars
from .problems import Refusal
from .registry import Context
from .walk import transformed

Formulas = str | Sequence[str]
"""One formula for every column, which it calls ``x``; or one for each column of the result."""


def register(transformer: type, expressions: Callable[[Any], Formulas]) -> None:
    """Makes ``export`` know a class of transformers of your own.

    >>> register(Capped, lambda fitted: [f"min(x, {top})" for top in fitted.tops_])  # doctest: +SKIP

    Args:
        transformer: The class. A subclass is another class: it may compute something else.
        expressions: Gives for a fitted transformer what it computes, in the syntax of the operation ``expr``: one
            expression for every column, which it calls ``x``; or one for each column of the result, in which ``x`` is
            the column at the same place, ``x0``, ``x1``, ... are all columns by place, and columns whose names are
            words have these names too. A missing value is NaN, as it is to NumPy, unless the expression has
            ``is_null`` or ``coalesce``. Golden rows hold the expressions to ``transform``.
    """

    def handler(estimator: Any, matrix: Matrix, context: Context) -> list[Column]:
        return formula_columns(expressions(estimator), estimator, matrix, context)

    registry.add(transformer, handler)


def formula_columns(given: Formulas, estimator: Any, matrix: Matrix, context: Context) -> list[Column]:
    """The columns of an estimator that computes these formulas."""
    count = len(matrix.columns)
    texts = [given] * count if isinstance(given, str) else list(given)
    results = [_column(formulas.read(text), at, matrix, context) for at, text in enumerate(texts)]
    types = numpy_types(transformed(estimator, matrix.data))
    if len(types) != len(texts):
        raise Refusal(f"gives {len(types)} columns for the sample, there are {len(texts)} expressions")
    for column in matrix.columns:
        context.hint(column.expression, [0.0, 1.0, -1.0])
    kind = type(estimator).__name__.lower()
    names = matrix.names if len(texts) == count else [f"{kind}{at}" for at in range(len(texts))]
    return [
        scalar_column(name, ex.cast(result.rough(), "float32") if dtype == np.float32 else result)
        for name, result, dtype in zip(names, results, types, strict=True)
    ]


def _column(formula: Formula, at: int, matrix: Matrix, context: Context) -> Expression:
    inputs = scalars(matrix.columns)
    places = {f"x{place}": place for place in range(len(inputs))}
    if at < len(inputs):
        places["x"] = at
    places |= {name: place for place, name in enumerate(matrix.names) if name.isidentifier() and name != "x"}
    unknown = [name for name in formula.names if name not in places]
    if unknown:
        raise Refusal(f"the expression reads {unknown[0]!r}; the columns are: {', '.join(places)}")
    chosen = [places[name] for name in formula.names]
    for place in chosen:
        context.hint(matrix.columns[place].expression, formula.constants)
    read = [_operand(inputs[place], formula.takes_null) for place in chosen]
    nullable = formula.is_nullable and any(one.type.nullable for one in read)
    return ex.formula(read, formula.text, formula.names, exact=formula.is_exact, nullable=nullable)


def _operand(x: Expression, takes_null: bool) -> Expression:
    """A column as a function finds it: what is missing is NaN."""
    if x.type.element == "string":
        return x
    x = number(x)
    return x if takes_null or not x.type.nullable else ex.impute(x, float("nan"), nan="keep")
