"""`from_sklearn`: read an MLPRegressor or MLPClassifier of scikit-learn as a model."""

from typing import Any

import numpy as np

from deltarule.errors import ConfigurationError
from deltarule.imports.imported_network import ImportedNetwork, Settings
from deltarule.models.model import Model

ACTIVATIONS = {
    "identity": "linear",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "softmax": "softmax",
    "exponential": "exponential",
}


def from_sklearn(estimator: Any) -> Model:
    """Read a fitted MLPRegressor or MLPClassifier as a model, which gives the same numbers.

    Args:
        estimator: the network, or a Pipeline of StandardScaler or MinMaxScaler and the network; for a regression also a
            TransformedTargetRegressor around either, with one of these scalers as its transformer.

    Raises:
        ConfigurationError: the estimator is of another kind, or is not fitted.
    """
    targets: list[Settings] = []
    inner = estimator
    if hasattr(inner, "regressor_"):
        targets, inner = [] if inner.transformer_ is None else [_scaler_settings(inner.transformer_)], inner.regressor_
    *scalers, mlp = [step for _, step in inner.steps if step != "passthrough"] if hasattr(inner, "steps") else [inner]
    if not hasattr(mlp, "coefs_") or not hasattr(mlp, "out_activation_"):
        raise ConfigurationError(
            f"estimator is {estimator!r}: give a fitted MLPRegressor or MLPClassifier, or a Pipeline that ends in one."
        )
    hidden = [ACTIVATIONS[mlp.activation]] * (len(mlp.coefs_) - 1)
    activations = [*hidden, ACTIVATIONS[mlp.out_activation_]]
    layers = [(W.T, b, name) for W, b, name in zip(mlp.coefs_, mlp.intercepts_, activations, strict=True)]
    classes = getattr(mlp, "classes_", None)
    if classes is not None and len(classes) == 2 and mlp.n_outputs_ == 1:
        W, b, _ = layers[-1]  # one sigmoid of z is the softmax of 0 and z
        layers[-1] = (np.concatenate([0 * W, W]), np.concatenate([0 * b, b]), "softmax")
    if classes is not None:  # several labels of a row are sigmoids, and become a regression
        classes = np.asarray(classes).tolist() if layers[-1][2] == "softmax" else None
    first = scalers[0] if scalers else mlp
    inputs = [(first.n_features_in_, [_scaler_settings(scaler) for scaler in scalers])]
    network = ImportedNetwork(type(mlp).__name__, layers, inputs, targets)
    record = {"imported_from": "scikit-learn", "estimator": type(mlp).__name__}
    return network.model(record, getattr(first, "feature_names_in_", None), classes=classes, first=0)


def _scaler_settings(scaler: Any) -> Settings:
    """The settings of a scaler for `RowScaling.of`."""
    if hasattr(scaler, "data_min_") and not scaler.clip:
        low, high = scaler.feature_range
        return {"xoffset": scaler.data_min_, "gain": scaler.scale_, "ymin": low, "ymax": high}
    if hasattr(scaler, "with_std") and hasattr(scaler, "scale_"):
        zero, one = np.zeros(scaler.n_features_in_), np.ones(scaler.n_features_in_)
        mean, std = scaler.mean_ if scaler.with_mean else zero, scaler.scale_ if scaler.with_std else one
        return {"xmean": mean, "xstd": std}
    raise ConfigurationError(f"{scaler!r} cannot be read: only StandardScaler and MinMaxScaler without clip can.")
