"""Levenberg-Marquardt as a trainer: never uphill, every trial on record, a reason for every stop, mini-batches."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.errors import ConfigurationError
from deltarule.trainers.base import ACCEPTED, LOW_GAIN, NOT_FINITE, UPHILL
from deltarule.trainers.levenberg_marquardt import trainer as module

NET = dr.Network([dr.Dense(6, "tanh"), dr.Dense(1, "linear")])  # 2-6-1: 25 parameters
NO_RULES = dr.Stopping(goal=0.0, min_grad=0.0)


def data(N, seed=0, k=1):
    draw = np.random.default_rng(seed)
    X = draw.uniform(-1, 1, (N, 2))
    return X, np.sin(3 * X[:, :1]) * X[:, 1:] + 0.1 * draw.normal(size=(N, k))


def mean_objective(net, params, X, Y, l2=0.0):
    """What the history's cost must be: (1/N) sum C_x + (l2/2N) sum w², for the quadratic cost, by NumPy."""
    weights = sum(float(np.sum(np.square(layer["W"]))) for layer in params)
    return 0.5 * np.sum((np.asarray(net(params, X)) - Y) ** 2) / len(X) + l2 / (2 * len(X)) * weights


def check_history(result, start_cost):
    """Costs that never rise, and a verdict for every trial that agrees with its cost and with the counts."""
    history = result.history
    before = np.r_[start_cost, history["cost"][:-1]]
    assert np.all(history["cost"] <= before)
    for i, verdicts in enumerate(history["trial_verdict"]):
        tried = verdicts > 0
        trials = int(tried.sum())
        assert tried[:trials].all()  # no gaps
        assert history["accepted"][i] == np.sum(verdicts == ACCEPTED)
        assert history["rejected"][i] == trials - history["accepted"][i]
        costs, lambdas = history["trial_cost"][i], history["trial_lambda"][i]
        assert np.isnan(costs[trials:]).all()
        assert np.isfinite(lambdas[:trials]).all()
        # Each rejection multiplies lambda by 2, 4, 8... (after an earlier rejection in a row, by more).
        assert np.all(np.diff(lambdas[:trials]) > 0)
        for verdict, cost in zip(verdicts[:trials], costs, strict=False):
            if verdict in (ACCEPTED, LOW_GAIN):
                assert cost < before[i]
            elif verdict == UPHILL:
                assert cost >= before[i]
        if history["accepted"][i]:
            assert verdicts[trials - 1] == ACCEPTED
            assert history["cost"][i] == costs[trials - 1]
            assert history["step_norm"][i] > 0


def never_uphill(engine, net, X, Y, epochs=60, **options):
    """Train and check the whole record; the result, for more to check.

    The number of rows is a power of two, so that sums that differ in their last bit are means that differ.
    """
    assert len(X) & (len(X) - 1) == 0
    start = net.init(1, (2,), "float64")
    trainer = dr.LevenbergMarquardt(**options)
    result = dr.train(net, X, Y, trainer=trainer, epochs=epochs, params=start, stopping=NO_RULES, engine=engine)
    l2 = options.get("l2", 0.0)
    check_history(result, mean_objective(net, start, X, Y, l2) * (1 + 1e-14))
    assert result.history["cost"][-1] == pytest.approx(mean_objective(net, result.params, X, Y, l2), rel=1e-12)
    assert result.history["cost"][-1] < 0.9 * result.history["cost"][0]
    return result


def test_never_uphill_and_every_trial_has_its_verdict(engine):
    """Three random tables in the primal form, one of them with L2; rejections are among what is checked."""
    results = [never_uphill(engine, NET, *data(32, seed), l2=l2) for seed, l2 in ((0, 0.0), (1, 0.0), (2, 0.1))]
    assert sum(result.history["rejected"].sum() for result in results) > 10


def test_never_uphill_in_the_dual_form(engine):
    """16 residuals, 25 parameters; no refit, and a start with hardly any damping too."""
    for seed, damping in ((3, 0.1), (4, 1e-9)):
        never_uphill(engine, NET, *data(16, seed), l2=0.01, refit=False, damping=damping)


def test_never_uphill_by_conjugate_gradients(engine):
    never_uphill(engine, NET, *data(32, seed=5), solver="cg", l2=0.01)


