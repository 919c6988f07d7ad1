import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError
from deltarule.models.content import distinct, hold_out
from deltarule.models.regularization import WAYS, Problem, get_way, train_penalised

NET = dr.Network([dr.Dense(3, "tanh"), dr.Dense(1, "linear")])


def problem(rows, validation, **changes):
    settings = {"epochs": 30, "max_fail": 3, "restarts": 1, "engine": "auto", "seed": 0} | changes
    return Problem(NET, dr.LevenbergMarquardt(l2=0.1), rows, validation, **settings)


def test_the_rows_of_the_table():
    assert WAYS["early-stopping"].holds_out
    assert not WAYS["l2"].holds_out
    assert not WAYS["bayesian"].holds_out
    assert [name for name, way in WAYS.items() if way.chooses_penalty] == ["bayesian"]
    assert WAYS[None].l2 is None


def test_an_unknown_way_is_one_sentence():
    sentence = "regularization must be one of 'auto', 'bayesian', 'early-stopping', 'l2', None, and is 'dropout'"
    with pytest.raises(ConfigurationError, match=sentence):
        get_way("dropout")


def test_validation_rows_stop_the_training_and_their_weights_count():
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 2))
    rows = distinct(X, random.normal(size=(40, 1)), random.uniform(0.5, 2, 40))
    training, validation = hold_out(rows, 0.3, 0)
    result = train_penalised(problem(training, validation))
    assert result.stop_reason == "max_fail"
    best = np.asarray(NET(result.params, validation.X))[:, 0]
    cost = np.average(0.5 * (best - validation.Y[:, 0]) ** 2, weights=validation.weight)
    assert cost == pytest.approx(result.history["validation_cost"].min(), rel=1e-12)


def test_without_validation_rows_all_epochs_run_or_a_minimum_is_reached():
    random = np.random.default_rng(0)
    rows = distinct(random.normal(size=(40, 2)), random.normal(size=(40, 1)), None)
    result = train_penalised(problem(rows, None, epochs=5))
    assert result.stop_reason == "epochs"
    assert "validation_cost" not in result.history
