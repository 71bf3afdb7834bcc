"""Expressions: what a column of the library's matrix is made of, as steps of the engine.

An expression has a type that is known without a row, as the engine has it: element, width, list, nullable. The rules
of nullability here mirror the engine's, which rejects a default that is never served and the lack of one that is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from ..names import Reference, input_reference

Parameters = Mapping[str, Any]


class Exactness(IntEnum):
    """How near the engine comes to the library; of several parts the greatest counts."""

    EXACT = 0
    """The same bits."""
    CLOSE = 1
    """Sums in another order or another libm, in float64: the same float32 or its neighbour."""
    ROUGH = 2
    """The library computes in float32 with its own libm or order of sums."""


@dataclass(frozen=True)
class ValueType:
    """The engine's type of a value.

    Attributes:
        element: "float64", "int64", "uint64", "bool" or "string".
        width: Lanes of a vector, or None for a scalar.
        list: Whether a row is a list of such values.
        nullable: Whether a row can be null.
    """

    element: str
    width: int | None = None
    list: bool = False
    nullable: bool = True

    @property
    def lanes(self) -> int:
        """Numbers in one value."""
        return 1 if self.width is None else self.width


@dataclass(frozen=True, eq=False)
class Expression:
    """An input of the request, or one step over other expressions. Compared by identity.

    Attributes:
        type: The type of the result.
        name: The input's name, for an input.
        step: The step's JSON with Python numbers in it, for a step.
        inputs: What the step reads.
        lane_names: A name for each lane, or nothing.
        exactness: How near it comes to the library.
    """

    type: ValueType
    name: str | None = None
    step: Parameters | None = None
    inputs: tuple[Expression, ...] = ()
    lane_names: tuple[str, ...] = ()
    exactness: Exactness = Exactness.EXACT

    @property
    def op(self) -> str | None:
        """The operation's name, or None for an input."""
        return None if self.step is None else self.step["op"]

    @property
    def reference(self) -> Reference:
        """An input as specs refer to it."""
        assert self.name is not None
        return input_reference(self.name)

    def rough(self) -> Expression:
        """The same, known to be computed by the library in float32 in a way that the engine can't repeat."""
        return replace(self, exactness=Exactness.ROUGH)

    def close(self) -> Expression:
        """The same, known to differ from the library in the last bits of float64."""
        return replace(self, exactness=max(self.exactness, Exactness.CLOSE))


def source(name: str, element: str, *, is_list: bool = False) -> Expression:
    """An input of the request. A request may leave any value out, so it is nullable."""
    return Expression(ValueType(element, list=is_list), name=name)


def _step(
    op: str,
    inputs: Sequence[Expression],
    result: ValueType,
    parameters: Parameters,
    *,
    exactness: Exactness = Exactness.EXACT,
    lane_names: Sequence[str] = (),
) -> Expression:
    # As the engine has it: a step fills in elements; whether a list as a whole is null stays with the list.
    if result.list and any(one.type.nullable for one in inputs):
        result = replace(result, nullable=True)
    worst = max([exactness, *(one.exactness for one in inputs)])
    return Expression(result, None, {"op": op, **parameters}, tuple(inputs), tuple(lane_names), worst)


def _any_nullable(inputs: Sequence[Expression]) -> bool:
    return any(one.type.nullable for one in inputs)


# Missing values


def impute(x: Expression, value: Any, *, nan: str) -> Expression:
    """`value` (one, or one for each lane) where there is null, and where there is NaN if `nan` is "impute"."""
    return _step("impute", [x], replace(x.type, nullable=False), {"value": value, "nan": nan})


def missing_indicator(x: Expression) -> Expression:
    """1.0 for null and NaN, else 0.0; a vector is missing as a whole."""
    result = replace(x.type, element="float64", width=None, nullable=False)
    return _step("missing_indicator", [x], result, {"nan": "missing"})


# Numbers


def cast(x: Expression, to: str) -> Expression:
    """Another element type; "float32" is float64 rounded to the values of float32."""
    if x.type.element == to:
        return x
    element = "float64" if to == "float32" else to
    nullable = x.type.nullable or to == "int64"
    return _step("cast", [x], replace(x.type, element=element, nullable=nullable), {"to": to})