def test_never_uphill_on_saturated_outputs(engine):
    """Without the correction, from inputs of 10 in sigmoid neurons, and hardly any damping."""
    net = dr.Network([dr.Dense(5, "sigmoid"), dr.Dense(1, "sigmoid")])
    X, Y = data(32)
    never_uphill(engine, net, 10 * X, (Y > 0) * 1.0, acceleration=False, damping=1e-8)


def test_the_gain_on_record(engine):
    """rho = (F - F_new) / predicted is 1 for a linear network, whose quadratic model is exact."""
    X, Y = data(30)
    result = dr.train(
        dr.Network([dr.Dense(1, "linear")]), X, Y, trainer=dr.LevenbergMarquardt(refit=False), epochs=1, engine=engine
    )
    assert result.history["trial_gain"][0, 0] == pytest.approx(1, abs=1e-12)
    # and lambda was 0.01 max diag(J^T J), where J = [x, 1]: 30 for the bias
    assert result.history["trial_lambda"][0, 0] == pytest.approx(0.3, rel=1e-12)
    assert result.history["lambda"][0] == pytest.approx(0.3 / 5, rel=1e-12)


def test_the_first_damping_is_larger_where_outputs_saturate(engine):
    X, Y = data(30)
    net = dr.Network([dr.Dense(1, "sigmoid")])
    first = [
        dr.train(net, X, Y, trainer=dr.LevenbergMarquardt(damping=damping), epochs=1, engine=engine).history[
            "trial_lambda"
        ][0, 0]
        for damping in (None, 0.1)
    ]
    assert first[0] == first[1]


def test_why_it_stops(engine):
    """Goal, gradient, epochs and a callback."""
    X, Y = data(30)

    def stop(epochs=200, goal=0.0, min_grad=0.0, callbacks=()):
        stopping = dr.Stopping(goal=goal, min_grad=min_grad)
        trainer = dr.LevenbergMarquardt(l2=0.0)
        return dr.train(
            NET, X, Y, trainer=trainer, epochs=epochs, stopping=stopping, callbacks=callbacks, engine=engine
        )

    result = stop(goal=1e-2)
    assert result.stop_reason == "goal"
    assert result.history["cost"][-1] <= 1e-2 < result.history["cost"][-2]
    result = stop(min_grad=1e-3)
    assert result.stop_reason == "min_grad"
    assert result.history["gradient_norm"][-1] <= 1e-3 < result.history["gradient_norm"][-2]
    result = stop(epochs=3)
    assert (result.stop_reason, result.epochs, len(result.history["cost"])) == ("epochs", 3, 3)
    result = stop(callbacks=[lambda record: record["epoch"] == 4])
    assert result.stop_reason == "callback"
    assert result.epochs >= 4


def test_it_stops_for_the_validation_data(engine):
    X, Y = data(30)
    stopping = dr.Stopping(max_fail=5)
    trainer = dr.LevenbergMarquardt()
    result = dr.train(
        NET, X, Y, trainer=trainer, epochs=400, stopping=stopping, validation_data=data(20, seed=9), engine=engine
    )
    assert result.stop_reason == "max_fail"
    assert result.best_epoch == result.epochs - 5 == 1 + np.argmin(result.history["validation_cost"])


def test_a_minimum_is_named(engine):
    """A linear network in the least-squares solution: no damping leads down any more."""
    X, Y = data(30)
    net = dr.Network([dr.Dense(1, "linear")])
    result = dr.train(net, X, Y, trainer=dr.LevenbergMarquardt(), epochs=100, engine=engine)
    assert result.stop_reason == "mu_max"
    assert result.history["accepted"][-1] == 0
    assert result.history["step_norm"][-1] == 0
    assert result.history["gradient_norm"][-1] < 1e-7  # a cost of 0.1 is known to 1e-17, and its gradient to the root
    expected = np.linalg.lstsq(np.concatenate([X, np.ones((30, 1))], axis=1), Y, rcond=None)[0]
    np.testing.assert_allclose(result.params[0]["W"], expected[:2].T, rtol=1e-6)
    # With hardly any damping the first step is there already.
    result = dr.train(net, X, Y, trainer=dr.LevenbergMarquardt(damping=1e-12), epochs=1, engine=engine)
    np.testing.assert_allclose(result.params[0]["W"], expected[:2].T, rtol=1e-9)
    np.testing.assert_allclose(result.params[0]["b"], expected[2], rtol=1e-9)


