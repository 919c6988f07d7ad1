"""The gradient check finds a mistake where there is one, names it, and finds none where there is none."""

from dataclasses import dataclass

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.errors import DataError
from deltarule.inspection import check_gradient_by_layer
from deltarule.network.layers import Dense
from deltarule.network.side_by_side import side_by_side
from engines import on

DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(6, 3)), DRAW.uniform(size=(6, 2))
LAYERS = (dr.Dense(5, "tanh"), dr.Dense(2, "sigmoid"))
PARAMS = [
    {"W": DRAW.normal(size=(5, 3)), "b": DRAW.normal(size=5)},
    {"W": DRAW.normal(size=(2, 5)), "b": DRAW.normal(size=2)},
]


@pytest.fixture
def params(engine):
    return on(engine, PARAMS)


@dataclass(frozen=True)
class Doubled(Dense):
    """A layer whose BP2 has a factor too many."""

    def propagate(self, values, delta):
        """2 W^T delta."""
        return 2 * super().propagate(values, delta)


@dataclass(frozen=True)
class Forgetful(Dense):
    """A layer that loses BP3."""

    def gradient(self, values, delta):
        """BP4 without BP3."""
        grads = super().gradient(values, delta)
        return {"W": grads["W"], "b": 0 * grads["b"]}


@pytest.mark.parametrize("cost", ["quadratic", "cross-entropy"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_gradient(cost, dtype, engine):
    net = dr.Network(LAYERS, cost)
    error = dr.check_gradient(net, on(engine, trees.map_leaves(lambda p: p.astype(dtype), PARAMS)), X, Y)
    assert isinstance(error, float)
    assert error < 1e-6  # the limit that check_gradient itself names


def test_every_tensor_is_checked(params):
    net = dr.Network(LAYERS)
    checks = check_gradient_by_layer(net, params, X, Y)
    assert [(check.layer, check.name) for check in checks] == [(0, "W"), (0, "b"), (1, "W"), (1, "b")]
    for check in checks:
        assert check.backpropagation == pytest.approx(check.difference, rel=1e-6)
    assert dr.check_gradient(net, params, X, Y) == max(check.error for check in checks)


def test_a_mistake_below_the_output_shows_in_the_layers_under_it(params):
    net = dr.Network([dr.Dense(5, "tanh"), Doubled(2, "sigmoid")])
    errors = {(check.layer, check.name): check.error for check in check_gradient_by_layer(net, params, X, Y)}
    assert errors[0, "W"] == pytest.approx(0.5, rel=1e-6)  # |2g - g| / |2g|
    assert errors[0, "b"] == pytest.approx(0.5, rel=1e-6)
    assert errors[1, "W"] < 1e-7
    assert dr.check_gradient(net, params, X, Y) == pytest.approx(0.5, rel=1e-6)


def test_a_missing_gradient(params):
    net = dr.Network([dr.Dense(5, "tanh"), Forgetful(2, "sigmoid")])
    errors = [check.error for check in check_gradient_by_layer(net, params, X, Y)]
    assert errors[3] == pytest.approx(1)
    assert max(errors[:3]) < 1e-7


def test_a_wrong_output_error(params):
    @dataclass(frozen=True)
    class Misprint(dr.Quadratic):
        """dC/da = z - y, the misprint of one lecture note."""

        def output_error(self, activation, z, a, y):
            """(z - y) ⊙ sigma'."""
            return activation.times_slope(z, a, z - y)

    net = dr.Network(LAYERS, Misprint())
    assert dr.check_gradient(net, params, X, Y) > 0.1


def test_at_a_minimum_rounding_is_no_mistake(engine):
    """Least squares solved exactly: the gradient is rounding, and so is the quotient."""
    net = dr.Network([dr.Dense(2, "linear")])
    A = np.concatenate([X, np.ones((6, 1))], axis=1)
    solution = np.linalg.lstsq(A, Y, rcond=None)[0].T
    params = on(engine, [{"W": solution[:, :3], "b": solution[:, 3]}])
    assert float(net.cost_and_gradient(params, X, Y)[0]) > 0.01
    assert dr.check_gradient(net, params, X, Y) < 1e-5


def test_targets_that_the_cost_does_not_take(params):
    with pytest.raises(DataError, match=r"Y holds 2 at index \(0, 0\)"):
        dr.check_gradient(dr.Network(LAYERS, "cross-entropy"), params, X, np.full((6, 2), 2.0))


def test_directions_are_of_the_seed(params):
    net = dr.Network(LAYERS)
    first, again, other = (check_gradient_by_layer(net, params, X, Y, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first[0].backpropagation != other[0].backpropagation


def test_float64_ends_with_the_check():
    jnp = pytest.importorskip("jax.numpy")
    dr.check_gradient(dr.Network(LAYERS), on("jax", PARAMS), X, Y)
    assert jnp.ones(1).dtype == np.float32


def test_no_direction_is_that_of_the_initial_weights():
    """The directions and the parameters of one seed come of two streams."""
    net = dr.Network([dr.Dense(2, "linear", "old")])
    params = net.init(0, (3,), "float64")
    grads = net.cost_and_gradient(params, X, Y)[1]
    along = float(np.vdot(grads[0]["W"], params[0]["W"]) / np.linalg.norm(params[0]["W"]))
    (check, _) = check_gradient_by_layer(net, params, X, Y, directions=1, seed=0)
    assert abs(check.backpropagation - along) > 1e-3 * abs(along)


def test_an_average_of_networks_of_different_depths_passes():
    """Its identity neurons have weights of 1e-7 below and 1e7 above them."""
    nets = [dr.Network([*(Dense(n, "tanh") for n in hidden), Dense(1, "linear")]) for hidden in ((4,), (3, 3))]
    parts = [(net, net.init(seed, (3,), dtype="float64")) for seed, net in enumerate(nets)]
    net, params = side_by_side(parts, (0.4, 0.6))
    checks = check_gradient_by_layer(net, params, X, Y[:, :1])
    assert max(check.error for check in checks) < 1e-7
    assert all(check.backpropagation == pytest.approx(check.difference, rel=1e-4) for check in checks)
