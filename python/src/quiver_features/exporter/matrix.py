"""The library's matrix, column by column: what the library holds and the expressions that make the same of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_array

from . import expressions as ex
from .columns import Block, Column, Columns, LaneNames
from .containers import is_sparse
from .expressions import Expression
from .problems import Refusal


@dataclass(frozen=True)
class Matrix:
    """Columns beside the container that the library itself computed for the sample's rows.

    Attributes:
        columns: One for each column of the container; a container without columns (documents, labels, lists) has one.
        data: The container: ndarray, DataFrame, sparse matrix, Series or list.
    """

    columns: Columns
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


def vector_columns(expression: Expression, group: str, names: Sequence[str] | None = None) -> Columns:
    """The columns of a whole vector."""
    lanes = range(expression.type.lanes)
    return Columns([Block(expression, lanes, LaneNames(group, names or expression.lane_names or lanes), group)])


def instead(columns: Columns, expression: Expression, group: str) -> Columns:
    """The columns of a whole vector under the names of others; lanes that had numbers alone are numbered again."""
    single = len(columns.blocks) == 1
    names = columns.blocks[0].names if single else [name for block in columns.blocks for name in block.names]
    if isinstance(names, LaneNames) and names.is_numbered:
        return vector_columns(expression, group)
    return Columns([Block(expression, range(len(columns)), names, group)])


@dataclass(frozen=True)
class Part:
    """Neighbouring columns of one expression."""

    expression: Expression
    positions: range


def parts(columns: Sequence[Column]) -> list[Part]:
    """Cuts columns into scalars and whole vectors; lanes that are not a whole vector are selected from it."""
    found, start = [], 0
    for block in Columns.of(columns).blocks:
        end = start + len(block.names)
        found.append(Part(_selected(block), range(start, end)))
        start = end
    return found


def _selected(block: Block) -> Expression:
    if block.lanes is None or block.is_whole:
        return block.expression
    if len(block.lanes) == 1:
        return ex.lane(block.expression, block.lanes[0])
    return ex.lanes(block.expression, block.lanes)


def elementwise(columns: Sequence[Column], function: Callable[[Expression, Sequence[int]], Expression]) -> Columns:
    """Applies a function of one number to every column.

    `function` gets an expression and the positions of its lanes among the columns, and gives one of the same width.
    """
    columns = Columns.of(columns)
    results: list[Block] = []
    for part, block in zip(parts(columns), columns.blocks, strict=True):
        result = function(part.expression, part.positions)
        if result.type.width is None:
            results.append(Block(result, None, block.names, block.names[0]))
        else:
            results.append(Block(result, range(len(block.names)), block.names, block.group))
    return Columns(results)


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
    """As float64, the type that arithmetic takes; strings and lists are rejected."""
    if expression.type.list:
        raise Refusal("takes numbers, its input holds lists")
    if expression.type.element == "string":
        raise Refusal("takes numbers, its input holds strings")
    return ex.cast(expression, "float64")


def numbers(columns: Sequence[Column]) -> Columns:
    """All columns as float64."""
    return elementwise(columns, lambda expression, _: number(expression))


def per_lane(values: Sequence[float] | np.ndarray[Any, Any], positions: Sequence[int]) -> float | list[float]:
    """A parameter for each of the positions: a single number where there is one position, or one number for all."""
    chosen = np.asarray(values, np.float64)[positions]
    if not np.isfinite(chosen).all():
        raise Refusal("a fitted parameter is not finite; was a column missing throughout?")
    # As numbers, not as bits: both zeros are one, and the first one is taken.
    same = bool((chosen == chosen[0]).all())
    return float(chosen[0]) if same else [float(value) for value in chosen]


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


def rounded(columns: Sequence[Column], data: Any) -> Columns:
    """The columns rounded to float32 where the library's container holds that."""
    columns = Columns.of(columns)
    if work_type(data) != "float32":
        return columns
    return elementwise(columns, lambda expression, _: ex.cast(expression, "float32"))
