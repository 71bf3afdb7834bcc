"""Token patterns that are runs of characters of one class become rules of the operation tokenize."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from cases import DOCUMENTS
from reference import apply
from server import needs_server
from sklearn.feature_extraction.text import CountVectorizer

from quiver_features import export
from quiver_features.exporter.problems import Refusal
from quiver_features.exporter.token_patterns import rule_of


def of(*ranges: str, negated: bool = False, words: bool = False, spaces: bool = False) -> dict[str, Any]:
    found = {"negated": negated, "words": words, "spaces": spaces, "ranges": [list(one) for one in ranges]}
    return {"class": found}


PATTERNS: dict[str, tuple[Any, int]] = {
    r"(?u)\b\w\w+\b": ("words", 2),
    r"\b\w+\b": ("words", 1),
    r"\w+": ("words", 1),
    r"\w{3,}": ("words", 3),
    r"\b\w{2}\w+\b": ("words", 3),
    r"\S+": ("whitespace", 1),
    r"[^\s]+": ("whitespace", 1),
    r"[a-z]+": (of("az"), 1),
    r"[A-Za-z0-9]{2,}": (of("AZ", "az", "09"), 2),
    r"[\w'-]+": (of("''", "--", words=True), 1),
    r"[^,;]+": (of(",,", ";;", negated=True), 1),
    r"[^,]+": (of(",,", negated=True), 1),
    r"a+": (of("aa"), 1),
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_become_rules(pattern: str) -> None:
    assert rule_of(pattern) == PATTERNS[pattern]


@pytest.mark.parametrize("pattern", [*PATTERNS, r"\d+", r"[\d.]+"])
def test_rules_find_what_patterns_find(pattern: str) -> None:
    rule, minimum = rule_of(pattern)
    step = {"op": "tokenize", "rule": rule, "stop_words": [], "minimum": minimum}
    for text in [*DOCUMENTS, "aa-b,c;;aaa 12.5 ١٢", "don't  stop\u00a0it a"]:
        assert apply(step, [text], [1]) == re.findall(pattern, text)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\b[a-z]+\b",
        r"(\w+)",
        r"\w+|\d+",
        r"\w*",
        r"\w+?",
        r"(?i)[a-z]+",
        r"(?a)\w+",
        r"\w{2,5}",
        r"[a-z]\w+",
        r"\w+\b",
        r"[\W_]+",
        r"a b",
    ],
)
def test_other_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(Refusal, match=r"can't be expressed; .* can"):
        rule_of(pattern)


@needs_server
@pytest.mark.parametrize("pattern", [r"\w+", r"\S+", r"[a-z']+", r"[^\s,]{2,}", r"\d+"])
def test_the_server_finds_the_same_tokens(pattern: str, tmp_path: Path) -> None:
    counts = CountVectorizer(token_pattern=pattern, stop_words=["the"]).fit(DOCUMENTS)
    export(counts, tmp_path, "tokens", sample=DOCUMENTS)
