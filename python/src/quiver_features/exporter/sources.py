"""The sample's columns: which inputs of a request they are, and their values as golden rows hold them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..pairs import split_pairs
from . import expressions as ex
from .expressions import Expression, ValueType
from .nulls import is_missing

Row = tuple[Any, ...]
"""One value for each source."""

_SAFE_INTEGER = 1 << 53


@dataclass(frozen=True, eq=False)
class PairsExpression(Expression):
    """A column of key-value collections: two inputs of the request, one list each."""

    keys: Expression = field(default_factory=lambda: ex.source("", "string", is_list=True))
    values: Expression = field(default_factory=lambda: ex.source("", "float64", is_list=True))


class _Marker:
    """A value that no column holds."""


UNDECIDED = _Marker()
NEVER = _Marker()
EITHER = _Marker()


@dataclass(eq=False)
class Source:
    """One column of the sample.

    Attributes:
        name: The input's name; for pairs that of the two inputs without their endings.
        element: The engine's element type, "pairs", or "unusable".
        is_list: Whether a row is a list.
        float32: Whether floats come in 32 bits.
        values: The sample's values as Python objects.
        missing: What the container is built with for null, or UNDECIDED; NEVER where it can't hold any.
        seen: What the library finds there, where that is something else; EITHER where it depends on the other
            columns.
        dtype: The container's own type for the column, to build others.
        limits: The least and the greatest integer that the column can hold.
        problem: Why it can't be an input, if so.
        pair_names: The names of the two inputs of pairs.
    """

    name: str
    element: str
    values: list[Any]
    dtype: Any
    missing: Any
    is_list: bool = False
    float32: bool = False
    seen: Any = None
    limits: tuple[int, int] = (-(1 << 63), (1 << 63) - 1)
    problem: str = ""
    pair_names: tuple[str, str] = ("", "")
    expression: Expression = field(init=False)

    def __post_init__(self) -> None:
        if self.seen is None:
            self.seen = self.missing
        if self.element != "pairs":
            self.expression = ex.source(self.name, self.element, is_list=self.is_list)
            return
        if self.pair_names == ("", ""):
            self.pair_names = (f"{self.name}_keys", f"{self.name}_values")
        keys, values = self.pair_names
        self.expression = PairsExpression(
            ValueType("pairs", list=True),
            name=self.name,
            keys=ex.source(keys, "string", is_list=True),
            values=ex.source(values, "float64", is_list=True),
        )

    @property
    def input_names(self) -> list[str]:
        """The names of its inputs in a request."""
        return list(self.pair_names) if self.element == "pairs" else [self.name]

    def can_hold(self, value: Any) -> bool:
        """Whether a row can have a value of the column's type."""
        return True

    def inputs(self, scope: str, required: bool) -> list[dict[str, Any]]:
        """The spec's inputs. NaN in a column is no value; among the values of pairs it is a number."""
        if self.element == "pairs":
            types = [("list<string>", None), ("list<float64>", "value")]
        else:
            scalar = "float32" if self.float32 else self.element
            nan = "null" if self.element == "float64" else None
            types = [(f"list<{scalar}>" if self.is_list else scalar, nan)]
        return [
            {"name": name, "dtype": dtype, "scope": scope, "required": required} | ({} if nan is None else {"nan": nan})
            for name, (dtype, nan) in zip(self.input_names, types, strict=True)
        ]

    def encoded(self, values: Sequence[Any]) -> dict[str, list[Any]]:
        """Values as golden rows hold them, by input."""
        if self.element == "pairs":
            split = [None if is_missing(value) else split_pairs(value) for value in values]
            keys = [None if one is None else one[0] for one in split]
            weights = [None if one is None else [json_value(weight) for weight in one[1]] for one in split]
            return dict(zip(self.input_names, [keys, weights], strict=True))
        if self.is_list:
            lists = [None if is_null(value) else [self._element(one) for one in value] for value in values]
            return {self.name: lists}
        return {self.name: [self._element(value) for value in values]}

    def _element(self, value: Any) -> Any:
        if is_missing(value):
            return None
        if self.element == "float64":
            return json_value(float(np.float32(value)) if self.float32 else float(value))
        if self.element in {"int64", "uint64"}:
            return json_value(int(value))
        return bool(value) if self.element == "bool" else value


def identity(value: Any) -> str | bytes:
    """The same for equal values; of a long array NumPy's text shows only the ends."""
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value.tobytes()
    return repr(value.tolist() if isinstance(value, np.ndarray) else value)


def is_null(value: Any) -> bool:
    """Whether there is neither a scalar nor a list."""
    return not isinstance(value, Iterable) and is_missing(value)


def json_value(value: Any) -> Any:
    """A number as specs write it: non-finite ones and integers beyond 2^53 as strings."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return "nan" if np.isnan(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE_INTEGER:
        return str(value)
    return value
