"""Data and starts on which a factorisation, a ratio or a loop could go wrong: training ends, finite, and no worse."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.data import ArrayStream
from deltarule.trainers.base import NOT_FINITE

EPOCHS = 60
DRAW = np.random.default_rng(0)
X = DRAW.uniform(-1, 1, (30, 2))
Y = np.sin(3 * X[:, :1]) * X[:, 1:]
NET = dr.Network([dr.Dense(6, "tanh"), dr.Dense(1, "linear")])

DATA = {
    "ordinary": (X, Y),
    "constant targets": (X, np.full_like(Y, 3.0)),
    "all zero": (0 * X, 0 * Y),
    "inputs zero": (0 * X, Y),
    "duplicated rows": (np.repeat(X[:3], 10, axis=0), np.repeat(Y[:3], 10, axis=0)),
    "the same input, two targets": (0 * X + 0.3, np.sign(Y)),
    "a constant column": (np.c_[X[:, :1], np.ones(30)], Y),
    "a column twice": (X[:, [0, 0]], Y),
    "targets of 1e12": (X, 1e12 * Y),
    "targets of 1e-12": (X, 1e-12 * Y),
    "targets of 1e150": (X, 1e150 * Y),
    "targets of 1e-150": (X, 1e-150 * Y),
    "inputs of 1e12": (1e12 * X, Y),
    "inputs of 1e-12": (1e-12 * X, Y),
}


def check(net, X, Y, result, start, name=""):
    """A stop with a reason, finite parameters, and a cost that never rose from the start's."""
    assert result.stop_reason in ("epochs", "mu_max"), name
    assert result.message
    assert all(np.isfinite(leaf).all() for leaf in trees.leaves(result.params)), name
    cost = result.history["cost"]
    first = float(net.cost_and_gradient(start, X, Y)[0])
    last = float(net.cost_and_gradient(result.params, X, Y)[0])
    assert np.isfinite(cost).all(), name
    assert np.all(np.diff(cost) <= 0), name
    assert cost[0] <= first * (1 + 1e-12), name
    assert last == pytest.approx(cost[-1], rel=1e-9, abs=1e-25 * first), name  # what is returned is what is recorded


@pytest.mark.parametrize("solver", ["primal", "dual", "cg"])
def test_data(engine, solver):
    """Every table in turn: JAX compiles once for all."""
    start, trainer = NET.init(0, (2,), "float64"), dr.LevenbergMarquardt(solver=solver)
    epochs = 15 if solver == "cg" else EPOCHS
    for name, (X, Y) in DATA.items():
        check(NET, X, Y, dr.train(NET, X, Y, trainer=trainer, epochs=epochs, params=start, engine=engine), start, name)


def test_one_example(engine):
    start = NET.init(0, (2,), "float64")
    result = dr.train(NET, X[:1], Y[:1], trainer=dr.LevenbergMarquardt(), epochs=EPOCHS, params=start, engine=engine)
    check(NET, X[:1], Y[:1], result, start)
    assert result.history["cost"][-1] < 1e-25


def test_nothing_left_to_learn_at_the_start(engine):
    """Targets equal to the outputs of the start: one epoch of rejections, and the start comes back untouched."""
    start = NET.init(0, (2,), "float64")
    Y = np.asarray(NET(start, X))
    result = dr.train(
        NET, X, Y, trainer=dr.LevenbergMarquardt(solver="primal"), epochs=EPOCHS, params=start, engine=engine
    )
    assert result.stop_reason == "mu_max"
    assert result.history["cost"][-1] <= 1e-30
    for found, before in zip(trees.leaves(result.params), trees.leaves(start), strict=True):
        np.testing.assert_allclose(found, before, atol=1e-12)


@pytest.mark.parametrize("damping", [1e-30, 1e-18])
def test_hardly_any_damping(engine, damping):
    """Rank-deficient data: what the factorisation makes of it, if not finite, is an ordinary rejection."""
    X, Y = DATA["a column twice"]
    start = NET.init(6, (2,), "float64")
    trainer = dr.LevenbergMarquardt(solver="primal", damping=damping)
    result = dr.train(NET, X, Y, trainer=trainer, epochs=EPOCHS, params=start, engine=engine)
    check(NET, X, Y, result, start)
    assert result.history["cost"][-1] < 0.9 * float(NET.cost_and_gradient(start, X, Y)[0])
    if damping == 1e-30:
        assert np.any(result.history["trial_verdict"] == NOT_FINITE)


