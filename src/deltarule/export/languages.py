"""Trained networks in languages that are text: a template for each in `templates`, and what fills it in.

In a template an expression stands between « and »; the rest is ordinary Jinja.
"""

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deltarule.errors import ConfigurationError
from deltarule.export.program import Program, require_dense
from deltarule.network.activation import Activation
from deltarule.network.activations import get_activation

WIDTH = 110
RESERVED_TEXT = """
auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while main
function end elseif otherwise try catch until global persistent parfor classdef
and as assert async await class def del except finally from import in is lambda nonlocal not or pass raise with
yield None True False
abs all any cast cell class error exp isfinite isnan log1p max min ones permute prod realmin reshape seen single size
sqrt sum tanh zeros
"""
RESERVED = frozenset(RESERVED_TEXT.split())  # keywords of C, Octave and Python, and functions that Octave files call


def format_number(value: float, precision: str) -> str:
    """Write a number with a point or an exponent, in enough digits to read back exactly this double or float.

    >>> format_number(0.1, "double"), format_number(0.1, "float"), format_number(-3.0, "double")
    ('0.1', '0.1', '-3.0')
    """
    text = repr(float(value)) if precision == "double" else str(np.float32(value))
    return text if re.search(r"[.e]", text) else text + ".0"


def as_identifier(name: str) -> str:
    """Turn a name into an identifier of C, Python and Octave: an ASCII letter, then letters, digits and underscores.

    >>> as_identifier("pump 3.1"), as_identifier("3d"), as_identifier("for")
    ('pump_3_1', 'model_3d', 'model_for')
    """
    plain = re.sub(r"[^0-9A-Za-z_]+", "_", name).strip("_")
    return plain if plain and plain[0].isalpha() and plain not in RESERVED else f"model_{plain}".rstrip("_")


def comment_text(text: object) -> str:
    """Make a name safe inside a comment: one line, and nothing that ends or begins a comment.

    >>> comment_text("Druck [°C] */")
    'Druck [°C] * /'
    """
    line = "".join(c if c.isprintable() else "?" for c in str(text)).replace("\\", "/")
    line = line.replace("*/", "* /").replace("/*", "/ *").replace('"""', "'''")
    return re.sub(r"\?(?=\?)", "? ", line)


def wrap_items(items: Iterable[str], indent: str, end: str = "") -> str:
    """Join items with commas in indented lines of at most `WIDTH` characters; all lines but the last end in `end`."""
    limit = WIDTH - len(indent) - len(end) - 1
    lines: list[str] = []
    for item in items:
        if lines and len(lines[-1]) + 2 + len(item) <= limit:
            lines[-1] += f", {item}"
        else:
            lines.append(item)
    return f",{end}\n".join(indent + line for line in lines)


def describe_columns(columns: Iterable, first: int) -> list[str]:
    """A line for each raw column of a model, counted from `first`, with the numbers of its categories."""
    lines = []
    for j, column in enumerate(columns, first):
        categories, missing = "", "; NaN where it is missing" if column.imputed else ""
        if column.categories is not None:
            numbered = (f"{i} {comment_text(name)}" for i, name in enumerate(column.categories, first))
            categories = f", one of: {', '.join(numbered)}"
        lines.append(f"{j}: {comment_text(column.name)}{categories}{missing}")
    return lines


def describe_outputs(program: Program, first: int) -> list[str]:
    """A line for each target of a regression, or for each class."""
    if program.classes is None:
        return describe_columns(program.targets, first)
    return [f"{j}: {comment_text(label)}" for j, label in enumerate(program.classes, first)]


def prefix_lines(lines: Iterable[str], prefix: str) -> str:
    """Join the lines, each after the prefix."""
    return "\n".join(prefix + line for line in lines)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates"), encoding="utf-8"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        variable_start_string="«",
        variable_end_string="»",
    )
    functions = (describe_columns, describe_outputs, prefix_lines, wrap_items)
    environment.globals |= {function.__name__: function for function in functions}
    environment.globals |= {"activation": get_activation, "search": re.search}
    environment.filters["without_stars"] = lambda text: re.sub(r"[(*][*)]", lambda two: " ".join(two[0]), text)
    return environment


def render(
    template: str, program: Program, name: str, precision: str, literal: Any = format_number, **variables: Any
) -> str:
    """Fill in a template (its file's name without ".jinja") for a program called `name`.

    `literal` writes a number in a precision; `variables` are the template's other variables.
    """

    def numbers(values: Any) -> list[str]:
        cells = np.ravel(values if isinstance(values, np.ndarray) else list(values)).tolist()
        return [literal(cell, precision) if isinstance(cell, float) else str(cell) for cell in cells]

    file = _templates().get_template(f"{template}.jinja")
    return file.render(program=program, name=name, double=precision == "double", numbers=numbers, **variables)


# Functions of math.h; an f after such a name, or after a literal, makes it one of floats.
MATHEMATICS = (
    "acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp2 expm1 fabs fdim floor fma "
    "fmax fmin fmod hypot lgamma log log10 log1p log2 pow round sin sinh sqrt tan tanh tgamma trunc"
)
CALL = re.compile(rf"\b({'|'.join(MATHEMATICS.split())})(?=\s*\()")
LITERAL = re.compile(r"(?<![\w.])((?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)(?![\w.])")
COMMENT_OR_STRING = re.compile(r'(/\*.*?\*/|"(?:[^"\\]|\\.)*")', re.DOTALL)
# The names of C's functions in JavaScript's Math where they differ, and the functions that Math lacks.
MATH = {"fabs": "abs", "fmax": "max", "fmin": "min"}
ABSENT = ("copysign", "erf", "erfc", "exp2", "fdim", "fma", "fmod", "lgamma", "tgamma")


