"""A matrix's columns in blocks: the lanes of one vector are held together, however many they are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import overload

from .expressions import Expression


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring columns of one expression: a scalar, or lanes of a vector, each at most once.

    Attributes:
        expression: What they are made of.
        lanes: The lane of each, or None for a scalar.
        names: The name of each.
        group: The name of the whole vector as a feature; the scalar's own name.
    """

    expression: Expression
    lanes: Sequence[int] | None
    names: Sequence[str]
    group: str

    @property
    def is_whole(self) -> bool:
        """Whether it is all lanes of its vector, in their order."""
        count = self.expression.type.lanes
        return self.lanes is not None and (self.lanes == range(count) or list(self.lanes) == list(range(count)))

    def column(self, at: int) -> Column:
        """One of them."""
        return Column(self.names[at], self.expression, None if self.lanes is None else self.lanes[at], self.group)


class Columns(Sequence[Column]):
    """Columns of which one is made when it is asked for."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.blocks = tuple(_met(blocks))
        self._ends = list(accumulate(len(block.names) for block in self.blocks))

    @classmethod
    def of(cls, columns: Iterable[Column]) -> Columns:
        """Single columns, in blocks."""
        if isinstance(columns, Columns):
            return columns
        return cls(
            Block(one.expression, None if one.lane is None else [one.lane], [one.name], one.group) for one in columns
        )

    @classmethod
    def joined(cls, parts: Iterable[Iterable[Column]]) -> Columns:
        """All columns of several, side by side."""
        return cls(block for part in parts for block in cls.of(part).blocks)

    def renamed(self, names: Sequence[str]) -> Columns:
        """The same under other names; a prefix of a block's first name becomes one of its group."""
        renamed, start = [], 0
        for block, end in zip(self.blocks, self._ends, strict=True):
            first = block.column(0).renamed(names[start])
            renamed.append(replace(block, names=names[start:end], group=first.group))
            start = end
        return Columns(renamed)

    def prefixed(self, prefix: str) -> Columns:
        """The same with something before each name."""
        return Columns(
            replace(
                block,
                names=block.names.prefixed(prefix)
                if isinstance(block.names, LaneNames)
                else [prefix + name for name in block.names],
                group=prefix + block.group,
            )
            for block in self.blocks
        )

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, at: int) -> Column: ...
    @overload
    def __getitem__(self, at: slice) -> Columns: ...
    def __getitem__(self, at: int | slice) -> Column | Columns:
        if isinstance(at, slice):
            return Columns.of(self[one] for one in range(*at.indices(len(self))))
        at = range(len(self))[at]
        block = bisect_right(self._ends, at)
        return self.blocks[block].column(at - (self._ends[block - 1] if block else 0))

    def __iter__(self) -> Iterator[Column]:
        return (block.column(at) for block in self.blocks for at in range(len(block.names)))


class LaneNames(Sequence[str]):
    """The names of a vector's columns: a prefix with each lane's own name, or with its number."""

    def __init__(self, prefix: str, own: Sequence[str] | range) -> None:
        self._prefix = prefix
        self._own = own

    @property
    def is_numbered(self) -> bool:
        """Whether the lanes have no names of their own."""
        return isinstance(self._own, range)

    def numbers(self, prefix: str) -> bool:
        """Whether they are all lanes' numbers behind this prefix."""
        return self._own == range(len(self._own)) and self._prefix == prefix

    def prefixed(self, prefix: str) -> LaneNames:
        """The same with something before each name."""
        return LaneNames(prefix + self._prefix, self._own)

    def __len__(self) -> int:
        return len(self._own)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> LaneNames: ...
    def __getitem__(self, at: int | slice) -> str | LaneNames:
        return LaneNames(self._prefix, self._own[at]) if isinstance(at, slice) else f"{self._prefix}_{self._own[at]}"


def _met(blocks: Iterable[Block]) -> Iterator[Block]:
    """Blocks with neighbours of one vector joined, as long as they have no more lanes than it."""
    run: list[Block] = []
    lanes = 0
    for block in blocks:
        first = run[0] if run else block
        count = 0 if block.lanes is None else len(block.lanes)
        goes_on = count and first.expression is block.expression and lanes + count <= block.expression.type.lanes
        if run and not (goes_on and lanes):
            yield _one(run)
            run, lanes = [], 0
        run.append(block)
        lanes += count
    if run:
        yield _one(run)


def _one(run: list[Block]) -> Block:
    if len(run) == 1:
        return run[0]
    lanes = [lane for block in run for lane in block.lanes or ()]
    return replace(run[0], lanes=lanes, names=[name for block in run for name in block.names])
