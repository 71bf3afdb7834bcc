"""FunctionTransformer with a function of one number that the engine has too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from .. import expressions as ex
from ..columns import Column
from ..containers import numpy_types
from ..expressions import Expression
from ..formulas import EXACT_FUNCTIONS
from ..matrix import Matrix, elementwise, number, numbers, vector_columns
from ..own_functions import formula_columns
from ..problems import Refusal
from ..registry import Context, exports
from ..tracing import FUNCTIONS_OF_ONE, Untraceable, trace
from ..walk import transformed

Function = Callable[[Expression], Expression]


def _math(name: str, *, exact: bool = False) -> Function:
    return lambda x: ex.math(x, name, exact=exact)


_FUNCTIONS: dict[Any, Function] = {
    **{function: _math(name, exact=name in EXACT_FUNCTIONS) for function, name in FUNCTIONS_OF_ONE.items()},
    np.negative: _math("negate", exact=True),
    np.round: _math("round_half_even", exact=True),
    np.log1p: ex.log1p,
}

_BREAKS = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1e-10, -1e-10, 2.5]


_ON_INTEGERS = {np.absolute, np.sign, np.floor, np.ceil, np.trunc, np.rint, np.round}
_ON_INT64 = {np.negative, np.square}


@exports("FunctionTransformer")
def function_transformer(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """No function, one of numpy's functions of one number, or np.clip with constant ends."""
    if estimator.func is None:
        return numbers(matrix.columns) if estimator.validate else list(matrix.columns)
    if estimator.func in (np.vstack, np.stack) and not estimator.kw_args:
        return _lanes(matrix)
    said = context.expression_of(estimator.func)
    if said is not None:
        return formula_columns(said, estimator, matrix, context)
    arguments = dict(estimator.kw_args or {})
    function = _function(estimator.func, dict(arguments))
    if function is None:
        return formula_columns(_traced(estimator.func, arguments, matrix, context), estimator, matrix, context)
    if sparse.issparse(matrix.data):
        raise Refusal("its input is sparse; only dense input can be expressed")
    before = numpy_types(matrix.data)
    after = numpy_types(transformed(estimator, matrix.data))
    for column, one, other in zip(matrix.columns, before, after, strict=True):
        _check_types(estimator.func, column.name, one, other)

    def applied(x: Expression, at: Sequence[int]) -> Expression:
        result = function(number(x))
        if not any(after[position] == np.float32 for position in at):
            return result
        return ex.cast(result.rough() if result.exactness > x.exactness else result, "float32")

    for column in matrix.columns:
        context.hint(column.expression, _BREAKS)
    return elementwise(matrix.columns, applied)


def _lanes(matrix: Matrix) -> Sequence[Column]:
    """The lanes of a column of arrays, which is a vector of a lookup's table."""
    if len(matrix.columns) != 1 or matrix.columns[0].expression.type.width is None:
        raise Refusal("stacks a column of arrays; only vectors that a lookup brings can be")
    return vector_columns(matrix.columns[0].expression, matrix.columns[0].name)


def _check_types(function: Any, name: str, before: np.dtype[Any], after: np.dtype[Any]) -> None:
    """Rejects what numpy does differently for narrow types: it wraps integers around, and computes in float16."""
    # pandas holds what numpy computed in float16 in its own Float32.
    narrow = before.kind in "biu" and before.itemsize == 1 and after == np.float32
    if after == np.float16 or narrow:
        raise Refusal(f"column {name!r}: {function.__name__} of {before} computes in float16; cast it to float64")
    if after.kind not in "biuf" or (after.kind == "f" and after.itemsize > 8):
        raise Refusal(f"column {name!r}: {function.__name__} of {before} gives {after}; cast it to float64")
    if before.kind in "iu" and after.kind in "iu" and function is not np.clip:
        known = function in _ON_INTEGERS or (function in _ON_INT64 and before == np.int64)
        if not known:
            raise Refusal(f"column {name!r}: {function.__name__} of {before} is integer arithmetic; cast it to float64")


def _traced(function: Any, arguments: dict[str, Any], matrix: Matrix, context: Context) -> list[str]:
    """For each column the formula of a function that is made of numpy's."""
    try:
        return [trace(function, arguments, dtype) for dtype in numpy_types(matrix.data)]
    except Untraceable as error:
        name = getattr(function, "__name__", repr(function))
        raise Refusal(
            f"the function {name} can't be expressed: {error}. Say what it computes: "
            f'expressions={{{context.path[-1]!r}: "max(x, 0)"}}'
        ) from error


def _function(function: Any, arguments: dict[str, Any]) -> Function | None:
    """One of numpy's functions that the engine has as an operation of its own."""
    if function is np.clip:
        low = arguments.pop("a_min", arguments.pop("min", None))
        high = arguments.pop("a_max", arguments.pop("max", None))
        if not arguments and all(end is None or np.isscalar(end) for end in (low, high)):
            ends = (-np.inf if low is None else float(low), np.inf if high is None else float(high))
            return lambda x: ex.clip(x, *ends)
    try:
        known = _FUNCTIONS.get(function)
    except TypeError:
        # Not hashable, so not one of numpy's.
        known = None
    return None if arguments else known
