"""From expressions to the spec: features with chains of steps, each shared expression a feature of its own."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..names import Names, Reference
from .columns import Column, Columns, LaneNames
from .expressions import Expression, cast
from .matrix import parts
from .problems import ExportError, ExportProblem
from .sources import Source, json_value

FORMAT = "quiver.spec/1"

INTEGERS = {"int64", "bool"}
"""Elements that an int64 output holds."""


@dataclass(frozen=True)
class Served:
    """One feature of the output.

    Attributes:
        name: The feature's name.
        expression: What it is.
        positions: Its columns in the library's matrix.
        columns: The library's names of these columns, where the server would make up others.
    """

    name: str
    expression: Expression
    positions: range
    columns: Sequence[str] = ()


def served(columns: Sequence[Column], dtype: str, default: float) -> list[Served]:
    """Names the features that an output of these columns has: scalars, and whole vectors under one name.

    Integers become floats where the default is no integer.
    """
    names = Names()
    features = []
    taken: set[str] = set()
    numbered: dict[str, int] = {}
    blocks = Columns.of(columns).blocks
    for part, block in zip(parts(columns), blocks, strict=True):
        name = block.names[0] if part.expression.type.width is None else block.group
        expression = part.expression
        if dtype != "int64" and _is_number(expression) and expression.type.nullable and not _is_integer(default):
            expression = cast(expression, "float64")
        feature = Served(names.unique(name), expression, part.positions)
        features.append(feature)
        if block.is_whole and isinstance(block.names, LaneNames) and block.names.numbers(feature.name):
            # Names that the server makes too, however many they are.
            numbered[feature.name] = len(block.names)
            continue
        full = tuple(block.names)
        # An output has a name once; where the library has it twice, the second one is the server's.
        once = len(set(full)) == len(full) and taken.isdisjoint(full)
        if once and not _is_derived(feature, full) and not any(_is_numbered(one, numbered) for one in full):
            features[-1] = replace(feature, columns=full)
        taken.update(full)
    return features


def _is_numbered(name: str, numbered: Mapping[str, int]) -> bool:
    """Whether it is a numbered lane's name of one of these vectors."""
    vector, _, lane = name.rpartition("_")
    return lane.isdecimal() and int(lane) < numbered.get(vector, 0)


def _is_derived(feature: Served, names: tuple[str, ...]) -> bool:
    """Whether the server gives the columns these names by itself: the feature's, with the lanes' for a vector."""
    expression = feature.expression
    if expression.type.width is None:
        return names == (feature.name,)
    lanes = expression.lane_names or tuple(str(lane) for lane in range(expression.type.lanes))
    categories = [] if expression.step is None else expression.step.get("categories", [])
    # It writes floats and booleans in a way of its own.
    plain = all(isinstance(value, (str, int)) and not isinstance(value, bool) for value in categories)
    return plain and names == tuple(f"{feature.name}_{lane}" for lane in lanes)


def _is_number(expression: Expression) -> bool:
    return not expression.type.list and expression.type.element in {"int64", "uint64", "bool"}


def _is_integer(value: float) -> bool:
    return bool(np.isfinite(value)) and float(value).is_integer()


def check(features: Sequence[Served], dtype: str) -> None:
    """Rejects what an output can't hold."""
    problems = []
    if not features:
        problems.append(ExportProblem("", "the result has no columns"))
    for feature in features:
        of = feature.expression.type
        if of.list or of.element == "string":
            what = "lists" if of.list else "strings"
            reason = f"the result's column {feature.name!r} holds {what}; an output holds numbers"
            problems.append(ExportProblem("", reason))
        elif dtype == "int64" and of.element not in INTEGERS:
            reason = f"the result's column {feature.name!r} is {of.element}; an int64 output holds integers"
            problems.append(ExportProblem("", reason))
    if problems:
        raise ExportError(problems)


