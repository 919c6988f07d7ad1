"""The kinds of layer, with their forward and backward passes and their curvature written by hand."""

from deltarule.network.layers.base import Layer, LayerParams, Pass, Shape, Tangents
from deltarule.network.layers.convolution import Convolution
from deltarule.network.layers.dense import Dense
from deltarule.network.layers.gru import GRU
from deltarule.network.layers.lstm import LSTM
from deltarule.network.layers.pooling import L2Pool, MaxPool, MeanPool
from deltarule.network.layers.recurrent import Recurrent
from deltarule.network.layers.reshape import Dropout, Flatten, Reshape

LAYER_KINDS: dict[str, type[Layer]] = {
    kind.__name__: kind
    for kind in (Dense, Convolution, MaxPool, MeanPool, L2Pool, Flatten, Reshape, Dropout, Recurrent, GRU, LSTM)
}

__all__ = [
    "GRU",
    "LAYER_KINDS",
    "LSTM",
    "Convolution",
    "Dense",
    "Dropout",
    "Flatten",
    "L2Pool",
    "Layer",
    "LayerParams",
    "MaxPool",
    "MeanPool",
    "Pass",
    "Recurrent",
    "Reshape",
    "Shape",
    "Tangents",
]
