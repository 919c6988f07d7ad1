"""The estimate of what a training holds at once."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.memory import BLOCK_COPIES, memory_needed, sizes_of

WIDE = dr.Network([dr.Dense(40, "tanh"), dr.Dense(40, "tanh"), dr.Dense(2, "linear")])
SHARED = dr.Network(
    [
        dr.Reshape((20, 20, 1)),
        dr.Convolution(4, (3, 3), "tanh"),
        dr.MaxPool((9, 9)),
        dr.Flatten(),
        dr.Dense(1, "linear"),
    ]
)


@pytest.mark.parametrize(("net", "inputs"), [(WIDE, 30), (SHARED, 400)])
@pytest.mark.parametrize("form", ["primal", "cg"])
def test_a_block_is_as_large_as_the_trainer_makes_it(net, inputs, form):
    """Of a network that shares its weights the activations are more than the parameters."""
    trainer, N = dr.LevenbergMarquardt(solver=form), 2**20
    params = net.init(0, (inputs,), dtype="float64")
    sizes = sizes_of(net, params, N, (inputs,), np.dtype("float64"))
    row = max(sizes.parameters if form == "primal" else 0, 4 * sizes.neurons)
    held = 8 * net.outputs * row * trainer.block(net, params, (N, inputs))
    estimated = memory_needed(sizes, trainer, form).work / BLOCK_COPIES
    assert held <= estimated < 2.1 * held  # blocks are powers of two
