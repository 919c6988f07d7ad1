"""`from_matlab`: a network that MATLAB trained, with its scaling, as a model; and the reading of a function file.

A file that genFunction wrote is read as text and never run. What is looked for is

    x1_step1.xoffset = [..]; IW1_1 = [..]; b1 = [..]; LW2_1 = [..]; y1_step1.gain = ..;      constants
    a1 = tansig_apply(repmat(b1,1,Q) + IW1_1*xp1);                                           a statement for each layer

with x1_step1_xoffset in files before R2014b. The header says how many rows an input has.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.errors import ConfigurationError, ModelFileError
from deltarule.imports.foreign import Foreign, raw_rows
from deltarule.imports.matlab_file import TRANSFER, in_our_terms, read_mat
from deltarule.models.model import Model

COMMENT = re.compile(r"%.*")
CONTINUATION = re.compile(r"\.\.\.[^\n]*\n")
NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|Inf|NaN)"
CONSTANT = re.compile(rf"\b([A-Za-z]\w*(?:\.\w+)?)[ \t]*=[ \t]*(\[[^\]]*\]|{NUMBER})[ \t]*(?=[;,\r\n]|$)")
SETTING = re.compile(r"([xy])(\d+)_step(\d+)[._](\w+)")
LAYER = re.compile(r"^[ \t]*a(\d+)\s*=\s*(.+?)\s*;?[ \t]*$", re.MULTILINE)
TERM = re.compile(r"(IW|LW)(\d+)_(\d+)\*(?:[xX]p?|a|X\{)(\d+)(?:,ts\})?")
BIAS = re.compile(r"repmat\(b\d+,1,Q\)|b\d+")
ROWS = re.compile(r"(\d+)xQ matrix, input #(\d+)|Qx(\d+) matrix, input #(\d+)")
OUTPUT = re.compile(r"^[ \t]*(?:y1|Y\{1,ts\})\s*=", re.MULTILINE)
DELAYS = re.compile(r"\btapdelay\d|\bXd\d+\b|\bAd\d+\b")
FUNCTIONS = re.compile(r"\b(\w+)_(?:apply|reverse)\(")
PROCESSING = ("mapminmax", "mapstd", "removeconstantrows")  # each with _apply and _reverse
ADVICE = "feedforwardnet, fitnet and patternnet can be read"


def from_matlab(
    path: str | os.PathLike,
    *,
    inputs: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    classes: Sequence[Any] | None = None,
) -> Model:
    """The network in a file of MATLAB, which gives the same numbers here.

    Args:
        path: a function file (.m) that genFunction wrote, or a .mat file with IW, LW, b and the settings of mapminmax
            or mapstd; docs/tutorials/leaving-matlab.md says how to save one. The .m file is read as text, never run.
        inputs: the names of the columns, in MATLAB's order of rows; x1, x2, ... if None.
        targets: the names of the outputs; y, or y1, y2, ... if None.
        classes: the labels of softmax outputs; 1, 2, ... if None.

    Raises:
        ModelFileError: the file cannot be read, or holds what has no counterpart here, by name: delays, a cascade,
            another transfer function or processing step.
        ConfigurationError: the path ends in neither .m nor .mat, or names are not as many as columns.
    """
    path = Path(path)
    read = {".m": read_function, ".mat": read_mat}.get(path.suffix.lower())
    if read is None:
        raise ConfigurationError(
            f"{path} is no network of MATLAB: give a file that genFunction wrote, which ends in .m, or a .mat file "
            "with net.IW, net.LW and net.b."
        )
    record = {"imported_from": "MATLAB", "file": path.name}
    return read(path).model(record, inputs, targets, classes)


def read_function(path: Path) -> Foreign:
    """The parts of the network in a function file."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")  # comments may be in any encoding
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be read ({error.strerror}): give the file that genFunction wrote."
        ) from None
    code = COMMENT.sub("", CONTINUATION.sub(" ", text))
    if DELAYS.search(code):
        raise ModelFileError(
            f"{path} is a network with delays (narxnet, timedelaynet): {ADVICE}; dr.NARXRegressor is "
            "trained on the data."
        )
    constants = {name: _number(path, name, value) for name, value in CONSTANT.findall(code)}
    layers = dict(LAYER.findall(code))
    if not layers or "IW1_1" not in constants:
        raise ModelFileError(
            f"{path} was not written by genFunction(net, 'file'): it has no "
            f"{'constant IW1_1, the weights of the first layer' if layers else 'statement a1 = ... of a first layer'}. "
            "Write it with genFunction in MATLAB, and give that file."
        )
    expected = {str(i) for i in range(1, len(layers) + 1)}
    owned = {n for name in constants for n in re.findall(r"^(?:b|LW|IW)(\d+)(?:_\d+)?$", name)}
    if layers.keys() != expected or owned - expected or not OUTPUT.search(code):
        raise ModelFileError(
            f"{path} has constants of layers {', '.join(sorted(owned))}, statements of layers {', '.join(layers)}"
            f"{'' if OUTPUT.search(code) else ' and no y1 = ...'}: the file is damaged; write it again."
        )
    parts = [_layer(path, i, layers[str(i)], constants) for i in range(1, len(layers) + 1)]
    for name in dict.fromkeys(FUNCTIONS.findall(code)):
        if name not in (*PROCESSING, *TRANSFER):
            raise ModelFileError(f"{path} calls {name}: {', '.join((*PROCESSING, *TRANSFER))} can be read.")
    steps = _steps(constants)
    declared = {int(b or d): int(a or c) for a, b, c, d in ROWS.findall(text)}
    inputs = []
    for n in range(1, max(int(name[4:]) for name in constants if re.fullmatch(r"IW1_\d+", name)) + 1):
        own = steps.get(("x", n), [])
        inputs.append((raw_rows(own, _found(path, f"IW1_{n}", constants).shape[1], declared.get(n, 0)), own))
    if ("y", 2) in steps:
        raise ModelFileError(f"{path} has two outputs, and a network of deltarule has one: {ADVICE}.")
    return Foreign(str(path), in_our_terms(path, parts), inputs, steps.get(("y", 1), []))


