"""The sample: which inputs a request has, and containers of the sample's kind and types made of other rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..names import Names, column_name
from ..pairs import pair_names
from . import containers
from .columns import Columns
from .containers import Container
from .matrix import Matrix, scalar_column
from .problems import ExportError
from .sources import Row, Source

_MOST_ROWS = 20_000


@dataclass
class Sample:
    """Rows of the library's input.

    Attributes:
        sources: One for each column.
        container: What the sample is held in.
    """

    sources: list[Source]
    container: Container

    @property
    def rows(self) -> list[Row]:
        """The sample's own rows."""
        return list(zip(*(source.values for source in self.sources), strict=True))

    def build(self, rows: Sequence[Row]) -> Any:
        """A container of these rows, of the sample's kind and types."""
        columns = list(zip(*rows, strict=True)) if rows else [() for _ in self.sources]
        return self.container.build(columns, self.sources)

    def matrix(self, rows: Sequence[Row]) -> Matrix:
        """The library's input for these rows, with its expressions."""
        named = zip(self._labels(), self.sources, strict=True)
        columns = Columns.of(scalar_column(label, source.expression) for label, source in named)
        return Matrix(columns, self.build(rows))

    def requested(self, used: Sequence[Source]) -> list[Source]:
        """The inputs of a request, given the columns that features read."""
        return list(used)

    def shared(self, request_scope: set[str]) -> set[str]:
        """The columns that all rows of a request share."""
        return request_scope

    def key_rows(self, base: Sequence[Row]) -> list[Row]:
        """Rows whose keys tables have, and don't have, for golden rows."""
        return []

    def settled(self, rows: Sequence[Row], *, as_request: bool = False) -> list[Row]:
        """Rows of freely chosen values as they can be: of one request, or each by itself."""
        return list(rows)

    def _labels(self) -> list[str]:
        """The columns' names as the library has them, which gives other labels than strings no meaning."""
        labels = self.container.labels
        if labels is None or not all(isinstance(label, str) for label in labels):
            return [source.name if labels is None else f"x{at}" for at, source in enumerate(self.sources)]
        return labels


def read_sample(sample: Any, names: Sequence[str] | None, *, rows_are_lists: bool = False) -> Sample:
    """Reads a DataFrame, a Table, an array of one or two dimensions, a sparse matrix, a Series, or a list.

    Of a long sample every so many rows are read.

    Args:
        names: The inputs' names in place of the container's.
        rows_are_lists: Whether a list of lists holds rows, not one list for each row of a single column.
    """
    step = -(-containers.rows_of(sample) // _MOST_ROWS)
    container = containers.of(containers.thinned(sample, step) if step > 1 else sample, rows_are_lists)
    named, unique = _input_names(container, names), Names()
    sources = [container.read(unique.unique(name), at) for at, name in enumerate(named)]
    return Sample(_apart(sources, named), container)


def _input_names(container: Container, names: Sequence[str] | None) -> list[str]:
    if names is None and container.labels is not None:
        return [column_name(label) for label in container.labels]
    named = [f"x{at}" for at in range(container.width)] if names is None else list(names)
    if len(named) != container.width:
        raise ExportError.of(f"input_names has {len(named)} names, the sample {container.width} columns")
    return named


def _apart(sources: list[Source], named: Sequence[str]) -> list[Source]:
    """The sources with a problem where two have one name, and pairs with names that no other column has."""
    count = Counter(named)
    others = {source.name for source in sources}
    for at, (source, name) in enumerate(zip(sources, named, strict=True)):
        if count[name] > 1:
            source.problem = source.problem or f"several columns have the name {name!r}: rename them"
        if source.element == "pairs":
            sources[at] = replace(source, pair_names=pair_names(source.name, others))
    return sources
