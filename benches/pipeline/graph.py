"""The pipeline as an ONNX graph, built by hand: skl2onnx knows neither the indicators nor all of the other steps.

Numbers are computed in float32, as graphs for serving are. Places and bins come from decision trees over the knots and
the edges, a logarithmic search; the alternative, comparing with every knot, is far slower.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from fitted import BINNED, MARKED, NUMBERS, PLACED, SCALED, TEXTS
from onnx import TensorProto, helper, numpy_helper
from sklearn.compose import ColumnTransformer

WAYS = ("one_hot", "scatter")
"""How categories become columns: a OneHotEncoder each, or a LabelEncoder each and one ScatterElements."""


def build(pipeline: ColumnTransformer, way: str) -> bytes:
    """A model with the inputs "numbers" [N, 60] and one [N] of strings for each text; its output is "dense"."""
    graph = _Graph()
    parts = pipeline.named_transformers_
    fill = np.concatenate([parts[name]["impute"].statistics_ for name in ("scaled", "placed", "binned")])
    missing = graph.node("IsNaN", ["numbers"])
    filled = graph.node("Where", [missing, graph.constant(fill), "numbers"])
    scaled = len(SCALED) + len(MARKED)
    scaler = parts["scaled"]["then"]
    centred = graph.node("Sub", [graph.columns(filled, 0, scaled), graph.constant(scaler.mean_)])
    outputs = [graph.node("Div", [centred, graph.constant(scaler.scale_)])]
    marked = graph.columns(missing, len(SCALED), scaled)
    outputs.append(graph.node("Cast", [marked], to=TensorProto.FLOAT))
    outputs += _places_and_bins(graph, graph.columns(filled, scaled, len(NUMBERS)), parts)
    categories = [list(each) for each in parts["texts"].categories_]
    outputs += _one_hot(graph, categories) if way == "one_hot" else _scatter(graph, categories)
    graph.node("Concat", outputs, output="dense", axis=1)
    return graph.model()


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str | None = None, domain: str = "", **attributes: Any) -> str:
        output = output or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def columns(self, values: str, start: int, end: int) -> str:
        def number(value: int) -> str:
            return self.constant([value], np.int64)

        return self.node("Slice", [values, number(start), number(end), number(1)])

    def model(self) -> bytes:
        inputs = [helper.make_tensor_value_info("numbers", TensorProto.FLOAT, ["N", len(NUMBERS)])]
        inputs += [helper.make_tensor_value_info(name, TensorProto.STRING, ["N"]) for name in TEXTS]
        dense = helper.make_tensor_value_info("dense", TensorProto.FLOAT, ["N", 480])
        graph = helper.make_graph(self.nodes, "pipeline", inputs, [dense], self.constants)
        versions = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
        model = helper.make_model(graph, opset_imports=versions, ir_version=9)
        onnx.checker.check_model(model)
        return model.SerializeToString()


def _places_and_bins(graph: _Graph, values: str, parts: dict[str, Any]) -> list[str]:
    """A tree for each column: its leaves hold the line between two knots, or the bin."""
    quantiles, bins = parts["placed"]["then"], parts["binned"]["then"]
    count = len(PLACED)
    trees = _Trees()
    for column in range(count):
        edges, lines = _lines(quantiles.quantiles_[:, column].astype(np.float32), quantiles.references_)
        trees.add(column, edges, [[(column, a), (count + column, b), (2 * count + column, c)] for a, b, c in lines])
    for column in range(len(BINNED)):
        edges = bins.bin_edges_[column][1:-1]
        leaves = [[(3 * count + column, float(bin_))] for bin_ in range(len(edges) + 1)]
        trees.add(count + column, edges, leaves)
    found = trees.node(graph, values, 3 * count + len(BINNED))
    slope, knot, low = (graph.columns(found, start * count, (start + 1) * count) for start in range(3))
    distance = graph.node("Sub", [graph.columns(values, 0, count), knot])
    places = graph.node("Add", [graph.node("Mul", [slope, distance]), low])
    return [places, graph.columns(found, 3 * count, 3 * count + len(BINNED))]


def _lines(knots: Any, references: Any) -> tuple[list[float], list[tuple[float, float, float]]]:
    """Edges, and between them slope, knot and place; at a knot that is there several times, the middle place."""
    edges: list[float] = []
    lines = [(0.0, 0.0, 0.0)]
    distinct, first, counts = np.unique(knots, return_index=True, return_counts=True)
    last = first + counts - 1
    for at, knot in enumerate(distinct):
        if counts[at] > 1 and 0 < at < len(distinct) - 1:
            edges.append(knot)
            lines.append((0.0, 0.0, (references[first[at]] + references[last[at]]) / 2))
            edges.append(np.nextafter(knot, np.float32(np.inf)))
        else:
            edges.append(knot)
        if at + 1 == len(distinct):
            lines.append((0.0, 0.0, 1.0))
        else:
            low = references[last[at]]
            lines.append(((references[first[at + 1]] - low) / float(distinct[at + 1] - knot), knot, low))
    return edges, lines


class _Trees:
    """Balanced search trees as a TreeEnsembleRegressor."""

    def __init__(self) -> None:
        self.trees = 0
        self.nodes: dict[str, list[Any]] = {
            name: [] for name in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")
        }
        self.targets: dict[str, list[Any]] = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}

    def add(self, feature: int, edges: Any, leaves: list[list[tuple[int, float]]]) -> None:
        """A tree that goes to the leaf at the number of edges that are not above the value."""
        self._edges, self._leaves, self._feature, self._next = edges, leaves, feature, 0
        self._grow(0, len(edges))
        self.trees += 1

    def _grow(self, low: int, high: int) -> int:
        at, self._next = self._next, self._next + 1
        place = len(self.nodes["values"])
        leaf = low == high
        middle = (low + high) // 2
        row = (self.trees, at, 0 if leaf else self._feature, 0.0 if leaf else float(np.float32(self._edges[middle])))
        for name, value in zip(("treeids", "nodeids", "featureids", "values"), row, strict=True):
            self.nodes[name].append(value)
        self.nodes["modes"].append("LEAF" if leaf else "BRANCH_LT")
        self.nodes["truenodeids"].append(0)
        self.nodes["falsenodeids"].append(0)
        if leaf:
            for target, weight in self._leaves[low]:
                for name, value in zip(
                    ("treeids", "nodeids", "ids", "weights"), (self.trees, at, target, weight), strict=True
                ):
                    self.targets[name].append(value)
        else:
            self.nodes["truenodeids"][place] = self._grow(low, middle)
            self.nodes["falsenodeids"][place] = self._grow(middle + 1, high)
        return at

    def node(self, graph: _Graph, values: str, targets: int) -> str:
        attributes = {f"nodes_{name}": values for name, values in self.nodes.items()}
        attributes |= {f"target_{name}": values for name, values in self.targets.items()}
        return graph.node("TreeEnsembleRegressor", [values], domain="ai.onnx.ml", n_targets=targets, **attributes)


def _one_hot(graph: _Graph, categories: list[list[str]]) -> list[str]:
    return [
        graph.node("OneHotEncoder", [name], domain="ai.onnx.ml", cats_strings=each, zeros=1)
        for name, each in zip(TEXTS, categories, strict=True)
    ]


def _scatter(graph: _Graph, categories: list[list[str]]) -> list[str]:
    width = sum(map(len, categories))
    slots, first = [], 0
    shape = graph.constant([-1, 1], np.int64)
    for name, each in zip(TEXTS, categories, strict=True):
        slot = graph.node(
            "LabelEncoder",
            [name],
            domain="ai.onnx.ml",
            keys_strings=each,
            values_int64s=list(range(first, first + len(each))),
            default_int64=width,
        )
        slots.append(graph.node("Reshape", [slot, shape]))
        first += len(each)
    places = graph.node("Concat", slots, axis=1)
    rows = graph.node("Shape", ["numbers"], start=0, end=1)
    zeros = graph.node(
        "ConstantOfShape",
        [graph.node("Concat", [rows, graph.constant([width + 1], np.int64)], axis=0)],
        value=helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0]),
    )
    ones = graph.node(
        "ConstantOfShape",
        [graph.node("Shape", [places])],
        value=helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0]),
    )
    hot = graph.node("ScatterElements", [zeros, places, ones], axis=1)
    return [graph.columns(hot, 0, width)]
