"""Several columns as one category: FeatureCross."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import expressions as ex
from ..columns import Column
from ..containers import numpy_types
from ..expressions import Exactness, Expression
from ..matrix import Matrix, scalar_column, scalars
from ..problems import Refusal
from ..registry import Context, exports
from ..walk import transformed

_INTEGERS = {"int64", "uint64"}


@exports("FeatureCross", package="quiver_features")
def feature_cross(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """The columns' texts with the separator between them."""
    texts, problems = [], []
    held = [dtype.kind for dtype in numpy_types(matrix.data)]
    for column, x, of, kind in zip(matrix.columns, scalars(matrix.columns), estimator.types_, held, strict=True):
        try:
            texts.append(_text(x, of, kind))
        except Refusal as refusal:
            problems.append(f"column {column.name!r}: {refusal}")
    if problems:
        raise Refusal("; ".join(problems))
    _tell_categories(estimator, matrix, context)
    crossed = ex.join_text(texts, estimator.separator, missing=estimator.missing)
    return [scalar_column("_".join(matrix.names), crossed)]


def _tell_categories(estimator: Any, matrix: Matrix, context: Context) -> None:
    """Has a golden row of each text that the data has: hard values of single columns meet few of them."""
    first: dict[str, int] = {}
    for row, text in enumerate(np.asarray(transformed(estimator, matrix.data), dtype=object).flat):
        first.setdefault(str(text), row)
    context.telling_rows += first.values()


def _text(x: Expression, of: str, kind: str) -> Expression:
    """A column as the text that the transformer makes of it.

    Args:
        of: The type that the transformer was fitted to.
        kind: That of NumPy's type in which the library holds the column.
    """
    if x.type.list:
        raise Refusal("takes single values, its input holds lists")
    if of == "text" and x.type.element == "string":
        return x
    if of == "boolean" and x.type.element == "bool":
        return ex.format_text(x, boolean="capitalized")
    if of == "integer":
        return ex.format_text(_integer(x, kind), integer="decimal")
    if of == "float" and x.type.element != "string":
        return ex.format_text(_float(x), float="repr")
    raise Refusal(f"was fitted to the type {of}, the sample holds {x.type.element}")


def _integer(x: Expression, kind: str) -> Expression:
    if x.op == "cast" and x.inputs[0].type.element in _INTEGERS:
        # A table's integers, which a left join made floats of.
        return x.inputs[0]
    if x.type.element in _INTEGERS:
        return x
    if kind in "iu" and x.type.element in {"bool", "float64"}:
        return ex.cast(x, "int64")
    raise Refusal(f"was fitted to the type integer, the sample holds {x.type.element}: give it the same type in both")


def _float(x: Expression) -> Expression:
    """The column as floats, in which NaN is null."""
    x = ex.cast(x, "float64")
    if x.exactness != Exactness.EXACT:
        raise Refusal("floats may differ from scikit-learn's in the last digits, and so their texts: round or bin them")
    if not _can_be_nan(x):
        return x
    # Of NaN alone the bin is null, and so is what it is compared with.
    one_bin = ex.bucketize(x, [0.0])
    return ex.choose(ex.equal(one_bin, one_bin), x, x)


def _can_be_nan(x: Expression) -> bool:
    """Whether a float that is not null can be NaN. Single inputs and tables' columns have null in its place."""
    if x.type.element != "float64" or x.step is None:
        return x.type.width is not None
    return _can_be_nan(x.inputs[0]) if x.op in {"cast", "impute"} else True
