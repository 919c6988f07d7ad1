"""Gradient descent as a trainer, on both engines: every example counts once, options are checked, Optax agrees."""

from dataclasses import dataclass

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.errors import ConfigurationError
from deltarule.network.cost import Cost
from engines import WITHOUT_JAX, off

try:
    import optax
except ImportError:
    optax = None

NEEDS_OPTAX = pytest.mark.skipif(optax is None, reason="Optax is not installed")
pytestmark = pytest.mark.usefixtures("on_each_engine")


@dataclass(frozen=True)
class Pull(Cost):
    """C_x = a, so that delta^L = 1: with example i the i-th unit vector, its weight falls by eta/m at each use."""

    name = "pull"

    def value(self, activation, z, a, y):
        """The output."""
        return a.sum(axis=-1)

    def slope(self, a, y):
        """1 for every output."""
        return a.__array_namespace__().ones_like(a)


COUNTER = dr.Network([dr.Dense(1, "linear")], Pull())


def used(N, epochs=1, weights=None, **options):
    """How far each example's weight was pulled, in units of eta: the sum over its uses of 1/(examples in the batch)."""
    start = [{"W": np.zeros((1, N)), "b": np.zeros(1)}]
    trainer = dr.GradientDescent(eta=1, **options)
    result = dr.train(
        COUNTER, np.eye(N), np.zeros((N, 1)), trainer=trainer, epochs=epochs, params=start, weights=weights, seed=4
    )
    # The bias takes the whole weight of every batch, which is one: it counts the steps.
    return -np.asarray(result.params[0]["W"][0]), -float(result.params[0]["b"][0])


@pytest.mark.parametrize(
    ("N", "m", "expected"),
    [
        # Batches of 5, 5 and 3: ten examples at 1/5, three at 1/3.
        (13, 5, [1 / 5] * 10 + [1 / 3] * 3),
        (8, 3, [1 / 3] * 6 + [1 / 2] * 2),
        (9, 1, [1] * 9),
        (130, 70, [1 / 70] * 70 + [1 / 60] * 60),
    ],
)
def test_every_example_is_used_once_in_an_epoch(N, m, expected):
    pulled, steps = used(N, batch_size=m)
    np.testing.assert_allclose(np.sort(pulled), np.sort(expected), rtol=1e-13)
    assert steps == pytest.approx(-(-N // m), rel=1e-13)


def test_every_epoch_has_its_own_order():
    # Which three of 13 are in the short batch: in 30 epochs each is there 30 · 3/13 = 6.9 times on average.
    pulled, _ = used(13, epochs=30, batch_size=5)
    short = np.rint((pulled - 30 / 5) / (1 / 3 - 1 / 5)).astype(int)
    np.testing.assert_allclose(pulled, 30 / 5 + short * (1 / 3 - 1 / 5), rtol=1e-12)
    assert short.sum() == 90
    assert len(set(short)) > 3


@pytest.mark.parametrize(("steps", "expected"), [(None, 3), (40, 40)])
def test_uniform_sampling_draws_with_replacement(steps, expected):
    pulled, taken = used(13, batch_size=5, sampling="uniform", steps=steps)
    uses = pulled * 5
    np.testing.assert_allclose(uses, np.rint(uses), atol=1e-12)  # every batch is whole
    assert taken == pytest.approx(expected, rel=1e-12)
    assert uses.sum() == pytest.approx(5 * expected)
    assert len(set(np.rint(uses))) > 1


def test_uniform_sampling_is_uniform():
    """13,000 draws: chi-square over 13 examples, whose 99.9 % quantile at 12 degrees of freedom is 32.9."""
    pulled, _ = used(13, batch_size=1, sampling="uniform", steps=13_000)
    assert ((pulled - 1000) ** 2 / 1000).sum() < 32.9


def test_weights_count_the_same_in_every_batch():
    pulled, _ = used(6, batch_size=6, weights=[1, 2, 3, 0, 0, 2])
    np.testing.assert_allclose(pulled, np.array([1, 2, 3, 0, 0, 2]) / 8, rtol=1e-13)
    # Over the mean weight, whoever is in the batch; one that weighs nothing moves nothing.
    pulled, _ = used(4, batch_size=1, weights=[1, 0, 0, 3])
    np.testing.assert_allclose(pulled, [1, 0, 0, 3], rtol=1e-13)
    pulled, _ = used(4, batch_size=2, weights=[1, 0, 3, 8])
    np.testing.assert_allclose(pulled, np.array([1, 0, 3, 8]) / 6, rtol=1e-13)


@pytest.mark.parametrize("m", [1, 4, 20])
def test_a_weighted_mean_is_found_by_batches_of_any_size(m):
    """A bias alone under the quadratic cost: its minimum is the weighted mean of the targets, 0.1."""
    X, Y = np.zeros((200, 1)), np.repeat([0.0, 1.0], 100)[:, None]
    net, trainer = dr.Network([dr.Dense(1, "linear")]), dr.GradientDescent(eta=0.002, batch_size=m)
    result = dr.train(net, X, Y, trainer=trainer, epochs=40 * m, weights=np.repeat([9.0, 1.0], 100), dtype="float64")
    assert result.params[0]["b"][0] == pytest.approx(0.1, abs=0.02)
    other = dr.train(net, X, Y, trainer=trainer, epochs=3, weights=np.repeat([9.0, 1.0], 100) / 70, dtype="float64")
    same = dr.train(net, X, Y, trainer=trainer, epochs=3, weights=np.repeat([9.0, 1.0], 100), dtype="float64")
    np.testing.assert_allclose(other.params[0]["b"], same.params[0]["b"], rtol=1e-12)


@pytest.mark.parametrize("batch_size", [None, 5])
def test_a_schedule_counts_steps(batch_size):
    # eta · 1/2^t: 13 examples take 1 step an epoch, or 3 with batches of 5; the bias adds up the factors.
    _, total = used(13, epochs=2, batch_size=batch_size, schedule=lambda t: 0.5**t)
    steps = 6 if batch_size == 5 else 2
    assert total == pytest.approx(2 - 0.5 ** (steps - 1), rel=1e-13)


NET = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])
DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(12, 2)), DRAW.normal(size=(12, 1))
START = [
    {"W": DRAW.normal(size=(4, 2)), "b": DRAW.normal(size=4)},
    {"W": DRAW.normal(size=(1, 4)), "b": DRAW.normal(size=1)},
]


