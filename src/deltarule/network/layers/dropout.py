"""Dropout: in training every activation is dropped with probability p, and what is left is scaled up by 1/(1 - p)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deltarule import engine
from deltarule.arrays import Array
from deltarule.checks import require_number
from deltarule.network.layers.base import LayerParams, LinearLayer, Pass, Shape


@dataclass(frozen=True)
class Dropout(LinearLayer):
    """a^l = a^{l-1} ⊙ mask / (1 - p), where each entry of the mask is 0 with probability p, else 1 ([N] ch. 3).

    The mask is drawn afresh for every example of every step, from the key that the training loop hands down. Without a
    key (prediction, validation, the trace, the gradient check) the layer is the identity: scaling in training makes
    E[a^l] = a^{l-1}, so prediction is one plain forward pass. Nothing here has parameters, and z^l is a^{l-1}.

    Args:
        p: the probability of dropping, from 0 to below 1; [N] takes 1/2. Another p is another network, which compiles.

    Raises:
        ConfigurationError: p lies outside its range.

    Source: Hinton et al. 2012, arXiv 1207.0580.
    """

    p: float

    draws: ClassVar[bool] = True
    keeps_shape: ClassVar[bool] = True
    by_steps: ClassVar[bool] = True
    forward_words: ClassVar[str] = "a^{below}"
    activation_words: ClassVar[str | None] = "a^{l} = z^{l}: Dropout drops nothing outside training   (3)"

    def __post_init__(self):
        """Check the description once, where the mistake was made."""
        object.__setattr__(self, "p", require_number("p, the share that Dropout drops,", self.p, least=0, below=1))

    @property
    def label(self) -> str:
        """Such as "Dropout(0.5)"."""
        return f"Dropout({self.p:g})"

    def output_shape(self, input_shape: Shape) -> Shape:
        """The input's own."""
        return input_shape

    def forward(self, params: LayerParams, a_prev: Array, key: Array | None = None) -> Pass:
        """z^l = a^{l-1}, a^l = z^l ⊙ mask / (1 - p); the memory holds mask / (1 - p), or None without a key."""
        if key is None or self.p == 0:
            return Pass(params, a_prev, a_prev, a_prev)
        # 32 random bits against a threshold: the same mask in float32 and float64.
        bits = engine.of(a_prev).bits(key, a_prev.shape)
        kept = bits >= np.uint32(min(round(self.p * 2**32), 2**32 - 1))
        scaled_mask = kept.astype(a_prev.dtype) * (1 / (1 - self.p))
        return Pass(params, a_prev, a_prev, a_prev * scaled_mask, scaled_mask)

    def stage(self, params: LayerParams, input_shape: Shape) -> None:
        """Nothing is dropped where a network predicts."""

    def carried(self, here: Pass, v: Array) -> Array:
        """z^l = a^{l-1}."""
        return v

    def scaled(self, here: Pass, v: Array) -> Array:
        """v ⊙ mask / (1 - p), forwards and back: what was dropped moves nothing and learns nothing."""
        return v if here.memory is None else v * here.memory

    def propagate(self, here: Pass, delta: Array) -> Array:
        """dC/da^{l-1} = delta^l, because z^l = a^{l-1}."""
        return delta
