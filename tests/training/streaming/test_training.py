"""Training on a stream: the steps of Levenberg-Marquardt in memory, mini-batches of shuffled chunks, refusals."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.data import ArrayStream
from deltarule.errors import ConfigurationError, DataError
from deltarule.training.streaming import course as module
from engines import WITHOUT_JAX, off

pytestmark = pytest.mark.usefixtures("on_each_engine")

N = 403
random = np.random.default_rng(0)
X = random.normal(size=(N, 3))
Y = np.sin(X[:, :1] + X[:, 1:2] * X[:, 2:])
NET = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])
LM = dr.LevenbergMarquardt()
SGD = dr.GradientDescent(eta=0.1, batch_size=10)
SMALL = 403 * 32 * module.BUFFERS / 4  # a quarter of the examples in a chunk


def stream(x=X, y=Y):
    return ArrayStream(x, y, block_rows=16)


@pytest.mark.parametrize("trainer", [LM, dr.LevenbergMarquardt(l2=0.1, acceleration=False, damping=1.0)])
def test_a_streamed_step_is_the_step_in_memory(trainer):
    alone = dr.train(NET, X, Y, trainer=trainer, epochs=4, seed=1)
    streamed = dr.train_stream(NET, stream(), trainer=trainer, epochs=4, seed=1, memory=SMALL)
    trees.map_leaves(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11), off(alone.params), off(streamed.params)
    )
    for name in ("cost", "gradient_norm", "lambda", "step_norm", "accepted", "rejected"):
        np.testing.assert_allclose(streamed.history[name], alone.history[name], rtol=1e-9)
    assert (streamed.stop_reason, streamed.epochs) == ("epochs", 4)


def test_mini_batches_learn_and_see_every_example_once_an_epoch():
    """The steps of an epoch are ceil(N/m), because every chunk but the last holds whole batches."""
    seen = []
    result = dr.train_stream(
        NET, stream(), trainer=SGD, epochs=6, seed=6, memory=SMALL, validation_data=(X[:50], Y[:50]),
        callbacks=[lambda record: seen.append(int(record["epoch"]))],
    )  # fmt: skip
    assert seen == [1, 2, 3, 4, 5, 6]
    assert result.history["cost"][-1] < 0.7 * result.history["cost"][0]
    assert result.best_epoch == 1 + int(np.argmin(result.history["validation_cost"]))
    assert ((result.history["input_wait"] >= 0) & (result.history["input_wait"] <= 1)).all()


def test_one_batch_of_all_is_that_of_memory_with_its_penalties():
    """With all examples in one batch the order in which they were read makes no difference."""
    trainer = dr.GradientDescent(eta=0.1, l2=0.3, l1=0.1, batch_size=N)
    full = dr.train(NET, X, Y, trainer=trainer, epochs=3, seed=2, dtype="float64")
    streamed = dr.train_stream(NET, stream(), trainer=trainer, epochs=3, seed=2, dtype="float64")
    np.testing.assert_allclose(streamed.history["cost"], full.history["cost"], rtol=1e-12)
    trees.map_leaves(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-11), off(full.params), off(streamed.params))


@WITHOUT_JAX
def test_a_mesh_streams_the_same():
    import jax

    alone = dr.train_stream(NET, stream(), trainer=SGD, epochs=2, memory=SMALL, dtype="float64")
    meshed = dr.train_stream(
        NET, stream(), trainer=SGD, epochs=2, memory=SMALL, dtype="float64", engine="jax", devices=jax.devices()
    )
    np.testing.assert_allclose(meshed.history["cost"], alone.history["cost"], rtol=1e-12)


def test_whole_numbers_name_classes():
    net = dr.Network([dr.Dense(3, "softmax")], cost="log-likelihood")
    result = dr.train_stream(net, stream(X, np.arange(N) % 3), trainer=SGD, epochs=2, memory=SMALL)
    assert np.isfinite(result.history["cost"]).all()
    with pytest.raises(DataError, match=r"classes 0\.\.3, .*3 outputs"):
        dr.train_stream(net, stream(X, np.arange(N) % 4), trainer=SGD, epochs=1)


def test_the_goal_and_a_callback_end_it():
    ended = dr.train_stream(NET, stream(), trainer=SGD, epochs=9, stopping=dr.Stopping(goal=10.0))
    assert (ended.stop_reason, ended.epochs) == ("goal", 1)
    ended = dr.train_stream(NET, stream(), trainer=SGD, epochs=9, callbacks=[lambda record: record["epoch"] == 2])
    assert (ended.stop_reason, ended.epochs) == ("callback", 2)


def test_what_is_not_finite_is_named_by_its_chunk():
    x = X.copy()
    x[7, 1] = np.nan
    with pytest.raises(DataError, match=r"chunk 0 holds nan .*\(7, 1\)"):
        dr.train_stream(NET, stream(x), trainer=LM, epochs=1)


@pytest.mark.parametrize(
    ("trainer", "options", "said"),
    [
        (dr.GradientDescent(eta=0.1), {}, "give GradientDescent a batch_size"),
        (dr.NewtonCG(), {}, "NewtonCG .*memory"),
        (dr.LevenbergMarquardt(batch_size=10), {}, "LevenbergMarquardt .*memory"),
        (dr.LevenbergMarquardt(solver="dual"), {}, "dual form"),
        (SGD, {"stopping": dr.Stopping(max_fail=3)}, "max_fail is 3"),
        (dr.GradientDescent(eta=0.1, batch_size=10, no_improvement=1), {}, "no_improvement is 1, .* no validation"),
        (None, {}, "trainer is None"),
        (SGD, {"validation_data": (X,)}, "validation_data is .*length 1"),
        (SGD, {"callbacks": print}, "callbacks is"),
        (LM, {"stopping": dr.Stopping(min_grad=1e-3)}, "min_grad is 0.001"),
        (SGD, {"memory": 0}, "memory .*above 0"),
    ],
)
def test_what_a_stream_cannot_do_is_refused(trainer, options, said):
    with pytest.raises(ConfigurationError, match=said):
        dr.train_stream(NET, stream(), trainer=trainer, epochs=1, **options)


def test_a_stream_is_refused_what_train_refuses():
    dropping = dr.Network([dr.Dense(4, "tanh"), dr.Dropout(0.5), dr.Dense(1, "linear")])
    with pytest.raises(ConfigurationError, match="layer 1 is Dropout"):
        dr.train_stream(dropping, stream(), trainer=LM, epochs=1)
    with pytest.raises(ConfigurationError, match="stream is a ndarray"):
        dr.train_stream(NET, X, trainer=SGD, epochs=1)


def test_validation_data_may_be_weighted():
    """A weight of 0 for all but one example leaves the score of that one."""
    last = np.r_[np.zeros(49), 1.0]
    streamed = dr.train_stream(NET, stream(), trainer=SGD, epochs=1, validation_data=(X[:50], Y[:50], last))
    one = dr.train_stream(NET, stream(), trainer=SGD, epochs=1, validation_data=(X[49:50], Y[49:50]))
    np.testing.assert_allclose(streamed.history["validation_cost"], one.history["validation_cost"], rtol=1e-5)
