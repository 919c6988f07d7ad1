"""Steps: where they are, that folded into the network they change nothing, and what they let it learn."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

import deltarule as dr
from deltarule.models.candidates import EFFORTS, Candidate
from deltarule.trainers.bayesian.steps import MOST, QUANTILES, StepFeatures


def table():
    draw = np.random.default_rng(0)
    return np.column_stack([draw.integers(0, 4, 80), draw.normal(size=80), draw.integers(0, 2, 80)]).astype(float)


def test_places_by_hand():
    steps = StepFeatures.of(np.array([[0.0], [1.0], [3.0], [1.0]]), "tanh")
    assert steps is not None
    # Between 0, 1 and 3: at 0.5 and 2, of widths 1/4 and 2/4.
    np.testing.assert_allclose(steps.W[:, 0], [4, 2])
    np.testing.assert_allclose(-steps.b / steps.W[:, 0], [0.5, 2])


def test_columns_of_two_values_have_none_and_many_columns_few():
    X = table()
    steps = StepFeatures.of(X, "tanh")
    assert steps is not None
    assert (steps.W != 0).sum(axis=0).tolist() == [3, QUANTILES, 0]
    assert StepFeatures.of(X[:, 2:], "tanh") is None
    many = StepFeatures.of(np.random.default_rng(0).normal(size=(50, 40)), "tanh")
    assert many is not None
    assert (many.W != 0).sum(axis=0).max() == MOST // 40


def test_what_it_gives_is_standardised():
    X = table()
    given = StepFeatures.of(X, "tanh")(X)  # pyright: ignore[reportOptionalCall]
    np.testing.assert_allclose(given.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(given.std(axis=0), 1, rtol=1e-12)


def test_one_network_with_the_steps_inside():
    X, draw = table(), np.random.default_rng(1)
    steps = StepFeatures.of(X, "tanh")
    assert steps is not None
    width = len(steps.std)
    for hidden in ((), (5,)):
        net = dr.Network([*(dr.Dense(n, "tanh") for n in hidden), dr.Dense(1, "linear")])
        sizes = [width, *hidden, 1]
        params = [{"W": draw.normal(size=(n, m)), "b": draw.normal(size=n)} for m, n in pairwise(sizes)]
        whole, folded = steps.before(net, params)
        expected = np.asarray(net(params, steps(X)))
        np.testing.assert_allclose(np.asarray(whole(folded, X)), expected, rtol=1e-11, atol=1e-11)


def test_an_uneven_column_is_learnt_and_saved(tmp_path):
    effort = replace(EFFORTS["default"], order=(Candidate((), steps="coarse"), Candidate((5,), steps="coarse")))
    draw = np.random.default_rng(2)
    X = np.column_stack([draw.integers(0, 10, 150), draw.normal(size=150)]).astype(float)
    height = draw.normal(size=10) * 3
    y = height[X[:, 0].astype(int)] + X[:, 1] + 0.1 * draw.normal(size=150)
    model = dr.NetworkRegressor(effort=effort, random_state=0).fit(X[:100], y[:100])
    assert all(steps is not None for steps in model.ensemble_.steps)
    assert np.sqrt(np.mean((model.predict(X[100:]) - y[100:]) ** 2)) < 0.2
    model.save(tmp_path / "uneven.safetensors")
    again = dr.load_model(tmp_path / "uneven.safetensors")
    for one, other in zip(again.predict_interval(X), model.predict_interval(X), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)


def numbered(count=30, each=10):
    """The numbers of persons, and a column that is no number of anything."""
    draw = np.random.default_rng(3)
    person = np.repeat(np.arange(count), each).astype(float)
    return np.column_stack([(person - 14.0) / 7.0, draw.normal(size=len(person))])


def test_fine_steps_stand_between_any_two_persons():
    X = numbered()
    steps = StepFeatures.of(X, "tanh", "fine")
    assert steps is not None
    assert (steps.W != 0).sum(axis=0).tolist() == [29, QUANTILES]
    places = -steps.b[:29] / steps.W[:29, 0]
    np.testing.assert_allclose(places, (np.arange(29) + 0.5 - 14) / 7, atol=1e-12)
    assert StepFeatures.of(X[:, 1:], "tanh", "fine") is None  # every value once
    assert StepFeatures.of(numbered(each=3), "tanh", "fine") is None  # too few rows for each
    assert StepFeatures.of(X[X[:, 0] < -1], "tanh", "fine") is None  # few persons: coarse steps stand there too


def test_what_each_person_does_is_learnt():
    X, draw = numbered(), np.random.default_rng(4)
    of_each = draw.normal(size=30)
    y = of_each[np.repeat(np.arange(30), 10)] * (1 + 0.3 * X[:, 1]) + 0.05 * draw.normal(size=300)
    train = np.arange(300) % 5 > 0
    own = replace(EFFORTS["default"], max_candidates=4)
    other = replace(own, order=tuple(c for c in own.order if c.steps != "fine"))
    model, smooth = (dr.NetworkRegressor(effort=e, random_state=0).fit(X[train], y[train]) for e in (own, other))
    own, other = (np.sqrt(np.mean((one.predict(X[~train]) - y[~train]) ** 2)) for one in (model, smooth))
    assert own < 0.3
    assert own < 0.6 * other
