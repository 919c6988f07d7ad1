"""A trained network as an ONNX model of the standard operators, for any runtime that reads ONNX."""

from typing import Any

import numpy as np

from deltarule.data.optional import require
from deltarule.export.onnx_expression import add_expression
from deltarule.export.program import Program, Series
from deltarule.export.source import about
from deltarule.network.activations import get_activation
from deltarule.network.layers.stages import Stage, View

OPSET = 17


class _Graph:
    """The nodes and constants of a graph as they are added; every method returns the name of what it added."""

    def __init__(self, dtype: Any, within: "_Graph | None" = None):
        self.onnx = require("onnx", "the export to ONNX", "export")
        self.dtype = np.dtype(dtype)
        self.nodes: list[Any] = []
        self.constants: list[Any] = [] if within is None else within.constants  # a body sees those of the graph around
        self.prefix = "" if within is None else f"body_{len(within.nodes)}_"

    def constant(self, values: Any, dtype: Any = None) -> str:
        """A constant of the graph's own dtype, or of another."""
        name = f"constant_{len(self.constants)}"
        array = np.asarray(values, dtype or self.dtype)
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """A node with one output."""
        name = output or f"{self.prefix}{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def reshaped(self, a: str, *shape: int) -> str:
        """The numbers in another shape, in which 0 is what the dimension was."""
        return self.add("Reshape", a, self.constant(shape, np.int64))

    @property
    def element(self) -> int:
        """ONNX's number for the graph's dtype."""
        return self.onnx.helper.np_dtype_to_tensor_dtype(self.dtype)


def onnx_bytes(program: Program, name: str, precision: str) -> bytes:
    """The content of the .onnx file.

    The input is "X" (N, columns), raw, a category as its number; the outputs are "y" (N, k) in units, or "label" (N,)
    and "probabilities" (N, k). Of series X is (N, steps, columns) and y (N, steps, k), or (N, k) of the last step. ONNX
    cannot refuse a category that training did not see: the numbers of its row are NaN.

    Raises:
        ConfigurationError: the package onnx is not installed, or an activation is not written for ONNX.
    """
    graph = _Graph(np.float32 if precision == "float" else np.float64)
    helper = graph.onnx.helper
    a, known = _encoded(graph, program)
    series = program.series
    if series is not None:
        a = _through_time(graph, program, series, a)
    for stage in program.stages if series is None else ():
        a = _applied(graph, stage, a)
    if known is not None:
        a = graph.add("Div", graph.add("Mul", a, known), known)
    info = helper.make_tensor_value_info
    k = program.outputs
    if program.classes is None:
        _in_units(graph, program, a)
        steps = ["T"] if series is not None and series.every else []
        outputs = [info("y", graph.element, ["N", *steps, k])]
    else:
        labels = _classified(graph, program, a)
        outputs = [info("label", labels, ["N"]), info("probabilities", graph.element, ["N", k])]
    inputs = [info("X", graph.element, ["N", *(["T"] if program.is_step else []), len(program.columns)])]
    body = helper.make_graph(graph.nodes, name, inputs, outputs, graph.constants)
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(body, producer_name="deltarule", opset_imports=opset, ir_version=8)
    model.doc_string = "Columns of X: " + "; ".join(about(program.columns, 0))
    graph.onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def _encoded(graph: _Graph, program: Program) -> tuple[str, str | None]:
    """Raw rows into a^1; and of categories (N, 1), 1 where training saw all of a row and 0 elsewhere."""
    scaled = "X"
    if program.scales_inputs:
        mean = graph.constant([c.mean for c in program.columns])
        scaled = graph.add("Div", graph.add("Sub", "X", mean), graph.constant([c.std for c in program.columns]))
    if not program.has_categories and not program.has_imputed:
        return scaled, None
    parts, seen = [], []
    for j, column in enumerate(program.columns):
        place = graph.constant([j], np.int64)
        cell = graph.add("Gather", "X", place, axis=1)
        if column.categories is None:
            own = [graph.add("Gather", scaled, place, axis=1)]
        else:
            same = graph.add("Equal", cell, graph.constant(np.arange(len(column.categories))[None]))
            own = [graph.add("Cast", same, to=graph.element)]
        if column.imputed:
            missing = graph.add("IsNaN", cell)
            own[0] = graph.add("Where", missing, graph.constant(0), own[0])
            own.append(graph.add("Cast", missing, to=graph.element))
        if column.categories is not None:
            inputs = graph.add("Concat", *own, axis=1)
            seen.append(graph.add("ReduceSum", inputs, graph.constant([1], np.int64), keepdims=1))
        parts += own
    return graph.add("Concat", *parts, axis=1), graph.add("Min", *seen) if seen else None


