"""Several starts, each with its result, and what ends a training within an epoch. The rest: `test_training`."""

from dataclasses import fields

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.trainers.levenberg_marquardt import trainer as lm
from deltarule.training import loop, session
from deltarule.training import train as training
from engines import WITHOUT_JAX, off

pytestmark = pytest.mark.usefixtures("on_each_engine")

NET = dr.Network([dr.Dense(3, "tanh"), dr.Dense(1, "linear")])
X = np.random.default_rng(0).uniform(-1, 1, (16, 2))
Y = X[:, :1] * X[:, 1:]
SECOND_ORDER = {
    "lm": dr.LevenbergMarquardt(),
    "lm on batches": dr.LevenbergMarquardt(batch_size=4),
    "newton-cg": dr.NewtonCG(),
    "newton-cg on batches": dr.NewtonCG(batch_size=4),
    "bayesian": dr.BayesianRegularization(),
}


def train(**options):
    settings = {"trainer": dr.GradientDescent(eta=0.3), "epochs": 30, "dtype": "float64", "seed": 3, "restarts": 3}
    return dr.train(NET, X, Y, **(settings | options))


def same(one, other):
    """Two results with the same bits."""
    trees.map_leaves(np.testing.assert_array_equal, (off(one.params), one.history), (off(other.params), other.history))
    assert (one.epochs, one.stop_reason, one.best_epoch) == (other.epochs, other.stop_reason, other.best_epoch)


DESCENT = [dr.GradientDescent(eta=0.3), dr.GradientDescent(eta=0.3, batch_size=5)]


@pytest.mark.parametrize(
    ("engine", "trainer"),
    [
        *(("numpy", trainer) for trainer in [*DESCENT, *SECOND_ORDER.values()]),  # whose loop is the same on JAX
        *(pytest.param("jax", trainer, marks=WITHOUT_JAX) for trainer in [*DESCENT, SECOND_ORDER["lm"]]),
    ],
)
def test_how_many_epochs_are_taken_in_turn_changes_nothing(monkeypatch, trainer):
    """12 epochs of each start one after another, or a few of each in turn: the same bits."""
    monkeypatch.setattr(session, "CHUNK_SECONDS", 1e9)  # every turn as long as it may be
    one_after_another = train(trainer=trainer, epochs=12)
    for chunk in (1, 7):
        monkeypatch.setattr(loop, "LONGEST_CHUNK", chunk)
        in_turn = train(trainer=trainer, epochs=12)
        assert len(in_turn.starts) == len(one_after_another.starts) == 3
        for one, other in zip(in_turn.starts, one_after_another.starts, strict=True):
            same(one, other)
        same(in_turn, one_after_another)


def test_a_start_of_several_is_a_training_alone():
    together = train()
    for one, params in zip(together.starts, NET.starts(3, 3, (2,), "float64"), strict=True):
        same(one, train(params=params, restarts=1))


def test_the_best_of_the_starts_is_returned():
    result = train()
    last = [start.history["cost"].min() for start in result.starts]
    assert len(set(last)) == 3
    best = result.starts[int(np.argmin(last))]
    assert result.params is best.params
    assert result.history is best.history


def test_a_single_start_has_no_list_of_starts():
    assert train(restarts=1).starts == ()


def test_a_callback_that_ends_a_start_ends_them_all():
    """Nothing is begun after what stopped from outside, and every start stands at the same epoch."""
    result = train(callbacks=[lambda record: record["epoch"] == 4])
    assert (result.stop_reason, result.epochs) == ("callback", 4)
    assert [(start.stop_reason, start.epochs) for start in result.starts] == 3 * [("callback", 4)]


class Clock:
    """A clock that goes on by a second at each look within an epoch, and stands still between epochs."""

    now, within = 0.0, False

    def perf_counter(self):
        self.now += self.within
        return self.now


