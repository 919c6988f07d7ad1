"""`train`: what it leaves, what it keeps, when it stops and which options it refuses. Its data: `test_examples`."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.training import session

pytestmark = pytest.mark.usefixtures("on_each_engine")

# One linear neuron on one example, x = 1 and y = 10, from w = b = 0: with eta = 0.1 its output a climbs to 10 by
# a ← a + 0.2 (10 - a), so a_t = 10 (1 - 0.8^t).
NEURON = dr.Network([dr.Dense(1, "linear")])
START = [{"W": np.zeros((1, 1)), "b": np.zeros(1)}]
X, Y = np.array([[1.0]]), np.array([[10.0]])
SLOW = dr.GradientDescent(eta=0.1)


def climb(epochs, trainer=SLOW, **options):
    return dr.train(NEURON, X, Y, trainer=trainer, epochs=epochs, params=START, **options)


def output(result):
    return float(result.params[0]["W"][0, 0] + result.params[0]["b"][0])


def test_what_is_left():
    result = climb(5)
    assert output(result) == pytest.approx(10 * (1 - 0.8**5), rel=1e-13)
    # The cost before each step is 1/2 (10 · 0.8^t)²; dC/dw = dC/db = -10 · 0.8^t, so the norm is √2 times that.
    t = np.arange(5)
    assert set(result.history) == {"epoch", "cost", "gradient_norm"}
    np.testing.assert_array_equal(result.history["epoch"], t + 1)
    np.testing.assert_allclose(result.history["cost"], 50 * 0.64**t, rtol=1e-13)
    np.testing.assert_allclose(result.history["gradient_norm"], np.sqrt(2) * 10 * 0.8**t, rtol=1e-13)
    assert (result.stop_reason, result.epochs, result.best_epoch) == ("epochs", 5, 5)
    assert result.message == "all 5 epochs were run."
    assert result.seconds > 0
    assert result.params[0]["W"].dtype == np.float64


def test_results_are_compared_as_objects():
    """Not array by array, of which no one truth value can be made."""
    result = climb(2)
    assert result == result != climb(2)
    assert len({result, result}) == 1


def test_the_dtype_is_the_trainer_s_or_the_params_or_the_one_asked_for():
    assert climb(1).history["cost"].dtype == np.float64
    assert climb(1, dtype="float32").params[0]["W"].dtype == np.float32
    fresh = dr.train(NEURON, X, Y, trainer=SLOW, epochs=1)
    assert fresh.params[0]["W"].dtype == np.float32
    asked = dr.train(NEURON, X, Y, trainer=SLOW, epochs=1, dtype=np.dtype("float64"))
    assert asked.params[0]["W"].dtype == asked.history["cost"].dtype == np.float64


def test_the_given_parameters_are_left_as_they_were():
    climb(3)
    assert START[0]["W"].item() == 0


def test_callbacks_see_every_epoch_once():
    seen = []
    result = climb(30, callbacks=[lambda record: seen.append((record["epoch"], record["cost"]))])
    assert seen == list(zip(result.history["epoch"], result.history["cost"], strict=True))
    assert [epoch for epoch, _ in seen] == list(range(1, 31))


@pytest.mark.parametrize("last", [1, 2, 7, 25])
def test_a_callback_ends_the_training_after_its_epoch(monkeypatch, last):
    """Whatever the length of a chunk: nothing of a later epoch is left, so the machine's speed changes no result."""
    monkeypatch.setattr(session, "CHUNK_SECONDS", 1e9)
    seen = []

    def enough(record):
        seen.append(record["epoch"])
        return record["epoch"] == last

    result = climb(100, callbacks=[enough])
    assert seen == list(range(1, last + 1))
    assert (result.stop_reason, result.epochs) == ("callback", last)
    assert result.message.endswith(f"after {last} epoch{'s' * (last > 1)}.")
    assert len(result.history["cost"]) == last
    assert output(result) == pytest.approx(10 * (1 - 0.8**last), rel=1e-13)


def test_goal():
    # 50 · 0.64^t <= 1 first at t = 9 (0.64^9 = 0.018): the tenth epoch begins there.
    result = climb(100, stopping=dr.Stopping(goal=1))
    assert (result.stop_reason, result.epochs) == ("goal", 10)
    assert "goal of 1.0 after 10 epochs" in result.message
    assert result.history["cost"][-1] <= 1 < result.history["cost"][-2]


