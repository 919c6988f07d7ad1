"""Export trained networks, with their scaling, as C99, JavaScript, Structured Text, NumPy, Octave or ONNX."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from deltarule.checks import require_choice
from deltarule.errors import ConfigurationError, ModelFileError
from deltarule.export.languages import (
    as_identifier,
    c_source,
    javascript_source,
    numpy_source,
    octave_source,
    structured_text,
)
from deltarule.export.onnx_file import onnx_bytes
from deltarule.export.program import Program, build_program, require_floats, with_error_bars
from deltarule.files.atomic_write import write_atomically

__all__ = ["LANGUAGES", "export_model", "require_language"]

PRECISIONS = ("double", "float")


class Language(NamedTuple):
    """A language: the suffix of its files, and the function that writes a program as one, by name and precision."""

    suffix: str
    write: Callable[[Program, str, str], str | bytes]


LANGUAGES = {
    "onnx": Language(".onnx", onnx_bytes),
    "c": Language(".c", c_source),
    "python": Language(".py", numpy_source),
    "octave": Language(".m", octave_source),
    "matlab": Language(".m", octave_source),  # one file serves both
    "javascript": Language(".js", javascript_source),
    "st": Language(".st", structured_text),
}


def require_language(name: str, to: str, program: Program) -> str:
    """Return the language with this name or file suffix.

    Raises:
        ConfigurationError: there is no such language, or the program cannot be written in it.
    """
    by_suffix = {language.suffix[1:]: language_name for language_name, language in reversed(LANGUAGES.items())}
    to = by_suffix.get(to, to)
    if program.recursion is not None and to != "c":
        raise ConfigurationError(f"{name} is {to!r}, and the model is a time series, which is exported to 'c' only.")
    return require_choice(name, to, tuple(LANGUAGES))


def export_model(
    model: Any,
    path: str | os.PathLike,
    to: str | None = None,
    precision: str = "double",
    error_bars: bool = False,
) -> Path:
    """Write a trained network, with its scaling, as a file of another language: raw rows in, units or classes out.

    Args:
        model: the path of a model file, a model from `load_model`, a fitted estimator, or (net, params), which has no
            scaling.
        path: the file to write. The function in it has the file's name, turned into an identifier.
        to: "onnx", "c", "python", "octave", "matlab", "javascript", or "st" (IEC 61131-3 Structured Text for PLCs); or
            a suffix such as "js". None takes the suffix of the path. Time-series models are exported to C only.
        precision: "double", which agrees with deltarule to rounding, or "float".
        error_bars: whether to add a C function for the standard deviation of a new measurement, for networks of up to
            some hundred parameters, see `deltarule.export.members`.

    Returns:
        The path.

    Raises:
        ConfigurationError: an option is not known, the name does not suit the language, a number is beyond the range of
            a float, a layer is the user's own, an activation has no text in that language, the network takes images of
            any size (it has to begin with Reshape) or images at all ("javascript", "st"), or the package onnx is
            missing.
        ShapeError: the parameters do not fit the network.
        ModelFileError: the model cannot be read, or the file cannot be written.
    """
    path = Path(path)
    if to is None:
        to = next((name for name, language in LANGUAGES.items() if language.suffix == path.suffix), None)
        if to is None:
            raise ConfigurationError(f"path is {str(path)!r}, of no known suffix: give to={', '.join(LANGUAGES)}.")
    program = build_program(model)
    to = require_language("to", to, program)
    require_choice("precision", precision, PRECISIONS)
    if LANGUAGES[to].suffix == ".m" and as_identifier(path.stem) != path.stem:
        raise ConfigurationError(
            f"path is {str(path)!r}, but an Octave function has the name of its file: call it "
            f"{as_identifier(path.stem)}.m, for example."
        )
    if error_bars:
        if to != "c":
            raise ConfigurationError(f"error_bars is True and to is {to!r}: error bars can be exported in C only.")
        program = with_error_bars(program, model)
    if precision == "float":
        require_floats(program)
    content = LANGUAGES[to].write(program, as_identifier(path.stem), precision)
    try:
        write_atomically(path, content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise ModelFileError(f"{path} cannot be written ({error.strerror}): choose another place.") from None
    return path
