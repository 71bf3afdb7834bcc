"""Golden rows: hard rows that the estimator itself accepts, with what it makes of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from scipy.sparse import issparse

from .containers import dense, labels_of, numpy_types
from .expressions import Exactness, Expression
from .hard_values import hard, infinite, missing
from .outputs import Numbers, cancelled, has_nan, joined, numbers_of, read, written
from .problems import ExportError
from .samples import Sample
from .sources import Row, Source, identity

FORMAT = "quiver.golden/1"

_USUAL_ROWS = 120
"""Golden rows where nothing asks for more."""

_ROWS_OF_A_CASE = 3
"""Rows that share the request's columns, where there are such columns."""

_CANCELLED = 1e-7
"""A sum this much smaller than the column's other values has lost its digits in the library too."""

_MOST_CELLS = 400_000
"""Numbers in a golden file."""

_CELLS_AT_ONCE = 500_000
_FEWEST_AT_ONCE = 64
"""Numbers, and rows, that an estimator computes at once to see which rows it accepts."""

_ULPS = {
    ("float64", Exactness.CLOSE): 8192,
    ("float32", Exactness.CLOSE): 1,
    ("float16", Exactness.CLOSE): 1,
    ("bfloat16", Exactness.CLOSE): 1,
}


@dataclass
class Rows:
    """Rows and what the estimator makes of them, one row of numbers for each."""

    rows: list[Row]
    outputs: Numbers


class Oracle:
    """The fitted estimator, asked for rows.

    Attributes:
        singly: Whether rows are asked for one by one: what labels are binarized to depends on the others of a call.
        width: The columns that a row has, known after the first rows that were accepted.
    """

    def __init__(self, estimator: Any, sample: Sample) -> None:
        self._estimator = estimator
        self._sample = sample
        self.singly = type(estimator).__name__ == "LabelBinarizer"
        self.width: int | None = None
        self._sparse = False

    def transform(self, rows: Sequence[Row]) -> Numbers | None:
        """What the estimator makes of the rows, or None where it rejects any of them."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                outputs = read(self._estimator.transform(self._sample.build(rows)))
        except Exception:
            # Whatever an estimator raises, it does not accept these rows.
            return None
        if outputs.shape[0] != len(rows) or self.width not in (None, outputs.shape[1]):
            return None
        self.width, self._sparse = outputs.shape[1], issparse(outputs)
        return outputs

    def accepted(self, rows: Sequence[Row]) -> Rows:
        """Those of the rows that the estimator accepts."""
        outputs = None if self.singly and len(rows) > 1 else self.transform(rows)
        if outputs is not None:
            return Rows(list(rows), outputs)
        if len(rows) <= 1:
            return Rows([], np.empty((0, self.width or 0)))
        half = len(rows) // 2
        first, second = self.accepted(rows[:half]), self.accepted(rows[half:])
        if not first.rows or not second.rows:
            return first if first.rows else second
        return Rows(first.rows + second.rows, joined([first.outputs, second.outputs]))

    def accepted_groups(self, groups: Sequence[Sequence[Row]]) -> list[Rows]:
        """The same group by group; asked once where the estimator accepts them all."""
        rows = [row for group in groups for row in group]
        outputs = None if self.singly or not rows else self.transform(rows)
        if outputs is None:
            return [self.accepted(group) for group in groups]
        ends = list(accumulate(len(group) for group in groups))
        starts = [0, *ends[:-1]]
        return [Rows(list(group), outputs[start:end]) for group, start, end in zip(groups, starts, ends, strict=True)]

    def accepted_rows(self, groups: Sequence[Sequence[Row]]) -> list[list[Row]]:
        """Those of the rows that the estimator accepts, group by group, without what it makes of them.

        Many are asked for at once, but no more than a matrix of moderate size has rows.
        """
        cells = len(self._sample.sources) + (0 if self._sparse else self.width or 0)
        most = max(_FEWEST_AT_ONCE, _CELLS_AT_ONCE // max(1, cells))
        accepted: list[list[Row]] = []
        at_once: list[Sequence[Row]] = []
        for group in groups:
            if at_once and sum(len(one) for one in at_once) + len(group) > most:
                accepted += [found.rows for found in self.accepted_groups(at_once)]
                at_once = []
            at_once.append(group)
        return accepted + [found.rows for found in self.accepted_groups(at_once)]


def first_reason(estimator: Any, sample: Sample) -> str:
    """Why the estimator rejects the sample's first row."""
    try:
        result = estimator.transform(sample.build(sample.rows[:1]))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    try:
        dense(result)
    except (TypeError, ValueError):
        return f"its result does not hold numbers alone: {_first_without_numbers(result)}"
    return "its result depends on the other rows"


