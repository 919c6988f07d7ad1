"""The kinds of layer. Each is one file: forward, backward and curvature by hand."""

from deltarule.layers.base import Layer, LayerParams, Pass, Shape, StatelessLayer
from deltarule.layers.dense import Dense
from deltarule.layers.dropout import Dropout

LAYER_KINDS: dict[str, type[Layer]] = {kind.__name__: kind for kind in (Dense, Dropout)}

__all__ = ["LAYER_KINDS", "Dense", "Dropout", "Layer", "LayerParams", "Pass", "Shape", "StatelessLayer"]
