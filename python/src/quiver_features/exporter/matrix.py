"""The library's matrix, column by column: what the library holds and the expressions that make the same of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils import check_array

from . import expressions as ex
from .containers import is_sparse
from .expressions import Expression
from .problems import Refusal


@dataclass(frozen=True)
class Column:
    """One column of a matrix.

    Attributes:
        name: As the library's ``get_feature_names_out`` has it.
        expression: What the column is made of.
        lane: The column's lane in a vector, or None for a scalar.
        group: The name of the whole vector as a feature; the column's own name for a scalar.
    """

    name: str
    expression: Expression
    lane: int | None
    group: str

    def renamed(self, name: str) -> Column:
        """The same under another name; a prefix of the name becomes one of the group."""
        if name.endswith(self.name):
            return replace(self, name=name, group=name[: len(name) - len(self.name)] + self.group)
        return replace(self, name=name, group=name if self.lane is None else self.group)


@dataclass(frozen=True)
class Matrix:
    """Columns beside the container that the library itself computed for the sample's rows.

    Attributes:
        columns: One for each column of the container; a container without columns (documents, labels, lists) has one.
        data: The container: ndarray, DataFrame, sparse matrix, Series or list.
    """

    columns: tuple[Column, ...]
    data: Any

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return [column.name for column in self.columns]

    @property
    def is_sparse(self) -> bool:
        """Whether the library holds a sparse matrix, for which it has arithmetic of its own."""
        return is_sparse(self.data)


def scalar_column(name: str, expression: Expression) -> Column:
    """A column of a scalar."""
    return Column(name, expression, None, name)


def vector_columns(expression: Expression, group: str, names: Sequence[str] | None = None) -> list[Column]:
    """The columns of a whole vector."""
    count = expression.type.lanes
    names = names or expression.lane_names or [str(lane) for lane in range(count)]
    return [Column(f"{group}_{name}", expression, lane, group) for lane, name in enumerate(names)]


@dataclass(frozen=True)
class Part:
    """Neighbouring columns of one expression."""

    expression: Expression
    positions: tuple[int, ...]


def parts(columns: Sequence[Column]) -> list[Part]:
    """Cuts columns into scalars and whole vectors; lanes that are not a whole vector are selected from it."""
    runs: list[list[int]] = []
    for position, column in enumerate(columns):
        before = columns[position - 1] if position else None
        goes_on = (
            before is not None
            and column.lane is not None
            and before.expression is column.expression
            and len(runs[-1]) < column.expression.type.lanes
        )
        if goes_on:
            runs[-1].append(position)
        else:
            runs.append([position])
    return [_part(columns, run) for run in runs]


def _part(columns: Sequence[Column], run: list[int]) -> Part:
    expression = columns[run[0]].expression
    if expression.type.width is None:
        return Part(expression, tuple(run))
    selected = [column.lane for column in (columns[position] for position in run) if column.lane is not None]
    if selected == list(range(expression.type.lanes)):
        return Part(expression, tuple(run))
    chosen = ex.lane(expression, selected[0]) if len(run) == 1 else ex.lanes(expression, selected)
    return Part(chosen, tuple(run))


def elementwise(
    columns: Sequence[Column], function: Callable[[Expression, tuple[int, ...]], Expression]
) -> list[Column]:
    """Applies a function of one number to every column.

    `function` gets an expression and the positions of its lanes among the columns, and gives one of the same width.
    """
    results: list[Column] = []
    for part in parts(columns):
        result = function(part.expression, part.positions)
        scalar = result.type.width is None
        for lane, position in enumerate(part.positions):
            column = columns[position]
            group = column.name if scalar else column.group
            results.append(replace(column, expression=result, lane=None if scalar else lane, group=group))
    return results


def scalars(columns: Sequence[Column]) -> list[Expression]:
    """Each column as a scalar of its own."""
    return [column.expression if column.lane is None else ex.lane(column.expression, column.lane) for column in columns]


def vector(columns: Sequence[Column]) -> Expression:
    """All columns as one float64 vector."""
    pieces = [number(part.expression) for part in parts(columns)]
    if len(pieces) == 1 and pieces[0].type.width is not None:
        return pieces[0]
    return ex.concat(pieces)


def number(expression: Expression) -> Expression:
    """As float64, the type that arithmetic takes; strings and lists are refused."""
    if expression.type.list:
        raise Refusal("takes numbers, its input holds lists")
    if expression.type.element == "string":
        raise Refusal("takes numbers, its input holds strings")
    return ex.cast(expression, "float64")


def numbers(columns: Sequence[Column]) -> list[Column]:
    """All columns as float64."""
    return elementwise(columns, lambda expression, _: number(expression))


def per_lane(values: Sequence[float] | np.ndarray[Any, Any], positions: Sequence[int]) -> float | list[float]:
    """A parameter for each of the positions: a single number where there is one position, or one number for all."""
    chosen = [float(values[position]) for position in positions]
    if any(not np.isfinite(value) for value in chosen):
        raise Refusal("a fitted parameter is not finite; was a column missing throughout?")
    return chosen[0] if len(set(chosen)) == 1 else chosen


def work_type(data: Any) -> str:
    """The float type in which scikit-learn's numeric estimators compute for this container."""
    checked = check_array(
        data,
        accept_sparse=True,
        dtype=[np.float64, np.float32, np.float16],
        ensure_all_finite=False,
        ensure_min_samples=0,
        ensure_min_features=0,
    )
    name = str(checked.dtype)
    if name not in {"float32", "float64"}:
        raise Refusal(f"computes in {name}, which the engine can't repeat: cast the data to float32 or float64")
    return name


def rounded(columns: Iterable[Column], data: Any) -> list[Column]:
    """The columns rounded to float32 where the library's container holds that."""
    columns = list(columns)
    if work_type(data) != "float32":
        return columns
    return elementwise(columns, lambda expression, _: ex.cast(expression, "float32"))
