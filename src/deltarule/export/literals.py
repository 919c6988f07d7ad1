"""Numbers, names and texts as they stand in generated source code."""

import re
from collections.abc import Iterable

import numpy as np

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


def wrapped(items: Iterable[str], indent: str, separator: str = ", ", end: str = "") -> str:
    """The items, separated, in indented lines of at most `WIDTH` characters, each but the last ending in `end`."""
    limit = WIDTH - len(indent) - len(end) - len(separator.rstrip())
    lines: list[str] = []
    line = ""
    for item in items:
        if line and len(line) + len(separator) + len(item) > limit:
            lines.append(line + separator.rstrip())
            line = item
        else:
            line = f"{line}{separator}{item}" if line else item
    lines.append(line)
    return f"{end}\n".join(indent + line for line in lines)


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
