"""A made-up trainer, defined here in a few lines, goes through everything that asks for one."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import deltarule as dr
from contract import consumers
from deltarule import engine as engines
from deltarule import trees
from deltarule.errors import ConfigurationError
from deltarule.network import backprop
from deltarule.trainers.base import Trainer
from deltarule.training.forecast import forecast
from deltarule.trees import register


class State(NamedTuple):
    """The parameters alone."""

    params: Any


@dataclass(frozen=True)
class SignDescent(Trainer):
    """p ← p - eta sign(dC/dp), on all examples; eta shrinks by a percent an epoch."""

    eta: float = 0.01

    def init(self, net, params, rows):
        return State(params)

    def epoch(self, net, state, rows, context):
        def one(params, x, y, weight, key):
            return backprop.cost_and_gradient(net, params, x, y, weight, key)

        E = engines.of(rows.x)
        cost, grads = E.full_gradient(one, state.params, rows, rows.mask / rows.mask.sum(), context.key)
        stepped = trees.map_leaves(lambda p, g: p - self.eta * E.xp.sign(g), state.params, grads)
        return State(stepped), {"cost": cost, "gradient_norm": trees.norm(grads)}


register(SignDescent, leaves=("eta",))


class Compiled(SignDescent):
    """The same, whose epochs JAX compiles whole."""

    compiles_epochs = True
    cost_before_step = True


register(Compiled, leaves=("eta",))
TRAINERS = [SignDescent(0.005), Compiled(0.005)]
NET = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])


@pytest.mark.parametrize("trainer", TRAINERS, ids=str)
def test_training(trainer, engine):
    consumers.assert_it_trains(NET, trainer, engine, *consumers.examples())


@pytest.mark.parametrize("trainer", TRAINERS, ids=str)
def test_the_engines_agree(trainer):
    pytest.importorskip("jax")
    X, Y = consumers.examples()
    costs = [
        dr.train(NET, X, Y, trainer=trainer, epochs=20, seed=0, engine=engine).history["cost"]
        for engine in ("numpy", "jax")
    ]
    np.testing.assert_allclose(costs[0], costs[1], rtol=1e-9)


@pytest.mark.parametrize("trainer", TRAINERS, ids=str)
def test_stops_callbacks_and_validation(trainer, engine):
    X, Y = consumers.examples()
    seen = []
    result = dr.train(
        NET, X[:20], Y[:20], trainer=trainer, epochs=400, seed=0, engine=engine, validation_data=(X[20:], Y[20:]),
        stopping=dr.Stopping(goal=0.05), callbacks=[lambda *given: seen.append(given)],
    )  # fmt: skip
    assert result.stop_reason == "goal"
    assert len(result.history["validation_cost"]) == result.epochs < 400
    assert seen


@pytest.mark.parametrize("trainer", TRAINERS, ids=str)
def test_checkpoints_go_on_bit_for_bit(trainer, engine, tmp_path):
    X, Y = consumers.examples()
    settings = {"trainer": trainer, "seed": 0, "engine": engine}
    whole = dr.train(NET, X, Y, epochs=6, **settings)
    dr.train(NET, X, Y, epochs=3, checkpoint=tmp_path / "run", **settings)
    resumed = dr.train(NET, X, Y, epochs=6, resume=tmp_path / "run", **settings)
    trees.map_leaves(np.testing.assert_array_equal, resumed.params, whole.params)


def test_restarts_and_divergence(engine):
    X, Y = consumers.examples()
    one = dr.train(NET, X, Y, trainer=TRAINERS[0], epochs=50, seed=0, engine=engine)
    best = dr.train(NET, X, Y, trainer=TRAINERS[0], epochs=50, seed=0, restarts=3, engine=engine)
    assert len(best.starts) == 3
    assert best.history["cost"][-1] <= one.history["cost"][-1]
    assert dr.train(NET, X, Y, trainer=SignDescent(1e300), epochs=5, seed=0, engine=engine).stop_reason == "diverged"


def test_estimators():
    X, Y = consumers.examples()
    model = dr.NetworkRegressor(hidden=(4,), trainer=SignDescent(0.005), epochs=300, random_state=0).fit(X, Y[:, 0])
    assert model.score(X, Y[:, 0]) > 0.7


def test_the_memory_and_the_time_are_forecast():
    ticks = iter(range(1000))
    found = forecast(NET, TRAINERS[0], 2, 60, clock=lambda: float(next(ticks)), engine="numpy")
    assert found.memory.total > 0
    assert found.form is None


def test_a_stream_is_refused_by_name():
    from deltarule.data import ArrayStream

    X, Y = consumers.examples()
    with pytest.raises(ConfigurationError, match="SignDescent"):
        dr.train_stream(NET, ArrayStream(X, Y), trainer=TRAINERS[0], epochs=1)


def test_a_layer_that_draws_is_refused():
    X, Y = consumers.examples()
    net = dr.Network([dr.Dense(4, "tanh"), dr.Dropout(0.5), dr.Dense(1, "linear")])
    with pytest.raises(ConfigurationError, match="SignDescent"):
        dr.train(net, X, Y, trainer=TRAINERS[0], epochs=1)