def _number(path: Path, name: str, text: str) -> np.ndarray:
    """A number or a matrix, at least 1-dimensional; rows are divided by semicolons or ends of lines."""
    rows = [row.replace(",", " ").split() for row in re.split(r"[;\n]", text.strip("[] \t"))]
    rows = [row for row in rows if row]
    try:
        matrix = np.array([[float(cell) for cell in row] for row in rows])
    except ValueError:
        raise ModelFileError(f"{path}: {name} = {text[:40]} is no matrix of numbers: the file is damaged.") from None
    return matrix if matrix.ndim == 2 else np.zeros((0, 0))


def _layer(path: Path, i: int, statement: str, constants: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, str]:
    """W, b and the transfer function of layer i; z^i = b_i + W a^{i-1}, and p for a^0."""
    applied = re.fullmatch(r"(\w+)_apply\((.*)\)", statement)
    transfer, summed = applied.groups() if applied else ("purelin", statement)
    blocks, has_bias = [], False
    for term in summed.replace(" ", "").split("+"):
        found, bias = TERM.fullmatch(term), BIAS.fullmatch(term)
        if bias:
            has_bias = True
            continue
        if not found:
            raise ModelFileError(f"{path}: layer {i} adds {term!r}, which cannot be read: {ADVICE}.")
        kind, layer, below, read = found[1], *map(int, found.groups()[1:])
        if layer != i or below != read or (kind == "IW") != (i == 1) or (kind == "LW" and below != i - 1):
            raise ModelFileError(
                f"{path}: layer {i} reads {term!r}, and in a stack of layers each reads the one below only: {ADVICE}, "
                "cascadeforwardnet cannot."
            )
        blocks.append(_found(path, f"{kind}{layer}_{below}", constants))
    W = np.concatenate(blocks, axis=1) if len({len(block) for block in blocks}) == 1 else np.zeros((0, 0))
    b = _found(path, f"b{i}", constants).ravel() if has_bias else np.zeros(len(W))
    return W, b, transfer


def _found(path: Path, name: str, constants: dict[str, np.ndarray]) -> np.ndarray:
    if name not in constants:
        raise ModelFileError(f"{path} lacks the constant {name}: export with genFunction(net, 'file') again.")
    return constants[name]


def _steps(constants: dict[str, np.ndarray]) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """The settings of the processing steps of each input and output, in the order of their numbers."""
    found: dict[tuple[str, int], dict[int, dict[str, Any]]] = {}
    for name, value in constants.items():
        setting = SETTING.fullmatch(name)
        if setting:
            side, number, step, entry = setting.groups()
            found.setdefault((side, int(number)), {}).setdefault(int(step), {})[entry] = value
    return {key: [steps[i] for i in sorted(steps)] for key, steps in found.items()}
