"""The text of an exported file: its template in `templates`, and the numbers, names and sentences that fill it in.

In a template an expression stands between « and »; else it is Jinja as it is everywhere.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deltarule.export.program import Program
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
RESERVED = frozenset(RESERVED_TEXT.split())  # in C, in Octave, in Python, and the functions that an Octave file calls


def number(value: float, precision: str) -> str:
    """A number that reads back as exactly this double or float, with a point or an exponent.

    >>> number(0.1, "double"), number(0.1, "float"), number(-3.0, "double")
    ('0.1', '0.1', '-3.0')
    """
    text = repr(float(value)) if precision == "double" else str(np.float32(value))
    return text if re.search(r"[.e]", text) else text + ".0"


def identifier(name: str) -> str:
    """The name as a letter followed by letters, digits and underscores, in ASCII, which C, Python and Octave take.

    >>> identifier("pump 3.1"), identifier("3d"), identifier("for")
    ('pump_3_1', 'model_3d', 'model_for')
    """
    plain = re.sub(r"[^0-9A-Za-z_]+", "_", name).strip("_")
    return plain if plain and plain[0].isalpha() and plain not in RESERVED else f"model_{plain}".rstrip("_")


def in_comment(text: object) -> str:
    """A name where it can do no harm: on one line, without what ends or begins a comment.

    >>> in_comment("Druck [°C] */")
    'Druck [°C] * /'
    """
    shown = "".join(c if c.isprintable() else "?" for c in str(text)).replace("\\", "/")
    shown = shown.replace("*/", "* /").replace("/*", "/ *").replace('"""', "'''")
    return re.sub(r"\?(?=\?)", "? ", shown)


def wrapped(items: Iterable[str], indent: str, end: str = "") -> str:
    """The items, with commas, in indented lines of at most `WIDTH` characters, each but the last ending in `end`."""
    limit = WIDTH - len(indent) - len(end) - 1
    lines: list[str] = []
    for item in items:
        if lines and len(lines[-1]) + 2 + len(item) <= limit:
            lines[-1] += f", {item}"
        else:
            lines.append(item)
    return f",{end}\n".join(indent + line for line in lines)


def about(columns: Iterable, first: int) -> list[str]:
    """A line for each raw column of a model, counted from `first`, with the numbers of its categories."""
    lines = []
    for j, column in enumerate(columns, first):
        missing = "; NaN where it is missing" if column.imputed else ""
        if column.categories is None:
            lines.append(f"{j}: {in_comment(column.name)}{missing}")
        else:
            listed = ", ".join(f"{i} {in_comment(c)}" for i, c in enumerate(column.categories, first))
            lines.append(f"{j}: {in_comment(column.name)}, one of: {listed}{missing}")
    return lines


def about_outputs(program: Program, first: int) -> list[str]:
    """A line for each target of a regression, or for each class."""
    if program.classes is None:
        return about(program.targets, first)
    return [f"{j}: {in_comment(label)}" for j, label in enumerate(program.classes, first)]


def listed(lines: Iterable[str], prefix: str) -> str:
    """The lines one below the other, each behind the prefix."""
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
    environment.globals |= {"about": about, "about_outputs": about_outputs, "listed": listed, "wrapped": wrapped}
    environment.globals |= {"activation": get_activation, "search": re.search}
    environment.filters["without_stars"] = lambda text: re.sub(r"[(*][*)]", lambda two: " ".join(two[0]), text)
    return environment


def source(template: str, program: Program, name: str, precision: str, literal: Any = number, **words: Any) -> str:
    """The text of a template, without ".jinja", for a file called `name`; `words` are the language's own.

    `literal` writes a number of a precision.
    """

    def numbers(values: Any) -> list[str]:
        cells = np.ravel(values if isinstance(values, np.ndarray) else list(values)).tolist()
        return [literal(cell, precision) if isinstance(cell, float) else str(cell) for cell in cells]

    template_of = _templates().get_template(f"{template}.jinja")
    return template_of.render(program=program, name=name, double=precision == "double", numbers=numbers, **words)
