"""One column of every type that pandas, NumPy, Arrow and polars have, in every container that scikit-learn takes."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse

try:
    import polars as pl
except ModuleNotFoundError:
    pl = None

NUMBERS = [3, 0, 1, 7, 1, 3, 0, 7]
FLOATS = [2.5, 0.0, -1.25, 7.1, -1.25, 2.5, 0.1, 7.1]
LARGE = [2**53 + 1, 2**53, 7, 2**62 + 1, 7, 2**53 + 1, 2**62, 7]
WORDS = ["a", "b", "a", "c c", "b", "", "a", "a"]
NUMPY = [
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    "longdouble", "complex64", "bool",
]  # fmt: skip
NULLABLE = ["Int8", "Int64", "UInt16", "UInt64", "Float32", "Float64", "boolean"]
DAYS = [datetime.datetime(2020, 1, 1 + number) for number in NUMBERS]


def _holed(values: Sequence[Any], hole: Any = None) -> list[Any]:
    """The values with one missing."""
    return [hole if at == 2 else value for at, value in enumerate(values)]


def _of(name: str) -> list[Any]:
    """Values for a type by its name."""
    if "bool" in name.lower():
        return [number > 1 for number in NUMBERS]
    return FLOATS if "float" in name.lower() or "double" in name else NUMBERS


def pandas_columns() -> dict[str, pd.Series]:
    """A Series of each type."""
    found = {name: pd.Series(np.asarray(_of(name)).astype(name)) for name in NUMPY}
    found["float64 missing"] = pd.Series(_holed(FLOATS), dtype="float64")
    found["float32 missing"] = pd.Series(_holed(FLOATS), dtype="float32")
    for name in NULLABLE:
        found[name] = pd.Series(_of(name), dtype=name)
        found[f"{name} missing"] = pd.Series(_holed(_of(name)), dtype=name)
    for name in ("Int64", "UInt64"):
        found[f"{name} large"] = pd.Series(LARGE, dtype=name)
        found[f"{name} large missing"] = pd.Series(_holed(LARGE), dtype=name)
    for name in ("object", "str", "string", "string[python]", "category"):
        found[f"words {name}"] = pd.Series(WORDS, dtype=name)
        found[f"words {name} missing"] = pd.Series(_holed(WORDS), dtype=name)
    found["words object NaN"] = pd.Series(_holed(WORDS, np.nan), dtype=object)
    for name, values in {"integers": NUMBERS, "large": LARGE, "floats": FLOATS, "booleans": _of("bool")}.items():
        found[f"{name} object"] = pd.Series(values, dtype=object)
        found[f"{name} object missing"] = pd.Series(_holed(values), dtype=object)
        found[f"{name} category"] = pd.Series(values, dtype="category")
        found[f"{name} category missing"] = pd.Series(_holed(values), dtype="category")
    found["mixed object"] = pd.Series([1, "a", 2.5, None] * 2, dtype=object)
    found["decimals object"] = pd.Series([decimal.Decimal(number) for number in NUMBERS], dtype=object)
    for unit in ("s", "ns"):
        found[f"datetime64 {unit}"] = pd.Series(DAYS).astype(f"datetime64[{unit}]")
        found[f"timedelta64 {unit}"] = pd.Series(pd.to_timedelta(NUMBERS, unit="s")).astype(f"timedelta64[{unit}]")
    found["datetime64 missing"] = pd.Series(_holed(DAYS, pd.NaT))
    found["datetime64 with zone"] = pd.Series(DAYS).dt.tz_localize("Europe/Berlin")
    found["datetime category"] = pd.Series(DAYS, dtype="category")
    found["period"] = pd.Series(pd.to_datetime(DAYS)).dt.to_period("D")
    found["interval"] = pd.Series(pd.IntervalIndex.from_tuples([(number, number + 1) for number in NUMBERS]))
    found["sparse float64"] = pd.Series(FLOATS, dtype=pd.SparseDtype("float64", 0.0))
    found["sparse float64 missing"] = pd.Series(_holed(FLOATS, np.nan), dtype=pd.SparseDtype("float64", np.nan))
    found["sparse int64"] = pd.Series(NUMBERS, dtype=pd.SparseDtype("int64", 0))
    found["sparse bool"] = pd.Series(_of("bool"), dtype=pd.SparseDtype("bool", False))
    for name, (of, values) in arrow_types().items():
        found[f"{name}[pyarrow]"] = pd.Series(values, dtype=pd.ArrowDtype(of))
        found[f"{name}[pyarrow] missing"] = pd.Series(_holed(values), dtype=pd.ArrowDtype(of))
    return found


def arrow_types() -> dict[str, tuple[pa.DataType, list[Any]]]:
    """Arrow's types with values of each."""
    numbers = [pa.int8(), pa.int64(), pa.uint32(), pa.uint64()]
    found: dict[str, tuple[pa.DataType, list[Any]]] = {str(of): (of, NUMBERS) for of in numbers}
    found |= {str(of): (of, FLOATS) for of in (pa.float32(), pa.float64())}
    found["halffloat"] = (pa.float16(), [np.float16(value) for value in FLOATS])
    found |= {f"large {of}": (of, LARGE) for of in (pa.int64(), pa.uint64())}
    found |= {str(of): (of, WORDS) for of in (pa.string(), pa.large_string())}
    found["bool"] = (pa.bool_(), _of("bool"))
    found["dictionary of words"] = (pa.dictionary(pa.int32(), pa.string()), WORDS)
    found["dictionary of integers"] = (pa.dictionary(pa.int8(), pa.int64()), NUMBERS)
    found["decimal"] = (pa.decimal128(10, 2), [decimal.Decimal(number) for number in NUMBERS])
    found["timestamp"] = (pa.timestamp("us"), DAYS)
    found["timestamp with zone"] = (
        pa.timestamp("ms", "UTC"),
        [day.replace(tzinfo=datetime.timezone.utc) for day in DAYS],
    )
    found["date"] = (pa.date32(), [day.date() for day in DAYS])
    found["time"] = (pa.time64("us"), [datetime.time(number) for number in NUMBERS])
    found["duration"] = (pa.duration("s"), [datetime.timedelta(seconds=number) for number in NUMBERS])
    found["binary"] = (pa.binary(), [word.encode() for word in WORDS])
    return found


