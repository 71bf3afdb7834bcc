"""Functions of NumPy's operations, written down as formulas by calling them once with a stand-in for their data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from scipy import special

FUNCTIONS_OF_ONE: dict[Any, str] = {
    np.absolute: "abs", np.fabs: "abs", np.sign: "sign", np.square: "square", np.sqrt: "sqrt",
    np.reciprocal: "reciprocal", np.floor: "floor", np.ceil: "ceil", np.trunc: "trunc", np.rint: "round_half_even",
    np.cbrt: "cbrt", np.exp: "exp", np.exp2: "exp2", np.expm1: "expm1", np.log: "log", np.log1p: "log1p",
    np.log2: "log2", np.log10: "log10", special.expit: "sigmoid", special.logit: "logit", np.sin: "sin",
    np.cos: "cos", np.tan: "tan", np.arcsin: "asin", np.arccos: "acos", np.arctan: "atan", np.sinh: "sinh",
    np.cosh: "cosh", np.tanh: "tanh", np.arcsinh: "asinh", np.arccosh: "acosh", np.arctanh: "atanh",
    np.degrees: "degrees", np.rad2deg: "degrees", np.radians: "radians", np.deg2rad: "radians",
}  # fmt: skip

_OPERATORS: dict[Any, str] = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.floor_divide: "//", np.remainder: "%",
    np.power: "**", np.float_power: "**",
}  # fmt: skip
_COMPARISONS: dict[Any, str] = {
    np.less: "<", np.less_equal: "<=", np.greater: ">", np.greater_equal: ">=", np.equal: "==", np.not_equal: "!=",
}  # fmt: skip
_LOGIC: dict[Any, str] = {
    np.logical_and: "and", np.logical_or: "or", np.bitwise_and: "and", np.bitwise_or: "or",
}  # fmt: skip
_POWERS = {2.0: "square", 0.5: "sqrt", -1.0: "reciprocal"}
"""NumPy's own shorter ways."""

_INTEGERS_STAY = {np.absolute, np.sign, np.floor, np.ceil, np.trunc, np.rint, np.maximum, np.minimum, np.positive}


class Untraceable(Exception):
    """Why a function can't be written down."""


def trace(function: Callable[..., Any], arguments: Mapping[str, Any], dtype: np.dtype[Any]) -> str:
    """The formula of a function of a column of this type, over the name ``x``.

    Raises:
        Untraceable: Where it does something else than NumPy's operations, number by number.
    """
    try:
        result = function(_Traced("x", np.ones(1, dtype)), **arguments)
    except Untraceable:
        raise
    except Exception as error:
        # Whatever a function does with what it does not know.
        raise Untraceable(f"{type(error).__name__}: {error}") from error
    if not isinstance(result, _Traced):
        raise Untraceable(f"gives a {type(result).__name__} that is not made of its input alone")
    if dtype == np.float32 and result.example.dtype != np.float32:
        raise Untraceable("computes in float32 and in float64; cast the data to float64")
    return _number(result)


