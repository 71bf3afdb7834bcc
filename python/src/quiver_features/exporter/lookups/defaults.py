"""What is served for a missing key: the pipeline's own answer for a row of nulls in the lookup's columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse

from ..document import Served
from ..expressions import Expression
from ..golden import Oracle
from ..outputs import Numbers
from ..problems import ExportError, ExportProblem
from ..sources import Row
from .brought import LookupColumn
from .joined import JoinedSample

Default = float | list[float]


def defaults(
    oracle: Oracle, sample: JoinedSample, features: Sequence[Served], base: Row, default: float
) -> dict[str, Default]:
    """For each feature that is null for a missing key what the pipeline gives instead, unless that is NaN."""
    _refuse_two_nulls(oracle, sample, base)
    answers = {name: _answer(oracle, row) for name, row in _null_rows(sample, base).items()}
    found: dict[str, Default] = {}
    problems = []
    for feature in features:
        if not feature.expression.type.nullable:
            continue
        read = _lookups_of(feature.expression)
        values = {name: answers[name] for name in read if answers.get(name) is not None}
        lanes = [
            tuple(float(answer[0, at]) for at in feature.positions) for answer in values.values() if answer is not None
        ]
        finite = dict.fromkeys(one for one in lanes if not all(np.isnan(value) for value in one))
        if len(finite) > 1:
            shown = " and ".join(str(list(one)) for one in finite)
            reason = f"the pipeline gives {shown} for different missing keys; one default can't be both"
            problems.append(ExportProblem(f"feature {feature.name!r}", reason))
        for one in finite:
            of_lanes = [default if np.isnan(value) else value for value in one]
            found[feature.name] = of_lanes[0] if len(set(of_lanes)) == 1 else of_lanes
    if problems:
        raise ExportError(problems)
    return found


def _answer(oracle: Oracle, row: Row) -> Numbers | None:
    """What the estimator makes of a row, or None where it rejects it."""
    found = oracle.transform([row])
    return found.toarray() if found is not None and issparse(found) else found


def _refuse_two_nulls(oracle: Oracle, sample: JoinedSample, base: Row) -> None:
    """Rejects columns in which the pipeline takes no value and no row for two things; served they are one."""
    problems = []
    for lookup in sample.lookups:
        for at, source in lookup.brought.items():
            if not source.has_two_nulls:
                continue
            no_value, no_row = (_answer(oracle, (*base[:at], null, *base[at + 1 :])) for null in (None, source.no_row))
            if no_value is not None and no_row is not None and not np.array_equal(no_value, no_row, equal_nan=True):
                column = f"frame[{source.name!r}]"
                reason = (
                    "the pipeline takes None (the table has no value) and NaN (a left join found no row) for two "
                    f"things; make them one before fitting, as in {column}.where({column}.notna())"
                )
                problems.append(ExportProblem(f"column {source.name!r}", reason))
    if problems:
        raise ExportError(problems)


def _null_rows(sample: JoinedSample, base: Row) -> dict[str, Row]:
    """For each lookup a row whose key was not found, lookups by its columns among them."""
    rows = {}
    for lookup in sample.lookups:
        row: list[Any] = list(base)
        gone = {lookup.name}
        for other in sample.lookups:
            if other.name in gone or other.parents & gone:
                gone.add(other.name)
                other.clear(row)
            other.clear_entries(row)
        rows[lookup.name] = tuple(row)
    return rows


def _lookups_of(expression: Expression) -> set[str]:
    """The lookups whose columns an expression reads."""
    seen: set[int] = set()
    waiting, found = [expression], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, LookupColumn):
            found.add(one.lookup)
        waiting += one.inputs
    return found
