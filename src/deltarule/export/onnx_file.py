"""A trained network as an ONNX model of standard operators, for any runtime that reads ONNX.

The graph is built from formulas, such as `z * Sigmoid(z)`; the text of an activation for ONNX is one too. A formula has
the grammar of Python: calls are ONNX operators, with attributes as keywords (`Softmax(z, axis=1)`), + - * / ** and a
minus sign are Add, Sub, Mul, Div, Pow and Neg, and numbers are constants of the graph's dtype. A value that is needed
twice gets a name: `e = Exp(z); e / (1 + e)`. The name of an operator alone, `Tanh`, applies it to z.
"""

import ast
from typing import Any

import numpy as np

from deltarule.data.optional import require
from deltarule.errors import ConfigurationError
from deltarule.export.languages import describe_columns
from deltarule.export.program import Program, SequenceMode
from deltarule.network.activations import get_activation
from deltarule.network.layers.stages import Stage, View

OPSET = 17
BINARY = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul", ast.Div: "Div", ast.Pow: "Pow"}


class _Graph:
    """The nodes and constants of a graph; every method that adds to it returns the name of the new value.

    An input is the name of a value, or an array that becomes a constant; floats take the graph's dtype.
    """

    def __init__(self, dtype: Any, outer: "_Graph | None" = None):
        self.onnx = require("onnx", "the export to ONNX", "export")
        self.dtype = np.dtype(dtype)
        self.nodes: list[Any] = []
        self.constants: list[Any] = [] if outer is None else outer.constants  # a Scan's body sees the outer constants
        self.prefix = "" if outer is None else f"body_{len(outer.nodes)}_"

    def add(self, operator: str, *inputs: Any, output: str | None = None, **attributes: Any) -> str:
        """Add a node with one output."""
        names = [value if isinstance(value, str) else self.constant(self._typed(value)) for value in inputs]
        name = output or f"{self.prefix}{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operator, names, [name], **attributes))
        return name

    def constant(self, array: np.ndarray) -> str:
        """Add a constant of the array's dtype."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def _typed(self, value: Any) -> np.ndarray:
        array = np.asarray(value)
        return array.astype(self.dtype) if array.dtype.kind == "f" else array

    def reshaped(self, a: str, *shape: int) -> str:
        """Reshape a value; a 0 in the shape keeps that dimension."""
        return self.add("Reshape", a, shape)

    @property
    def element(self) -> int:
        """ONNX's number for the graph's dtype."""
        return self.onnx.helper.np_dtype_to_tensor_dtype(self.dtype)

    def activated(self, activation: str, z: str) -> str:
        """Add sigma(z), from the activation's text for ONNX.

        Raises:
            ConfigurationError: the text is no formula.
        """
        text = get_activation(activation).expression_in("onnx")
        try:
            return self.formula(text, z=z)
        except SyntaxError as error:
            raise ConfigurationError(
                f"activation {activation!r} is written for ONNX as {text!r}, which {error.msg}: give an expression in "
                "z, such as 'z * Sigmoid(z)'."
            ) from None

    def formula(self, text: str, **variables: Any) -> str:
        """Add the nodes of a formula of these variables.

        Raises:
            SyntaxError: the text is no formula.
        """

        def operator(called: str, *inputs: ast.expr, **attributes: Any) -> str:
            if not self.onnx.defs.has(called):
                raise SyntaxError(f"calls {called}, which is no operator of ONNX")
            return self.add(called, *map(value, inputs), **attributes)

        def value(node: ast.expr) -> Any:
            match node:
                case ast.Constant(value=float() | int() as number):
                    return float(number)
                case ast.Name(id=name) if name in variables:
                    return variables[name]
                case ast.UnaryOp(op=ast.USub(), operand=operand):
                    return operator("Neg", operand)
                case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                    return operator(BINARY[type(op)], left, right)
                case ast.Call(func=ast.Name(id=called), args=inputs, keywords=keywords):
                    try:
                        attributes = {each.arg or "": ast.literal_eval(each.value) for each in keywords}
                    except ValueError:
                        raise SyntaxError(f"gives {called} an attribute that is no number or text") from None
                    return operator(called, *inputs, **attributes)
            raise SyntaxError(f"holds {ast.unparse(node)!r}")

        try:
            statements = ast.parse(text).body
        except (SyntaxError, ValueError):
            raise SyntaxError("cannot be read") from None
        for statement in statements[:-1]:
            match statement:
                case ast.Assign(targets=[ast.Name(id=target)], value=node):
                    variables[target] = value(node)
                case _:
                    raise SyntaxError(f"holds {ast.unparse(statement)!r}")
        match statements[-1:]:
            case [ast.Expr(value=ast.Name(id=name))] if name not in variables:
                return operator(name, ast.Name("z"))
            case [ast.Expr(value=node)]:
                return value(node)
        raise SyntaxError("ends in no expression")


def onnx_bytes(program: Program, name: str, precision: str) -> bytes:
    """The content of the .onnx file.

    The input is "X", (N, columns) raw numbers, a category by its number; the outputs are "y", (N, k) in units, or
    "label", (N,), and "probabilities", (N, k). For sequences X is (N, steps, columns) and y is (N, steps, k), or (N, k)
    of the last step. ONNX cannot refuse a category that did not occur in training: the outputs of its row are NaN.

    Raises:
        ConfigurationError: the package onnx is not installed, or an activation has no text for ONNX.
    """
    graph = _Graph(np.float32 if precision == "float" else np.float64)
    helper = graph.onnx.helper
    a, is_known = _encode_rows(graph, program)
    series = program.series
    if series is not None:
        a = _run_sequence(graph, program, series, a)
    for stage in program.stages if series is None else ():
        a = _apply_stage(graph, stage, a)
    if is_known is not None:
        a = graph.formula("a * is_known / is_known", a=a, is_known=is_known)
    info = helper.make_tensor_value_info
    k = program.outputs
    if program.classes is None:
        mean, std = program.constants["out_mean"], program.constants["out_std"]
        if mean:
            a = graph.formula("a * std + mean", a=a, std=std, mean=mean)
        graph.add("Identity", a, output="y")
        steps = ["T"] if series is not None and series.every_step else []
        outputs = [info("y", graph.element, ["N", *steps, k])]
    else:
        labels = _add_labels(graph, program, a)
        outputs = [info("label", labels, ["N"]), info("probabilities", graph.element, ["N", k])]
    inputs = [info("X", graph.element, ["N", *(["T"] if program.is_step else []), len(program.columns)])]
    body = helper.make_graph(graph.nodes, name, inputs, outputs, graph.constants)
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(body, producer_name="deltarule", opset_imports=opset, ir_version=8)
    model.doc_string = "Columns of X: " + "; ".join(describe_columns(program.columns, 0))
    graph.onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def _encode_rows(graph: _Graph, program: Program) -> tuple[str, str | None]:
    """Add a^1 of the raw rows, and for categories (N, 1), 1 where all categories of a row are known, else 0."""
    scaled = "X"
    constants = program.constants
    if constants["mean"]:
        scaled = graph.formula("(X - mean) / std", X="X", mean=constants["mean"], std=constants["std"])
    if not constants["categories"] and not constants["imputed"]:
        return scaled, None
    parts, sums = [], []
    for j, column in enumerate(program.columns):
        cell = graph.add("Gather", "X", [j], axis=1)
        if column.categories is None:
            inputs = [graph.add("Gather", scaled, [j], axis=1)]
        else:
            equal = graph.add("Equal", cell, np.arange(float(len(column.categories)))[None])
            inputs = [graph.add("Cast", equal, to=graph.element)]
        if column.imputed:
            missing = graph.add("IsNaN", cell)
            inputs[0] = graph.add("Where", missing, 0.0, inputs[0])
            inputs.append(graph.add("Cast", missing, to=graph.element))
        if column.categories is not None:
            sums.append(graph.add("ReduceSum", graph.add("Concat", *inputs, axis=1), [1], keepdims=1))
        parts += inputs
    return graph.add("Concat", *parts, axis=1), graph.add("Min", *sums) if sums else None


def _run_sequence(graph: _Graph, program: Program, series: SequenceMode, a: str) -> str:
    """Add the outputs of sequences, (N, T, k), or (N, k) of the last step; each layer computes all steps in turn."""
    if series.steps is not None:
        a = graph.reshaped(a, 0, series.steps, program.inputs)
    a = graph.add("Transpose", a, perm=[1, 0, 2])
    for stage in program.stages:
        if stage.states:
            a = _run_recurrent_layer(graph, stage, a)
        else:  # a dense layer of three axes; the activations' formulas are for rows
            z = graph.formula("MatMul(a, W) + b", a=a, W=stage.W.T, b=stage.b)
            rows = graph.activated(stage.activation, graph.reshaped(z, -1, stage.n_out))
            a = graph.add("Reshape", rows, graph.add("Shape", z))
    if series.every_step:
        return graph.add("Transpose", a, perm=[1, 0, 2])
    return graph.add("Gather", a, -1, axis=0)


def _run_recurrent_layer(graph: _Graph, stage: Stage, a: str) -> str:
    """Add h (T, N, n) of a recurrent layer by Scan, whose body is one step: ONNX Runtime's own RNN has no double."""
    helper, n, rows = graph.onnx.helper, stage.n_out, len(stage.b)
    source = graph.formula("MatMul(a, W) + b", a=a, W=stage.W.T, b=stage.b)
    shape = graph.add("Concat", graph.add("Gather", graph.add("Shape", a), [1]), [n], axis=0)
    zeros = graph.add("Expand", 0.0, shape)
    body = _Graph(graph.dtype, graph)
    before = [f"{body.prefix}{state}" for state in stage.states]
    z = f"{body.prefix}source"
    after = _recurrent_step(body, stage, z, *before)
    given = body.add("Identity", after[0])
    info = [helper.make_tensor_value_info(name, graph.element, ["N", n]) for name in (*before, *after, given)]
    entering = helper.make_tensor_value_info(z, graph.element, ["N", rows])
    inner = helper.make_graph(body.nodes, f"{body.prefix}step", [*info[: len(before)], entering], info[len(before) :])
    name = f"scan_{len(graph.nodes)}"
    outputs = [*(f"{name}_{state}" for state in stage.states), name]
    node = helper.make_node("Scan", [*[zeros] * len(before), source], outputs, body=inner, num_scan_inputs=1)
    graph.nodes.append(node)
    return name


