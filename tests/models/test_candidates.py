"""Candidates: which are tried, when the search ends, and what an effort makes of a table."""

from dataclasses import replace

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError
from deltarule.models.candidates import (
    EFFORTS,
    Candidate,
    Effort,
    affordable_candidates,
    describe_selection,
    get_effort,
    search,
)

EFFORT = Effort(2, 9, 2, 0.01, (1.0, 0.0, 10.0), order=tuple(Candidate((n,)) for n in range(1, 10)))


def by_scores(scores):
    """`fit` and `weigh` of candidates whose average has these scores."""
    return lambda candidate, number: number, lambda members: (np.full(len(members), 1.0), scores[members[-1]])


def test_the_search_ends_when_the_score_stops_rising():
    found = search(EFFORT.order, *by_scores([0, 1, 1.001, 1.002, 5, 6, 7, 8, 9]), EFFORT)
    assert (found.tried, found.scores) == (4, [0, 1, 1.001, 1.002])


def test_a_candidate_without_a_network_is_left_out():
    found = search(
        EFFORT.order[:3], lambda c, i: None if i == 1 else i, lambda m: (np.ones(len(m)), float(len(m))), EFFORT
    )
    assert (found.members, found.tried) == ([0, 2], 3)


def test_light_members_are_dropped_and_the_others_weighed_again():
    def weigh(members):
        w = np.array([0.999 if i == 0 else 0.001 for i in members])
        return w / w.sum(), float(len(members))

    found = search(EFFORT.order[:3], lambda c, i: i, weigh, EFFORT)
    assert (found.members, found.weights.tolist()) == ([0], [1.0])


def test_the_time_limit_ends_the_search():
    found = search(EFFORT.order, *by_scores(range(9)), EFFORT, is_over=lambda: True)
    assert found.tried == 1


def test_operations_decide_which_candidates_are_affordable():
    cheap = affordable_candidates(EFFORT, EFFORT.order, 100, lambda candidate: 1.0)
    assert cheap == EFFORT.order
    half = affordable_candidates(EFFORT, EFFORT.order, 100, lambda candidate: 1e8 if candidate.hidden[0] % 2 else 1e12)
    assert [candidate.hidden[0] for candidate in half] == [1, 3, 5, 7, 9]
    assert affordable_candidates(EFFORT, EFFORT.order, 100, lambda candidate: 1e12 + candidate.hidden[0]) == (
        Candidate((1,)),
    )


def test_get_effort():
    assert get_effort("thorough") is EFFORTS["thorough"]
    assert get_effort(EFFORT) is EFFORT
    with pytest.raises(ConfigurationError, match="effort"):
        get_effort("some")


def test_describe_selection():
    words = describe_selection(["3-20-1", "3-5-1"], np.array([0.25, 0.75]), 6)
    assert words.startswith("of 6 networks 2 are averaged")
    assert words.endswith(": 3-5-1 (75 %), 3-20-1 (25 %)")
    words = describe_selection(["3-20-1", "3-5-1", "3-20-1"], np.array([0.25, 0.35, 0.4]), 6)
    assert words.endswith(": 2 networks 3-20-1 (65 %), 3-5-1 (35 %)")


SOME = replace(EFFORTS["default"], max_candidates=4)  # with and without steps


@pytest.fixture(scope="module")
def table():
    draw = np.random.default_rng(0)
    X = draw.uniform(-1, 1, (90, 2))
    return X, np.sin(3 * X[:, 0]) + X[:, 1] + 0.1 * draw.normal(size=90)


def test_the_same_seed_gives_the_same_result(table):
    one, other = (dr.NetworkRegressor(effort=SOME, random_state=3).fit(*table) for _ in range(2))
    np.testing.assert_array_equal(one.predict(table[0]), other.predict(table[0]))
    assert one.ensemble_.weights.tolist() == other.ensemble_.weights.tolist()


def test_the_averaged_network_predicts_the_mean_of_its_members(table):
    model = dr.NetworkRegressor(random_state=0).fit(*table)
    outputs = np.asarray(model.net_(model.params_, model.x_scaling_.encode(table[0])))
    np.testing.assert_allclose(outputs, model.ensemble_.predict(model.x_scaling_.encode(table[0])).mean, rtol=1e-11)
    assert len(model.net_.layers) == max(len(net.layers) + (s is not None) for net, s in _members(model))


def _members(model):
    return zip(model.ensemble_.nets, model.ensemble_.steps, strict=True)


def test_with_hidden_only_this_network_is_tried(table):
    model = dr.NetworkRegressor(hidden=(4,), random_state=0).fit(*table)
    assert all(net.layers[0].n == 4 for net in model.ensemble_.nets)
    assert model.ensemble_.steps == (None,) * len(model.ensemble_.nets)


def test_a_useless_input_is_switched_off(table):
    X, y = table
    with_noise = np.column_stack([X, np.random.default_rng(5).normal(size=90)])
    model = dr.NetworkRegressor(hidden=(6,), random_state=0).fit(with_noise, y)
    alpha = model.ensemble_.members[model.ensemble_.best].hyper.alpha[0]["W"]
    assert alpha[2] > 5 * alpha[:2].max()
    assert model.ensemble_.members[model.ensemble_.best].params[0]["W"][:, 2].std() < 0.1