def standardize(x: Expression, mean: Any, scale: Any, *, form: str, precision: str) -> Expression:
    """(x - mean) / scale, or times the scale with the form "multiply"."""
    parameters = {"mean": mean, "scale": scale, "form": form, "precision": precision}
    return _step("standardize", [x], x.type, parameters)


def min_max(x: Expression, scale: Any, minimum: Any, *, clip: Any, precision: str) -> Expression:
    """x * scale + minimum, clipped to a pair or, with "none", not."""
    parameters = {
        "scale": scale,
        "min": minimum,
        "clip": clip,
        "form": "multiply_add",
        "precision": precision,
    }
    return _step("min_max", [x], x.type, parameters)


def max_abs(x: Expression, scale: Any, *, precision: str) -> Expression:
    """x / scale."""
    return _step("max_abs", [x], x.type, {"scale": scale, "precision": precision})


def robust_scale(x: Expression, center: Any, scale: Any, *, precision: str) -> Expression:
    """(x - center) / scale."""
    return _step("robust_scale", [x], x.type, {"center": center, "scale": scale, "precision": precision})


def clip(x: Expression, low: Any, high: Any) -> Expression:
    """Values moved into [low, high]; NaN stays."""
    return _step("clip", [x], x.type, {"min": low, "max": high})


def log1p(x: Expression) -> Expression:
    """ln(1 + x) as IEEE has it."""
    return _step("log1p", [x], x.type, {"undefined": "ieee"}, exactness=Exactness.CLOSE)


def math(x: Expression, function: str, *, exact: bool) -> Expression:
    """A function of one number as IEEE has it."""
    exactness = Exactness.EXACT if exact else Exactness.CLOSE
    return _step("math", [x], x.type, {"function": function, "undefined": "ieee"}, exactness=exactness)


def log_above_zero(x: Expression) -> Expression:
    """ln(x) where x > 0, else 0."""
    parameters = {"base": "e", "offset": 0.0, "threshold": 0.0, "below": 0.0}
    return _step("log", [x], x.type, parameters, exactness=Exactness.CLOSE)


def binarize(x: Expression, threshold: Any) -> Expression:
    """1.0 where x > threshold, else 0.0; NaN stays."""
    return _step("binarize", [x], x.type, {"threshold": threshold, "nan": "keep"})


def bucketize(x: Expression, edges: Sequence[float]) -> Expression:
    """How many edges lie at or below x, as int64; NaN is null."""
    parameters = {"edges": list(edges), "side": "left", "nan": "null", "outside": "present"}
    return _step("bucketize", [x], replace(x.type, element="int64", nullable=True), parameters)


def quantile(
    x: Expression, quantiles: Sequence[float], references: Sequence[float], distribution: str, *, precision: str
) -> Expression:
    """The fitted quantile of x, uniform or normal."""
    parameters = {
        "quantiles": list(quantiles),
        "references": list(references),
        "distribution": distribution,
        "precision": precision,
    }
    exactness = Exactness.EXACT if distribution == "uniform" else Exactness.CLOSE
    return _step("quantile", [x], x.type, parameters, exactness=exactness)


def power(x: Expression, method: str, lambdas: Any, *, form: str) -> Expression:
    """Yeo-Johnson or Box-Cox; what Box-Cox does not define is null."""
    undefined = "null" if method == "box_cox" else "ieee"
    parameters = {"method": method, "lambda": lambdas, "form": form, "undefined": undefined}
    result = replace(x.type, nullable=x.type.nullable or undefined == "null")
    return _step("power", [x], result, parameters, exactness=Exactness.CLOSE)


def spline(
    x: Expression, knots: Sequence[float], degree: int, splines: int, extrapolation: str, include_bias: bool
) -> Expression:
    """The B-spline basis of a scalar."""
    parameters = {
        "knots": list(knots),
        "degree": degree,
        "splines": splines,
        "extrapolation": extrapolation,
        "include_bias": include_bias,
        "nan": "keep",
    }
    width = splines if include_bias else splines - 1
    result = replace(x.type, width=width, nullable=x.type.nullable or extrapolation == "error")
    return _step("spline", [x], result, parameters, exactness=Exactness.CLOSE)


def polynomial(x: Expression, powers: Sequence[Sequence[int]]) -> Expression:
    """For each row of powers the product of the lanes' powers."""
    # One multiplication rounds alike in any order; with more of them the order matters.
    exactness = Exactness.EXACT if max((sum(row) for row in powers), default=0) <= 2 else Exactness.CLOSE
    rows = [[int(power) for power in row] for row in powers]
    return _step("polynomial", [x], replace(x.type, width=len(rows)), {"powers": rows}, exactness=exactness)


