"""Newton-CG as a trainer: options, epochs, stops and records."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.errors import ConfigurationError
from deltarule.trainers.newton_cg import trainer as trainer_module

NET = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])
DRAW = np.random.default_rng(0)
X = DRAW.uniform(-1, 1, size=(24, 2))
Y = np.sin(2 * X[:, :1]) * X[:, 1:]
START = NET.init(3, (2,), "float64")


def run(engine, epochs=15, net=NET, params=START, **options):
    return dr.train(net, X, Y, trainer=dr.NewtonCG(**options), epochs=epochs, params=params, engine=engine)


def test_the_cost_never_rises_and_the_record_is_whole(engine):
    result = run(engine, 40)
    history = result.history
    assert set(history) == {
        "epoch", "cost", "gradient_norm", "radius", "step_norm", "gain", "rejected", "products", "negative_curvature",
    }  # fmt: skip
    assert (np.diff(history["cost"]) < 0).all()
    assert (history["products"] >= 1).all()
    assert (history["step_norm"][1:] <= history["radius"].max()).all()
    assert history["negative_curvature"].sum() >= 1  # a network's cost has saddles on the way
    cost = float(NET.cost_and_gradient(result.params, X, Y)[0])
    assert history["cost"][-1] == pytest.approx(cost, rel=1e-12)
    grads = NET.cost_and_gradient(START, X, Y)[1]
    norm = np.sqrt(sum((np.asarray(g) ** 2).sum() for g in trees.leaves(grads)))
    assert history["gradient_norm"][0] == pytest.approx(norm, rel=1e-10)


def test_a_quadratic_problem_takes_one_step(engine):
    """Least squares: m is the cost itself, so Newton's step is the answer, and the next finds nothing lower."""
    net = dr.Network([dr.Dense(1, "linear")])
    X = DRAW.normal(size=(30, 3))
    Y = X @ [[1.0], [-2.0], [0.5]] + 0.7 + 0.1 * DRAW.normal(size=(30, 1))
    trainer = dr.NewtonCG(radius=100, cg_tolerance=1e-14)
    result = dr.train(
        net, X, Y, trainer=trainer, epochs=20, params=[{"W": np.zeros((1, 3)), "b": np.zeros(1)}], engine=engine
    )
    expected = np.linalg.lstsq(np.concatenate([X, np.ones((30, 1))], axis=1), Y, rcond=None)[0][:, 0]
    np.testing.assert_allclose(result.params[0]["W"][0], expected[:3], rtol=1e-7)
    np.testing.assert_allclose(result.params[0]["b"], expected[3:], rtol=1e-7)
    assert result.stop_reason == "radius_min"
    assert result.message.endswith("to rounding, this is a minimum.")
    assert result.epochs <= 8


def test_a_relu_that_is_off_has_no_curvature(engine):
    """√C'' of the log-likelihood is 1/a = 4e307 there and its square infinite, but sigma' is 0."""
    net = dr.Network([dr.Dense(6, "tanh"), dr.Dense(2, "relu")], "log-likelihood")
    X = np.random.default_rng(0).normal(size=(64, 2))
    result = dr.train(net, X, np.eye(2)[(X[:, 0] > 0) * 1], trainer=dr.NewtonCG(), epochs=5, seed=0, engine=engine)
    assert result.epochs == 5
    assert result.history["cost"][-1] < result.history["cost"][0] < 553


def test_l2_is_in_the_objective_the_gradient_and_the_curvature(engine):
    """Ridge regression solved exactly: (X^T X + lambda I) w = X^T y, centred."""
    net = dr.Network([dr.Dense(1, "linear")])
    X, Y, lam = DRAW.normal(size=(30, 3)), DRAW.normal(size=(30, 1)), 4.0
    trainer = dr.NewtonCG(radius=100, l2=lam, cg_tolerance=1e-10)
    result = dr.train(net, X, Y, trainer=trainer, epochs=20, seed=1, engine=engine)
    centred = X - X.mean(axis=0)
    expected = np.linalg.solve(centred.T @ centred + lam * np.eye(3), centred.T @ (Y - Y.mean()))
    np.testing.assert_allclose(result.params[0]["W"][0], expected[:, 0], rtol=1e-6)
    cost = float(net.cost_and_gradient(result.params, X, Y)[0])
    added = lam / (2 * 30) * float((np.asarray(result.params[0]["W"]) ** 2).sum())
    assert result.history["cost"][-1] == pytest.approx(cost + added, rel=1e-12)


