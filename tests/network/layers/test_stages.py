"""What each kind of layer says of itself to the exports."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError
from deltarule.network.layers import LAYER_KINDS, Layer

SHAPES = {"Convolution": (5, 4, 2), "MaxPool": (4, 4, 3), "MeanPool": (4, 4, 3), "L2Pool": (4, 4, 3)}
MADE = {
    "Dense": dr.Dense(3, "tanh"),
    "Convolution": dr.Convolution(4, (2, 3), "relu"),
    "MaxPool": dr.MaxPool(2),
    "MeanPool": dr.MeanPool(2),
    "L2Pool": dr.L2Pool(2),
    "Flatten": dr.Flatten(),
    "Reshape": dr.Reshape((2, 1)),
    "Dropout": dr.Dropout(0.5),
    "Recurrent": dr.Recurrent(3),
    "GRU": dr.GRU(3),
    "LSTM": dr.LSTM(3),
}
KINDS = {
    "Dense": ("dense", 2, 3, "tanh"),
    "Convolution": ("convolution", 40, 32, "relu"),
    "MaxPool": ("max", 48, 12, "linear"),
    "MeanPool": ("mean", 48, 12, "linear"),
    "L2Pool": ("l2", 48, 12, "linear"),
    "Recurrent": ("recurrent", 2, 3, "tanh"),
    "GRU": ("gru", 2, 3, "linear"),
    "LSTM": ("lstm", 2, 3, "linear"),
}


@pytest.mark.parametrize("name", LAYER_KINDS)
def test_every_kind(name):
    layer = MADE[name]
    shape = SHAPES.get(name, (5, 2) if layer.is_recurrent else (2,))
    params = layer.init(np.random.default_rng(0), shape, "float32", {})
    stage = layer.stage(params, shape)
    assert layer.kind == name
    if name not in KINDS:
        assert stage is None
        return
    assert (stage.kind, stage.n_in, stage.n_out, stage.activation) == KINDS[name]
    assert sum(array.size for array in stage.arrays.values()) == sum(array.size for array in params.values())
    assert all(array.dtype == np.float64 for array in stage.arrays.values())
    assert stage.states == {"LSTM": ("h", "c"), "GRU": ("h",), "Recurrent": ("h",)}.get(name, ())
    assert (stage.view is not None) == (len(shape) == 3)


def test_a_layer_that_says_nothing_is_refused_by_name():
    class Mute(Layer):
        label = "Mute(1)"

    with pytest.raises(ConfigurationError, match=r"Mute\(1\)"):
        Mute().stage({}, (1,))
