"""An activation's text for ONNX, `z * Sigmoid(z)` for example, as nodes of a graph.

The text is an expression in z, in Python's grammar: calls are ONNX operators, with attributes as keywords
(`Softmax(z, axis=1)`), + - * / ** and a sign are Add, Sub, Mul, Div, Pow and Neg, numbers are constants of the graph's
dtype. What is needed twice has a name, `e = Exp(z); e / (1 + e)`. An operator alone, `Tanh`, is that operator of z.
"""

import ast
from typing import Any

from deltarule.errors import ConfigurationError

BINARY = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul", ast.Div: "Div", ast.Pow: "Pow"}


def add_expression(graph: Any, name: str, text: str, z: str) -> str:
    """Add the nodes of activation `name` to the graph, and return the name of what comes out.

    Args:
        graph: with `constant` and `add`, as that of `deltarule.export.onnx_file`.
        name: of the activation, for messages.
        text: its text.
        z: the name of what it acts on.

    Raises:
        ConfigurationError: the text is no such expression.
    """

    def refuse(what: str) -> ConfigurationError:
        return ConfigurationError(
            f"activation {name!r} is written for ONNX as {text!r}, which {what}: give an expression in z, such as "
            "'z * Sigmoid(z)'."
        )

    try:
        *named, last = ast.parse(text).body
    except (SyntaxError, ValueError):
        raise refuse("cannot be read") from None
    known = {"z": z}

    def operator(called: str, *inputs: ast.expr, **attributes: Any) -> str:
        if not graph.onnx.defs.has(called):
            raise refuse(f"calls {called}, no operator of ONNX")
        return graph.add(called, *map(value, inputs), **attributes)

    def value(node: ast.expr) -> str:
        match node:
            case ast.Constant(value=float() | int() as number):
                return graph.constant(number)
            case ast.Name(id=name) if name in known:
                return known[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return operator("Neg", operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                return operator(BINARY[type(op)], left, right)
            case ast.Call(func=ast.Name(id=called), args=inputs, keywords=keywords):
                try:
                    attributes = {each.arg or "": ast.literal_eval(each.value) for each in keywords}
                except ValueError:
                    raise refuse(f"gives {called} an attribute that is no number or text") from None
                return operator(called, *inputs, **attributes)
        raise refuse(f"holds {ast.unparse(node)!r}")

    for statement in named:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=node):
                known[target] = value(node)
            case _:
                raise refuse(f"holds {ast.unparse(statement)!r}")
    match last:
        case ast.Expr(value=ast.Name(id=alone)) if alone not in known:
            return operator(alone, ast.Name("z"))
        case ast.Expr(value=node):
            return value(node)
    raise refuse("ends in no expression")