def test_it_stops_for_the_time(engine):
    net, stopping = dr.Network([dr.Dense(1, "linear")]), dr.Stopping(time_limit=0.0)
    result = dr.train(net, *data(30), trainer=dr.LevenbergMarquardt(), epochs=100, stopping=stopping, engine=engine)
    assert (result.stop_reason, result.epochs) == ("time", 1)


def test_numbers_compile_nothing_new():
    """On JAX each piece is compiled once for a shape: numbers of the trainer and one more row are none of its own."""
    E = pytest.importorskip("deltarule.engine.jax_engine", reason="JAX is not installed")
    X, Y = data(30)
    trainer = {"solver": "cg", "damping": 0.1, "l2": 0.1, "acceleration": False}

    def train(rows=(X, Y), **changed):
        dr.train(NET, *rows, trainer=dr.LevenbergMarquardt(**(trainer | changed)), epochs=2, engine="jax")

    def compiled():
        pieces = {
            module.matrix_free_model: (),
            module.largest_diagonal: ("form",),
            module.attempt: ("form", "accelerate", "refit"),
        }
        return [E._compiled(piece, static)._cache_size() for piece, static in pieces.items()]

    train()
    before = compiled()
    assert min(before) > 0
    for changed in (
        {"damping": 1e-3},
        {"l2": 0.2},
        {"max_damping": 1e8},
        {"cg_tolerance": 1e-6},
        {"cg_iterations": 7},
        {"damping": 1e-4, "l2": 0.0},
    ):
        train(**changed)
    train(data(31))  # both are 32 rows with padding
    assert compiled() == before


def test_integer_weights_are_repeated_rows(engine):
    """One full-batch step: weights 0..3 against each row as often; a row of weight 0 may hold anything."""
    X, Y = data(30)
    weights = np.random.default_rng(3).integers(0, 4, 30)
    repeated = np.repeat(np.arange(30), weights)
    assert 0 in weights
    assert len(repeated) > 32  # so that the padded sizes differ
    trainer = dr.LevenbergMarquardt(l2=0.1)
    absurd = np.where(weights[:, None] == 0, 1e6, Y)
    weighted = dr.train(NET, X, absurd, trainer=trainer, epochs=1, weights=weights, engine=engine)
    plain = dr.train(NET, X[repeated], Y[repeated], trainer=trainer, epochs=1, engine=engine)
    for found, expected in zip(trees.leaves(weighted.params), trees.leaves(plain.params), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(weighted.history["cost"], plain.history["cost"], rtol=1e-12)


def test_float32(engine):
    X, Y = data(30)
    result = dr.train(NET, X, Y, trainer=dr.LevenbergMarquardt(), epochs=40, dtype="float32", engine=engine)
    assert {leaf.dtype for leaf in trees.leaves(result.params)} == {np.dtype("float32")}
    assert np.all(np.diff(result.history["cost"]) <= 0)
    assert result.history["cost"][-1] < 0.1 * result.history["cost"][0]
    assert not np.any(result.history["trial_verdict"][0] == NOT_FINITE)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"solver": "qr"}, "solver"),
        ({"damping": 0}, "damping"),
        ({"max_damping": -1}, "max_damping"),
        ({"cg_tolerance": 0}, "cg_tolerance"),
        ({"cg_iterations": 0}, "cg_iterations"),
        ({"memory": 0}, "memory"),
        ({"l2": -1}, "l2"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_values_out_of_range(options, match):
    with pytest.raises(ConfigurationError, match=match):
        dr.LevenbergMarquardt(**options)


def test_networks_that_are_refused():
    X, Y = data(8)
    with pytest.raises(ConfigurationError, match="batch_size is 9 and there are 8"):
        dr.train(NET, X, Y, trainer=dr.LevenbergMarquardt(batch_size=9), epochs=1)
    perceptron = dr.Network([dr.Dense(2, "step"), dr.Dense(1, "linear")])
    with pytest.raises(ConfigurationError, match="layer 0 is a perceptron"):
        dr.train(perceptron, X, Y, trainer=dr.LevenbergMarquardt(), epochs=1)
