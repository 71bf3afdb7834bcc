"""Regular expressions of tokens, as far as they are runs of characters of one class."""

from __future__ import annotations

import importlib
import re
import sys
from itertools import groupby
from typing import Any

from .problems import Refusal

# The parser of `re`, under the name that it has had since Python 3.11.
_parser: Any = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")

_EXAMPLES = r"\b\w\w+\b, \w+, \S+ and [a-z0-9']+ can"
_IN_CLASS = {"CATEGORY_WORD": "words", "CATEGORY_SPACE": "spaces"}
_NOT_IN_CLASS = {"CATEGORY_NOT_WORD": "words", "CATEGORY_NOT_SPACE": "spaces"}


def rule_of(pattern: str) -> tuple[Any, int]:
    """The rule and the least number of characters with which the operation ``tokenize`` finds what a pattern finds."""
    refusal = Refusal(f"token_pattern={pattern!r} can't be expressed; {_EXAMPLES}")
    if re.compile(pattern).flags != re.UNICODE:
        raise refusal
    items = list(_parser.parse(pattern))
    bounded = _without_boundaries(items)
    classes = [_repeated(item) for item in (items if bounded is None else bounded)]
    if not classes or None in classes:
        raise refusal
    found = [one for one in classes if one is not None]
    # A run is as long as it can be: what comes before it are characters of the same class.
    if any(one[0] != found[0][0] for one in found) or not found[-1][2] or any(one[2] for one in found[:-1]):
        raise refusal
    rule = _named(found[0][0])
    # Between word characters and others there is a boundary anyway; elsewhere it would cut runs short.
    if bounded is not None and rule != "words":
        raise refusal
    minimum = sum(one[1] for one in found)
    if minimum < 1:
        raise refusal
    return rule, minimum


def _without_boundaries(items: list[Any]) -> list[Any] | None:
    """What stands between two boundaries, or None where there are none."""
    is_boundary = [str(code) == "AT" and str(value) == "AT_BOUNDARY" for code, value in items]
    if len(items) > 2 and is_boundary[0] and is_boundary[-1]:
        return items[1:-1]
    return None


def _repeated(item: Any) -> tuple[Any, int, bool] | None:
    """A class, the least number of its characters, and whether there may be any number more."""
    code, value = item
    if str(code) != "MAX_REPEAT":
        found = _class_of(item)
        return None if found is None else (found, 1, False)
    least, most, inner = value
    if len(inner) != 1:
        return None
    found = _class_of(inner[0])
    if found is None or (most is not _parser.MAXREPEAT and least != most):
        return None
    return found, int(least), most is _parser.MAXREPEAT


def _class_of(item: Any) -> dict[str, Any] | None:
    """The class of a single character as ``tokenize`` has it."""
    code, value = item
    parts = value if str(code) == "IN" else [item]
    found: dict[str, Any] = {"negated": False, "words": False, "spaces": False, "ranges": []}
    if parts and str(parts[0][0]) == "NEGATE":
        found["negated"], parts = True, parts[1:]
    for kind, of in parts:
        name = str(of)
        if str(kind) == "LITERAL":
            found["ranges"].append([chr(of), chr(of)])
        elif str(kind) == "NOT_LITERAL" and len(parts) == 1:
            found = {**found, "negated": True, "ranges": [[chr(of), chr(of)]]}
        elif str(kind) == "RANGE":
            found["ranges"].append([chr(of[0]), chr(of[1])])
        elif str(kind) == "CATEGORY" and name in _IN_CLASS:
            found[_IN_CLASS[name]] = True
        elif str(kind) == "CATEGORY" and name in _NOT_IN_CLASS and len(parts) == 1:
            found = {**found, "negated": not found["negated"], _NOT_IN_CLASS[name]: True}
        elif str(kind) == "CATEGORY" and name == "CATEGORY_DIGIT":
            found["ranges"] += _digits()
        else:
            return None
    return found


def _digits() -> list[list[str]]:
    """Ranges of the decimal digits of all scripts, as this Python knows them."""
    digits = [code for code in range(sys.maxunicode + 1) if chr(code).isdecimal()]
    rows = [[code for _, code in row] for _, row in groupby(enumerate(digits), lambda one: one[1] - one[0])]
    return [[chr(row[0]), chr(row[-1])] for row in rows]


def _named(of: dict[str, Any]) -> Any:
    """The rule for a class; of those that have names these."""
    if of == {"negated": False, "words": True, "spaces": False, "ranges": []}:
        return "words"
    if of == {"negated": True, "words": False, "spaces": True, "ranges": []}:
        return "whitespace"
    return {"class": of}
