"""Stacks of hidden layers by name, or from a TOML file; the output layer is the problem's and is added to them.

A file lists the layers, input side first, each with its kind and what its constructor takes:

    [[layers]]
    kind = "Convolution"
    filters = 20
    kernel = [5, 5]
    activation = "relu"

    [[layers]]
    kind = "MaxPool"
    size = 2

Nothing in it runs as code. Flatten and Reshape may be left out, see `with_reshapes`.
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
    """The hidden layers of that name, or in that .toml file; a ConfigurationError names what cannot be used."""
    if name in STACKS:
        return STACKS[name]
    if not name.endswith(".toml"):
        raise ConfigurationError(
            f"the model {name!r} is not known: choose {', '.join(STACKS)}, or name a .toml file with the layers"
        )
    return read_stack(name)


def read_stack(path: str | os.PathLike) -> tuple[Layer, ...]:
    """The hidden layers that a TOML file lists; a ConfigurationError where it lists none."""
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigurationError(f"{path} is {path.stat().st_size:,} bytes long: a list of layers is much shorter")
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}): name a .toml file") from None
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
    """The layers with the reshapings that are missing between them. Rows of images (h, w) become images of one channel
    before a first layer that slides over images, and images become rows before a Dense layer. `input_shape` is (n,),
    or (h, w) for images that come as rows of h w pixels; where the first layer slides over images and the inputs are
    none, a ConfigurationError.
    """
    found: list[Layer] = []
    shape = (prod(input_shape),)
    for layer in layers:
        if layer.input_axes == 3 and len(shape) == 1:
            if found or len(input_shape) != 2:
                raise ConfigurationError(
                    f"{layer.label} slides over images, and its input is a row of numbers: put it first and train on "
                    "images, or put a Reshape before it"
                )
            found.append(Reshape((*input_shape, 1)))
            shape = found[-1].output_shape(shape)
        if layer.input_axes == 1 and len(shape) > 1:
            found.append(Flatten())
            shape = (prod(shape),)
        found.append(layer)
        shape = layer.output_shape(shape)
    return found if len(shape) == 1 else [*found, Flatten()]


def _layer(where: str, entry: Any) -> Layer:
    """One layer of a file."""
    if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str):
        raise ConfigurationError(f'{where} has no kind: write kind = "Dense", or another of {", ".join(LAYER_KINDS)}')
    kind = entry["kind"]
    if kind not in LAYER_KINDS:
        raise ConfigurationError(f"{where} is of kind {kind!r}, which is not known: choose {', '.join(LAYER_KINDS)}")
    try:
        return LAYER_KINDS[kind](**{name: value for name, value in entry.items() if name != "kind"})
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from None
    except (TypeError, ValueError, OverflowError, AttributeError) as error:  # an argument too many or too few, say
        known = ", ".join(inspect.signature(LAYER_KINDS[kind]).parameters)
        raise ConfigurationError(f"{where} describes no {kind} ({error}): it takes {known}") from None