@pytest.mark.parametrize("name", [*SECOND_ORDER, "sgd"])
def test_a_time_limit_ends_within_an_epoch_and_keeps_the_last_whole_one(engine, monkeypatch, name):
    """The clock is looked at before every trial and every batch, so the training ends in the middle of an epoch; what
    is left is what that many whole epochs leave. Where JAX compiles whole epochs, they are whole."""
    clock, begun = Clock(), []
    trainer = SECOND_ORDER.get(name, dr.GradientDescent(eta=0.3, batch_size=5))
    if engine == "jax" and trainer.compiles_epochs:
        pytest.skip("JAX compiles whole epochs of this trainer")

    class Watched(type(trainer)):
        def epoch(self, net, state, rows, turn):
            begun.append("begun")
            clock.within = True
            found = super().epoch(net, state, rows, turn)
            clock.within = False
            begun[-1] = "ended"
            return found

    options = {field.name: getattr(trainer, field.name) for field in fields(trainer)}
    with monkeypatch.context() as patch:
        patch.setattr(session, "time", clock)
        patch.setattr(training, "time", clock)
        result = train(trainer=Watched(**options), restarts=1, epochs=1000, stopping=dr.Stopping(time_limit=12.5))
    assert result.stop_reason == "time"
    assert begun == result.epochs * ["ended"] + ["begun"]
    assert result.epochs >= 1
    assert len(result.history["cost"]) == result.epochs
    whole = train(trainer=trainer, restarts=1, epochs=result.epochs)
    trees.map_leaves(
        np.testing.assert_array_equal, (off(result.params), result.history), (off(whole.params), whole.history)
    )


@pytest.mark.parametrize("name", SECOND_ORDER)
def test_the_first_epoch_is_whole_whatever_the_time_limit(name):
    result = train(trainer=SECOND_ORDER[name], restarts=1, stopping=dr.Stopping(time_limit=0.0))
    assert (result.stop_reason, result.epochs, len(result.history["cost"])) == ("time", 1, 1)


@pytest.mark.parametrize("trials", [1, 5, 6, 11])
@pytest.mark.parametrize("batch_size", [None, 4])
def test_ctrl_c_within_an_epoch_keeps_the_last_whole_one(monkeypatch, trials, batch_size):
    """KeyboardInterrupt from within a trial: epochs so far are kept, with the records of these and no more."""
    trainer, tried, judge = dr.LevenbergMarquardt(batch_size=batch_size), [], lm.judge

    def interrupted(*arguments):
        tried.append(arguments)
        if len(tried) == trials:
            raise KeyboardInterrupt
        return judge(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(lm, "judge", interrupted)
        result = train(trainer=trainer, restarts=1, epochs=100)
    assert result.stop_reason == "interrupted"
    assert len(tried) == trials
    assert len(result.history.get("cost", ())) == result.epochs < trials
    if result.epochs == 0:
        trees.map_leaves(
            np.testing.assert_array_equal, off(result.params), NET.init(3, (2,), "float64", trainer.initializers)
        )
        return
    whole = train(trainer=trainer, restarts=1, epochs=result.epochs)
    trees.map_leaves(
        np.testing.assert_array_equal, (off(result.params), result.history), (off(whole.params), whole.history)
    )


@pytest.mark.parametrize("epoch", [0, 1, 5])
def test_ctrl_c_between_a_record_and_what_it_led_to(monkeypatch, epoch):
    """Signals may come between any two lines: here the records hold one epoch more than was taken over."""
    count, one_epoch = [], loop.one_epoch

    class Interrupting(tuple):
        """(carry, record) whose record interrupts when it is unpacked."""

        def __iter__(self):
            raise KeyboardInterrupt

    def watched(*arguments):
        count.append(0)
        found = one_epoch(*arguments)
        return Interrupting(found) if len(count) == epoch + 1 else found

    monkeypatch.setattr(loop, "one_epoch", watched)
    result = train(trainer=dr.LevenbergMarquardt(), restarts=1)
    assert (result.stop_reason, result.epochs) == ("interrupted", epoch)
    assert result.history.get("epoch", np.arange(0)).tolist() == list(range(1, epoch + 1))


def test_a_result_prints_in_one_line(engine):
    """The arrays stay where they are: 10,000 parameters and 50 records are no pages."""
    net = dr.Network([dr.Dense(2500, "tanh"), dr.Dense(1, "linear")])
    X = np.linspace(-1, 1, 4)[:, None]
    result = dr.train(net, X, X**2, trainer=dr.GradientDescent(eta=1e-4), epochs=50, engine=engine)
    printed = repr(result)
    assert "\n" not in printed
    assert len(printed) < 120
    assert printed.startswith("TrainingResult(all 50 epochs were run. ")
    assert f"on {engine}, cost " in printed