def c_source(program: Program, name: str, precision: str) -> str:
    """C99 that needs only libm: constant arrays, no heap, no globals, and a `main` to try it.

    Every public name begins with `name`. A program with members also has `name`_predict_std, the standard deviation of
    a new measurement. Each member i of the ensemble has the weight w_i, its own network f_i and the covariance of its
    parameters (BR5), which is R_i^T R_i with R_i upper triangular. With g the derivatives of an output by the
    parameters, from BP1 to BP4,

        Var f_i = ‖R_i g‖²,   v = sum_i w_i (Var f_i + f_i²) - (sum_i w_i f_i)² + sigma² e^eta

    and the standard deviation is √(s² v), with e^eta and s² of (NOISE) in `deltarule.trainers.bayesian.noise_law`.

    Raises:
        ConfigurationError: an activation has no text in C, or no slope in C for error bars.
    """
    text = render(
        "c99.c",
        program,
        name,
        precision,
        lambda value, precision: format_number(value, precision) + "f" * (precision == "float"),
        real=precision,
        function=lambda sigma: f"{_identifier(sigma)}_of",
        statements=_c_statements,
        labels=map(_c_string, program.classes or ()),
    )
    return text if precision == "double" else to_single_precision(text)


def to_single_precision(text: str) -> str:
    """C of doubles as C of floats; comments and strings stay."""
    parts = COMMENT_OR_STRING.split(text)
    parts[::2] = [LITERAL.sub(r"\1f", CALL.sub(r"\1f", part)) for part in parts[::2]]
    return "".join(parts)


def javascript_source(program: Program, name: str, precision: str) -> str:
    """JavaScript for Node.js and browsers, without packages; in a browser `name` is a global object of the functions.

    Raises:
        ConfigurationError: the network takes images or sequences, or an activation has no text in C or JavaScript.
    """
    require_dense(program, "JavaScript")
    return render(
        "javascript.js",
        program,
        name,
        precision,
        function=lambda sigma: f"{_identifier(sigma)}_of",
        statements=_javascript_statements,
        labels=map(json.dumps, program.classes or ()),
    )


def structured_text(program: Program, name: str, precision: str) -> str:
    """IEC 61131-3 Structured Text for PLCs: a function block called `name`, of constant arrays and loops.

    Raises:
        ConfigurationError: the network takes images or sequences, or an activation has no Structured Text.
    """
    require_dense(program, "Structured Text")

    def literal(value: float, precision: str) -> str:
        return re.sub(r"^(-?\d+)e", r"\1.0e", format_number(value, precision))  # the standard wants a point in 1.0e-05

    return render(
        "structured_text.st",
        program,
        name,
        precision,
        literal,
        real="LREAL" if precision == "double" else "REAL",
        function=lambda sigma: f"{name}_{_identifier(sigma)}",
        uses_exp=any("EXP(" in sigma.expression_in("st") for sigma in program.activations),
        in_range=lambda text: re.sub(r"\bEXP\(", f"{name}_exp(", text),  # e^z without overflow
    )


def octave_source(program: Program, name: str, precision: str) -> str:
    """A function file for Octave and MATLAB (R2016b or later) without toolboxes; the file must be called `name`.m."""
    return render("octave.m", program, name, precision, labels=map(_octave_label, program.classes or ()))


def numpy_source(program: Program, name: str, precision: str) -> str:
    """A Python module that needs only NumPy."""
    categories = (repr(column.categories) for column in program.columns)
    labels = map(repr, program.classes or ())
    return render("numpy_file.py", program, name, precision, categories=categories, labels=labels)


def _identifier(sigma: Activation) -> str:
    return sigma.name.replace("-", "_")


def _c_statements(sigma: Activation) -> str:
    """The body of the activation's function: it returns a for one z, or overwrites the layer's z with a if it mixes."""
    body = sigma.expression_in("c").strip()
    return f"return {body};" if sigma.elementwise and not re.search(r"\breturn\b", body) else body


def _javascript_statements(sigma: Activation) -> str:
    """The body of the activation's function, translated from C; an error if Math lacks a function that it calls."""
    body = _c_statements(sigma)
    absent = [name for name in CALL.findall(body) if name in ABSENT]
    if absent:
        raise ConfigurationError(
            f"activation {sigma.name!r} calls {absent[0]}, which JavaScript's Math lacks: export to another language."
        )
    body = re.sub(r"\b(?:real|int)\b(?=\s+\w)", "let", body)
    return CALL.sub(lambda call: f"Math.{MATH.get(call[1], call[1])}", body)


def _c_string(text: object) -> str:
    """A C string in ASCII: other bytes of the UTF-8 text as three octal digits, and no trigraphs."""
    plain = {ord('"'): '\\"', ord("\\"): "\\\\", ord("?"): "\\?"}
    return '"' + "".join(plain.get(b, chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in str(text).encode()) + '"'


def _octave_label(label: object) -> str:
    """A class label as Octave writes it; characters that cannot be printed become question marks."""
    if isinstance(label, str):
        return "'" + "".join(c if c.isprintable() else "?" for c in label).replace("'", "''") + "'"
    return repr(label).lower() if isinstance(label, bool) else repr(label)
