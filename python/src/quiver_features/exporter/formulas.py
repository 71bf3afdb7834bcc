"""Formulas as users write them, in the syntax of the operation ``expr``: checked, with what is known of the result."""

from __future__ import annotations

import ast
import json
import math
import re
from dataclasses import dataclass

from .problems import Refusal

EXACT_FUNCTIONS = {
    "abs", "sign", "square", "sqrt", "reciprocal", "floor", "ceil", "trunc", "round_half_even", "round_half_away",
    "min", "max", "clip", "is_null", "coalesce",
}  # fmt: skip
CLOSE_FUNCTIONS = {
    "log1p", "cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "sigmoid", "logit", "sin", "cos", "tan", "asin",
    "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "degrees", "radians",
}  # fmt: skip

_ALSO = {"minimum": "min", "maximum": "max", "round": "round_half_even", "where": "if"}
"""NumPy's names for functions that ``expr`` calls otherwise."""

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.And: "and", ast.Or: "or",
}  # fmt: skip

_IF = re.compile(r"\bif\s*\(")
_OPERAND_BEFORE = re.compile(r"(?:[\w)\]\"'])\s*$")
_KEYWORD_BEFORE = re.compile(r"\b(?:and|or|not|if|else)\s*$")
_CHOICE = "_choice_"


@dataclass(frozen=True)
class Formula:
    """A formula.

    Attributes:
        text: In the syntax of ``expr``.
        names: What it reads, each once.
        is_bool: Whether it is a condition.
        is_exact: Whether the engine computes it to the last bit as IEEE arithmetic has it.
        takes_null: Whether it asks for null; otherwise null is NaN to it, as it is to a function.
        is_nullable: Whether it is null where all that it reads is.
        constants: The numbers in it.
    """

    text: str
    names: tuple[str, ...]
    is_bool: bool
    is_exact: bool
    takes_null: bool
    is_nullable: bool
    constants: tuple[float, ...]


def read(text: str) -> Formula:
    """Reads a formula; rejects what ``expr`` does not have."""
    try:
        tree = ast.parse(_with_choices(text.strip()), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise Refusal(f"the expression {text!r}: {error.args[0]}") from None
    reader = _Reader(text)
    written = reader.text(tree)
    is_bool = _is_bool(tree)
    if not reader.names:
        raise Refusal(f"the expression {text!r} reads no column")
    return Formula(
        f"1.0 if {written} else 0.0" if is_bool else written,
        tuple(reader.names),
        is_bool,
        reader.is_exact,
        reader.takes_null,
        _is_nullable(tree),
        tuple(reader.constants),
    )


def _with_choices(text: str) -> str:
    """``if(condition, a, b)`` as a call: where a value begins, ``if`` is not that of ``a if condition else b``."""

    def replaced(found: re.Match[str]) -> str:
        before = text[: found.start()]
        begins = not _OPERAND_BEFORE.search(before) or _KEYWORD_BEFORE.search(before)
        return f"{_CHOICE}(" if begins else found[0]

    return _IF.sub(replaced, text)


class _Reader:
    """Writes a tree as ``expr`` has it, and notes what is in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.names: dict[str, None] = {}
        self.constants: list[float] = []
        self.is_exact = True
        self.takes_null = False

    def text(self, node: ast.AST) -> str:
        """A node and what it reads."""
        match node:
            case ast.Constant(value=value):
                return self._constant(value)
            case ast.Name(id="true" | "false" as name):
                return name
            case ast.Name(id=name):
                self.names[name] = None
                return name
            case ast.UnaryOp(op=ast.Not()):
                return f"not {self._operand(node.operand)}"
            case ast.UnaryOp(op=ast.USub()):
                return f"-{self._operand(node.operand)}"
            case ast.BinOp(op=op) if type(op) in _OPERATORS:
                self.is_exact = self.is_exact and not isinstance(op, ast.Pow)
                return f"{self._operand(node.left)} {_OPERATORS[type(op)]} {self._operand(node.right)}"
            case ast.BoolOp(op=op):
                return f" {_OPERATORS[type(op)]} ".join(self._operand(value) for value in node.values)
            case ast.Compare(ops=ops) if all(type(op) in _OPERATORS for op in ops):
                return self._comparison(node)
            case ast.IfExp():
                return self._choice(node.body, node.test, node.orelse)
            case ast.Call(func=ast.Name(id=name), keywords=[]):
                return self._call(name, node.args)
        raise self._refusal(f"{ast.unparse(node)!r} is no part of an expression")

    def _operand(self, node: ast.AST) -> str:
        text = self.text(node)
        return text if isinstance(node, (ast.Constant, ast.Name, ast.Call)) and text[0] != "(" else f"({text})"

    def _constant(self, value: object) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (int, float)) and math.isfinite(value):
            self.constants.append(float(value))
            return repr(value)
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=False)
        raise self._refusal(f"{value!r} is neither a finite number nor text")

    def _comparison(self, node: ast.Compare) -> str:
        """Comparisons in a row are those of neighbours."""
        sides = [self._operand(one) for one in (node.left, *node.comparators)]
        operators = [_OPERATORS[type(op)] for op in node.ops]
        pairs = [f"{left} {op} {right}" for left, op, right in zip(sides, operators, sides[1:], strict=False)]
        return pairs[0] if len(pairs) == 1 else " and ".join(f"({pair})" for pair in pairs)

    def _choice(self, value: ast.AST, condition: ast.AST, other: ast.AST) -> str:
        return f"{self._operand(value)} if {self._operand(condition)} else {self._operand(other)}"

    def _call(self, name: str, arguments: list[ast.expr]) -> str:
        name = _ALSO.get(name, name)
        if name in {_CHOICE, "if"} and len(arguments) == 3:
            condition, value, other = arguments
            return f"({self._choice(value, condition, other)})"
        if name not in EXACT_FUNCTIONS | CLOSE_FUNCTIONS:
            known = ", ".join(sorted({*EXACT_FUNCTIONS, *CLOSE_FUNCTIONS, "if"}))
            if name in {_CHOICE, "if"}:
                raise self._refusal("if takes a condition and two values")
            raise self._refusal(f"there is no function {name!r}; the functions are: {known}")
        self.is_exact = self.is_exact and name in EXACT_FUNCTIONS
        self.takes_null = self.takes_null or name in {"is_null", "coalesce"}
        return f"{name}({', '.join(self.text(one) for one in arguments)})"

    def _refusal(self, reason: str) -> Refusal:
        return Refusal(f"the expression {self._text!r}: {reason}")


def _is_bool(node: ast.AST) -> bool:
    match node:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()) | ast.Name(id="true" | "false"):
            return True
        case ast.Constant(value=bool()):
            return True
        case ast.IfExp():
            return _is_bool(node.body)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return name == "is_null" or (name in {_CHOICE, "where"} and len(arguments) == 3 and _is_bool(arguments[1]))
    return False


def _is_nullable(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name):
            return name not in {"true", "false"}
        case ast.Call(func=ast.Name(id="is_null")):
            return False
        case ast.Call(func=ast.Name(id="coalesce"), args=arguments):
            return all(_is_nullable(one) for one in arguments)
        case ast.Call(args=arguments):
            return any(_is_nullable(one) for one in arguments)
    return any(_is_nullable(one) for one in ast.iter_child_nodes(node))
