"""`from_sklearn`: an MLPRegressor or MLPClassifier of scikit-learn as a model of deltarule."""

from typing import Any

import numpy as np

from deltarule.errors import ConfigurationError
from deltarule.imports.foreign import Foreign, Settings
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
    """The network of a fitted MLPRegressor or MLPClassifier, which gives the same numbers here.

    Args:
        estimator: the network, or a Pipeline of StandardScaler or MinMaxScaler and the network; of a regression also a
            TransformedTargetRegressor around either, whose transformer is one of these scalers.

    Raises:
        ConfigurationError: it is none of these, or is not fitted.
    """
    targets: list[Settings] = []
    inner = estimator
    if hasattr(inner, "regressor_"):
        targets, inner = [] if inner.transformer_ is None else [_line(inner.transformer_)], inner.regressor_
    *before, mlp = [step for _, step in inner.steps if step != "passthrough"] if hasattr(inner, "steps") else [inner]
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
    count = before[0].n_features_in_ if before else mlp.n_features_in_
    found = Foreign(type(mlp).__name__, layers, [(count, [_line(step) for step in before])], targets)
    names = getattr(before[0] if before else mlp, "feature_names_in_", None)
    several = classes is None or layers[-1][2] != "softmax"
    record = {"imported_from": "scikit-learn", "estimator": type(mlp).__name__}
    return found.model(record, names, classes=None if several else np.asarray(classes).tolist(), first=0)


def _line(scaler: Any) -> Settings:
    """The settings of a scaler, as `Lines.of` reads them."""
    if hasattr(scaler, "data_min_") and not scaler.clip:
        low, high = scaler.feature_range
        return {"xoffset": scaler.data_min_, "gain": scaler.scale_, "ymin": low, "ymax": high}
    if hasattr(scaler, "with_std") and hasattr(scaler, "scale_"):
        zero, one = np.zeros(scaler.n_features_in_), np.ones(scaler.n_features_in_)
        return {
            "xmean": scaler.mean_ if scaler.with_mean else zero,
            "xstd": scaler.scale_ if scaler.with_std else one,
        }
    raise ConfigurationError(f"{scaler!r} cannot be taken over: StandardScaler and MinMaxScaler without clip can.")