def _recurrent_step(body: _Graph, stage: Stage, source: str, h: str, c: str = "") -> list[str]:
    """Add the state after one step of a recurrent layer: h, and c of an LSTM."""
    n, V = stage.n_out, stage.V.T
    if stage.kind == "recurrent":
        return [body.activated(stage.activation, body.formula("source + MatMul(h, V)", source=source, h=h, V=V))]

    def gates(z: str, *names: str) -> dict[str, str]:
        return {name: body.add("Gather", z, np.arange(j * n, (j + 1) * n), axis=1) for j, name in enumerate(names)}

    if stage.kind == "lstm":
        z = body.formula("source + MatMul(h, V)", source=source, h=h, V=V)
        parts = gates(z, "i", "f", "o", "g")
        c = body.formula("Sigmoid(f) * c + Sigmoid(i) * Tanh(g)", c=c, **parts)
        return [body.formula("Sigmoid(o) * Tanh(c)", c=c, **parts), c]
    parts = gates(source, "r", "u", "g")
    r, u = (body.formula("Sigmoid(z + MatMul(h, V))", z=parts[gate], h=h, V=V[:, j * n : (j + 1) * n])
            for j, gate in enumerate("ru"))  # fmt: skip
    g = body.formula("Tanh(g + MatMul(r * h, V))", g=parts["g"], r=r, h=h, V=V[:, 2 * n :])
    return [body.formula("g + u * (h - g)", g=g, u=u, h=h)]