def _through_time(graph: _Graph, program: Program, series: Series, a: str) -> str:
    """The outputs of sequences: (N, T, k), or (N, k) of the last step; each layer goes through all steps in turn."""
    if series.steps is not None:
        a = graph.reshaped(a, 0, series.steps, program.inputs)
    a = graph.add("Transpose", a, perm=[1, 0, 2])
    for stage in program.stages:
        if stage.states:
            a = _remembered(graph, stage, a)
        else:  # dense, of three axes
            product = graph.add("MatMul", a, graph.constant(stage.W.T))
            a = _in_rows(graph, stage, graph.add("Add", product, graph.constant(stage.b)))
    if series.every:
        return graph.add("Transpose", a, perm=[1, 0, 2])
    return graph.add("Gather", a, graph.constant(-1, np.int64), axis=0)


def _in_rows(graph: _Graph, stage: Stage, z: str) -> str:
    """sigma of z (T, N, n), whose activation is written for rows."""
    rows = _activated(graph, stage.activation, graph.reshaped(z, -1, stage.n_out))
    return graph.add("Reshape", rows, graph.add("Shape", z))


def _remembered(graph: _Graph, stage: Stage, a: str) -> str:
    """h (T, N, n) of a layer with a memory, by Scan, whose body is one step; ONNX Runtime's own RNN has no double."""
    helper, n, rows = graph.onnx.helper, stage.n_out, len(stage.b)
    source = graph.add("Add", graph.add("MatMul", a, graph.constant(stage.W.T)), graph.constant(stage.b))
    count = graph.add("Gather", graph.add("Shape", a), graph.constant([1], np.int64))
    shape = graph.add("Concat", count, graph.constant([n], np.int64), axis=0)
    zeros = graph.add("Expand", graph.constant(0), shape)
    body = _Graph(graph.dtype, graph)
    before = [f"{body.prefix}{state}" for state in stage.states]
    z = f"{body.prefix}source"
    after = STEPS[stage.kind](body, stage, z, before)
    given = body.add("Identity", after[0])
    info = [helper.make_tensor_value_info(name, graph.element, ["N", n]) for name in (*before, *after, given)]
    entering = helper.make_tensor_value_info(z, graph.element, ["N", rows])
    inner = helper.make_graph(body.nodes, f"{body.prefix}step", [*info[: len(before)], entering], info[len(before) :])
    name = f"scan_{len(graph.nodes)}"
    outputs = [*(f"{name}_{state}" for state in stage.states), name]
    node = helper.make_node("Scan", [*[zeros] * len(before), source], outputs, body=inner, num_scan_inputs=1)
    graph.nodes.append(node)
    return name


def _recurrent_step(body: _Graph, stage: Stage, z: str, before: list[str]) -> list[str]:
    """h = sigma(z + V h)."""
    (h,) = before
    return [_activated(body, stage.activation, body.add("Add", z, _times(body, h, stage.V)))]


def _lstm_step(body: _Graph, stage: Stage, z: str, before: list[str]) -> list[str]:
    """c = f c + i g, h = o tanh c."""
    h, c = before
    parts = _parts(body, body.add("Add", z, _times(body, h, stage.V)), 4, stage.n_out)
    i, f, o = (body.add("Sigmoid", part) for part in parts[:3])
    c = body.add("Add", body.add("Mul", f, c), body.add("Mul", i, body.add("Tanh", parts[3])))
    return [body.add("Mul", o, body.add("Tanh", c)), c]


def _gru_step(body: _Graph, stage: Stage, z: str, before: list[str]) -> list[str]:
    """h = g + u (h - g), g = tanh(z + V (r h))."""
    (h,), n = before, stage.n_out
    parts = _parts(body, z, 3, n)
    gates = [body.add("Add", part, _times(body, h, stage.V[j * n : (j + 1) * n])) for j, part in enumerate(parts[:2])]
    r, u = (body.add("Sigmoid", gate) for gate in gates)
    g = body.add("Tanh", body.add("Add", parts[2], _times(body, body.add("Mul", r, h), stage.V[2 * n :])))
    return [body.add("Add", g, body.add("Mul", u, body.add("Sub", h, g)))]


