"""Networks in languages that are text: what each has for its template beside the program."""

import json
import re

from deltarule.errors import ConfigurationError
from deltarule.export.program import Program, require_dense
from deltarule.export.source import number, source
from deltarule.network.activation import Activation

# Of math.h; an f at the end of a name makes it that of floats, as it does of a literal.
MATHEMATICS = (
    "acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp2 expm1 fabs fdim floor fma "
    "fmax fmin fmod hypot lgamma log log10 log1p log2 pow round sin sinh sqrt tan tanh tgamma trunc"
)
CALL = re.compile(rf"\b({'|'.join(MATHEMATICS.split())})(?=\s*\()")
LITERAL = re.compile(r"(?<![\w.])((?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)(?![\w.])")
COMMENT_OR_STRING = re.compile(r'(/\*.*?\*/|"(?:[^"\\]|\\.)*")', re.DOTALL)
# What C's functions are called in Math of JavaScript; others have the same name, or are not there.
MATH = {"fabs": "abs", "fmax": "max", "fmin": "min"}
ABSENT = ("copysign", "erf", "erfc", "exp2", "fdim", "fma", "fmod", "lgamma", "tgamma")


def c_source(program: Program, name: str, precision: str) -> str:
    """C99 that needs libm and nothing else: constant arrays, no heap, no globals, and a `main` to try it by.

    `name` begins every public name in it. With members there is also `name`_predict_std, the standard deviation of a
    new measurement. Each member i of the ensemble has the weight w_i, its own network f_i and the covariance of its
    parameters (BR5), which is R_i^T R_i with R_i upper triangular. With g the derivatives of an output by the
    parameters, found by BP1 to BP4,

        Var f_i = ‖R_i g‖²,   v = sum_i w_i (Var f_i + f_i²) - (sum_i w_i f_i)² + sigma² e^eta

    and the standard deviation is √(s² v), e^eta and s² those of (NOISE) in `deltarule.trainers.bayesian.noise_law`.

    Raises:
        ConfigurationError: an activation, or its slope for error bars, is not written in C.
    """
    text = source(
        "c99.c",
        program,
        name,
        precision,
        lambda value, precision: number(value, precision) + "f" * (precision == "float"),
        real=precision,
        function=lambda sigma: f"{_identifier(sigma)}_of",
        statements=_in_c,
        labels=map(_c_string, program.classes or ()),
    )
    return text if precision == "double" else in_floats(text)


def in_floats(text: str) -> str:
    """C of doubles as C of floats; comments and strings stay."""
    parts = COMMENT_OR_STRING.split(text)
    parts[::2] = [LITERAL.sub(r"\1f", CALL.sub(r"\1f", part)) for part in parts[::2]]
    return "".join(parts)


def javascript_source(program: Program, name: str, precision: str) -> str:
    """JavaScript for Node.js and for browsers, without packages; in a browser the functions are those of `name`.

    Raises:
        ConfigurationError: the network takes images, or an activation cannot be written.
    """
    require_dense(program, "JavaScript")
    return source(
        "javascript.js",
        program,
        name,
        precision,
        function=lambda sigma: f"{_identifier(sigma)}_of",
        statements=_in_javascript,
        labels=map(json.dumps, program.classes or ()),
    )


def structured_text(program: Program, name: str, precision: str) -> str:
    """IEC 61131-3 Structured Text for PLCs: a function block of constant arrays and loops, called `name`.

    Raises:
        ConfigurationError: the network takes images, or an activation is not written in Structured Text.
    """
    require_dense(program, "Structured Text")

    def literal(value: float, precision: str) -> str:
        return re.sub(r"^(-?\d+)e", r"\1.0e", number(value, precision))  # the standard wants a point in 1.0e-05

    return source(
        "structured_text.st",
        program,
        name,
        precision,
        literal,
        real="LREAL" if precision == "double" else "REAL",
        function=lambda sigma: f"{name}_{_identifier(sigma)}",
        uses_exp=any("EXP(" in sigma.expression_in("st") for sigma in program.activations),
        in_range=lambda text: re.sub(r"\bEXP\(", f"{name}_exp(", text),  # an e^z that never overflows
    )


def octave_source(program: Program, name: str, precision: str) -> str:
    """One function file for Octave and MATLAB (R2016b or later), without toolboxes, which must be called `name`.m."""
    return source("octave.m", program, name, precision, labels=map(_in_octave, program.classes or ()))


def numpy_source(program: Program, name: str, precision: str) -> str:
    """One module of Python that needs NumPy and nothing else."""
    categories = (repr(column.categories) for column in program.columns)
    labels = map(repr, program.classes or ())
    return source("numpy_file.py", program, name, precision, categories=categories, labels=labels)


def _identifier(sigma: Activation) -> str:
    return sigma.name.replace("-", "_")


def _in_c(sigma: Activation) -> str:
    """The body of a function: of one neuron what it returns, of neurons that are mixed what turns z into a in place."""
    body = sigma.expression_in("c").strip()
    return f"return {body};" if sigma.elementwise and not re.search(r"\breturn\b", body) else body


def _in_javascript(sigma: Activation) -> str:
    """C's statements, for its expressions are JavaScript's.

    Raises:
        ConfigurationError: they call a function that Math has not.
    """
    body = _in_c(sigma)
    absent = [name for name in CALL.findall(body) if name in ABSENT]
    if absent:
        raise ConfigurationError(
            f"activation {sigma.name!r} calls {absent[0]}, which JavaScript's Math has not: export to another language."
        )
    body = re.sub(r"\b(?:real|int)\b(?=\s+\w)", "let", body)
    return CALL.sub(lambda call: f"Math.{MATH.get(call[1], call[1])}", body)


def _c_string(text: object) -> str:
    """A C string in ASCII: other bytes of its UTF-8 as three octal digits, and no trigraphs."""
    plain = {ord('"'): '\\"', ord("\\"): "\\\\", ord("?"): "\\?"}
    return '"' + "".join(plain.get(b, chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in str(text).encode()) + '"'


def _in_octave(label: object) -> str:
    """A class; of a text in single quotes what is not printable becomes a question mark."""
    if isinstance(label, str):
        return "'" + "".join(c if c.isprintable() else "?" for c in label).replace("'", "''") + "'"
    return repr(label).lower() if isinstance(label, bool) else repr(label)
