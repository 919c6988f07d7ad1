"""Several starts, side by side or one after another, each with its result. The rest of a session: `test_training`."""

import jax
import numpy as np
import pytest

import deltarule as dr
from deltarule import session

NET = dr.Network([dr.Dense(3, "tanh"), dr.Dense(1, "linear")])
X = np.random.default_rng(0).uniform(-1, 1, (16, 2))
Y = X[:, :1] * X[:, 1:]


def train(**options):
    settings = {"trainer": dr.GradientDescent(eta=0.3), "epochs": 30, "dtype": "float64", "seed": 3, "restarts": 3}
    return dr.train(NET, X, Y, **(settings | options))


@pytest.fixture(scope="module")
def side_by_side():
    return train()


@pytest.fixture
def one_after_another(monkeypatch):
    """Every problem is too large to train its starts side by side."""
    monkeypatch.setattr(session, "SIDE_BY_SIDE", 0)


@pytest.mark.usefixtures("one_after_another")
def test_side_by_side_and_one_after_another_are_the_same(side_by_side):
    again = train()
    assert len(again.starts) == len(side_by_side.starts) == 3
    for one, other in zip(again.starts, side_by_side.starts, strict=True):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-13), one.params, other.params)
        np.testing.assert_allclose(one.history["cost"], other.history["cost"], rtol=1e-11)
        assert (one.epochs, one.stop_reason, one.best_epoch) == (other.epochs, other.stop_reason, other.best_epoch)
    np.testing.assert_allclose(again.history["cost"], side_by_side.history["cost"], rtol=1e-11)


def test_the_best_of_the_starts_is_returned(side_by_side):
    last = [start.history["cost"].min() for start in side_by_side.starts]
    assert len(set(last)) == 3
    best = side_by_side.starts[int(np.argmin(last))]
    assert side_by_side.params is best.params
    assert side_by_side.history is best.history


def test_a_single_start_has_no_list_of_starts():
    assert train(restarts=1).starts == ()


@pytest.mark.usefixtures("one_after_another")
def test_a_callback_that_ends_a_start_ends_them_all():
    """Nothing is begun after what stopped from outside, and the result is one of those that ran."""
    result = train(callbacks=[lambda record: record["epoch"] == 4])
    assert (result.stop_reason, result.epochs) == ("callback", 4)
    assert len(result.starts) == 1