class Writer:
    """Writes features as a spec has them.

    Two expressions of the same steps over the same inputs are one. An expression that several others read, or that
    is not the first step's only input, becomes a feature of its own.
    """

    def __init__(
        self, features: Sequence[Served], default: float, defaults: Mapping[str, float | list[float]] | None = None
    ) -> None:
        self._default = json_value(default)
        self._defaults = defaults or {}
        self._names = Names()
        self._keys: dict[int, str] = {}
        self._readers: Counter[str] = Counter()
        self._references: dict[str, Reference] = {}
        self._sources: set[str] = set()
        self._features: list[dict[str, Any]] = []
        self.used_inputs: set[str] = set()
        for feature in features:
            self._names.unique(feature.name)
        seen: set[str] = set()
        for feature in features:
            self._count(feature.expression, seen)
        for feature in features:
            self._serve(feature)

    @property
    def features(self) -> list[dict[str, Any]]:
        """All features: those of the output, each after those that it reads."""
        return self._features

    def _key(self, expression: Expression) -> str:
        """The same for equal expressions."""
        known = self._keys.get(id(expression))
        if known is None:
            step = json.dumps(expression.step, default=json_value, sort_keys=True)
            text = f"{expression.name}|{step}|{[self._key(one) for one in expression.inputs]}"
            known = self._keys[id(expression)] = hashlib.sha256(text.encode()).hexdigest()
        return known

    def _count(self, expression: Expression, seen: set[str]) -> None:
        """Counts who reads each expression."""
        key = self._key(expression)
        self._readers[key] += 1
        if key not in seen:
            seen.add(key)
            if expression.step is None and expression.name is not None:
                self._sources.add(expression.name)
            for one in expression.inputs:
                self._count(one, seen)

    def _serve(self, feature: Served) -> None:
        key = self._key(feature.expression)
        # The output may hold one expression twice, but not one feature.
        body = (
            {"input": self._references[key]}
            if key in self._references
            else self._chain(feature.expression, feature.name)
        )
        if feature.expression.type.nullable:
            body["default"] = _written(self._defaults.get(feature.name, self._default))
        columns = {"columns": list(feature.columns)} if feature.columns else {}
        self._features.append({"name": feature.name, **columns, **body})
        self._references.setdefault(key, self._to_feature(feature.name))

    def _chain(self, expression: Expression, name: str) -> dict[str, Any]:
        """The steps back to where several values are read, or one that others read too."""
        if expression.step is None:
            return {"input": self._reference(expression, name)}
        steps = [_written(expression.step)]
        while len(expression.inputs) == 1:
            before = expression.inputs[0]
            if before.step is None or self._readers[self._key(before)] > 1:
                return {"input": self._reference(before, name), "steps": steps}
            steps.insert(0, _written(before.step))
            expression = before
        inputs = [self._reference(one, name) for one in expression.inputs]
        return {"inputs": inputs, "steps": steps}

    def _to_feature(self, name: str) -> Reference:
        text = f"feature.{name}"
        return {"feature": name} if "." in name or text in self._sources else text

    def _reference(self, expression: Expression, reader: str) -> Reference:
        """An input's name, or that of a feature, which is written if it is not there."""
        if expression.step is None:
            assert expression.name is not None
            self.used_inputs.add(expression.name)
            return expression.reference
        key = self._key(expression)
        if key not in self._references:
            name = self._names.unique(f"{reader}__{expression.op}")
            self._features.append({"name": name, **self._chain(expression, name)})
            self._references[key] = self._to_feature(name)
        return self._references[key]


def _written(step: Any) -> Any:
    """A step's parameters with plain Python values."""
    if isinstance(step, dict):
        return {name: _written(value) for name, value in step.items()}
    if isinstance(step, (list, tuple, range, np.ndarray)):
        return [json_value(value) if np.isscalar(value) else _written(value) for value in step]
    return json_value(step)


def used_sources(sources: Sequence[Source], used: set[str]) -> list[Source]:
    """The sources that the features read, in the sample's order; rejects those that can't be inputs."""
    found = [source for source in sources if used & set(source.input_names)]
    problems = [ExportProblem(f"column {one.name!r}", one.problem) for one in found if one.problem]
    if problems:
        raise ExportError(problems)
    return found
