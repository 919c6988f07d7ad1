"""Stacks of hidden layers by name or from a TOML file; the output layer depends on the problem and is added later.

A file lists the layers, input side first, each with its kind and the arguments of its constructor:

    [[layers]]
    kind = "Convolution"
    filters = 20
    kernel = [5, 5]
    activation = "relu"

    [[layers]]
    kind = "MaxPool"
    size = 2

Nothing in a file is run as code. Flatten and Reshape may be left out, see `with_reshapes`.
"""

import inspect
import os
import tomllib
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

from deltarule.errors import ConfigurationError
from deltarule.network.layers import (
    LAYER_KINDS,
    Convolution,
    Dense,
    Flatten,
    Layer,
    MaxPool,
    Reshape,
    Shape,
)

# lenet: the network of [N] ch. 6 with rectified units, 20 and 40 kernels of 5x5 pixels and 100 neurons.
STACKS: dict[str, tuple[Layer, ...]] = {
    "lenet": (
        Convolution(20, (5, 5), "relu"),
        MaxPool((2, 2)),
        Convolution(40, (5, 5), "relu"),
        MaxPool((2, 2)),
        Dense(100, "relu"),
    ),
}
LARGEST_FILE = 2**20  # bytes


def load_stack(name: str) -> tuple[Layer, ...]:
    """Load the hidden layers with this name in `STACKS`, or from this .toml file; else a ConfigurationError."""
    if name in STACKS:
        return STACKS[name]
    if not name.endswith(".toml"):
        raise ConfigurationError(
            f"the model {name!r} is not known: choose {', '.join(STACKS)}, or give a .toml file with the layers"
        )
    return read_stack(name)


def read_stack(path: str | os.PathLike) -> tuple[Layer, ...]:
    """Read the hidden layers that a TOML file lists; a ConfigurationError if the file is not such a list."""
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigurationError(f"{path} is {path.stat().st_size:,} bytes long: a list of layers is much shorter")
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}): give a .toml file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path} is not TOML ({error}): write the layers as [[layers]] tables") from None
    unknown = set(content) - {"layers"}
    if unknown:
        raise ConfigurationError(f"{path} holds {sorted(unknown)[0]!r}, which is not known: write [[layers]] tables")
    entries = content.get("layers")
    if not isinstance(entries, list) or not entries:
        raise ConfigurationError(f"{path} lists no layers: write one [[layers]] table for each")
    return tuple(_layer(f"{path}, layer {i}", entry) for i, entry in enumerate(entries, 1))


def with_reshapes(layers: Sequence[Layer], input_shape: Shape) -> list[Layer]:
    """Add the Reshape and Flatten layers that are missing between the layers.

    Rows of h w pixels become images of one channel before a first layer that slides over images, and images become rows
    before a Dense layer. `input_shape` is (n,), or (h, w) for images. A ConfigurationError if a layer slides over
    images and its input is none.
    """
    added: list[Layer] = []
    shape = (prod(input_shape),)
    for layer in layers:
        if layer.input_axes == 3 and len(shape) == 1:
            if added or len(input_shape) != 2:
                raise ConfigurationError(
                    f"{layer.label} slides over images, and its input is a row of numbers: put it first and train on "
                    "images, or put a Reshape before it"
                )
            added.append(Reshape((*input_shape, 1)))
            shape = added[-1].output_shape(shape)
        if layer.input_axes == 1 and len(shape) > 1:
            added.append(Flatten())
            shape = (prod(shape),)
        added.append(layer)
        shape = layer.output_shape(shape)
    return added if len(shape) == 1 else [*added, Flatten()]


def _layer(where: str, entry: Any) -> Layer:
    """Make the layer of one [[layers]] table."""
    if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str):
        raise ConfigurationError(f'{where} has no kind: write kind = "Dense", or another of {", ".join(LAYER_KINDS)}')
    kind = entry["kind"]
    if kind not in LAYER_KINDS:
        raise ConfigurationError(f"{where} is of kind {kind!r}, which is not known: choose {', '.join(LAYER_KINDS)}")
    try:
        return LAYER_KINDS[kind](**{name: value for name, value in entry.items() if name != "kind"})
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from None
    except (TypeError, ValueError, OverflowError, AttributeError) as error:  # such as an argument too many or too few
        arguments = ", ".join(inspect.signature(LAYER_KINDS[kind]).parameters)
        raise ConfigurationError(f"{where} is not a valid {kind} ({error}): its arguments are {arguments}") from None
