"""Model files: safetensors for the parameters, JSON metadata for everything else. Loading one runs no code.

The metadata entry "deltarule" holds the format version, the layers, the cost and, if given, the schema that encodes
rows and decodes outputs, and the record of the training. The arrays for the error bars of a Bayesian training are
stored beside the parameters, with the prefix "error_bars." before their names.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialise

from deltarule.errors import DeltaruleError, ModelFileError, ShapeError
from deltarule.files.atomic_write import write_atomically
from deltarule.network.backprop import Params
from deltarule.network.cost import Cost
from deltarule.network.costs import COSTS
from deltarule.network.layers import LAYER_KINDS, Layer
from deltarule.network.network import Network

FORMAT_VERSION = 1
METADATA_KEY = "deltarule"
ERROR_BARS = "error_bars."


class Content(NamedTuple):
    """The content of a model file; schema and training are JSON values, and each but the network may be missing."""

    net: Network
    params: Params
    schema: dict[str, Any] | None
    training: dict[str, Any] | None
    error_bars: dict[str, np.ndarray] | None = None


def save(
    path: str | os.PathLike,
    net: Network,
    params: Params,
    *,
    schema: dict[str, Any] | None = None,
    training: dict[str, Any] | None = None,
    error_bars: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write the network and its parameters to a file. The write is atomic: a crash leaves the old file or the new one.

    Args:
        path: the file.
        net: the network.
        params: its parameters.
        schema: how rows are encoded and outputs decoded, in JSON's types.
        training: the record of the training, in JSON's types.
        error_bars: named arrays, such as those of `deltarule.trainers.bayesian.stored.as_tensors`.

    Raises:
        ModelFileError: the file cannot be written, the parameters are not finite, or a layer or the cost is not one
            of deltarule's own.
        ShapeError: the parameters are not those of this network.
    """
    path = Path(path)
    _check(net, params)
    description = {
        "format_version": FORMAT_VERSION,
        "layers": [{"kind": layer.kind, **_fields(layer)} for layer in net.layers],
        "cost": {"name": net.cost.name, **_fields(net.cost)},
        "schema": schema,
        "training": training,
    }
    tensors = {f"{i}.{name}": np.asarray(array) for i, layer in enumerate(params) for name, array in layer.items()}
    tensors |= {ERROR_BARS + name: np.asarray(array) for name, array in (error_bars or {}).items()}
    tensors = {name: np.asarray(array, order="C") for name, array in tensors.items()}  # serialise ignores strides
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise ModelFileError(
                f"the parameters hold values in {name!r} that are not finite: train again before saving."
            )
    content = serialise(tensors, metadata={METADATA_KEY: json.dumps(description)})
    try:
        write_atomically(path, content)
    except OSError as error:
        raise ModelFileError(
            f"the model cannot be written to {path} ({error.strerror}): choose another place."
        ) from None


def _fields(part: Layer | Cost) -> dict[str, Any]:
    """The arguments that construct a layer or a cost."""
    if type(part) not in (*LAYER_KINDS.values(), *map(type, COSTS.values())):
        raise ModelFileError(
            f"{part!r} is not a layer or cost of deltarule, and a model file holds no others: save the parameters in "
            "a file of your own."
        )
    return dataclasses.asdict(part)  # pyright: ignore[reportArgumentType]


def load(path: str | os.PathLike) -> tuple[Network, Params]:
    """Load the network and the parameters from a file that `save` wrote; inputs and outputs are scaled numbers.

    `deltarule.load_model` returns a model that takes rows in their own units.

    Raises:
        ModelFileError: the file is missing, truncated, inconsistent, not deltarule's, or of a newer format.
    """
    model = load_model(path)
    return model.net, model.params


def load_model(path: str | os.PathLike) -> Content:
    """Read all of a model file; raises as `load` does."""
    path = Path(path)
    if not path.is_file():
        raise ModelFileError(f"there is no model file {path}: give the path that `deltarule train --out` wrote.")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, TypeError, ValueError) as error:
        if path.suffix in ("", ".safetensors"):
            raise ModelFileError(
                f"{path} is damaged or not a safetensors file ({error}): train or copy it again."
            ) from None
        raise ModelFileError(
            f"{path} is not a model file: give one that `deltarule train` or `save` wrote, such as "
            f"{path.with_suffix('.safetensors').name}."
        ) from None
    description = _description(path, metadata)
    try:
        net = _network(description)
    except (KeyError, TypeError, AttributeError, ValueError, DeltaruleError) as error:
        raise ModelFileError(f"{path} describes a network that cannot be built ({error}): train again.") from None
    for name, tensor in tensors.items():
        if tensor.dtype not in ("float32", "float64") or not np.isfinite(tensor).all():
            raise ModelFileError(f"{path} holds a tensor {name!r} ({tensor.dtype}) that is not finite: train it again.")
    bars = {name: tensors.pop(name) for name in list(tensors) if name.startswith(ERROR_BARS)}
    bars = {name.removeprefix(ERROR_BARS): tensor for name, tensor in bars.items()}
    params = _params(path, net, tensors)
    return Content(net, params, description.get("schema"), description.get("training"), bars or None)


def _description(path: Path, metadata: dict[str, str]) -> dict[str, Any]:
    if METADATA_KEY not in metadata:
        raise ModelFileError(
            f"{path} is a safetensors file without {METADATA_KEY!r} metadata: give one that deltarule wrote."
        )
    try:
        description = json.loads(metadata[METADATA_KEY])
        version = description["format_version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ModelFileError(f"{path} has damaged deltarule metadata: train or copy it again.") from None
    if not isinstance(version, int) or version < 1:
        raise ModelFileError(f"{path} has the invalid format version {version!r}: train or copy it again.")
    if version > FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has format version {version}, and this deltarule reads up to {FORMAT_VERSION}: update deltarule."
        )
    return description


def _network(description: dict[str, Any]) -> Network:
    layers = []
    for entry in description["layers"]:
        kind = LAYER_KINDS[entry["kind"]]
        layers.append(kind(**{name: value for name, value in entry.items() if name != "kind"}))
    cost = dict(description["cost"])
    return Network(layers, type(COSTS[cost.pop("name")])(**cost))


def _params(path: Path, net: Network, tensors: dict[str, np.ndarray]) -> Params:
    """Collect the tensors "0.W", "0.b", "1.W", ... as the parameters of the network, and check their shapes."""
    params: list[dict[str, np.ndarray]] = [{} for _ in net.layers]
    for name, tensor in tensors.items():
        position, _, part = name.partition(".")
        if not position.isdecimal() or int(position) >= len(params):
            raise ModelFileError(f"{path} holds a tensor {name!r} that belongs to no layer of its network.")
        params[int(position)][part] = tensor
    if len({tensor.dtype for tensor in tensors.values()}) != 1:
        raise ModelFileError(f"{path} mixes float32 and float64 tensors, or holds none: train or copy it again.")
    try:
        _check(net, params)  # pyright: ignore[reportArgumentType]
    except ShapeError as error:
        raise ModelFileError(f"{path} contradicts itself: {error}") from None
    return params  # pyright: ignore[reportReturnType]


def _check(net: Network, params: Params) -> None:
    """Raise a ShapeError unless the parameters fit the network.

    Where the parameters do not determine the input's shape (images of any size), each layer is checked by itself.
    """
    shape = net.input_shape(params)
    if shape is not None:
        net.check(params, shape)
        return
    for i, (layer, p) in enumerate(zip(net.layers, params, strict=True)):
        layer.check_parameters(p, i)
