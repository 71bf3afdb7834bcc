"""What can't be exported: problems with the step's path, all reported at once."""

from __future__ import annotations

from dataclasses import dataclass


class Refusal(Exception):
    """A reason why one step can't be exported; whoever walks the steps knows its path."""


@dataclass(frozen=True)
class ExportProblem:
    """One step that can't be exported.

    Attributes:
        path: Where it stands, as in ``preprocess > num > imputer``; the estimator's class for a single one.
        reason: Why.
    """

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class ExportError(Exception):
    """The estimator, the sample or the target can't be exported; nothing was written.

    Attributes:
        problems: Everything that was found, each with its path.
    """

    def __init__(self, problems: list[ExportProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))

    @classmethod
    def of(cls, reason: str, path: str = "") -> ExportError:
        """An error with one problem."""
        return cls([ExportProblem(path, reason)])