def polars_columns() -> dict[str, Any]:
    """A polars Series of each type; nothing without polars."""
    if pl is None:
        return {}
    kinds = {
        **dict.fromkeys([pl.Int8, pl.Int32, pl.Int64, pl.UInt8, pl.UInt32, pl.UInt64], NUMBERS),
        **dict.fromkeys([pl.Float32, pl.Float64], FLOATS),
        **dict.fromkeys([pl.String, pl.Categorical], WORDS),
        pl.Boolean: _of("bool"),
        pl.Datetime: DAYS,
        pl.Date: [day.date() for day in DAYS],
        pl.Decimal: [decimal.Decimal(number) for number in NUMBERS],
    }
    found = {}
    for of, values in kinds.items():
        found[str(of)] = pl.Series("c", values, dtype=of)
        found[f"{of} missing"] = pl.Series("c", _holed(values), dtype=of)
    found["large"] = pl.Series("c", LARGE, dtype=pl.Int64)
    found["large missing"] = pl.Series("c", _holed(LARGE), dtype=pl.Int64)
    return found


def containers() -> dict[str, Any]:
    """Every column in a container of its own, beside one of floats where the container is a table."""
    found: dict[str, Any] = {}
    for name, column in pandas_columns().items():
        found[f"pandas {name}"] = pd.DataFrame({"c": column})
    for name, column in polars_columns().items():
        beside = [pl.Series("w", WORDS)] if "missing" in name else []
        found[f"polars {name}"] = pl.DataFrame([column, *beside])
    for name, (of, values) in arrow_types().items():
        found[f"arrow {name}"] = pa.table({"c": pa.array(values, of)})
        found[f"arrow {name} missing"] = pa.table({"c": pa.array(_holed(values), of), "w": pa.array(WORDS)})
    for name in ("int8", "uint64", "float32", "float64", "longdouble", "complex64", "bool"):
        found[f"array {name}"] = np.asarray(_of(name)).astype(name).reshape(-1, 1)
    found["array of text"] = np.asarray(WORDS).reshape(-1, 1)
    found["array of objects"] = np.asarray(list(zip(WORDS, _holed(NUMBERS), strict=True)), dtype=object)
    found["array of days"] = np.asarray(DAYS, dtype="datetime64[s]").reshape(-1, 1)
    found["rows"] = [list(row) for row in zip(FLOATS, NUMBERS, strict=True)]
    found["rows of words"] = [list(row) for row in zip(WORDS, reversed(WORDS), strict=True)]
    found["rows with None"] = [list(row) for row in zip(_holed(FLOATS), NUMBERS, strict=True)]
    found["csr matrix"] = sparse.csr_matrix(np.asarray([FLOATS, NUMBERS], dtype=float).T)
    found["csc array, float32"] = sparse.csc_array(np.asarray([FLOATS, NUMBERS], dtype=np.float32).T)
    found["labels of integers"] = pd.DataFrame({0: FLOATS, 7: NUMBERS})
    found["labels of two levels"] = pd.DataFrame(
        np.asarray([FLOATS, NUMBERS], dtype=float).T, columns=pd.MultiIndex.from_tuples([("a", "x|y"), ("a|x", "y")])
    )
    return found


