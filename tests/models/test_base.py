import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.models.base import train_one_epoch
from engines import off

pytestmark = pytest.mark.usefixtures("on_each_engine")

NET = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])
X = np.random.default_rng(0).normal(size=(24, 2))
Y = X[:, :1] * X[:, 1:]


def after(trainer, epochs):
    """Parameters after some epochs, the state turned to NumPy and back in between."""
    state = None
    for epoch in range(epochs):
        state, _, _ = train_one_epoch(NET, trainer, state, None, (X, Y, None), 0, epoch)
    return state


def test_one_epoch_at_a_time_equals_one_training():
    trainer = dr.GradientDescent(eta=0.1, momentum=0.9)  # full batch: no order to draw
    params = NET.init(3, (2,))
    state = None
    for epoch in range(5):
        state, _, _ = train_one_epoch(NET, trainer, state, params, (X, Y, None), 0, epoch)
    together = dr.train(NET, X, Y, trainer=trainer, epochs=5, params=params).params
    trees.map_leaves(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6), state.params, off(together))


def test_the_state_is_numpy_and_counts_steps():
    state = after(dr.GradientDescent(eta=0.1, batch_size=10), 2)
    assert all(isinstance(leaf, np.ndarray) for leaf in trees.leaves(state))
    assert int(state.step) == 6


def test_the_cost_falls():
    trainer = dr.GradientDescent(eta=0.1, batch_size=8)
    state, costs = None, []
    for epoch in range(30):
        state, cost, _ = train_one_epoch(NET, trainer, state, None, (X, Y, None), 0, epoch)
        costs.append(cost)
    assert costs[-1] < 0.6 * costs[0]