def _first_without_numbers(result: Any) -> str:
    """The first column of a result that dense() can't read."""
    labels = labels_of(result)
    array = np.asarray(result, dtype=object).reshape(len(result), -1)
    for at, dtype in enumerate(numpy_types(result)):
        name = f"x{at}" if labels is None else labels[at]
        if dtype.kind not in "biufO":
            return f"column {name!r} holds {dtype}"
        try:
            array[:, at].astype(np.float64)
        except (TypeError, ValueError):
            return f"column {name!r} holds {type(array[0, at]).__name__}"
    return "several columns together"


def hard_rows(
    oracle: Oracle,
    sample: Sample,
    base: Sequence[Row],
    used: Sequence[Source],
    hints: Mapping[Expression, Sequence[Any]],
    most: int | None,
    telling: Sequence[int] = (),
) -> Rows:
    """Rows in which every column that is used shows all its hard values, as far as the estimator accepts them.

    Args:
        most: The most rows; None for as many as the column with the most hard values needs.
        telling: The base's rows, by position, that come before its others.
    """
    by_source = _accepted_values(oracle, sample, base[0], used, hints)
    longest = max((len(values) for values in by_source), default=0)
    rows: list[Row] = []
    # Two passes, so that the same values meet others.
    for shift in (0, 1):
        for number in range(longest):
            rows.append(
                tuple(
                    values[(number + shift * position) % len(values)] if values else base[number % len(base)][position]
                    for position, values in enumerate(by_source)
                )
            )
    plain = [*sample.key_rows(base), *_plain(base, telling, most)]
    if most is None:
        most = max(_USUAL_ROWS, len(plain) + longest)
    distinct = list({tuple(identity(value) for value in row): row for row in [*plain, *rows]}.values())
    return oracle.accepted(sample.settled(distinct[:most]))