def project(x: Expression, matrix: Sequence[Sequence[float]], offset: Any, scale: Any) -> Expression:
    """(matrix · x - offset) / scale."""
    parameters = {"matrix": [list(row) for row in matrix], "center": 0.0, "offset": offset, "scale": scale}
    result = replace(x.type, width=len(parameters["matrix"]))
    return _step("project", [x], result, parameters, exactness=Exactness.CLOSE)


def lane(x: Expression, position: int) -> Expression:
    """One lane as a scalar."""
    return _step("lane", [x], replace(x.type, width=None), {"lane": position})


def lanes(x: Expression, positions: Sequence[int]) -> Expression:
    """Some lanes, in the order given."""
    return _step("lanes", [x], replace(x.type, width=len(positions)), {"lanes": list(positions)})


def normalize(x: Expression, norm: str, zero_below: float) -> Expression:
    """A vector divided by its norm; smaller norms count as 0."""
    exactness = Exactness.EXACT if norm == "max" else Exactness.CLOSE
    return _step("normalize", [x], x.type, {"norm": norm, "zero_below": zero_below}, exactness=exactness)


def concat(parts: Sequence[Expression]) -> Expression:
    """Scalars and vectors side by side; a null part is NaN."""
    width = sum(part.type.lanes for part in parts)
    return _step("concat", parts, ValueType("float64", width, nullable=False), {"null": {"value": "nan"}})


def add(one: Expression, other: Expression) -> Expression:
    """The sum, lane by lane."""
    result = replace(one.type, nullable=_any_nullable([one, other]))
    return _step("arithmetic", [one, other], result, {"function": "add"})


def formula(
    inputs: Sequence[Expression], text: str, names: Sequence[str], *, exact: bool, nullable: bool
) -> Expression:
    """A formula of scalars in the syntax of ``expr``."""
    parameters = {"expression": text, "names": list(names), "zero_division": "ieee"}
    result = ValueType("float64", nullable=nullable)
    return _step("expr", inputs, result, parameters, exactness=Exactness.EXACT if exact else Exactness.CLOSE)


# Categories and hashing


def one_hot(
    x: Expression,
    categories: Sequence[Any],
    infrequent: Sequence[Any],
    *,
    drop: int | None,
    unknown: str,
    null: str,
) -> Expression:
    """A column for each category, for null (with null "column") and for all infrequent ones, less the dropped one."""
    names = [str(category) for category in categories]
    names += ["null"] * (null == "column") + ["infrequent"] * bool(infrequent)
    if drop is not None:
        del names[drop]
    parameters = {
        "categories": list(categories),
        "infrequent": list(infrequent),
        "drop": "none" if drop is None else {"position": drop},
        "unknown": unknown,
        "null": null,
    }
    nullable = unknown == "null" or (x.type.nullable and null == "null")
    result = replace(x.type, element="float64", width=len(names), nullable=nullable)
    return _step("one_hot", [x], result, parameters, lane_names=names)


def ordinal(x: Expression, categories: Sequence[Any], *, unknown: int | None, null: int | None) -> Expression:
    """A category's position; None for what has no number."""
    parameters = {
        "categories": list(categories),
        "offset": 0,
        "unknown": "null" if unknown is None else {"value": unknown},
        "null": "null" if null is None else {"value": null},
    }
    nullable = unknown is None or (x.type.nullable and null is None)
    return _step("ordinal", [x], replace(x.type, element="int64", nullable=nullable), parameters)


def map_values(x: Expression, keys: Sequence[Any], values: Sequence[Any], *, unknown: Any, null: Any) -> Expression:
    """A number (or a list of as many for each key) for each category; None stands for null."""
    parameters = {
        "keys": list(keys),
        "values": list(values),
        "unknown": "null" if unknown is None else {"value": unknown},
        "null": "null" if null is None else {"value": null},
    }
    first = next(iter(values), unknown)
    width = len(first) if isinstance(first, (list, tuple)) else None
    nullable = unknown is None or (x.type.nullable and null is None)
    result = replace(x.type, element="float64", width=width, nullable=nullable)
    return _step("map_values", [x], result, parameters)


