from dataclasses import replace

import pytest

from deltarule.errors import ConfigurationError
from deltarule.play.choices import BATCH_TRAINERS, TRAINERS, Choices, costs_for
from deltarule.play.problems import GENERATED


@pytest.mark.parametrize("name", GENERATED)
def test_the_initial_settings_of_a_problem_can_be_trained(name):
    problem = GENERATED[name]()
    choices = Choices.of(problem)
    net = choices.network(problem)
    assert [layer.n for layer in net.layers] == [*problem.hidden, problem.Y.shape[1]]
    for _, trainer in choices.trainers(len(problem.X)):
        trainer.check(net, len(problem.X))


def test_highams_network_has_23_parameters():
    problem = GENERATED["higham"]()
    net = Choices.of(problem).network(problem)
    assert sum(array.size for layer in net.init(0, (2,)) for array in layer.values()) == 23


@pytest.mark.parametrize("name", TRAINERS)
def test_every_trainer_has_batches_where_it_takes_them_and_no_more_than_there_are(name):
    ((_, trainer),) = Choices(trainer=name, batch_size=50).trainers(10)
    assert getattr(trainer, "batch_size", None) == (10 if name in BATCH_TRAINERS else None)


def test_bayesian_regularisation_gets_linear_outputs_for_classes_too():
    problem = GENERATED["circles"]()
    net = Choices.of(problem).with_changes({"trainer": "bayesian", "cost": "quadratic"}).network(problem)
    assert net.output_activation.name == "linear"


def test_costs_fit_the_targets():
    assert costs_for(GENERATED["curve"]()) == ("quadratic", "huber")
    assert "log-likelihood" in costs_for(GENERATED["higham"]())
    assert "log-likelihood" not in costs_for(GENERATED["circles"]())
    with pytest.raises(ConfigurationError, match="cost must be one of"):
        Choices(cost="cross-entropy").network(GENERATED["curve"]())


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden": [0]}, {"hidden": [1.5]}, {"hidden": "8"}, {"hidden": [8] * 7}, {"hidden": [10**6]}, {"hidden": None},
        {"activation": "step"}, {"activation": ["tanh"]}, {"cost": "?"}, {"trainer": None}, {"versus": "?"}, {"eta": 0},
        {"eta": "0.1"}, {"eta": None}, {"eta": float("inf")}, {"batch_size": 0}, {"l2": -1}, {"seed": -1},
        {"seed": 2**32}, {"__class__": 1},
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_is_refused(changes):
    with pytest.raises(ConfigurationError):
        Choices().with_changes(changes)


def test_a_network_too_large_for_the_page_is_refused():
    problem = GENERATED["higham"]()
    wide = replace(problem, X=problem.X.repeat(1000, axis=1))
    with pytest.raises(ConfigurationError, match="at most 500,000"):
        Choices(hidden=(256,)).network(wide)
