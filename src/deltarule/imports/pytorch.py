"""`from_torch`: a torch.nn.Sequential of Linear layers and activations as a model. Torch itself is not imported."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from deltarule.errors import ConfigurationError
from deltarule.imports.foreign import Foreign, Layers
from deltarule.models.model import Model

ACTIVATIONS = {
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "ReLU": "relu",
    "Softplus": "softplus",
    "Softsign": "elliotsig",
    "Softmax": "softmax",
    "Identity": "linear",
}
NOTHING = ("Dropout", "AlphaDropout", "Flatten")  # what these do to a row when a network predicts


def from_torch(
    module: Any,
    *,
    inputs: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    classes: Sequence[Any] | None = None,
) -> Model:
    """The network of a torch.nn.Sequential, which gives the same numbers here to the precision of its weights.

    Args:
        module: Linear, Tanh, Sigmoid, ReLU, Softplus, Softsign, Softmax, Identity, Dropout and Flatten, nested
            or not.
        inputs: the names of the columns; x0, x1, ... if None. Rows have to be scaled as the network was trained.
        targets: the names of the outputs; y, or y0, y1, ... if None.
        classes: the labels of the outputs. Where the last module is Linear (trained with CrossEntropyLoss), a softmax
            follows it here.

    Raises:
        ConfigurationError: a module is another one, or an activation follows another.
    """
    layers: Layers = []
    free = False  # whether the last layer still waits for its activation
    for part in _flat(module):
        kind = type(part).__name__
        if kind == "Linear":
            bias = np.zeros(part.out_features) if part.bias is None else _array(part.bias)
            layers.append((_array(part.weight), bias, "linear"))
            free = True
        elif kind in ACTIVATIONS and free and not (kind == "Softplus" and part.beta != 1):
            layers[-1] = (*layers[-1][:2], ACTIVATIONS[kind])
            free = False
        elif kind not in NOTHING:
            raise ConfigurationError(
                f"module holds {part!r}: Linear layers, each followed by one of {', '.join(ACTIVATIONS)}, can "
                "be taken over."
            )
    if not layers:
        raise ConfigurationError(f"module is {module!r}: give a torch.nn.Sequential of Linear layers and activations.")
    if classes is not None and free:
        layers[-1] = (*layers[-1][:2], "softmax")
    found = Foreign(type(module).__name__, layers, [(layers[0][0].shape[1], [])])
    return found.model({"imported_from": "PyTorch"}, inputs, targets, classes, first=0)


def _flat(module: Any) -> list[Any]:
    """The modules in their order."""
    if type(module).__name__ != "Sequential":
        return [module]
    return [part for child in module for part in _flat(child)]


def _array(tensor: Any) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)