STEPS = {"recurrent": _recurrent_step, "lstm": _lstm_step, "gru": _gru_step}


def _times(body: _Graph, h: str, V: np.ndarray) -> str:
    return body.add("MatMul", h, body.constant(V.T))


def _parts(body: _Graph, z: str, count: int, n: int) -> list[str]:
    """Gate by gate, (N, n) each."""
    places = [body.constant(np.arange(j * n, (j + 1) * n), np.int64) for j in range(count)]
    return [body.add("Gather", z, place, axis=1) for place in places]


def _applied(graph: _Graph, stage: Stage, a: str) -> str:
    """a^l (N, n_l) of a^{l-1} (N, n_{l-1})."""
    if stage.view is None:
        z = graph.add("Gemm", a, graph.constant(stage.W), graph.constant(stage.b), transB=1)
        return _activated(graph, stage.activation, z)
    if not stage.arrays:
        a = _pooled(graph, stage, a)
    else:  # MatMul, and no Conv, which ONNX Runtime has in float only on a CPU
        seen = graph.reshaped(_seen(graph, stage.view, a, 0), 0, 0, stage.view.seen)
        product = graph.add("MatMul", seen, graph.constant(stage.W.T))
        a = _activated(graph, stage.activation, graph.add("Add", product, graph.constant(stage.b)))
    return graph.reshaped(a, 0, stage.n_out)


def _seen(graph: _Graph, view: View, a: str, outside: float) -> str:
    """What the window sees at each stop, (N, H' W', h w, c); `outside` stands beyond the image's edge."""
    H, W, c = view.image
    pixels = graph.reshaped(a, 0, H * W, c)
    if any(map(any, view.margins)):  # one more pixel, number H W
        pads = graph.constant([0, 0, 0, 0, 1, 0], np.int64)
        pixels = graph.add("Pad", pixels, pads, graph.constant(outside))
    numbers = np.arange(H * W).reshape(1, H, W, 1)
    places = np.concatenate(view.window.pieces(numbers, margin=H * W), axis=-1)
    return graph.add("Gather", pixels, graph.constant(places.reshape(-1, places.shape[-1]), np.int32), axis=1)


def _pooled(graph: _Graph, stage: Stage, a: str) -> str:
    """(N, H' W', c)."""
    view = stage.view
    assert view is not None
    if stage.kind == "max":
        return graph.add("ReduceMax", _seen(graph, view, a, -np.inf), axes=[2], keepdims=0)
    seen, pixels = _seen(graph, view, a, 0), graph.constant([2], np.int64)
    if stage.kind == "l2":
        return graph.add("Sqrt", graph.add("ReduceSum", graph.add("Mul", seen, seen), pixels, keepdims=0))
    total = graph.add("ReduceSum", seen, pixels, keepdims=0)
    return graph.add("Div", total, graph.constant(view.window.counts(*view.image[:2]).reshape(-1, 1)))


def _activated(graph: _Graph, activation: str, z: str) -> str:
    """sigma(z), as the activation's record writes it."""
    return add_expression(graph, activation, get_activation(activation).in_dialect("onnx"), z)


def _in_units(graph: _Graph, program: Program, a: str) -> None:
    if not program.scales_outputs:
        graph.add("Identity", a, output="y")
        return
    spread = graph.add("Mul", a, graph.constant([c.std for c in program.targets]))
    graph.add("Add", spread, graph.constant([c.mean for c in program.targets]), output="y")


def _classified(graph: _Graph, program: Program, a: str) -> int:
    """Add "label" and "probabilities"; ONNX's number for the labels' dtype."""
    assert program.classes is not None
    place = graph.add("ArgMax", a, axis=1, keepdims=0)
    kind = type(program.classes[0])
    dtype = {str: object, int: np.int64, float: np.float64, bool: np.bool_}[kind]
    graph.add("Gather", graph.constant(np.array(program.classes, dtype), dtype), place, axis=0, output="label")
    if program.sums_to_one:
        graph.add("Identity", a, output="probabilities")
    else:
        positive = graph.add("Max", a, graph.constant(np.finfo(graph.dtype).tiny))
        total = graph.add("ReduceSum", positive, graph.constant([1], np.int64), keepdims=1)
        graph.add("Div", positive, total, output="probabilities")
    numbers = graph.onnx.TensorProto
    return {str: numbers.STRING, int: numbers.INT64, float: numbers.DOUBLE, bool: numbers.BOOL}[kind]
