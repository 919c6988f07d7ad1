"""The costs by hand, their names, and what scaling one does to its gradient."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError
from deltarule.network.activations import ACTIVATIONS
from deltarule.network.cost import Cost
from deltarule.network.costs import COSTS, get_cost
from engines import on, put

LINEAR = ACTIVATIONS["linear"]


def rows(engine, *values):
    return put(engine, np.array(values, np.float32))


def test_quadratic_by_hand(engine):
    # y - a = (1, -2): ‖y - a‖² = 5
    a, y = rows(engine, [1, 2]), rows(engine, [2, 0])
    assert dr.Quadratic().value(LINEAR, a, a, y).tolist() == [2.5]
    assert dr.Quadratic(scale=1).value(LINEAR, a, a, y).tolist() == [5]
    assert dr.Quadratic().slope(a, y).tolist() == [[-1, 2]]
    assert dr.Quadratic(scale=1).slope(a, y).tolist() == [[-2, 4]]


@pytest.mark.parametrize("name", ["sigmoid", "linear"])
def test_cross_entropy_by_hand(name, engine):
    # a = (1/2, 3/4), y = (0, 1): -ln 1/2 - ln 3/4 = ln 8/3; ∇_a C = (a - y)/(a (1 - a)) = (2, -4/3)
    a, y = rows(engine, [1 / 2, 3 / 4]), rows(engine, [0, 1])
    z = put(engine, np.log(np.asarray(a / (1 - a)))) if name == "sigmoid" else a
    np.testing.assert_allclose(dr.CrossEntropy().value(ACTIVATIONS[name], z, a, y), [np.log(8 / 3)], rtol=1e-6)
    np.testing.assert_allclose(dr.CrossEntropy().slope(a, y), [[2, -4 / 3]], rtol=1e-6)


@pytest.mark.parametrize("name", ["softmax", "linear"])
def test_log_likelihood_by_hand(name, engine):
    # a = (1/4, 3/4), y = (1, 0): -ln 1/4; ∇_a C = (-4, 0)
    a, y = rows(engine, [1 / 4, 3 / 4]), rows(engine, [1, 0])
    z = put(engine, np.log(np.asarray(a))) if name == "softmax" else a
    np.testing.assert_allclose(dr.LogLikelihood().value(ACTIVATIONS[name], z, a, y), [np.log(4)], rtol=1e-6)
    np.testing.assert_allclose(dr.LogLikelihood().slope(a, y), [[-4, 0]], rtol=1e-6)


@pytest.mark.parametrize("cost", COSTS.values(), ids=COSTS)
@pytest.mark.parametrize("name", ["sigmoid", "softmax"])
def test_each_example_is_on_its_own(cost, name, engine):
    """Row i of value, error, S and r depends on row i alone."""
    draw = np.random.default_rng(0)
    z = put(engine, (draw.normal(size=(3, 2)) - 1).astype(np.float32))
    y = rows(engine, [0, 1], [1, 0], [0.5, 0.5])
    activation = ACTIVATIONS[name]

    def everything(z, y):
        a = activation.sigma(z)
        return (
            cost.value(activation, z, a, y),
            cost.output_error(activation, z, a, y),
            *cost.gauss_newton(activation, z, a, y),
        )

    for together, alone in zip(everything(z, y), everything(z[1:2], y[1:2]), strict=True):
        np.testing.assert_allclose(together[1:2], alone, rtol=1e-6)


def test_scaling_the_cost_scales_the_gradient(engine):
    draw = np.random.default_rng(1)
    X, Y = draw.normal(size=(5, 3)), draw.uniform(size=(5, 2))
    layers = [dr.Dense(4, "tanh"), dr.Dense(2, "sigmoid")]
    params = on(engine, dr.Network(layers).init(0, (3,), "float64"))
    cost, grads = dr.Network(layers, dr.Quadratic(0.5)).cost_and_gradient(params, X, Y)
    scaled_cost, scaled_grads = dr.Network(layers, dr.Quadratic(3.5)).cost_and_gradient(params, X, Y)
    np.testing.assert_allclose(scaled_cost, 7 * float(cost), rtol=1e-14)
    for layer, scaled in zip(grads, scaled_grads, strict=True):
        np.testing.assert_allclose(scaled["W"], 7 * np.asarray(layer["W"]), rtol=1e-13)
        np.testing.assert_allclose(scaled["b"], 7 * np.asarray(layer["b"]), rtol=1e-13)


def test_names():
    assert get_cost("quadratic") == dr.Quadratic(0.5)
    assert get_cost(dr.Quadratic(1)) == dr.Quadratic(1)
    assert list(COSTS) == ["quadratic", "cross-entropy", "log-likelihood", "huber", "poisson"]
    with pytest.raises(ConfigurationError, match="cost 'hinge'"):
        get_cost("hinge")
    with pytest.raises(ConfigurationError, match=r"cost \['quadratic'\] is not known"):
        get_cost(["quadratic"])


@pytest.mark.parametrize("scale", [0, -1, float("nan"), "x"])
def test_the_scale_is_a_number_above_0(scale):
    with pytest.raises(ConfigurationError, match=r"scale .*above 0"):
        dr.Quadratic(scale)


def test_the_interface_says_what_is_missing(engine):
    one = rows(engine, [1])
    for call in (lambda: Cost().value(LINEAR, one, one, one), lambda: Cost().slope(one, one)):
        with pytest.raises(NotImplementedError):
            call()


class Quartic(Cost):
    """Sum (a - y)⁴, with neither C'' nor a root of it."""

    name = "quartic"

    def value(self, activation, z, a, y):
        return ((a - y) ** 4).sum(axis=-1)

    def slope(self, a, y):
        return 4 * (a - y) ** 3


def test_a_custom_cost_trains_or_the_error_names_what_it_lacks(engine):
    net, X = dr.Network([dr.Dense(1, "linear")], Quartic()), np.linspace(-1, 1, 9)[:, None]
    result = dr.train(net, X, X, trainer=dr.GradientDescent(eta=0.1), epochs=5, engine=engine)
    assert result.history["cost"][-1] < result.history["cost"][0]
    for trainer, missing in ((dr.LevenbergMarquardt(), "residual"), (dr.NewtonCG(), "curvature")):
        with pytest.raises(ConfigurationError, match=f"the cost Quartic defines no {missing}"):
            dr.train(net, X, X, trainer=trainer, epochs=1, engine=engine)
