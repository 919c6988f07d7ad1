"""`from_torch`: read a torch.nn.Sequential of Linear layers and activations as a model, without importing torch."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from deltarule.errors import ConfigurationError
from deltarule.imports.imported_network import ImportedNetwork, Layers
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
IGNORED = ("Dropout", "AlphaDropout", "Flatten")  # these do nothing to a row in prediction


def from_torch(
    module: Any,
    *,
    inputs: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    classes: Sequence[Any] | None = None,
) -> Model:
    """Read a torch.nn.Sequential as a model, which gives the same numbers to the precision of its weights.

    Args:
        module: Linear, Tanh, Sigmoid, ReLU, Softplus, Softsign, Softmax, Identity, Dropout and Flatten, nested
            or not.
        inputs: the names of the columns; x0, x1, ... if None. Scale the rows as in the network's training.
        targets: the names of the outputs; y, or y0, y1, ... if None.
        classes: the labels of the outputs. If the last module is Linear (trained with CrossEntropyLoss), the model adds
            a softmax.

    Raises:
        ConfigurationError: a module is of another kind, or an activation follows another.
    """
    layers: Layers = []
    needs_activation = False  # of the last layer
    for part in _modules(module):
        kind = type(part).__name__
        if kind == "Linear":
            bias = np.zeros(part.out_features) if part.bias is None else _as_array(part.bias)
            layers.append((_as_array(part.weight), bias, "linear"))
            needs_activation = True
        elif kind in ACTIVATIONS and needs_activation and not (kind == "Softplus" and part.beta != 1):
            layers[-1] = (*layers[-1][:2], ACTIVATIONS[kind])
            needs_activation = False
        elif kind not in IGNORED:
            raise ConfigurationError(
                f"module holds {part!r}: only Linear layers, each followed by at most one of {', '.join(ACTIVATIONS)}, "
                "can be read."
            )
    if not layers:
        raise ConfigurationError(f"module is {module!r}: give a torch.nn.Sequential of Linear layers and activations.")
    if classes is not None and needs_activation:
        layers[-1] = (*layers[-1][:2], "softmax")
    network = ImportedNetwork(type(module).__name__, layers, [(layers[0][0].shape[1], [])])
    return network.model({"imported_from": "PyTorch"}, inputs, targets, classes, first=0)


def _modules(module: Any) -> list[Any]:
    """The modules in their order, nested ones flattened."""
    if type(module).__name__ != "Sequential":
        return [module]
    return [part for child in module for part in _modules(child)]


def _as_array(tensor: Any) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)