def multi_hot(inputs: Sequence[Expression], categories: Sequence[Any], *, weighting: str) -> Expression:
    """A column for each category: whether, how often or with what weights it stands in a list."""
    parameters = {
        "categories": list(categories),
        "weighting": weighting,
        "unknown": "ignore",
        "null": "null",
    }
    result = ValueType("float64", len(categories), nullable=_any_nullable(inputs))
    exactness = Exactness.CLOSE if weighting == "log_count" else Exactness.EXACT
    names = [str(category) for category in categories]
    return _step("multi_hot", inputs, result, parameters, exactness=exactness, lane_names=names)


def kv_lookup(keys: Expression, values: Expression, key: Expression, *, missing: float | None) -> Expression:
    """The value that a map has for a key; None stands for null where it has none."""
    result = ValueType("float64", nullable=missing is None or _any_nullable([keys, values, key]))
    parameters = {"function": "sum", "missing": "null" if missing is None else {"value": float(missing)}}
    return _step("kv_lookup", [keys, values, key], result, parameters)


def feature_hash(inputs: Sequence[Expression], width: int, *, alternate_sign: bool) -> Expression:
    """Tokens added to the columns that their hashes name."""
    parameters = {"width": width, "prefix": "", "alternate_sign": alternate_sign, "null": "null"}
    # Weights that meet in a column are added in an order of the library's own.
    exactness = Exactness.EXACT if len(inputs) == 1 else Exactness.CLOSE
    result = ValueType("float64", width, nullable=_any_nullable(inputs))
    return _step("feature_hash", inputs, result, parameters, exactness=exactness)


def murmur_bucket(x: Expression, buckets: int) -> Expression:
    """The column of scikit-learn's hasher, as int64."""
    parameters = {
        "family": "murmur3_x86_32",
        "seed": 0,
        "key": "decimal",
        "buckets": buckets,
        "map": "abs_modulo",
    }
    return _step("hash_bucket", [x], replace(x.type, element="int64"), parameters)


# Text


def normalize_text(x: Expression, *, case: str, accents: str) -> Expression:
    """Case and accents, in this order."""
    return _step("normalize_text", [x], x.type, {"case": case, "accents": accents, "trim": False})


def format_text(x: Expression, **form: str) -> Expression:
    """The text of a number or boolean: float="repr", integer="decimal" or boolean="capitalized"."""
    return _step("format", [x], replace(x.type, element="string"), form)


def join_text(parts: Sequence[Expression], separator: str, *, missing: str | None) -> Expression:
    """Texts as one; `missing` stands for a null part, and None makes the whole text null, as one too long is."""
    parameters = {"separator": separator, "null": "null" if missing is None else {"value": missing}}
    return _step("join_text", parts, ValueType("string"), parameters)


def tokenize(x: Expression, *, rule: Any, stop_words: Sequence[str], minimum: int) -> Expression:
    """Tokens of at least `minimum` characters."""
    parameters = {"rule": rule, "stop_words": list(stop_words), "minimum": minimum}
    return _step("tokenize", [x], replace(x.type, list=True), parameters)


def ngrams(x: Expression, minimum: int, maximum: int) -> Expression:
    """Neighbouring tokens joined by a space."""
    return _step("ngrams", [x], x.type, {"minimum": minimum, "maximum": maximum, "separator": " "})


def char_ngrams(x: Expression, minimum: int, maximum: int, *, within_words: bool) -> Expression:
    """Neighbouring characters."""
    parameters = {"minimum": minimum, "maximum": maximum, "within_words": within_words}
    return _step("char_ngrams", [x], replace(x.type, list=True), parameters)


# Glue


def constant(like: Expression, value: Any) -> Expression:
    """`value` for each row of `like`, of its element type."""
    result = ValueType(like.type.element, nullable=False)
    return _step("constant", [like], result, {"value": value, "dtype": like.type.element})


def equal(one: Expression, other: Expression) -> Expression:
    """Whether two scalars are the same, as bool."""
    result = ValueType("bool", nullable=_any_nullable([one, other]))
    return _step("compare", [one, other], result, {"function": "equal"})


def choose(condition: Expression, one: Expression, other: Expression) -> Expression:
    """`one` where the condition holds, else `other`."""
    result = replace(one.type, nullable=_any_nullable([condition, one, other]))
    return _step("choose", [condition, one, other], result, {})
