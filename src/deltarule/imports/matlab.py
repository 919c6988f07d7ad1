"""`from_matlab`: read a network that MATLAB trained, with its scaling, as a model; here from a function file.

A file that genFunction wrote is read as text and never run. It holds

    x1_step1.xoffset = [..]; IW1_1 = [..]; b1 = [..]; LW2_1 = [..]; y1_step1.gain = ..;      constants
    a1 = tansig_apply(repmat(b1,1,Q) + IW1_1*xp1);                                           a statement for each layer

with x1_step1_xoffset before R2014b. The comment at its top says how many rows an input has.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.errors import ConfigurationError, ModelFileError
from deltarule.imports.imported_network import ImportedNetwork, raw_row_count
from deltarule.imports.matlab_file import TRANSFER, name_activations, read_mat
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
ADVICE = "only feedforwardnet, fitnet and patternnet can be read"


def from_matlab(
    path: str | os.PathLike,
    *,
    inputs: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    classes: Sequence[Any] | None = None,
) -> Model:
    """Read a network from a file of MATLAB as a model, which gives the same numbers.

    Args:
        path: a function file (.m) that genFunction wrote, or a .mat file with IW, LW, b and the settings of mapminmax
            or mapstd; docs/tutorials/leaving-matlab.md says how to save one. The .m file is read as text, never run.
        inputs: the names of the columns, in MATLAB's order of rows; x1, x2, ... if None.
        targets: the names of the outputs; y, or y1, y2, ... if None.
        classes: the labels of softmax outputs; 1, 2, ... if None.

    Raises:
        ModelFileError: the file cannot be read, or the network has delays, a cascade, or a transfer function or
            processing step that deltarule does not have; the message names it.
        ConfigurationError: the path ends in neither .m nor .mat, or the number of names is wrong.
    """
    path = Path(path)
    read = {".m": read_function, ".mat": read_mat}.get(path.suffix.lower())
    if read is None:
        raise ConfigurationError(
            f"{path} is no file of a MATLAB network: give a .m file that genFunction wrote, or a .mat file with "
            "net.IW, net.LW and net.b."
        )
    record = {"imported_from": "MATLAB", "file": path.name}
    return read(path).model(record, inputs, targets, classes)


def read_function(path: Path) -> ImportedNetwork:
    """Read the parts of the network in a function file."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")  # comments may be in any encoding
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read ({error.strerror}): give genFunction's file.") from None
    code = COMMENT.sub("", CONTINUATION.sub(" ", text))
    if DELAYS.search(code):
        raise ModelFileError(
            f"{path} is a network with delays (narxnet, timedelaynet): {ADVICE}; train dr.NARXRegressor on the data "
            "instead."
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
    with_constants = {n for name in constants for n in re.findall(r"^(?:b|LW|IW)(\d+)(?:_\d+)?$", name)}
    if layers.keys() != expected or with_constants - expected or not OUTPUT.search(code):
        missing = "" if OUTPUT.search(code) else " and no y1 = ..."
        raise ModelFileError(
            f"{path} has constants of layers {', '.join(sorted(with_constants))}, statements of layers "
            f"{', '.join(layers)}{missing}: the file is damaged, write it again."
        )
    parts = [_layer(path, i, layers[str(i)], constants) for i in range(1, len(layers) + 1)]
    for name in dict.fromkeys(FUNCTIONS.findall(code)):
        if name not in (*PROCESSING, *TRANSFER):
            raise ModelFileError(f"{path} calls {name}: only {', '.join((*PROCESSING, *TRANSFER))} can be read.")
    steps = _processing_steps(constants)
    declared = {int(b or d): int(a or c) for a, b, c, d in ROWS.findall(text)}
    inputs = []
    for n in range(1, max(int(name[4:]) for name in constants if re.fullmatch(r"IW1_\d+", name)) + 1):
        input_steps, read = steps.get(("x", n), []), _constant(path, f"IW1_{n}", constants).shape[1]
        inputs.append((raw_row_count(input_steps, read, declared.get(n, 0)), input_steps))
    if ("y", 2) in steps:
        raise ModelFileError(f"{path} has two outputs, and a network of deltarule has one: {ADVICE}.")
    return ImportedNetwork(str(path), name_activations(path, parts), inputs, steps.get(("y", 1), []))


def _number(path: Path, name: str, text: str) -> np.ndarray:
    """Read a number or a matrix, whose rows are separated by semicolons or line breaks, as a matrix."""
    rows = [row.replace(",", " ").split() for row in re.split(r"[;\n]", text.strip("[] \t"))]
    rows = [row for row in rows if row]
    try:
        matrix = np.array([[float(cell) for cell in row] for row in rows])
    except ValueError:
        raise ModelFileError(f"{path}: {name} = {text[:40]} is no matrix of numbers: the file is damaged.") from None
    return matrix if matrix.ndim == 2 else np.zeros((0, 0))


def _layer(path: Path, i: int, statement: str, constants: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, str]:
    """Return W, b and the transfer function of layer i, whose statement is a_i = sigma(b_i + W a_{i-1}); a_0 is p."""
    applied = re.fullmatch(r"(\w+)_apply\((.*)\)", statement)
    transfer, summed = applied.groups() if applied else ("purelin", statement)
    blocks, has_bias = [], False
    for term in summed.replace(" ", "").split("+"):
        if BIAS.fullmatch(term):
            has_bias = True
            continue
        product = TERM.fullmatch(term)
        if not product:
            raise ModelFileError(f"{path}: layer {i} adds {term!r}, which cannot be read: {ADVICE}.")
        kind, layer, below, read = product[1], *map(int, product.groups()[1:])
        if layer != i or below != read or (kind == "IW") != (i == 1) or (kind == "LW" and below != i - 1):
            raise ModelFileError(
                f"{path}: layer {i} reads {term!r}, and each layer may read only the one below: {ADVICE}, not "
                "cascadeforwardnet."
            )
        blocks.append(_constant(path, f"{kind}{layer}_{below}", constants))
    W = np.concatenate(blocks, axis=1) if len({len(block) for block in blocks}) == 1 else np.zeros((0, 0))
    b = _constant(path, f"b{i}", constants).ravel() if has_bias else np.zeros(len(W))
    return W, b, transfer


def _constant(path: Path, name: str, constants: dict[str, np.ndarray]) -> np.ndarray:
    if name not in constants:
        raise ModelFileError(f"{path} lacks the constant {name}: export with genFunction(net, 'file') again.")
    return constants[name]


def _processing_steps(constants: dict[str, np.ndarray]) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """Return the settings of the processing steps of each input and output, in the order of their numbers."""
    settings: dict[tuple[str, int], dict[int, dict[str, Any]]] = {}
    for name, value in constants.items():
        if match := SETTING.fullmatch(name):
            side, number, step, entry = match.groups()
            settings.setdefault((side, int(number)), {}).setdefault(int(step), {})[entry] = value
    return {key: [steps[i] for i in sorted(steps)] for key, steps in settings.items()}
