"""Tokens and key-value pairs to columns: FeatureHasher, HashingVectorizer, DictVectorizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import expressions as ex
from ..columns import Column
from ..expressions import Expression
from ..matrix import Matrix, vector_columns
from ..problems import Refusal
from ..registry import Context, exports
from ..sources import PairsExpression
from .text import tokens

_WIDEST = 1 << 20


def _check_width(width: int) -> int:
    if width > _WIDEST:
        raise Refusal(f"n_features is {width}; the engine's vectors have at most {_WIDEST} lanes")
    return int(width)


def _pairs(matrix: Matrix) -> list[Expression]:
    found = matrix.columns[0].expression
    if len(matrix.columns) != 1 or not isinstance(found, PairsExpression):
        raise Refusal(f"column {matrix.names[0]!r}: takes dictionaries or pairs, one collection for each row")
    return [found.keys, found.values]


@exports("FeatureHasher")
def feature_hasher(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """Each name's weight added to, or taken from, the column of its hash."""
    width = _check_width(estimator.n_features)
    if estimator.input_type == "string":
        found = matrix.columns[0].expression
        if len(matrix.columns) != 1 or found.type != ex.ValueType("string", list=True):
            raise Refusal(f"column {matrix.names[0]!r}: takes one list of strings for each row")
        inputs = [found]
    else:
        inputs = _pairs(matrix)
    exact = np.dtype(estimator.dtype) == np.float64 or estimator.input_type == "string"
    if not exact:
        raise Refusal(f"dtype={np.dtype(estimator.dtype).name} sums weights in that type; float64 can be expressed")
    whole = ex.feature_hash(inputs, width, alternate_sign=bool(estimator.alternate_sign))
    return vector_columns(whole, matrix.columns[0].name)


@exports("HashingVectorizer")
def hashing_vectorizer(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """A document's tokens added to the columns of their hashes, then normalized."""
    width = _check_width(estimator.n_features)
    found = tokens(estimator, matrix, context)
    if estimator.binary and estimator.alternate_sign:
        # A column is 1 where any token fell, even where their signs cancel.
        whole = ex.multi_hot([ex.murmur_bucket(found, width)], range(width), weighting="binary")
    else:
        whole = ex.feature_hash([found], width, alternate_sign=bool(estimator.alternate_sign))
        if estimator.binary:
            whole = ex.binarize(whole, 0.0)
    if estimator.norm is not None:
        whole = ex.normalize(whole, estimator.norm, 0.0)
    if np.dtype(estimator.dtype) == np.float32:
        whole = ex.cast(whole, "float32")
    return vector_columns(whole, matrix.columns[0].name)


@exports("DictVectorizer")
def dict_vectorizer(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """A column for each fitted name, or name=value for strings; others are ignored."""
    if estimator.separator != "=":
        raise Refusal(f'separator={estimator.separator!r} differs from "=", which joins a name and a string value')
    names = [str(name) for name in estimator.feature_names_]
    whole = ex.multi_hot(_pairs(matrix), names, weighting="sum")
    if np.dtype(estimator.dtype) == np.float32:
        whole = ex.cast(whole, "float32")
    elif np.dtype(estimator.dtype) != np.float64:
        raise Refusal(f"dtype={np.dtype(estimator.dtype).name}; float64 and float32 can be expressed")
    return vector_columns(whole, matrix.columns[0].name, names)
