"""What keeps a table from being written: every problem at once, each with its column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class Refusal(Exception):
    """A reason why one column can't be written; whoever goes through the columns knows its name."""


@dataclass(frozen=True)
class TableProblem:
    """Something that keeps a table from being written.

    Attributes:
        column: The column's name, or nothing where it is about the table.
        reason: Why, and what to do instead.
    """

    column: str
    reason: str

    def __str__(self) -> str:
        return f"column {self.column!r}: {self.reason}" if self.column else self.reason


class TableError(Exception):
    """The data can't become the table that was asked for; nothing was written.

    Attributes:
        problems: Everything that was found.
    """

    def __init__(self, problems: Sequence[TableProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))

    @classmethod
    def of(cls, reason: str, column: str = "") -> TableError:
        """An error with one problem."""
        return cls([TableProblem(column, reason)])
