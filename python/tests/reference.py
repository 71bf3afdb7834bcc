"""A plain interpreter of specs, row by row: what an export means, computed without the exporter and without a server.

Null is None. A scalar is a Python value, a vector a NumPy array of float64, a list a Python list.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import parquet
from scipy.interpolate import BSpline
from scipy.special import ndtri

Value = Any


def load(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The spec with its lists in place, and the golden rows."""
    spec = json.loads((folder / "spec.json").read_text())
    golden = json.loads((folder / "golden.json").read_text())
    return _inlined(spec, folder), golden


def _inlined(value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        if set(value) == {"file", "column"}:
            return parquet.read_table(folder / value["file"])[value["column"]].to_pylist()
        return {name: _inlined(one, folder) for name, one in value.items()}
    return [_inlined(one, folder) for one in value] if isinstance(value, list) else value


def real(value: Any) -> float:
    return float(value)


def evaluate(spec: dict[str, Any], case: dict[str, Any], output: str) -> np.ndarray:
    """The output's rows in float64, before rounding."""
    names = next(one["features"] for one in spec["outputs"] if one["name"] == output)
    rows = []
    for row in range(case["rows"]):
        inputs = {}
        for one in spec["inputs"]:
            values = case["inputs"][one["name"]]
            inputs[one["name"]] = _input(one, values[0 if one["scope"] == "request" else row])
        known: dict[str, Value] = {}
        lanes: list[float] = []
        for name in names:
            value = _feature(spec, name, inputs, known)
            feature = next(one for one in spec["features"] if one["name"] == name)
            width = _width(spec, name)
            if value is None:
                default = feature["default"]
                lanes += [real(default)] * width if not isinstance(default, list) else map(real, default)
            else:
                lanes += np.atleast_1d(np.asarray(value, dtype=np.float64)).tolist()
        rows.append(lanes)
    return np.asarray(rows, dtype=np.float64).reshape(case["rows"], -1)


def _input(one: dict[str, Any], value: Any) -> Value:
    dtype, nan = one["dtype"], one.get("nan")
    if value is None:
        return None
    if dtype.startswith("list<"):
        return [_scalar(dtype[5:-1], nan, element) for element in value]
    return _scalar(dtype, nan, value)


def _scalar(dtype: str, nan: str | None, value: Any) -> Value:
    if value is None:
        return None
    if dtype in ("float32", "float64"):
        number = float(np.float32(value)) if dtype == "float32" else float(value)
        return None if math.isnan(number) and nan == "null" else number
    return int(value) if dtype in ("int64", "uint64") else value


def _feature(spec: dict[str, Any], name: str, inputs: dict[str, Value], known: dict[str, Value]) -> Value:
    if name in known:
        return known[name]
    feature = next(one for one in spec["features"] if one["name"] == name)
    references = [feature["input"]] if "input" in feature else feature["inputs"]
    values = [_referenced(spec, one, inputs, known) for one in references]
    steps = feature.get("steps", [])
    assert steps or len(values) == 1
    widths = [_width_of_reference(spec, one) for one in references]
    for step in steps:
        values = [apply(step, values, widths)]
        widths = [_step_width(step, widths[0], widths)]
    known[name] = values[0]
    return values[0]


def _width(spec: dict[str, Any], name: str) -> int:
    """A feature's width from its steps alone, for nulls."""
    feature = next(one for one in spec["features"] if one["name"] == name)
    references = [feature["input"]] if "input" in feature else feature["inputs"]
    width = max(_width_of_reference(spec, one) for one in references)
    for step in feature.get("steps", []):
        width = _step_width(step, width, [_width_of_reference(spec, one) for one in references])
        references = ["?"]
    return width


def _referenced(spec: dict[str, Any], reference: Any, inputs: dict[str, Value], known: dict[str, Value]) -> Value:
    feature, name = _target(reference)
    return _feature(spec, name, inputs, known) if feature else inputs[name]


def _target(reference: Any) -> tuple[bool, str]:
    """Whether a reference is to a feature, and the name of the feature or input."""
    if isinstance(reference, dict):
        ((kind, name),) = reference.items()
        return kind == "feature", name
    return reference.startswith("feature."), reference.removeprefix("feature.")


def _width_of_reference(spec: dict[str, Any], reference: Any) -> int:
    feature, name = _target(reference or "")
    return _width(spec, name) if feature else 1


def _step_width(step: dict[str, Any], width: int, widths: list[int]) -> int:
    op = step["op"]
    if op == "one_hot":
        count = len(step["categories"]) + (step["null"] == "column") + bool(step["infrequent"])
        return count - (step["drop"] != "none")
    if op == "concat":
        return sum(widths)
    if op == "map_values":
        return len(step["values"][0]) if isinstance(step["values"][0], list) else 1
    if op == "spline":
        return step["splines"] - (not step["include_bias"])
    counted = {"polynomial": "powers", "project": "matrix", "lanes": "lanes", "multi_hot": "categories"}
    if op in counted:
        return len(step[counted[op]])
    if op == "feature_hash":
        return step["width"]
    return 1 if op in {"lane", "missing_indicator", "hash_bucket"} else width


# Operations


def apply(step: dict[str, Any], inputs: list[Value], widths: list[int]) -> Value:
    """One step over one row."""
    op = step["op"]
    if op == "concat":
        fill = real(step["null"]["value"])
        pieces = [[fill] * width if x is None else np.atleast_1d(x) for x, width in zip(inputs, widths, strict=True)]
        return np.concatenate([np.asarray(piece, dtype=np.float64) for piece in pieces])
    if op in WHOLE:
        return WHOLE[op](step, *inputs)
    (x,) = inputs
    if isinstance(x, list):
        return [apply(step, [element], widths) for element in x]
    if op in NULLS:
        return NULLS[op](step, x, widths)
    return None if x is None else PLAIN[op](step, x)


def _rounding(step: dict[str, Any]) -> Any:
    if step["precision"] == "float64":
        return np.float64
    return lambda x: np.float64(np.float32(x))


def _each(value: Any) -> Any:
    return np.asarray([real(one) for one in value]) if isinstance(value, list) else real(value)


def _standardize(step: dict[str, Any], x: Value) -> Value:
    rounded, mean, scale = _rounding(step), _each(step["mean"]), _each(step["scale"])
    centred = rounded(x - mean)
    return rounded(centred / scale if step["form"] == "divide" else centred * scale)


def _min_max(step: dict[str, Any], x: Value) -> Value:
    assert step["form"] == "multiply_add"
    rounded = _rounding(step)
    result = rounded(rounded(x * _each(step["scale"])) + _each(step["min"]))
    return result if step["clip"] == "none" else _clipped(result, *map(real, step["clip"]))


def _clipped(x: Value, low: Any, high: Any) -> Value:
    return np.where(np.isnan(x), x, np.clip(x, low, high))[()]


def _robust(step: dict[str, Any], x: Value) -> Value:
    rounded = _rounding(step)
    return rounded(rounded(x - _each(step["center"])) / _each(step["scale"]))


def _cast(step: dict[str, Any], x: Value) -> Value:
    to = step["to"]
    if to == "float64":
        return float(x)
    assert to == "float32"
    with np.errstate(over="ignore"):
        return np.float64(np.float32(x))


def _format(step: dict[str, Any], x: Value) -> Value:
    ((kind, form),) = (item for item in step.items() if item[0] != "op")
    assert (kind, form) in {("float", "repr"), ("integer", "decimal"), ("boolean", "capitalized")}
    return {"float": lambda: repr(float(x)), "integer": lambda: str(int(x)), "boolean": lambda: str(bool(x))}[kind]()


FUNCTIONS = {
    "abs": np.abs, "negate": np.negative, "sign": np.sign, "square": np.square, "sqrt": np.sqrt, "cbrt": np.cbrt,
    "reciprocal": np.reciprocal, "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2,
    "log10": np.log10, "sigmoid": lambda x: 1.0 / (1.0 + np.exp(-x)), "logit": lambda x: np.log(x / (1.0 - x)),
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "round_half_even": np.rint, "degrees": np.degrees,
    "radians": np.radians,
}  # fmt: skip


def _math(step: dict[str, Any], x: Value) -> Value:
    assert step["undefined"] == "ieee"
    with np.errstate(all="ignore"):
        return FUNCTIONS[step["function"]](np.float64(x) if np.isscalar(x) else x)


def _log1p(step: dict[str, Any], x: Value) -> Value:
    with np.errstate(all="ignore"):
        return np.log1p(x)


def _log(step: dict[str, Any], x: Value) -> Value:
    shifted = x + real(step["offset"])
    assert step["base"] == "e"
    with np.errstate(all="ignore"):
        return np.where(shifted > real(step["threshold"]), np.log(shifted), real(step["below"]))


def _binarize(step: dict[str, Any], x: Value) -> Value:
    assert step["nan"] == "keep"
    return np.where(np.isnan(x), x, np.where(np.asarray(x) > _each(step["threshold"]), 1.0, 0.0))[()]


def _bucketize(step: dict[str, Any], x: Value) -> Value:
    assert step["side"] == "left" and step["nan"] == "null"
    return None if math.isnan(x) else sum(1 for edge in step["edges"] if real(edge) <= x)


def _quantile(step: dict[str, Any], x: Value) -> Value:
    knots, references = _each(step["quantiles"]), _each(step["references"])
    if math.isnan(x):
        return x
    kind = np.dtype(step["precision"]).type
    result = kind(0.5 * (np.interp(x, knots, references) - np.interp(-x, -knots[::-1], -references[::-1])))
    margin = 1e-7 if step["distribution"] == "normal" else 0.0
    above = kind(x) + kind(margin) > knots[-1] if margin else x == knots[-1]
    below = kind(x) - kind(margin) < knots[0] if margin else x == knots[0]
    result = 0.0 if below else 1.0 if above else float(result)
    if not margin:
        return result
    edge = margin - np.spacing(1)
    return float(kind(np.clip(ndtri(result), ndtri(edge), ndtri(1 - edge))))


def _power(step: dict[str, Any], x: Value) -> Value:
    xs = np.atleast_1d(np.asarray(x, dtype=np.float64))
    lambdas = np.broadcast_to(_each(step["lambda"]), xs.shape)
    lanes = [_power_of(step, float(one), float(power)) for one, power in zip(xs, lambdas, strict=True)]
    if step["undefined"] == "null" and any(not math.isfinite(lane) for lane in lanes):
        return None
    return lanes[0] if np.isscalar(x) else np.asarray(lanes)


def _power_of(step: dict[str, Any], x: float, power: float) -> float:
    if math.isnan(x):
        return x

    def powered(number: float, by: float) -> float:
        """((1 + number) ** by - 1) / by."""
        if step["form"] != "expm1":
            kind = np.float32 if step["form"] == "power_float32" else np.float64
            by = float(kind(by))
            return float(kind(kind(kind(np.power(float(kind(number + 1)), by)) - kind(1)) / by))
        return float(np.expm1(by * np.log1p(number)) / by)

    with np.errstate(all="ignore"):
        if step["method"] == "box_cox":
            if x <= 0:
                return math.nan
            return float(np.log(x) if power == 0 else np.expm1(power * np.log(x)) / power)
        if x >= 0:
            return float(np.log1p(x)) if abs(power) < 2.2e-16 else powered(x, power)
        other = 2 - power
        return float(-np.log1p(-x)) if abs(other) < 2.2e-16 else -powered(-x, other)


def _spline(step: dict[str, Any], x: Value) -> Value:
    t, k, count = _each(step["knots"]), step["degree"], step["splines"]
    width = count - (not step["include_bias"])
    if math.isnan(x):
        return np.full(width, np.nan)
    basis = len(t) - k - 1
    weights = np.eye(basis)
    if step["extrapolation"] == "periodic":
        weights = np.vstack([np.eye(count), np.eye(count)[:k]])[:basis]
        x = t[k] + (x - t[k]) % (t[basis] - t[k])
    spline = BSpline.construct_fast(t, weights, k)
    low, high = t[k], t[-k - 1]
    outside = not low <= x <= high
    if step["extrapolation"] == "error" and outside:
        return None
    if step["extrapolation"] in {"constant", "linear"} and outside:
        below = x < low
        end = low if below else high
        linear = step["extrapolation"] == "linear"
        result = spline(end) + (x - end) * spline(end, nu=1) if linear else spline(end)
        # The bases that are not 0 at the boundary in exact arithmetic.
        count = k + 1 if linear and k <= 1 else k
        numbers = np.arange(basis)
        result = np.where(numbers < count if below else numbers >= basis - count, result, 0.0)
    else:
        result = spline(x)
    return np.asarray(result)[:width]


def _polynomial(step: dict[str, Any], x: Value) -> Value:
    lanes = np.atleast_1d(x)
    results = []
    for powers in step["powers"]:
        product = 1.0
        for lane, power in zip(lanes, powers, strict=True):
            for _ in range(power):
                product = product * lane
        results.append(product)
    return np.asarray(results)


def _project(step: dict[str, Any], x: Value) -> Value:
    matrix = np.asarray([[real(one) for one in row] for row in step["matrix"]])
    return (matrix @ (x - _each(step["center"])) - _each(step["offset"])) / _each(step["scale"])


def _normalize(step: dict[str, Any], x: Value) -> Value:
    norms = {"l1": np.sum(np.abs(x)), "l2": np.sqrt(np.sum(x * x)), "max": np.max(np.abs(x))}
    norm = norms[step["norm"]]
    return x if norm == 0 or norm < step.get("zero_below", 0) else x / norm


def _same(category: Any, value: Any) -> bool:
    return isinstance(category, str) == isinstance(value, str) and bool(category == value)


def _typed(categories: list[Any], like: Any) -> list[Any]:
    """Categories in the type of a value: integers beyond 2^53 are written as strings."""
    if isinstance(like, int) and not isinstance(like, bool):
        return [int(one) for one in categories]
    return [float(one) for one in categories] if isinstance(like, float) else categories


def _position(categories: list[Any], x: Any) -> int | None:
    typed = _typed(categories, x)
    return next((at for at, one in enumerate(typed) if _same(one, x)), None)


def _one_hot(step: dict[str, Any], x: Value, widths: list[int]) -> Value:
    count = len(step["categories"])
    null_slot = count if step["null"] == "column" else None
    infrequent_slot = count + (null_slot is not None) if step["infrequent"] else None
    total = count + (null_slot is not None) + (infrequent_slot is not None)
    slot: int | None = None
    if x is None:
        stand_in = step["null"]
        if stand_in == "null":
            return None
        slot = {"column": null_slot, "infrequent": infrequent_slot, "zeros": None}[stand_in]
    else:
        slot = _position(step["categories"], x)
        if slot is None and _position(step["infrequent"], x) is not None:
            slot = infrequent_slot
        elif slot is None:
            if step["unknown"] == "null":
                return None
            slot = infrequent_slot if step["unknown"] == "infrequent" else None
    vector = np.zeros(total)
    if slot is not None:
        vector[slot] = 1.0
    return vector if step["drop"] == "none" else np.delete(vector, step["drop"]["position"])


def _stand_in(code: Any) -> Value:
    if code == "null":
        return None
    value = code["value"]
    return np.asarray([real(one) for one in value]) if isinstance(value, list) else value


def _ordinal(step: dict[str, Any], x: Value, widths: list[int]) -> Value:
    if x is None:
        return _stand_in(step["null"])
    at = _position(step["categories"], x)
    return _stand_in(step["unknown"]) if at is None else step["offset"] + at


def _map_values(step: dict[str, Any], x: Value, widths: list[int]) -> Value:
    if x is None:
        return _stand_in(step["null"])
    at = _position(step["keys"], x)
    return _stand_in(step["unknown"]) if at is None else _stand_in({"value": step["values"][at]})


def _impute(step: dict[str, Any], x: Value, widths: list[int]) -> Value:
    fill = step["value"]
    if x is None:
        return np.full(widths[0], _each(fill)) if isinstance(fill, list) or widths[0] > 1 else fill
    if isinstance(x, (float, np.ndarray)) and step["nan"] == "impute":
        return np.where(np.isnan(x), _each(fill), x)[()]
    return x


def _missing_indicator(step: dict[str, Any], x: Value, widths: list[int]) -> Value:
    return 1.0 if x is None or (isinstance(x, (float, np.ndarray)) and bool(np.isnan(x).any())) else 0.0


def _multi_hot(step: dict[str, Any], x: Value, weights: Value = None) -> Value:
    if x is None or (weights is None and step["weighting"] == "sum"):
        return None
    elements = x if isinstance(x, list) else [x]
    result = np.zeros(len(step["categories"]))
    for at, element in enumerate(elements):
        slot = _position(step["categories"], element)
        if slot is not None:
            result[slot] += weights[at] if step["weighting"] == "sum" else 1.0
    if step["weighting"] == "binary":
        return (result > 0).astype(np.float64)
    if step["weighting"] == "log_count":
        return np.where(result > 0, np.log(np.maximum(result, 1)) + 1, 0.0)
    return result


def murmur3(data: bytes) -> int:
    """MurmurHash3, 32 bits, seed 0, signed."""
    h = 0
    for start in range(0, len(data) - len(data) % 4, 4):
        h ^= _mixed(int.from_bytes(data[start : start + 4], "little"))
        h = (_rotated(h, 13) * 5 + 0xE6546B64) & 0xFFFFFFFF
    tail = data[len(data) - len(data) % 4 :]
    if tail:
        h ^= _mixed(int.from_bytes(tail, "little"))
    h ^= len(data)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        h = ((h ^ (h >> shift)) * factor) & 0xFFFFFFFF
    return h - (1 << 32) if h >= 1 << 31 else h


def _mixed(word: int) -> int:
    return _rotated(word * 0xCC9E2D51 & 0xFFFFFFFF, 15) * 0x1B873593 & 0xFFFFFFFF


def _rotated(word: int, by: int) -> int:
    return (word << by | word >> (32 - by)) & 0xFFFFFFFF


def _feature_hash(step: dict[str, Any], x: Value, weights: Value = None) -> Value:
    if x is None:
        return None
    result = np.zeros(step["width"])
    for at, token in enumerate(x):
        hashed = murmur3(token.encode())
        weight = 1.0 if weights is None else weights[at]
        result[abs(hashed) % step["width"]] += -weight if step["alternate_sign"] and hashed < 0 else weight
    return result


def _hash_bucket(step: dict[str, Any], x: Value) -> Value:
    assert (step["family"], step["seed"], step["map"]) == ("murmur3_x86_32", 0, "abs_modulo")
    return abs(murmur3(x.encode())) % step["buckets"]


def _normalize_text(step: dict[str, Any], x: Value) -> Value:
    text = {"keep": str, "lower": str.lower, "upper": str.upper}[step["case"]](x)
    if step["accents"] == "keep":
        return text
    folded = unicodedata.normalize("NFKD", text)
    if step["accents"] == "ascii":
        return folded.encode("ascii", "ignore").decode()
    return text if text.isascii() else "".join(one for one in folded if not unicodedata.combining(one))


def _tokenize(step: dict[str, Any], x: Value) -> Value:
    words = "".join(one if _is_of_token(step["rule"], one) else "\n" for one in x).split("\n")
    return [one for one in words if one and len(one) >= step["minimum"] and one not in step["stop_words"]]


def _is_of_token(rule: Any, one: str) -> bool:
    if rule == "words":
        return one.isalnum() or one == "_"
    if rule == "whitespace":
        return not one.isspace()
    of = rule["class"]
    found = any(first <= one <= last for first, last in of["ranges"])
    found = found or (of["words"] and _is_of_token("words", one)) or (of["spaces"] and one.isspace())
    return found != of["negated"]


def _ngrams(step: dict[str, Any], x: Value) -> Value:
    return None if x is None else _windows(x, step, step["separator"].join)


def _windows(elements: Any, step: dict[str, Any], join: Any) -> list[str]:
    sizes = range(step["minimum"], min(step["maximum"], len(elements)) + 1)
    return [join(elements[at : at + size]) for size in sizes for at in range(len(elements) - size + 1)]


def _char_ngrams(step: dict[str, Any], x: Value) -> Value:
    text = re.sub(r"\s\s+", " ", x)
    if not step["within_words"]:
        return _windows(text, step, str)
    found = []
    for word in text.split():
        padded = f" {word} "
        for size in range(step["minimum"], step["maximum"] + 1):
            found += [padded[at : at + size] for at in range(max(1, len(padded) - size + 1))]
            if size >= len(padded):
                # A short word counts once.
                break
    return found


def _whole(function: Any) -> Any:
    return lambda step, *inputs: None if any(one is None for one in inputs) else function(step, *inputs)


def _join_text(step: dict[str, Any], *parts: Value) -> Value:
    if step["null"] == "null" and None in parts:
        return None
    assert step["null"] == "null" or "value" in step["null"]
    text = step["separator"].join(step["null"]["value"] if part is None else part for part in parts)
    return text if len(text.encode()) <= 1024 else None


WHOLE = {
    "multi_hot": _multi_hot,
    "feature_hash": _feature_hash,
    "ngrams": _ngrams,
    "arithmetic": _whole(lambda step, a, b: {"add": np.add}[step["function"]](a, b)),
    "compare": _whole(lambda step, a, b: {"equal": _same}[step["function"]](a, b)),
    "choose": lambda step, condition, a, b: None if condition is None else (a if condition else b),
    "constant": lambda step, x: step["value"],
    "join_text": _join_text,
}

NULLS = {
    "one_hot": _one_hot,
    "ordinal": _ordinal,
    "map_values": _map_values,
    "impute": _impute,
    "missing_indicator": _missing_indicator,
}

PLAIN = {
    "standardize": _standardize,
    "min_max": _min_max,
    "max_abs": lambda step, x: _rounding(step)(x / _each(step["scale"])),
    "robust_scale": _robust,
    "cast": _cast,
    "format": _format,
    "clip": lambda step, x: _clipped(x, _each(step["min"]), _each(step["max"])),
    "math": _math,
    "log1p": _log1p,
    "log": _log,
    "binarize": _binarize,
    "bucketize": _bucketize,
    "quantile": _quantile,
    "power": _power,
    "spline": _spline,
    "polynomial": _polynomial,
    "project": _project,
    "normalize": _normalize,
    "lane": lambda step, x: float(x[step["lane"]]),
    "lanes": lambda step, x: x[step["lanes"]],
    "hash_bucket": _hash_bucket,
    "normalize_text": _normalize_text,
    "tokenize": _tokenize,
    "char_ngrams": _char_ngrams,
}
