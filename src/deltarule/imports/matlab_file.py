"""Read a .mat file with the parts of a network: IW, LW and b, and the settings of mapminmax or mapstd.

A network object cannot be read outside MATLAB, so users save its parts; docs/tutorials/leaving-matlab.md has the
lines for it. The file, or one struct in it, holds:

    IW, LW, b        cells like net.IW, net.LW, net.b; a matrix instead of a cell of one; or IW1_1, LW2_1, b1, ..
    transferFcn      a cell of names, one for each layer; without it tansig, and purelin for the last layer
    settings         structs with xoffset, gain and ymin or ymean, or keep, or cells of them. The first letter of the
                     name tells inputs (x, i, p: inputSettings, ps) from outputs (y, o, t: outputSettings, ts)
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.errors import ModelFileError
from deltarule.imports.imported_network import ImportedNetwork, Layers, raw_row_count

SIDES = {"x": "inputs", "i": "inputs", "p": "inputs", "y": "outputs", "o": "outputs", "t": "outputs"}
PARTS = re.compile(r"(?:IW|LW)\d*_?\d*|b\d*|[Tt]ransfer\w*")
SETTINGS = {"xoffset", "xmean", "keep"}
# The activation of each of MATLAB's transfer functions; tansig, 2 / (1 + e^-2z) - 1, is the hyperbolic tangent.
TRANSFER = {
    "tansig": "tanh",
    "logsig": "sigmoid",
    "purelin": "linear",
    "poslin": "relu",
    "softmax": "softmax",
    "elliotsig": "elliotsig",
}


def name_activations(path: Path, layers: Layers) -> Layers:
    """Replace the names of transfer functions by those of activations."""
    for i, (_, _, name) in enumerate(layers, 1):
        if name not in TRANSFER:
            raise ModelFileError(
                f"{path}: layer {i} has the transfer function {name}, not one of {', '.join(TRANSFER)}."
            )
    return [(W, b, TRANSFER[name]) for W, b, name in layers]


def read_mat(path: Path) -> ImportedNetwork:
    """Read the parts of the network in a .mat file."""
    from scipy.io import loadmat

    try:
        content = {name: _plain(value) for name, value in loadmat(path).items() if not name.startswith("__")}
    except NotImplementedError:
        raise ModelFileError(f"{path} is of version 7.3, which is HDF5: save it with save(..., '-v7').") from None
    except Exception as error:  # SciPy's reader raises exceptions of any kind for a damaged file
        raise ModelFileError(f"{path} cannot be read as a .mat file ({error}).") from None
    structs = [content, *(value for value in content.values() if isinstance(value, Mapping))]
    parts = next((struct for struct in structs if {"IW", "IW1_1"} & struct.keys()), None)
    if parts is None:
        raise ModelFileError(
            f"{path} holds {', '.join(content) or 'nothing'}, and no IW: a network object cannot be read outside "
            "MATLAB, so save net.IW, net.LW and net.b, or export it with genFunction."
        )
    weights = _weights(path, parts)
    names = next((value for name, value in parts.items() if name.lower().startswith("transfer")), None)
    transfer = ["tansig"] * (len(weights) - 1) + ["purelin"] if names is None else np.ravel(names).tolist()
    if len(transfer) != len(weights):
        raise ModelFileError(
            f"{path} names {len(transfer)} transfer functions for {len(weights)} layers: save one name for each layer."
        )
    inputs, outputs = _settings(path, parts)
    layers = name_activations(path, [(W, b, str(name)) for (W, b), name in zip(weights, transfer, strict=True)])
    return ImportedNetwork(str(path), layers, [(raw_row_count(inputs, weights[0][0].shape[1]), inputs)], outputs)


def _plain(value: Any) -> Any:
    """Convert what SciPy read: a struct to a dict, a cell to an array of objects, a text to a str."""
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.names:
        if value.size != 1:
            return np.array([None])
        return {name: _plain(value.flat[0][name]) for name in value.dtype.names}
    if value.dtype == object:
        cell = np.empty(value.shape, object)
        for place in np.ndindex(value.shape):
            cell[place] = _plain(value[place])
        return cell
    return "".join(value.ravel()) if value.dtype.kind == "U" else value


def _weights(path: Path, parts: Mapping[str, Any]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return W (n_l, n_{l-1}) and b (n_l,) of each layer, in float64."""
    if "IW1_1" in parts:
        count = 1 + sum(bool(re.fullmatch(r"LW\d+_\d+", name)) for name in parts)
        names = ["IW1_1", *(f"LW{i}_{i - 1}" for i in range(2, count + 1))]
        cells, biases = [parts.get(name) for name in names], [parts.get(f"b{i}") for i in range(1, count + 1)]
    else:
        inner, layered, b = (np.atleast_2d(_as_cell(parts.get(name, np.empty((0, 0))))) for name in ("IW", "LW", "b"))
        biases = list(b.ravel())
        count = len(biases)
        if layered.shape != (count, count):  # one matrix, or a list with a matrix for each layer
            rest = [cell for cell in layered.ravel() if np.size(cell)]
            layered = np.empty((count, count), object)
            for i, cell in enumerate(rest[: count - 1], 1):
                layered[i, i - 1] = cell
        beyond = [cell for cell in inner.ravel()[1:] if np.size(cell)]
        beyond += [c for (i, j), c in np.ndenumerate(layered) if i != j + 1 and c is not None and np.size(c)]
        if beyond:
            raise ModelFileError(
                f"{path} has weights between layers that are not neighbours, as cascadeforwardnet has, or several "
                "inputs: only feedforwardnet, fitnet and patternnet can be read."
            )
        cells = [inner.flat[0] if inner.size else None, *(layered[i, i - 1] for i in range(1, count))]
    for i, pair in enumerate(zip(cells, biases, strict=True), 1):
        if any(part is None or not np.size(part) for part in pair):
            raise ModelFileError(f"{path} lacks the weights or the biases of layer {i}: save net.IW, net.LW and net.b.")
    pairs: Any = zip(cells, biases, strict=True)
    return [(np.atleast_2d(np.asarray(W, np.float64)), np.ravel(b).astype(np.float64)) for W, b in pairs]


def _as_cell(value: Any) -> np.ndarray:
    """Return a cell as it is, and a matrix as a cell of one."""
    if value.dtype == object:
        return value
    cell = np.empty((1, 1), object)
    cell[0, 0] = value
    return cell


def _settings(path: Path, parts: Mapping[str, Any]) -> tuple[list[Mapping], list[Mapping]]:
    """Return the settings of the processing steps of inputs and of outputs, in the order of application."""
    sides: dict[str, list[Mapping]] = {"inputs": [], "outputs": []}
    for name, value in parts.items():
        steps = [step for step in np.ravel(np.array(value, object)) if isinstance(step, Mapping)]
        if PARTS.fullmatch(name) or not any(SETTINGS & step.keys() for step in steps):
            continue
        side = SIDES.get(name[0].lower())
        if side is None:
            raise ModelFileError(
                f"{path}: {name} holds settings, and its name does not say of what: call it inputSettings or "
                "outputSettings."
            )
        sides[side] += steps
    return sides["inputs"], sides["outputs"]
