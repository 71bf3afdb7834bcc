"""Documents to counts: CountVectorizer, TfidfVectorizer, TfidfTransformer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import expressions as ex
from ..columns import Columns
from ..expressions import Exactness, Expression
from ..matrix import Matrix, instead, per_lane, rounded, vector, vector_columns, work_type
from ..problems import Refusal
from ..registry import Context, exports
from ..token_patterns import rule_of

_TERMS_OF_A_DOCUMENT, _DOCUMENTS = 30, 40

_TRICKY = [
    "", " ", "a", "The the THE",
    "x²  ½ İ ‿ e\u0307 cafe\u0301 Ünïcödé ǅ ß", "tab\tand\n\nnew  line", "10 times_2 don't stop-it",
    "\u00a0\u3000wide\u2028spaces", "日本語 のテキスト",
]  # fmt: skip


def tokens(estimator: Any, matrix: Matrix, context: Context) -> Expression:
    """The list of tokens that a vectorizer's analyzer makes of a document."""
    document = matrix.columns[0].expression
    if len(matrix.columns) != 1 or document.type != ex.ValueType("string"):
        raise Refusal("takes one column of documents; in a ColumnTransformer name it by a string, not by a list")
    _check_analyzer(estimator)
    context.hint(document, _TRICKY)
    case = "lower" if estimator.lowercase else "keep"
    accents = estimator.strip_accents or "keep"
    if (case, accents) != ("keep", "keep"):
        document = ex.normalize_text(document, case=case, accents=accents)
    low, high = estimator.ngram_range
    if estimator.analyzer != "word":
        return ex.char_ngrams(document, int(low), int(high), within_words=estimator.analyzer == "char_wb")
    stop_words = sorted(estimator.get_stop_words() or [])
    context.hint(matrix.columns[0].expression, documents_of(stop_words))
    rule, minimum = rule_of(estimator.token_pattern)
    words = ex.tokenize(document, rule=rule, stop_words=stop_words, minimum=minimum)
    return words if (low, high) == (1, 1) else ex.ngrams(words, int(low), int(high))


def documents_of(terms: Sequence[str]) -> list[str]:
    """Few documents that hold the terms."""
    most = terms[: _TERMS_OF_A_DOCUMENT * _DOCUMENTS]
    return [" ".join(most[at : at + _TERMS_OF_A_DOCUMENT]) for at in range(0, len(most), _TERMS_OF_A_DOCUMENT)]


def _check_analyzer(estimator: Any) -> None:
    callables = [name for name in ("preprocessor", "tokenizer") if getattr(estimator, name) is not None]
    if callable(estimator.analyzer):
        callables.append("analyzer")
    if callable(estimator.strip_accents):
        callables.append("strip_accents")
    if callables:
        raise Refusal(f"functions of its own can't be expressed: {', '.join(callables)}")
    if estimator.input != "content":
        raise Refusal(f"input={estimator.input!r} reads files")


def counted(estimator: Any, matrix: Matrix, context: Context, weighting: str) -> Columns:
    """A column for each term of the vocabulary."""
    terms = sorted(estimator.vocabulary_, key=estimator.vocabulary_.__getitem__)
    context.hint(matrix.columns[0].expression, [*documents_of(terms), " ".join(terms[:2] * 3)])
    whole = ex.multi_hot([tokens(estimator, matrix, context)], terms, weighting=weighting)
    return vector_columns(whole, matrix.columns[0].name)


@exports("CountVectorizer")
def count_vectorizer(estimator: Any, matrix: Matrix, context: Context) -> Columns:
    """How often each term stands in the document, or whether it does."""
    return counted(estimator, matrix, context, "binary" if estimator.binary else "count")


@exports("TfidfTransformer")
def tfidf_transformer(estimator: Any, matrix: Matrix, context: Context) -> Columns:
    """Counts weighted by how rare a term is, then normalized."""
    return _weighted(estimator, matrix.columns, work_type(matrix.data))


@exports("TfidfVectorizer")
def tfidf_vectorizer(estimator: Any, matrix: Matrix, context: Context) -> Columns:
    """CountVectorizer and TfidfTransformer in one."""
    columns = Columns.of(count_vectorizer(estimator, matrix, context))
    return _weighted(estimator._tfidf, columns, np.dtype(estimator.dtype).name)


def _weighted(estimator: Any, columns: Columns, precision: str) -> Columns:
    whole = vector(columns)
    group = columns[0].group if all(block.lanes is not None for block in columns.blocks) else "tfidf"
    if estimator.sublinear_tf:
        whole = _sublinear(whole)
        if precision == "float32":
            whole = ex.cast(whole.rough(), "float32")
    if estimator.use_idf:
        idf = per_lane(np.asarray(estimator.idf_), range(len(columns)))
        whole = ex.standardize(whole, 0.0, idf, form="multiply", precision=precision)
    if estimator.norm is not None:
        whole = ex.normalize(whole, estimator.norm, 0.0)
    named = instead(columns, whole, group)
    if precision == "float64":
        return named
    return rounded(named, np.zeros((1, len(named)), dtype=precision))


def _sublinear(whole: Expression) -> Expression:
    """ln(count) + 1 for terms that are there."""
    if whole.step is not None and whole.op == "multi_hot" and whole.step["weighting"] == "count":
        return ex.multi_hot(whole.inputs, whole.step["categories"], weighting="log_count")
    if whole.step is not None and whole.op == "multi_hot" and whole.step["weighting"] == "binary":
        # ln(1) + 1 is 1.
        return whole
    result = ex.add(ex.log_above_zero(whole), ex.binarize(whole, 0.0))
    assert result.exactness >= Exactness.CLOSE
    return result
