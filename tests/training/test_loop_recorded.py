"""What a training records on request: the learning speed by hand and by automatic differentiation, and the scores."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError
from deltarule.network import evaluation
from deltarule.training import loop
from engines import assert_close, on, rounding, rows_on

NET = dr.Network([dr.Dense(4, "sigmoid"), dr.Dense(3, "tanh"), dr.Dense(2, "sigmoid")], "cross-entropy")
DRAW = np.random.default_rng(0)
X, LABELS = DRAW.normal(size=(20, 3)), DRAW.integers(2, size=20)
TRAINER = dr.GradientDescent(eta=0.5, batch_size=4)


def mean_cost(params):
    """The mean cost by the network's own forward pass, to be differentiated."""
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    a = jnp.asarray(X)
    for layer, sigma in zip(params, (jax.nn.sigmoid, jnp.tanh, jax.nn.sigmoid), strict=True):
        a = sigma(a @ layer["W"].T + layer["b"])
    y = jnp.eye(2)[LABELS]
    return -jnp.mean(jnp.sum(y * jnp.log(a) + (1 - y) * jnp.log(1 - a), axis=1))


def test_the_learning_speed_by_hand(engine):
    # One linear neuron from 0 on x = 1, y = 10 with C = (a - y)²/2: dC/db = a - 10 = -10 · 0.8^t with eta = 0.1.
    result = dr.train(
        dr.Network([dr.Dense(1, "linear")]),
        [[1.0]],
        [[10.0]],
        trainer=dr.GradientDescent(eta=0.1),
        epochs=5,
        params=[{"W": np.zeros((1, 1)), "b": np.zeros(1)}],
        record=["learning_speed"],
        engine=engine,
    )
    np.testing.assert_allclose(result.history["learning_speed"], 10 * 0.8 ** np.arange(5)[:, None], rtol=1e-13)


@pytest.mark.usefixtures("float64")
def test_the_learning_speed_is_the_norm_of_the_mean_gradient_of_the_biases(engine):
    params = NET.init(0, (3,), "float64")
    grads = pytest.importorskip("jax").grad(mean_cost)(params)
    rows = rows_on(engine, X, np.eye(2)[LABELS])
    expected = [np.linalg.norm(layer["b"]) for layer in grads]
    np.testing.assert_allclose(loop.learning_speed(NET, on(engine, params), rows), expected, rtol=1e-12)


@pytest.mark.usefixtures("float64")
def test_blocks_and_weights_add_up(monkeypatch, engine):
    params = NET.init(0, (3,), "float64")
    counts = DRAW.integers(0, 3, size=20)
    rows = rows_on(engine, np.repeat(X, counts, axis=0), np.eye(2)[np.repeat(LABELS, counts)])
    weighted = rows_on(engine, X, np.eye(2)[LABELS], counts.astype(float))
    expected = loop.learning_speed(NET, on(engine, params), rows)
    monkeypatch.setattr(evaluation, "EVALUATION_ROWS", 4)
    np.testing.assert_allclose(loop.learning_speed(NET, on(engine, params), weighted), expected, rtol=1e-12)


def test_each_epoch_records_its_start_and_its_end(engine):
    options = {"trainer": TRAINER, "params": NET.init(3, (3,), "float64"), "seed": 1, "engine": engine}
    record = ("training_score", "learning_speed")
    both = dr.train(NET, X, LABELS, epochs=3, record=record, **options)
    assert both.history["learning_speed"].shape == (3, 3)
    for epoch in range(3):
        before = options["params"] if epoch == 0 else dr.train(NET, X, LABELS, epochs=epoch, **options).params
        after = dr.train(NET, X, LABELS, epochs=epoch + 1, **options).params
        grads = NET.cost_and_gradient(before, X, LABELS)[1]
        speed = [np.linalg.norm(layer["b"]) for layer in grads]
        np.testing.assert_allclose(both.history["learning_speed"][epoch], speed, rtol=1e-10)
        cost = float(NET.cost_and_gradient(after, X, LABELS)[0])
        assert both.history["training_cost"][epoch] == pytest.approx(cost, rel=1e-10)
        right = np.mean(np.argmax(NET(after, X), axis=1) == LABELS)
        assert both.history["training_accuracy"][epoch] == pytest.approx(right)


def test_recording_changes_no_number(engine):
    plain = dr.train(NET, X, LABELS, trainer=TRAINER, epochs=3, engine=engine)
    watched = dr.train(NET, X, LABELS, trainer=TRAINER, epochs=3, record="learning_speed", engine=engine)
    assert set(watched.history) == set(plain.history) | {"learning_speed"}
    assert_close(watched.params, plain.params, rounding(engine))


def test_training_and_validation_scores_of_the_same_data_agree(engine):
    result = dr.train(
        NET,
        X,
        LABELS,
        trainer=dr.GradientDescent(eta=0.5, batch_size=4, l2=0.3),
        epochs=4,
        validation_data=(X, LABELS),
        record=["training_score"],
        engine=engine,
    )
    for name in ("cost", "accuracy"):
        assert_close(result.history[f"training_{name}"], result.history[f"validation_{name}"], rounding(engine))


def test_restarts_record_the_best_start(engine):
    result = dr.train(NET, X, LABELS, trainer=TRAINER, epochs=2, restarts=2, record=["learning_speed"], engine=engine)
    assert result.history["learning_speed"].shape == (2, 3)


def test_names_are_checked_and_ordered():
    assert loop.check_record(("training_score", "learning_speed", "training_score")) == (
        "learning_speed",
        "training_score",
    )
    with pytest.raises(ConfigurationError, match=r"record .*learning_speed.* 'speed'"):
        dr.train(NET, X, LABELS, trainer=TRAINER, epochs=1, record=["speed"])
