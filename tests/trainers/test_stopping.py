"""The stopping rules and their sentences."""

import pytest

import deltarule as dr
from deltarule import engine
from deltarule.errors import ConfigurationError
from deltarule.trainers.stopping import STOP_REASONS, stop_code, stop_sentence


def test_the_codes_are_indices():
    assert [STOP_REASONS[stop_code(reason)] for reason in STOP_REASONS] == list(STOP_REASONS)
    assert stop_code("running") == 0
    with pytest.raises(ValueError, match="not in tuple"):
        stop_code("boredom")


def test_no_rule_is_on_by_default():
    assert dr.Stopping() == dr.Stopping(goal=None, min_grad=None, max_fail=None, time_limit=None)


def test_the_numbers_are_traced():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    engine.get("jax")  # which registers them
    assert jax.tree.leaves(dr.Stopping()) == []
    assert jax.tree.leaves(dr.Stopping(goal=1, min_grad=2, max_fail=3)) == [1.0, 2.0, 3]


@pytest.mark.parametrize("name", ["goal", "min_grad", "time_limit"])
@pytest.mark.parametrize("value", [-1, "x", float("nan")])
def test_a_number_outside_its_range(name, value):
    with pytest.raises(ConfigurationError, match=f"{name} must .* at least 0, and is {value!r}"):
        dr.Stopping(**{name: value})


@pytest.mark.parametrize("value", [0, 2.5, "x"])
def test_max_fail_is_a_count(value):
    with pytest.raises(ConfigurationError, match=f"max_fail .* at least 1, .*{value!r}"):
        dr.Stopping(max_fail=value)


def test_every_reason_has_a_sentence():
    stopping = dr.Stopping(goal=0.25, min_grad=1e-6, max_fail=7, time_limit=90)
    trainer = dr.GradientDescent(eta=0.5, batch_size=10)
    said = {
        reason: stop_sentence(reason, 12, stopping, trainer, kept_best=True)
        for reason in STOP_REASONS
        if reason != "running"
    }
    assert all("12" in sentence and sentence.endswith(".") for sentence in said.values())
    for reason, words in (
        ("goal", "the goal of 0.25"),
        ("min_grad", "fell to 1e-06"),
        ("max_fail", "for 7 epochs, after 12"),
        ("time", "the time limit of 90"),
        ("diverged", "in epoch 12 with eta = 0.5: the best parameters before it are kept; use a smaller eta"),
        ("interrupted", "the best parameters are kept"),
    ):
        assert words in said[reason]
    assert "the latest parameters" in stop_sentence("interrupted", 12, stopping, trainer, kept_best=False)


@pytest.mark.parametrize("reason", STOP_REASONS[1:])
def test_one_epoch_is_singular(reason):
    stopping = dr.Stopping(max_fail=1)
    trainer = dr.BayesianRegularization(max_fail=1)
    assert "epochs" not in stop_sentence(reason, 1, stopping, trainer, kept_best=True)


def test_the_advice_without_a_learning_rate():
    sentence = stop_sentence("diverged", 3, dr.Stopping(), dr.LevenbergMarquardt(), kept_best=True)
    assert "scale inputs and targets" in sentence
    assert "eta" not in sentence