def _apply_stage(graph: _Graph, stage: Stage, a: str) -> str:
    """Add a^l (N, n_l), from a^{l-1} (N, n_{l-1})."""
    if stage.view is None:
        return graph.activated(stage.activation, graph.add("Gemm", a, stage.W, stage.b, transB=1))
    if not stage.arrays:
        a = _pool(graph, stage, a)
    else:  # MatMul, because ONNX Runtime's Conv has no double on a CPU
        seen = graph.reshaped(_gather_windows(graph, stage.view, a, 0.0), 0, 0, stage.view.seen)
        z = graph.formula("MatMul(seen, W) + b", seen=seen, W=stage.W.T, b=stage.b)
        a = graph.activated(stage.activation, z)
    return graph.reshaped(a, 0, stage.n_out)


def _gather_windows(graph: _Graph, view: View, a: str, outside: float) -> str:
    """Add the pixels in the window at each stop, (N, H' W', h w, c), with `outside` beyond the image's edge."""
    H, W, c = view.image
    pixels = graph.reshaped(a, 0, H * W, c)
    if any(map(any, view.margins)):  # one more pixel, number H W
        pixels = graph.add("Pad", pixels, [0, 0, 0, 0, 1, 0], outside)
    numbers = np.arange(H * W).reshape(1, H, W, 1)
    places = np.concatenate(view.window.pieces(numbers, margin=H * W), axis=-1)
    return graph.add("Gather", pixels, places.reshape(-1, places.shape[-1]).astype(np.int32), axis=1)


def _pool(graph: _Graph, stage: Stage, a: str) -> str:
    """Add the output of a pool, (N, H' W', c)."""
    view = stage.view
    assert view is not None
    if stage.kind == "max":
        return graph.add("ReduceMax", _gather_windows(graph, view, a, -np.inf), axes=[2], keepdims=0)
    seen, pixels = _gather_windows(graph, view, a, 0.0), np.array([2])
    if stage.kind == "l2":
        return graph.formula("Sqrt(ReduceSum(seen * seen, pixels, keepdims=0))", seen=seen, pixels=pixels)
    counts = view.window.counts(*view.image[:2]).reshape(-1, 1).astype(float)
    return graph.formula("ReduceSum(seen, pixels, keepdims=0) / counts", seen=seen, pixels=pixels, counts=counts)


def _add_labels(graph: _Graph, program: Program, a: str) -> int:
    """Add "label" and "probabilities"; ONNX's number for the labels' dtype."""
    assert program.classes is not None
    index = graph.add("ArgMax", a, axis=1, keepdims=0)
    kind = type(program.classes[0])
    dtype = {str: object, int: np.int64, float: np.float64, bool: np.bool_}[kind]
    graph.add("Gather", graph.constant(np.array(program.classes, dtype)), index, axis=0, output="label")
    if not program.sums_to_one:
        tiny = float(np.finfo(graph.dtype).tiny)
        a = graph.formula("p = Max(a, tiny); p / ReduceSum(p, axes, keepdims=1)", a=a, tiny=tiny, axes=[1])
    graph.add("Identity", a, output="probabilities")
    numbers = graph.onnx.TensorProto
    return {str: numbers.STRING, int: numbers.INT64, float: numbers.DOUBLE, bool: numbers.BOOL}[kind]
