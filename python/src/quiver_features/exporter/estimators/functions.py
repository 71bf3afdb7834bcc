"""FunctionTransformer with a function of one number that the engine has too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse, special

from .. import expressions as ex
from ..containers import numpy_types
from ..expressions import Expression
from ..matrix import Column, Matrix, elementwise, number, numbers, vector_columns
from ..problems import Refusal
from ..registry import Context, exports
from ..walk import transformed

Function = Callable[[Expression], Expression]


def _math(name: str, *, exact: bool = False) -> Function:
    return lambda x: ex.math(x, name, exact=exact)


_EXACT: dict[Any, str] = {
    np.absolute: "abs",
    np.fabs: "abs",
    np.negative: "negate",
    np.sign: "sign",
    np.square: "square",
    np.sqrt: "sqrt",
    np.reciprocal: "reciprocal",
    np.floor: "floor",
    np.ceil: "ceil",
    np.trunc: "trunc",
    np.rint: "round_half_even",
    np.round: "round_half_even",
}

_BY_LIBM: dict[Any, str] = {
    np.cbrt: "cbrt",
    np.exp: "exp",
    np.exp2: "exp2",
    np.expm1: "expm1",
    np.log: "log",
    np.log2: "log2",
    np.log10: "log10",
    special.expit: "sigmoid",
    special.logit: "logit",
    np.sin: "sin",
    np.cos: "cos",
    np.tan: "tan",
    np.arcsin: "asin",
    np.arccos: "acos",
    np.arctan: "atan",
    np.sinh: "sinh",
    np.cosh: "cosh",
    np.tanh: "tanh",
    np.arcsinh: "asinh",
    np.arccosh: "acosh",
    np.arctanh: "atanh",
    np.degrees: "degrees",
    np.rad2deg: "degrees",
    np.radians: "radians",
    np.deg2rad: "radians",
}

_FUNCTIONS: dict[Any, Function] = {
    **{function: _math(name, exact=True) for function, name in _EXACT.items()},
    **{function: _math(name) for function, name in _BY_LIBM.items()},
    np.log1p: ex.log1p,
}

_BREAKS = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1e-10, -1e-10, 2.5]


_ON_INTEGERS = {np.absolute, np.sign, np.floor, np.ceil, np.trunc, np.rint, np.round}
_ON_INT64 = {np.negative, np.square}


@exports("FunctionTransformer")
def function_transformer(estimator: Any, matrix: Matrix, context: Context) -> list[Column]:
    """No function, one of numpy's functions of one number, or np.clip with constant ends."""
    if estimator.func is None:
        return numbers(matrix.columns) if estimator.validate else list(matrix.columns)
    if estimator.func in (np.vstack, np.stack) and not estimator.kw_args:
        return _lanes(matrix)
    function = _function(estimator.func, dict(estimator.kw_args or {}))
    if sparse.issparse(matrix.data):
        raise Refusal("its input is sparse; only dense input can be expressed")
    before = numpy_types(matrix.data)
    after = numpy_types(transformed(estimator, matrix.data))
    for column, one, other in zip(matrix.columns, before, after, strict=True):
        _check_types(estimator.func, column.name, one, other)

    def applied(x: Expression, at: tuple[int, ...]) -> Expression:
        result = function(number(x))
        if not any(after[position] == np.float32 for position in at):
            return result
        return ex.cast(result.rough() if result.exactness > x.exactness else result, "float32")

    for column in matrix.columns:
        context.hint(column.expression, _BREAKS)
    return elementwise(matrix.columns, applied)


def _lanes(matrix: Matrix) -> list[Column]:
    """The lanes of a column of arrays, which is a vector of a lookup's table."""
    if len(matrix.columns) != 1 or matrix.columns[0].expression.type.width is None:
        raise Refusal("stacks a column of arrays; only vectors that a lookup brings can be")
    return vector_columns(matrix.columns[0].expression, matrix.columns[0].name)


def _check_types(function: Any, name: str, before: np.dtype[Any], after: np.dtype[Any]) -> None:
    """Refuses what numpy does differently for narrow types: it wraps integers around, and computes in float16."""
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


def _function(function: Any, arguments: dict[str, Any]) -> Function:
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
    if known is None or arguments:
        name = getattr(function, "__name__", repr(function))
        with_arguments = f" with kw_args {arguments}" if arguments else ""
        raise Refusal(f"the function {name}{with_arguments} can't be expressed; numpy's functions of one number can")
    return known