def test_the_parameters_that_met_the_goal_are_returned():
    """Full-batch steps so long that the cost, 1e-3 at the start, is 0.05 after one: it was judged before it."""
    net, x = dr.Network([dr.Dense(1, "linear")]), np.array([[1.0], [-1.0]])
    start = [{"W": np.array([[1 + 0.002**0.5]]), "b": np.zeros(1)}]  # C = (w - 1)²/2, and the step is w - 8 (w - 1)
    result = dr.train(
        net, x, x, trainer=dr.GradientDescent(eta=8), epochs=9, params=start, stopping=dr.Stopping(goal=0.0011)
    )
    assert (result.stop_reason, result.epochs, result.best_epoch) == ("goal", 1, 0)
    assert float(net.cost_and_gradient(result.params, x, x)[0]) == pytest.approx(1e-3)


def test_min_grad():
    # √2 · 10 · 0.8^t <= 1 first at t = 12 (14.14 · 0.0687 = 0.972)
    result = climb(100, stopping=dr.Stopping(min_grad=1))
    assert (result.stop_reason, result.epochs) == ("min_grad", 13)
    assert "gradient fell to 1.0 after 13 epochs" in result.message


def test_time():
    result = climb(100, stopping=dr.Stopping(time_limit=0))
    assert (result.stop_reason, result.epochs) == ("time", 1)
    assert "limit of 0.0 s passed after 1 epoch" in result.message


def test_interrupted():
    def interrupt(record):
        raise KeyboardInterrupt

    result = climb(100, callbacks=[interrupt])
    assert (result.stop_reason, result.epochs) == ("interrupted", 1)
    assert result.message.startswith("interrupted after 1 epoch")
    assert output(result) == pytest.approx(2, rel=1e-13)
    assert len(result.history["cost"]) == 1


# Validation data that asks for 5 is served best by epoch 3: a = 2, 3.6, 4.88, 5.904, ...
FIVE = (X, np.array([[5.0]]))


def test_validation_keeps_the_best_parameters():
    result = climb(20, validation_data=FIVE)
    assert (result.stop_reason, result.epochs, result.best_epoch) == ("epochs", 20, 3)
    assert output(result) == pytest.approx(4.88, rel=1e-13)
    a = 10 * (1 - 0.8 ** np.arange(1, 21))
    np.testing.assert_allclose(result.history["validation_cost"], (a - 5) ** 2 / 2, rtol=1e-12)
    trees.map_leaves(np.testing.assert_array_equal, result.params, climb(3).params)


def test_max_fail():
    result = climb(100, validation_data=FIVE, stopping=dr.Stopping(max_fail=4))
    assert (result.stop_reason, result.epochs, result.best_epoch) == ("max_fail", 7, 3)
    assert "score for 4 epochs, after 7" in result.message
    assert output(result) == pytest.approx(4.88, rel=1e-13)


def test_an_interrupted_training_keeps_the_best_of_its_validation(monkeypatch):
    monkeypatch.setattr(session, "CHUNK_SECONDS", 0)

    def interrupt(record):
        if record["epoch"] == 6:
            raise KeyboardInterrupt

    result = climb(100, validation_data=FIVE, callbacks=[interrupt])
    assert (result.stop_reason, result.epochs, result.best_epoch) == ("interrupted", 6, 3)
    assert output(result) == pytest.approx(4.88, rel=1e-13)


def test_accuracy_as_monitor_outranks_the_cost_and_ties_fall_to_it():
    # eta = 0.01: a = 10 (1 - 0.98^t) = 0.2, 0.396, 0.588, 0.776, 0.961, ... and "yes" is an output above 1/2.
    # x = 1 asks for 3, yes: right from epoch 3 on. x = 0.2, whose output is b + 0.2 w = 0.6 a, asks for 0.4, no: right
    # while a < 0.833, to epoch 4. So 3 and 4 are right in both; the cost is lower at 4, and goes on falling.
    data = np.array([[1.0], [0.2]]), np.array([[3.0], [0.4]])
    trainer = dr.GradientDescent(eta=0.01)
    result = climb(10, trainer=trainer, validation_data=data, monitor="accuracy")
    assert result.history["validation_accuracy"].tolist() == [0.5, 0.5, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    assert result.best_epoch == 4
    assert climb(10, trainer=trainer, validation_data=data).best_epoch == 10


def test_restarts_keep_the_best_start():
    """Three starts are three trainings on their own; the one with the lowest cost comes back."""
    net = dr.Network([dr.Dense(2, "sigmoid"), dr.Dense(1, "sigmoid")])
    X, Y = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([[0.0], [1.0], [1.0], [0.0]])
    trainer = dr.GradientDescent(eta=2.0)
    together = dr.train(net, X, Y, trainer=trainer, epochs=20, seed=3, restarts=3)
    starts = net.starts(3, 3, (2,), "float32")
    alone = [dr.train(net, X, Y, trainer=trainer, epochs=20, params=start) for start in starts]
    best = min(alone, key=lambda result: result.history["cost"].min())
    np.testing.assert_allclose(together.history["cost"], best.history["cost"], rtol=1e-5)
    trees.map_leaves(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4), together.params, best.params)
    assert (together.epochs, together.stop_reason) == (20, "epochs")