def test_blocks_change_nothing(engine, monkeypatch):
    whole = run(engine, 4)
    monkeypatch.setattr(trainer_module, "BLOCK_BYTES", 8 * 12 * 5 * 8)  # eight examples at a time
    blocks = run(engine, 4)
    np.testing.assert_allclose(blocks.history["cost"], whole.history["cost"], rtol=1e-9)
    assert np.abs(blocks.history["products"] - whole.history["products"]).max() <= 1  # at a tolerance's edge


def test_weights_are_repeated_examples(engine):
    counts = DRAW.integers(0, 3, size=24)
    trainer = dr.NewtonCG(l2=0.3)
    weighted = dr.train(NET, X, Y, trainer=trainer, epochs=5, params=START, weights=counts, engine=engine)
    rows = np.repeat(X, counts, axis=0), np.repeat(Y, counts, axis=0)
    repeated = dr.train(NET, *rows, trainer=trainer, epochs=5, params=START, engine=engine)
    np.testing.assert_allclose(weighted.history["cost"], repeated.history["cost"], rtol=1e-8)


def test_mini_batches(engine):
    result = run(engine, 30, batch_size=10)
    assert set(result.history) == {"epoch", "cost", "radius", "rejected", "products", "negative_curvature"}
    assert result.history["rejected"].max() <= 3  # of three batches
    start, end = (float(NET.cost_and_gradient(p, X, Y)[0]) for p in (START, result.params))
    assert end < 0.05 * start
    # One batch of all is the full batch, but that a rejected trial is an epoch of its own.
    all_in_one = run(engine, 8, batch_size=24).history
    np.testing.assert_allclose(
        all_in_one["cost"][all_in_one["rejected"] == 0][:3], run(engine, 3).history["cost"], rtol=1e-8
    )


def test_restarts_are_trainings_alone(engine):
    """Bit for bit: start i of several is the i-th that the network draws."""
    together = dr.train(NET, X, Y, trainer=dr.NewtonCG(), epochs=6, seed=3, restarts=3, engine=engine)
    starts = NET.starts(3, 3, (2,), "float64", dr.NewtonCG.initializers)
    for one, params in zip(together.starts, starts, strict=True):
        alone = run(engine, 6, params=params)
        np.testing.assert_array_equal(one.history["cost"], alone.history["cost"])
    assert together.history["cost"][-1] == min(one.history["cost"][-1] for one in together.starts)


def test_numbers_compile_nothing_new():
    E = pytest.importorskip("deltarule.engine.jax_engine", reason="JAX is not installed")

    def compiled():
        return [
            E._compiled(piece, ())._cache_size() for piece in (trainer_module.quadratic_model, trainer_module.attempt)
        ]

    run("jax", 1)
    before = compiled()
    assert min(before) > 0
    run("jax", 1, radius=0.3, max_radius=7, cg_tolerance=0.01, cg_iterations=33)
    assert compiled() == before


def test_it_computes_in_float64_unless_asked(engine):
    assert dr.train(NET, X, Y, trainer=dr.NewtonCG(), epochs=1, engine=engine).params[0]["W"].dtype == np.float64
    single = dr.train(NET, X, Y, trainer=dr.NewtonCG(), epochs=5, dtype="float32", engine=engine)
    assert single.params[0]["W"].dtype == np.float32
    assert (np.diff(single.history["cost"]) < 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"radius": 0}, "radius .*is 0"),
        ({"max_radius": "far"}, "max_radius .*is 'far'"),
        ({"cg_tolerance": -1}, "cg_tolerance .*is -1"),
        ({"cg_iterations": 0}, "cg_iterations .*is 0"),
        ({"batch_size": 0}, "batch_size .*is 0"),
        ({"l2": -1}, "l2 .*is -1"),
    ],
)
def test_options_outside_their_range(options, message):
    with pytest.raises(ConfigurationError, match=message):
        dr.NewtonCG(**options)


def test_networks_that_are_refused():
    with pytest.raises(ConfigurationError, match=r"batch_size is 30 .*24"):
        run("numpy", batch_size=30)
    with pytest.raises(ConfigurationError, match="layer 0 is a perceptron"):
        run("numpy", net=dr.Network([dr.Dense(4, "step"), dr.Dense(1, "linear")]))
    with pytest.raises(ConfigurationError, match=r"layer 1 is Dropout.* NewtonCG"):
        run("numpy", net=dr.Network([dr.Dense(4), dr.Dropout(0.5), dr.Dense(1)]), params=None)
