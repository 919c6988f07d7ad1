"""Reading a function file that MATLAB's genFunction wrote: its constants, and which layer reads which.

The file is read as text and never run. What is looked for is

    x1_step1.xoffset = [..]; IW1_1 = [..]; b1 = [..]; LW2_1 = [..]; y1_step1.gain = ..;      constants
    a1 = tansig_apply(repmat(b1,1,Q) + IW1_1*xp1);                                           a statement for each layer

with x1_step1_xoffset in files before R2014b. The header says how many rows an input has.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.errors import ModelFileError
from deltarule.imports.foreign import Foreign, Layers

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
# MATLAB's transfer functions by their name here; tansig, 2 / (1 + e^-2z) - 1, is the hyperbolic tangent.
TRANSFER = {
    "tansig": "tanh",
    "logsig": "sigmoid",
    "purelin": "linear",
    "poslin": "relu",
    "softmax": "softmax",
    "elliotsig": "elliotsig",
}
PROCESSING = ("mapminmax", "mapstd", "removeconstantrows")  # each with _apply and _reverse
ADVICE = "feedforwardnet, fitnet and patternnet can be read"


def read_function(path: Path) -> Foreign:
    """The parts of the network in the file.

    Raises:
        ModelFileError: it cannot be read, was not written by genFunction, or holds what has no counterpart here.
    """
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
    if sorted(layers, key=int) != [str(i) for i in range(1, len(layers) + 1)]:
        raise ModelFileError(f"{path} has the layers {', '.join(layers)}, and layer 1 to {len(layers)} were expected.")
    owned = {int(n) for name in constants for n in re.findall(r"^(?:b|LW|IW)(\d+)(?:_\d+)?$", name)}
    if owned - set(map(int, layers)) or not OUTPUT.search(code):
        raise ModelFileError(
            f"{path} has constants of layers {sorted(owned)}, statements of layers {', '.join(layers)}"
            f"{'' if OUTPUT.search(code) else ' and no y1 = ...'}: the file is damaged; write it again."
        )
    parts = [_layer(path, i, layers[str(i)], constants) for i in range(1, len(layers) + 1)]
    for name in dict.fromkeys(FUNCTIONS.findall(code)):
        if name not in (*PROCESSING, *TRANSFER):
            raise ModelFileError(f"{path} calls {name}: {', '.join((*PROCESSING, *TRANSFER))} can be read.")
    steps = _steps(constants)
    declared = {int(b or d): int(a or c) for a, b, c, d in ROWS.findall(text)}
    inputs = [(_rows(n, steps, declared, constants), steps.get(("x", n), [])) for n in range(1, _inputs(constants) + 1)]
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


def in_our_terms(path: Path, layers: list[tuple[np.ndarray, np.ndarray, str]]) -> Layers:
    """The layers with the names of activations here.

    Raises:
        ModelFileError: a transfer function has no counterpart.
    """
    for i, (_, _, name) in enumerate(layers, 1):
        if name not in TRANSFER:
            raise ModelFileError(
                f"{path}: layer {i} has the transfer function {name}: {', '.join(TRANSFER)} can be read."
            )
    return [(W, b, TRANSFER[name]) for W, b, name in layers]


def _steps(constants: dict[str, np.ndarray]) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """The settings of the processing steps of each input and output, in the order of their numbers."""
    found: dict[tuple[str, int], dict[int, dict[str, Any]]] = {}
    for name, value in constants.items():
        setting = SETTING.fullmatch(name)
        if setting:
            side, number, step, entry = setting.groups()
            found.setdefault((side, int(number)), {}).setdefault(int(step), {})[entry] = value
    return {key: [steps[i] for i in sorted(steps)] for key, steps in found.items()}


def _inputs(constants: dict[str, np.ndarray]) -> int:
    return max(int(name.removeprefix("IW1_")) for name in constants if re.fullmatch(r"IW1_\d+", name))


def _rows(number: int, steps: dict, declared: dict[int, int], constants: dict[str, np.ndarray]) -> int:
    """How many raw rows an input has: as its first step says, with the header, else as many as the weights read."""
    first = (steps.get(("x", number)) or [{}])[0]
    if "xrows" in first:
        return int(first["xrows"].flat[0])
    if "keep" in first:
        return max(declared.get(number, 0), int(first["keep"].max()))
    scaled = [first[entry].size for entry in ("xoffset", "xmean") if entry in first]
    return scaled[0] if scaled else constants[f"IW1_{number}"].shape[1]
