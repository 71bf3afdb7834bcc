"""A scikit-learn transformer that makes one categorical column of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from .exporter import containers
from .exporter.nulls import is_missing
from .exporter.problems import ExportError
from .exporter.sources import Source

LONGEST = 1024
"""The longest text in bytes that is served."""

_SAFE_INTEGER = 1 << 53
_TYPES = {"string": "text", "int64": "integer", "uint64": "integer", "bool": "boolean", "float64": "float"}


class FeatureCross(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Crosses two or more columns: one column of text, such as ``oslo|7``, to be encoded as a category.

    A column keeps the type that it had in ``fit``, however the container holds it later. Text is written as it is,
    an integer as its digits (a whole float too, as pandas has integers beside missing values), a boolean as ``True``
    or ``False``, a float as Python's ``repr`` of the float64 (``7.0``, ``0.1``, ``1e-05``; an integer too). None, NaN
    and NA are missing values. A text of more than 1024 bytes of UTF-8 is missing too, as it is when it is served.

    Parts that hold the separator themselves can make the same text of different rows, in training as in serving.

    Args:
        separator: What stands between two parts.
        missing: The text in the place of a missing value; None makes the whole text a missing value (NaN).

    Attributes:
        types_: For each column "text", "integer", "boolean" or "float".
    """

    def __init__(self, separator: str = "|", missing: str | None = None) -> None:
        self.separator = separator
        self.missing = missing

    def fit(self, X: Any, y: Any = None) -> FeatureCross:
        """Notes the columns' types."""
        if not isinstance(self.separator, str):
            raise ValueError(f"separator is {self.separator!r}, must be a text")
        if self.missing is not None and not isinstance(self.missing, str):
            raise ValueError(f"missing is {self.missing!r}, must be a text or None")
        columns = _read(X)
        validate_data(self, X, skip_check_array=True)
        if len(columns) < 2:
            raise ValueError(f"a cross takes two or more columns, there are {len(columns)}")
        wrong = [
            f"column {one.name!r} holds lists or pairs" for one in columns if one.element not in _TYPES or one.is_list
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        self.types_ = [_TYPES[one.element] for one in columns]
        return self

    def transform(self, X: Any) -> Any:
        """An array ``[rows, 1]`` of texts, with NaN for those that are missing."""
        check_is_fitted(self)
        validate_data(self, X, skip_check_array=True, reset=False)
        columns = _read(X)
        parts = [self._parts(column, of) for column, of in zip(columns, self.types_, strict=True)]
        crossed = np.empty((len(parts[0]), 1), dtype=object)
        for row, texts in enumerate(zip(*parts, strict=True)):
            crossed[row, 0] = self._joined(texts)
        return crossed

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> Any:
        """The columns' names joined by ``_``: ``city_device``."""
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None) if input_features is None else input_features
        if names is None:
            names = [f"x{at}" for at in range(self.n_features_in_)]
        if len(names) != self.n_features_in_:
            raise ValueError(f"input_features has {len(names)} names, there are {self.n_features_in_} columns")
        return np.asarray(["_".join(map(str, names))], dtype=object)

    def _parts(self, column: Source, of: str) -> list[str | None]:
        """A column's texts, with None for missing values that make the whole text missing."""
        write, texts = _WRITERS[of], []
        for row, value in enumerate(column.values):
            text = self.missing if is_missing(value) else write(value)
            if text is None and not is_missing(value):
                held = f"{value!r} ({type(value).__name__})"
                raise ValueError(f"column {column.name!r}, row {row}: holds {held}, was fitted to the type {of}")
            texts.append(text)
        return texts

    def _joined(self, texts: Sequence[str | None]) -> Any:
        present = [text for text in texts if text is not None]
        joined = self.separator.join(present)
        is_long = len(joined.encode(errors="surrogatepass")) > LONGEST
        return np.nan if is_long or len(present) < len(texts) else joined

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags


def _read(data: Any) -> list[Source]:
    """The columns of whatever container scikit-learn takes."""
    try:
        container = containers.of(data, rows_are_lists=True)
    except ExportError as error:
        raise ValueError(f"the columns can't be read: {error}") from error
    labels = container.labels or [f"x{at}" for at in range(container.width)]
    columns = [container.read(str(label), at) for at, label in enumerate(labels)]
    problems = [f"column {column.name!r}: {column.problem}" for column in columns if column.problem]
    if problems:
        raise ValueError("; ".join(problems))
    return columns


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    # What has become of an integer beside missing values; from 2^53 on it may be another one.
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < _SAFE_INTEGER
    return str(int(value)) if is_whole else None


def _boolean(value: Any) -> str | None:
    return str(value) if isinstance(value, bool) else None


def _float(value: Any) -> str | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return repr(float(value)) if is_number else None


_WRITERS: dict[str, Callable[[Any], str | None]] = {
    "text": _text,
    "integer": _integer,
    "boolean": _boolean,
    "float": _float,
}