def columns() -> dict[str, Any]:
    """Single columns, as scikit-learn takes labels, documents and collections."""
    lists = [["a", "b"], ["b"], [], ["c"]] * 2
    dicts = [{"a": 1}, {"b": 2.5}, {}, {"a": "x"}] * 2
    found: dict[str, Any] = {f"pandas {name}": column.rename("c") for name, column in pandas_columns().items()}
    found |= {f"polars {name}": column for name, column in polars_columns().items()}
    found |= {f"array {name}": np.asarray(NUMBERS).astype(name) for name in ("int8", "uint64", "float32", "bool")}
    found |= {"array of text": np.asarray(WORDS), "array of days": np.asarray(DAYS, dtype="datetime64[s]")}
    found |= {"words": WORDS, "numbers": NUMBERS, "mixed": [1, "a", 2.5, 3] * 2, "lists": lists, "dicts": dicts}
    found |= {"tuples": [tuple(one) for one in lists], "sets": [set(one) for one in lists]}
    found |= {"pandas lists": pd.Series(lists, name="c"), "pandas dicts": pd.Series(dicts, name="c")}
    found["pandas list[pyarrow]"] = pd.Series(lists, dtype=pd.ArrowDtype(pa.list_(pa.string())), name="c")
    return found


def values_of(container: Any) -> dict[str, list[Any]]:
    """A container's columns as plain Python values with None for what is missing, by the inputs' names."""
    from quiver_features.names import column_name

    if isinstance(container, list):
        columns = {f"x{at}": list(column) for at, column in enumerate(zip(*container, strict=True))}
    elif isinstance(container, pd.DataFrame):
        columns = {column_name(name): container.iloc[:, at].tolist() for at, name in enumerate(container.columns)}
    elif isinstance(container, pa.Table):
        columns = container.to_pydict()
    elif pl is not None and isinstance(container, pl.DataFrame):
        columns = container.to_dict(as_series=False)
    else:
        array = container.toarray() if sparse.issparse(container) else container
        columns = {f"x{at}": array[:, at].tolist() for at in range(array.shape[1])}
    return {name: [_value(one) for one in values] for name, values in columns.items()}


def _value(value: Any) -> Any:
    missing = value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))
    return None if missing else value
