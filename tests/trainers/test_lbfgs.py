"""L-BFGS by SciPy as a trainer of examples."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.engine.rows import TimeLimitReached
from deltarule.errors import ConfigurationError
from deltarule.network.examples import checked_rows
from deltarule.objective import value_and_gradient
from deltarule.trainers import lbfgs
from deltarule.training.loop import Course

X = np.linspace(-1, 1, 40)[:, None]
NET = dr.Network([dr.Dense(6, "tanh"), dr.Dense(1, "linear")])


def test_it_fits_and_stops(engine):
    result = dr.train(NET, X, np.sin(3 * X), trainer=dr.LBFGS(iterations=300), epochs=3, engine=engine)
    cost = result.history["cost"]
    assert cost[-1] < 1e-5
    assert (np.diff(cost) <= 0).all()
    assert result.history["iterations"][0] == 300


def test_the_penalty_is_in_its_cost():
    one, other = (dr.train(NET, X, X, trainer=dr.LBFGS(200, l2=l2), epochs=1) for l2 in (None, 1.0))
    size = [sum((layer["W"] ** 2).sum() for layer in result.params) for result in (one, other)]
    assert size[1] < size[0]


@pytest.mark.parametrize("options", [{"iterations": 0}, {"memory": 0}, {"l2": -1}])
def test_what_is_refused(options):
    with pytest.raises(ConfigurationError):
        dr.LBFGS(**options)


def late_after(calls):
    """A clock of which the time is up at that call."""
    count = 0

    def clock():
        nonlocal count
        count += 1
        if count >= calls:
            raise TimeLimitReached

    return clock


def course_of(params, iterations=500):
    rows = checked_rows(NET, params, "X", X, np.sin(3 * X), None, None)
    return Course(NET, dr.LBFGS(iterations), rows, None, (0,), dr.Stopping(), "cost", ())


def test_the_clock_ends_an_epoch_after_whole_iterations():
    """Seven iterations of the first epoch are the epoch of seven iterations."""
    start = NET.starts(0, 1, (1,), np.dtype("float64"), dr.LBFGS().initializers)[0]
    course = course_of(start)
    cut = course.advance(course.start(start), 3, clock=late_after(7))
    whole = course_of(start, iterations=7)
    exact = whole.advance(whole.start(start), 1)
    assert (cut.interruption, cut.carry.epoch, cut.carry.stop) == ("time", 1, 0)
    assert cut.records["iterations"].tolist() == [7]
    np.testing.assert_array_equal(trees.ravel(cut.carry.state.params), trees.ravel(exact.carry.state.params))
    np.testing.assert_array_equal(cut.records["cost"], exact.records["cost"])


def test_a_time_limit_within_the_first_epoch():
    result = dr.train(NET, X, np.sin(3 * X), trainer=dr.LBFGS(10**6), epochs=5, stopping=dr.Stopping(time_limit=0))
    assert (result.stop_reason, result.epochs) == ("time", 1)
    assert result.history["iterations"].tolist() == [1]


@pytest.mark.parametrize("restarts", [1, 2])
def test_ctrl_c_keeps_the_iterations_of_the_epoch(monkeypatch, restarts):
    calls = 0

    def counted(F, p):
        nonlocal calls
        calls += 1
        if calls == 40:
            raise KeyboardInterrupt
        return value_and_gradient(F, p)

    monkeypatch.setattr(lbfgs, "value_and_gradient", counted)
    result = dr.train(NET, X, np.sin(3 * X), trainer=dr.LBFGS(10**6), epochs=5, restarts=restarts, engine="numpy")
    assert (result.stop_reason, result.epochs) == ("interrupted", 1)
    assert calls == 40
    residual = NET(result.params, X) - np.sin(3 * X)
    assert result.history["cost"][-1] == pytest.approx((residual**2).sum() / 2 / len(X))
    assert result.history["iterations"][0] > 10


def test_an_interrupted_epoch_is_resumed(tmp_path):
    options = {"trainer": dr.LBFGS(200), "epochs": 2, "checkpoint": tmp_path}
    cut = dr.train(NET, X, np.sin(3 * X), stopping=dr.Stopping(time_limit=0), **options)
    more = dr.train(NET, X, np.sin(3 * X), resume=tmp_path, **options)
    assert (cut.stop_reason, more.stop_reason, more.epochs) == ("time", "epochs", 2)
    assert more.history["iterations"].tolist() == [1, 200]
    assert more.history["cost"][0] == cut.history["cost"][0] > more.history["cost"][1]