def test_the_given_parameters_are_the_first_start():
    # They solve the problem already, so no other start can be better.
    solved = [{"W": np.array([[4.0]]), "b": np.array([6.0])}]
    result = dr.train(NEURON, X, Y, trainer=SLOW, epochs=3, params=solved, restarts=3)
    assert output(result) == 10
    assert not result.history["cost"].any()


def test_weights_are_repeated_examples():
    X, Y = np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [0.0], [2.0]])
    trainer, counts = dr.GradientDescent(eta=0.05, l2=0.3), [2, 0, 3]
    weighted = dr.train(NEURON, X, Y, trainer=trainer, epochs=8, params=START, weights=counts)
    rows = np.repeat(X, counts, axis=0), np.repeat(Y, counts, axis=0)
    repeated = dr.train(NEURON, *rows, trainer=trainer, epochs=8, params=START)
    np.testing.assert_allclose(weighted.history["cost"], repeated.history["cost"], rtol=1e-13)
    np.testing.assert_allclose(output(weighted), output(repeated), rtol=1e-13)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs .*is 0"),
        ({"restarts": 0}, "restarts .*is 0"),
        ({"epochs": 2.5}, "epochs .*is 2.5"),
        ({"monitor": "loss"}, "monitor .*is 'loss'"),
        ({"dtype": "float16"}, "dtype .*is 'float16'"),
        ({"seed": "x"}, "seed .*is 'x'"),
        ({"seed": 0.5}, "seed .*is 0.5"),
        ({"seed": -1}, "seed .*is -1"),
        ({"seed": 2**32}, "seed .*is 4294967296"),
        (
            {"trainer": dr.GradientDescent(eta=1, batch_size=2)},
            "batch_size is 2 .*1 training",
        ),
    ],
)
def test_options_outside_their_range(options, message):
    with pytest.raises(ConfigurationError, match=message):
        dr.train(NEURON, X, Y, **({"trainer": SLOW, "epochs": 1} | options))


def test_a_perceptron_cannot_be_trained():
    net = dr.Network([dr.Dense(2, "step"), dr.Dense(1)])
    with pytest.raises(ConfigurationError, match=r"layer 0 .*'step'.* sigmoid"):
        dr.train(net, X, Y, trainer=SLOW, epochs=1)


def test_parameters_of_another_network():
    with pytest.raises(ShapeError, match=r"layer 0, Dense\(1\), needs"):
        dr.train(NEURON, X, Y, trainer=SLOW, epochs=1, params=[{"W": np.ones((1, 4)), "b": np.ones(1)}])


def test_rules_that_could_never_act_are_refused():
    with pytest.raises(ConfigurationError, match=r"max_fail is 4, .*validation_data"):
        climb(5, stopping=dr.Stopping(max_fail=4))
    batches = dr.GradientDescent(eta=0.1, batch_size=1)
    with pytest.raises(ConfigurationError, match=r"min_grad is 0\.1.* batches of 1"):
        climb(5, trainer=batches, stopping=dr.Stopping(min_grad=0.1))
    with pytest.raises(ConfigurationError, match=r"min_grad is 0\.1"):
        climb(5, trainer=dr.LevenbergMarquardt(batch_size=1), stopping=dr.Stopping(min_grad=0.1))
    net = dr.Network([dr.Dense(1, "linear")])
    with pytest.raises(ConfigurationError, match=r"BayesianRegularization .*log_evidence"):
        dr.train(net, X, Y, trainer=dr.BayesianRegularization(), epochs=5, validation_data=(X, Y))


def test_what_is_kept_after_an_interruption_is_said_truly():
    """Without validation data those of the last epoch are kept, with them the best on them."""

    def interrupt(record):
        raise KeyboardInterrupt

    net, sgd = dr.Network([dr.Dense(1, "linear")]), dr.GradientDescent(eta=0.01)
    for held, kept in ((None, "latest"), ((X, Y), "best")):
        result = dr.train(net, X, Y, trainer=sgd, epochs=9, callbacks=[interrupt], validation_data=held)
        assert f"after 1 epoch: the {kept} parameters" in result.message