class _Traced(NDArrayOperatorsMixin):
    """Stands for a column in a function's operations.

    Attributes:
        text: The formula so far, in parentheses where it has several parts.
        example: One value of the type that NumPy would compute here.
    """

    def __init__(self, text: str, example: np.ndarray[Any, Any]) -> None:
        self.text = text
        self.example = example

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        keywords.pop("out", None)
        if method != "__call__" or keywords:
            raise Untraceable(f"{ufunc.__name__} with {', '.join(keywords) or method}")
        return _applied(ufunc, [_operand(one) for one in inputs])

    def __array_function__(self, function: Any, types: Any, args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        known = _ARRAY_FUNCTIONS.get(function)
        if known is None:
            raise Untraceable(f"{function.__name__} can't be expressed")
        return known(*args, **keywords)

    def __bool__(self) -> bool:
        raise Untraceable("its way depends on the values")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise Untraceable("it takes the values as an array")

    def clip(self, min: Any = None, max: Any = None, **keywords: Any) -> Any:
        """As arrays have it; ``lower`` and ``upper`` are pandas' names."""
        return _clip(self, keywords.get("lower", min), keywords.get("upper", max))

    def round(self, decimals: int = 0) -> Any:
        """As arrays have it."""
        return _round(self, decimals)

    def astype(self, dtype: Any, **_: Any) -> Any:
        """To floats, which a formula has anyway."""
        if np.dtype(dtype) != np.float64:
            raise Untraceable(f"astype({np.dtype(dtype)}) can't be expressed")
        return _Traced(_number(self), self.example.astype(np.float64))


def _operand(value: Any) -> _Traced:
    """A traced column, or a constant."""
    if isinstance(value, _Traced):
        return value
    if np.ndim(value) != 0 or not isinstance(value, (bool, int, float, np.generic, np.ndarray)):
        raise Untraceable(f"a {type(value).__name__} beside its input")
    value = value.item() if isinstance(value, (np.generic, np.ndarray)) else value
    return _Traced(_constant(value), value)


def _constant(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not np.isfinite(value):
        return "(0.0 / 0.0)" if np.isnan(value) else ("(1.0 / 0.0)" if value > 0 else "(-1.0 / 0.0)")
    return f"({value!r})" if value < 0 else repr(value)


def _is_bool(one: _Traced) -> bool:
    return np.asarray(one.example).dtype.kind == "b"


def _number(one: _Traced) -> str:
    return f"(1.0 if {one.text} else 0.0)" if _is_bool(one) else one.text


def _condition(one: _Traced) -> str:
    return one.text if _is_bool(one) else f"({one.text} != 0)"


def _applied(ufunc: Any, operands: list[_Traced]) -> _Traced:
    with np.errstate(all="ignore"):
        example = ufunc(*(one.example for one in operands))
    _check_type(ufunc, example)
    return _Traced(_text(ufunc, operands), example)


def _check_type(ufunc: Any, example: Any) -> None:
    dtype = np.asarray(example).dtype
    if dtype.kind == "f" and dtype.itemsize not in (4, 8):
        raise Untraceable(f"{ufunc.__name__} computes in {dtype}; cast the data to float64")
    if dtype.kind in "iu" and ufunc not in _INTEGERS_STAY:
        raise Untraceable(f"{ufunc.__name__} is integer arithmetic; cast the data to float64")


def _text(ufunc: Any, operands: list[_Traced]) -> str:
    numbers = [_number(one) for one in operands]
    if ufunc in FUNCTIONS_OF_ONE:
        return f"{FUNCTIONS_OF_ONE[ufunc]}({numbers[0]})"
    if ufunc is np.power and isinstance(operands[1].example, (int, float)) and operands[1].example in _POWERS:
        return f"{_POWERS[operands[1].example]}({numbers[0]})"
    for known in (_OPERATORS, _COMPARISONS):
        if ufunc in known:
            return f"({numbers[0]} {known[ufunc]} {numbers[1]})"
    if ufunc in _LOGIC:
        return f"({_condition(operands[0])} {_LOGIC[ufunc]} {_condition(operands[1])})"
    templates: dict[Any, str] = {
        np.negative: "(-{0})", np.positive: "{0}", np.maximum: "max({0}, {1})", np.minimum: "min({0}, {1})",
        np.isnan: "({0} != {0})", np.isfinite: "({0} - {0} == 0)",
    }  # fmt: skip
    if ufunc in templates:
        return templates[ufunc].format(*numbers)
    if ufunc in (np.logical_not, np.invert):
        return f"(not {_condition(operands[0])})"
    raise Untraceable(f"{ufunc.__name__} can't be expressed")


def _where(condition: Any, one: Any, other: Any) -> _Traced:
    operands = [_operand(value) for value in (condition, one, other)]
    example = np.where(*(np.asarray(operand.example) for operand in operands))
    both = all(_is_bool(operand) for operand in operands[1:])
    values = [operand.text if both else _number(operand) for operand in operands[1:]]
    return _Traced(f"({values[0]} if {_condition(operands[0])} else {values[1]})", example)


def _clip(x: Any, a_min: Any = None, a_max: Any = None, **keywords: Any) -> Any:
    low, high = keywords.get("min", a_min), keywords.get("max", a_max)
    if low is not None:
        x = np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def _round(x: Any, decimals: int = 0) -> Any:
    if decimals != 0:
        raise Untraceable("round to decimals can't be expressed")
    return np.rint(x)


_ARRAY_FUNCTIONS: dict[Any, Callable[..., Any]] = {np.where: _where, np.clip: _clip, np.round: _round}