def assert_close(found, expected, rtol):
    trees.map_leaves(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-13), off(found), off(expected))


def ours_and_optax_s():
    """Trainers of ours, the rule of Optax that each is, and whether the trainer itself holds a rule of Optax."""
    if optax is None:
        return []
    adam, schedule = optax.adam(0.02), optax.cosine_decay_schedule(1, 50)
    nesterov = dr.GradientDescent(eta=0.1, momentum=0.8, nesterov=True)
    scheduled = optax.sgd(optax.cosine_decay_schedule(0.1, 50))
    return [
        pytest.param(dr.GradientDescent(rule=adam), adam, True, id="optax"),
        pytest.param(dr.GradientDescent(rule="adam", eta=0.02), adam, False, id="adam"),
        pytest.param(dr.GradientDescent(eta=0.1, momentum=0.8), optax.sgd(0.1, momentum=0.8), False, id="momentum"),
        pytest.param(nesterov, optax.sgd(0.1, momentum=0.8, nesterov=True), False, id="nesterov"),
        pytest.param(dr.GradientDescent(eta=0.1, schedule=schedule), scheduled, False, id="schedule"),
    ]


@NEEDS_OPTAX
@pytest.mark.parametrize(("trainer", "rule", "of_optax"), ours_and_optax_s())
def test_training_is_a_hand_run_optax_loop(engine, trainer, rule, of_optax):
    import jax

    if of_optax:  # JAX's, whatever the choice would be
        result = dr.train(NET, X, Y, trainer=trainer, epochs=30, params=START, engine="jax")
    else:
        result = dr.train(NET, X, Y, trainer=trainer, epochs=30, params=START)
        assert result.engine == engine
    with jax.enable_x64(True):
        params = trees.map_leaves(jax.numpy.asarray, START)
        state = rule.init(params)
        for _ in range(30):
            _, grads = NET.cost_and_gradient(params, X, Y)
            updates, state = rule.update(grads, state, params)
            params = optax.apply_updates(params, updates)
    assert_close(result.params, params, rtol=1e-9)


@NEEDS_OPTAX
def test_a_schedule_of_optax_is_asked_for_many_steps_together():
    """NumPy asks three times for 2,500 steps, and once what it gives; the factors are those of each step alone."""
    asked, cosine = [], optax.cosine_decay_schedule(1, 3000)

    def schedule(t):
        asked.append(t)
        return cosine(t)

    trainer, plain = (dr.GradientDescent(eta=1e-3, batch_size=1, schedule=f) for f in (schedule, cosine_by_numpy))
    options = {"epochs": 209, "params": START, "engine": "numpy"}
    found, expected = (dr.train(NET, X, Y, trainer=one, **options) for one in (trainer, plain))
    assert len(asked) == 4
    assert_close(found.params, expected.params, rtol=1e-12)


def cosine_by_numpy(t):
    """The cosine schedule of 3,000 steps."""
    return (1 + np.cos(np.pi * t / 3000)) / 2