def _plain(base: Sequence[Row], telling: Sequence[int], most: int | None) -> list[Row]:
    """Rows as they are in the sample: a quarter of the golden rows, or all that are informative."""
    positions = dict.fromkeys([*telling, *range(len(base))])
    count = max(1, (most or _USUAL_ROWS) // 4)
    if most is None:
        count = max(count, len(set(telling)))
    return [base[at] for at in list(positions)[:count]]


def _accepted_values(
    oracle: Oracle,
    sample: Sample,
    row: Row,
    used: Sequence[Source],
    hints: Mapping[Expression, Sequence[Any]],
) -> list[list[Any]]:
    """For each column the hard values with which the estimator accepts a row."""
    found: list[list[Any]] = [[] for _ in sample.sources]

    def try_out(values: Callable[[Source], list[Any]], only: Sequence[Source]) -> list[Source]:
        """Tries the values of columns in otherwise good rows, and gives the columns with values that were accepted."""
        positions = [sample.sources.index(source) for source in only]
        groups = [
            [(*row[:at], value, *row[at + 1 :]) for value in values(source)]
            for at, source in zip(positions, only, strict=True)
        ]
        accepted = oracle.accepted_rows(groups)
        for at, rows in zip(positions, accepted, strict=True):
            found[at] += [one[at] for one in rows]
        return [source for source, rows in zip(only, accepted, strict=True) if rows]

    # What many estimators refuse comes by itself, so that one refusal does not make all other values be tried singly.
    try_out(missing, used)
    bounded = try_out(lambda source: infinite(source, 1.0), used)
    try_out(lambda source: infinite(source, -1.0), bounded)
    try_out(lambda source: hard(source, list(hints.get(source.expression, []))), used)
    return found


def document(
    oracle: Oracle,
    sample: Sample,
    found: Rows,
    sources: Sequence[Source],
    request_scope: set[str],
    output: Output,
    differing: Callable[[Sequence[Row]], set[int]],
) -> dict[str, Any]:
    """The golden file: one case of all rows, or one for each row's request columns where there are such.

    Args:
        differing: Which of some rows the engine is known to compute otherwise.
    """
    comparable = _comparable(found, output)
    most = max(1, _MOST_CELLS // max(1, numbers_of(comparable.outputs)))
    kept = _without(comparable, differing(comparable.rows)).rows[:most]
    grouped = [kept]
    if request_scope:
        groups = _request_cases(kept, sample, sample.shared(request_scope))
        grouped = [sample.settled(group, as_request=True) for group in groups]
    cases = oracle.accepted_groups(grouped)
    left_out = differing([row for case in cases for row in case.rows])
    documents, start = [], 0
    for case in cases:
        of_case = {row - start for row in left_out if start <= row < start + len(case.rows)}
        start += len(case.rows)
        comparable = _comparable(_without(case, of_case), output)
        if comparable.rows:
            documents.append(_case(comparable, sources, sample, request_scope, output))
    if not documents:
        raise ExportError.of("no golden row is left that the estimator accepts and that can be compared")
    return {"format": FORMAT, "cases": documents}


def _without(found: Rows, left_out: set[int]) -> Rows:
    kept = [at for at in range(len(found.rows)) if at not in left_out]
    return Rows([found.rows[at] for at in kept], found.outputs[kept])


@dataclass(frozen=True)
class Output:
    """What golden rows compare.

    Attributes:
        name: The output's name.
        dtype: Its type.
        width: Its columns.
        exactness: For each column how near the engine comes to the library.
        default: What is served for null.
        max_ulp: How far values may lie apart, or None to let the exactness decide.
    """

    name: str
    dtype: str
    width: int
    exactness: np.ndarray[Any, np.dtype[np.int8]]
    default: float
    max_ulp: int | None

    @property
    def tolerance(self) -> int:
        """Units in the last place."""
        if self.max_ulp is not None:
            return self.max_ulp
        return _ULPS.get((self.dtype, Exactness(int(self.exactness.max(initial=Exactness.EXACT)))), 0)


def _comparable(found: Rows, output: Output) -> Rows:
    """Leaves out rows that can't be compared: sums that cancelled out, and defaults that the library does not know."""
    if not found.rows:
        return found
    keep = np.ones(len(found.rows), dtype=bool)
    inexact = output.exactness > Exactness.EXACT
    if inexact.any():
        keep &= ~cancelled(found.outputs, inexact, _CANCELLED)
    if not np.isnan(output.default):
        keep &= ~has_nan(found.outputs)
    return Rows([row for row, kept in zip(found.rows, keep, strict=True) if kept], found.outputs[keep])


def _request_cases(rows: Sequence[Row], sample: Sample, request_scope: set[str]) -> list[list[Row]]:
    """For each row a few rows that have its values in the request's columns."""
    shared = [position for position, source in enumerate(sample.sources) if source.name in request_scope]

    def like(row: Row, other: Row) -> Row:
        return tuple(row[at] if at in shared else other[at] for at in range(len(row)))

    count = len(rows)
    return [
        [like(rows[number], rows[(number + step) % count]) for step in range(min(_ROWS_OF_A_CASE, count))]
        for number in range(count)
    ]


def _case(
    case: Rows, sources: Sequence[Source], sample: Sample, request_scope: set[str], output: Output
) -> dict[str, Any]:
    inputs: dict[str, list[Any]] = {}
    for source in sources:
        position = sample.sources.index(source)
        count = 1 if source.name in request_scope else len(case.rows)
        inputs |= source.encoded([row[position] for row in case.rows[:count]])
    return {
        "rows": len(case.rows),
        "inputs": inputs,
        "outputs": {output.name: {"rows": written(case.outputs), "max_ulp": output.tolerance}},
    }
