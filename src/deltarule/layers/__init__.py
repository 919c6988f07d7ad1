"""The kinds of layer. Each is one file: forward, backward and curvature by hand."""

from deltarule.layers.base import Layer, LayerParams, Pass, Shape
from deltarule.layers.dense import Dense

LAYER_KINDS: dict[str, type[Layer]] = {kind.__name__: kind for kind in (Dense,)}

__all__ = ["LAYER_KINDS", "Dense", "Layer", "LayerParams", "Pass", "Shape"]