def test_a_full_batch_is_a_mini_batch_of_all():
    whole, batch = (
        dr.train(NET, X, Y, trainer=dr.GradientDescent(eta=0.1, batch_size=m), epochs=5, params=START)
        for m in (None, 12)
    )
    assert_close(whole.params, batch.params, rtol=1e-12)
    np.testing.assert_allclose(whole.history["cost"], batch.history["cost"], rtol=1e-12)
    assert "gradient_norm" not in batch.history


def test_a_seed_is_a_training_bit_for_bit():
    trainer = dr.GradientDescent(eta=0.1, batch_size=5)
    first, again, other = (
        dr.train(NET, X, Y, trainer=trainer, epochs=3, seed=s, params=START).params for s in (1, 1, 2)
    )
    trees.map_leaves(np.testing.assert_array_equal, first, again)
    assert (np.asarray(first[0]["W"]) != np.asarray(other[0]["W"])).any()


@pytest.mark.parametrize("batch_size", [None, 5])
def test_max_norm_holds_after_every_step(batch_size):
    """One step by hand: the plain step, then the projection. After many no row is longer, which were without it."""
    plain, limited = (
        dr.train(
            NET,
            X,
            Y,
            trainer=dr.GradientDescent(eta=0.1, batch_size=batch_size and 12, max_norm=c),
            epochs=1,
            params=START,
        ).params
        for c in (None, 0.8)
    )
    for free, held in zip(plain, limited, strict=True):
        W = np.asarray(free["W"])
        norm = np.linalg.norm(W, axis=1, keepdims=True)
        np.testing.assert_allclose(held["W"], W * np.minimum(1, 0.8 / norm), rtol=1e-12)
        np.testing.assert_allclose(held["b"], free["b"], rtol=1e-12)
    free, held = (
        dr.train(
            NET,
            X,
            Y,
            trainer=dr.GradientDescent(eta=0.1, batch_size=batch_size, max_norm=c),
            epochs=20,
            params=START,
        ).params
        for c in (None, 0.3)
    )
    free, held = (np.concatenate([np.linalg.norm(layer["W"], axis=1) for layer in p]) for p in (free, held))
    assert held.max() <= 0.3 * (1 + 1e-12)
    assert free.max() > 0.6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "eta, .*above 0"),
        ({"eta": None}, "eta, .*must be given"),
        ({"eta": 0}, "eta .*is 0"),
        ({"eta": -1}, "eta .*is -1"),
        ({"eta": float("nan")}, "eta .*is nan"),
        ({"eta": "x"}, "eta .*is 'x'"),
        ({"eta": 1, "momentum": 1}, "momentum .*is 1"),
        ({"eta": 1, "l2": -1}, "l2 .*is -1"),
        ({"eta": 1, "l1": "a lot"}, "l1 .*is 'a lot'"),
        ({"eta": 1, "max_norm": 0}, "max_norm .*is 0"),
        ({"eta": 1, "batch_size": 0}, "batch_size .*is 0"),
        ({"eta": 1, "batch_size": 2.5}, "batch_size .*is 2.5"),
        ({"eta": 1, "sampling": "bootstrap"}, "sampling .*is 'bootstrap'"),
        ({"eta": 1, "batch_size": 2, "steps": 5}, "steps is 5.*sampling='permutation'"),
        ({"eta": 1, "nesterov": True}, "nesterov needs momentum: give momentum=0.9"),
        ({"rule": "adam", "momentum": 0.9}, "momentum .*'adam'"),
        # Without batches there is nothing to draw, and a rule must be one of ours.
        ({"eta": 1, "sampling": "uniform"}, "sampling='uniform' .*batch_size"),
        ({"rule": "adamw"}, "rule .*is 'adamw'"),
        ({"eta": 1, "schedule": 0.5}, "schedule .*is 0.5"),
    ],
)
def test_options_outside_their_range(options, message):
    with pytest.raises(ConfigurationError, match=message):
        dr.GradientDescent(**options)


@NEEDS_OPTAX
@WITHOUT_JAX
def test_a_rule_must_be_a_name_or_one_of_optax_s():
    with pytest.raises(ConfigurationError, match=r"rule .*is 7"):
        dr.GradientDescent(rule=7)
    assert dr.GradientDescent(rule=optax.adam(1e-3)).eta == 1


@WITHOUT_JAX
def test_numbers_are_leaves_and_choices_are_not():
    import jax

    from deltarule.engine import jax_engine  # noqa: F401 - it registers them

    trainer = dr.GradientDescent(eta=0.5, momentum=0.9, l2=0.1, l1=0.2, batch_size=3)
    assert jax.tree.leaves(trainer) == [0.5, 0.9, 0.1, 0.2]