def test_dead_neurons(engine):
    """relu with every neuron off: only the output's bias has a gradient, and it goes to the mean."""
    net = dr.Network([dr.Dense(6, "relu"), dr.Dense(1, "linear")])
    start = net.init(0, (2,), "float64")
    start = [start[0] | {"b": np.full(6, -100.0)}, start[1]]
    result = dr.train(net, X, Y, trainer=dr.LevenbergMarquardt(), epochs=EPOCHS, params=start, engine=engine)
    check(net, X, Y, result, start)
    assert result.history["cost"][-1] == pytest.approx(0.5 * np.var(Y), rel=1e-9)


@pytest.mark.parametrize(
    ("solver", "l2"),
    [
        *(("primal", None), ("dual", 0.1), ("cg", None), ("streamed", 0.1)),
        *(pytest.param(*one, marks=pytest.mark.slow) for one in (("primal", 0.1), ("dual", None))),
        *(pytest.param(*one, marks=pytest.mark.slow) for one in (("cg", 0.1), ("streamed", None))),
    ],
)
def test_no_output_moves(engine, solver, l2):
    """J = 0 because every relu is off: without a penalty there is nothing to gain, with one the weights go to 0."""
    net = dr.Network([dr.Dense(1, "relu")])
    start = [{"W": np.ones((1, 2)), "b": np.array([-9.0])}]
    if solver == "streamed":
        trainer = dr.LevenbergMarquardt(solver="primal", l2=l2)
        result = dr.train_stream(net, ArrayStream(X, Y), trainer=trainer, epochs=EPOCHS, params=start, engine=engine)
    else:
        trainer = dr.LevenbergMarquardt(solver=solver, l2=l2)
        result = dr.train(net, X, Y, trainer=trainer, epochs=EPOCHS, params=start, engine=engine)
    assert result.stop_reason == "mu_max"
    assert result.epochs == (1 if l2 is None else 2)
    np.testing.assert_allclose(result.params[0]["W"], 1.0 if l2 is None else 0.0, atol=1e-12)


def test_a_point_is_called_a_minimum_only_at_the_largest_damping(engine):
    """lambda starts at 1e-300: after however many epochs of rejections, a step downhill is found."""
    X, Y = DATA["a column twice"]
    start = NET.init(0, (2,), "float64")
    trainer = dr.LevenbergMarquardt(solver="primal", damping=1e-300)
    result = dr.train(NET, X, Y, trainer=trainer, epochs=EPOCHS, params=start, engine=engine)
    check(NET, X, Y, result, start)
    assert result.history["accepted"].sum() > 0


def test_saturated_outputs_that_are_wrong(engine):
    """Every output is 1 to rounding, z about 800, and half of the targets are 0: the gradient is far from zero."""
    net = dr.Network([dr.Dense(6, "sigmoid"), dr.Dense(1, "sigmoid")], "cross-entropy")
    start = net.init(0, (2,), "float64")
    start = [start[0], start[1] | {"b": np.full(1, 800.0)}]
    targets = (Y > 0) * 1.0
    result = dr.train(net, X, targets, trainer=dr.LevenbergMarquardt(), epochs=EPOCHS, params=start, engine=engine)
    check(net, X, targets, result, start)
    assert result.history["cost"][-1] < 0.1 * result.history["cost"][0]


def test_a_curvature_that_overflows_is_not_called_a_minimum(engine):
    """Linear outputs below 0 in ln a: the cost is held finite there, its derivative 1/a at a = 1e-308 is not."""
    net = dr.Network([dr.Dense(2, "linear")], "log-likelihood")
    start = [{"W": np.zeros((2, 2)), "b": -np.ones(2)}]
    for trainer in (dr.LevenbergMarquardt(), dr.NewtonCG()):
        result = dr.train(
            net, X, np.eye(2)[(Y[:, 0] > 0) * 1], trainer=trainer, epochs=EPOCHS, params=start, engine=engine
        )
        assert (result.stop_reason, result.epochs) == ("not_finite", 1)
        assert "NaN in epoch 1" in result.message


def test_targets_too_large_for_their_squares(engine):
    """1e200: the cost is infinite from the start, so it is called diverged and the start is kept."""
    start = NET.init(0, (2,), "float64")
    result = dr.train(
        NET, X, 1e200 * Y, trainer=dr.LevenbergMarquardt(solver="primal"), epochs=EPOCHS, params=start, engine=engine
    )
    assert result.stop_reason == "diverged"
    for found, before in zip(trees.leaves(result.params), trees.leaves(start), strict=True):
        np.testing.assert_array_equal(found, before)
