import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.play import learner as module
from deltarule.play.choices import TRAINERS, Choices
from deltarule.play.learner import Learner
from deltarule.play.problems import GENERATED
from deltarule.training.loop import TimeLimitReached


def learner_of(name, problem="circles", **changes):
    problem = GENERATED[problem]()
    if name == "bayesian":
        changes["cost"] = "quadratic"
    choices = Choices.of(problem).with_changes({"trainer": name, "hidden": [4], **changes})
    ((_, trainer),) = choices.trainers(len(problem.X))
    return Learner(choices.network(problem), trainer, (problem.X, problem.Y), None, choices.seed), problem, trainer


def gap(left, right):
    return max(float(np.abs(a - b).max()) for a, b in zip(trees.leaves(left), trees.leaves(right), strict=True))


@pytest.mark.parametrize("name", TRAINERS)
def test_epochs_are_those_of_train_bit_for_bit(name):
    learner, problem, trainer = learner_of(name)
    for _ in range(3):
        learner.epoch()
    result = dr.train(
        learner.course.net, problem.X, problem.Y, trainer=trainer, epochs=3, seed=0, dtype="float64", engine="numpy"
    )
    if trainer.selects_by is None:
        assert gap(learner.now.params, result.params) == 0
    np.testing.assert_array_equal([one.record["cost"] for one in learner.moments[1:]], result.history["cost"])


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("l2", [0, 0.5])
def test_batch_by_batch_is_the_epoch(name, l2):
    one, *_ = learner_of(name, batch_size=30, l2=l2, eta=0.05)  # the last of 7 batches is shorter
    other, *_ = learner_of(name, batch_size=30, l2=l2, eta=0.05)
    assert one.batches == 7
    for _ in range(14):
        one.batch()
    for _ in range(2):
        other.epoch()
    assert gap(one.now.params, other.now.params) < 1e-12
    assert one.now.epoch == other.now.epoch == 2
    assert abs(one.now.record["training_cost"] - other.now.record["training_cost"]) < 1e-12
    one.batch()
    one.epoch()  # the rest of it
    other.epoch()
    assert gap(one.now.params, other.now.params) < 1e-12


def test_an_update_of_sgd_is_eta_times_the_mean_gradient():
    learner, problem, _ = learner_of("sgd", eta=0.25)
    index = learner.next_batch()
    before = learner.now.params
    learner.batch()
    net = learner.course.net
    gradient = net.cost_and_gradient(before, problem.X[index], problem.Y[index])[1]
    assert gap(learner.update.gradient, gradient) == 0
    assert gap(learner.now.params, trees.add(before, gradient, -0.25)) < 1e-15
    learner.epoch()
    assert learner.update is None


@pytest.mark.parametrize("name", ["lm", "bayesian", "newton-cg", "gd"])
def test_a_trainer_of_all_examples_takes_an_epoch_as_its_batch(name):
    learner, problem, _ = learner_of(name)
    assert learner.batches == 1
    assert len(learner.next_batch()) == len(problem.X)
    learner.batch()
    assert learner.now.epoch == 1
    assert learner.update is not None


def test_other_settings_keep_the_trainers_state_and_another_trainer_keeps_the_parameters():
    learner, problem, _ = learner_of("adam")
    for _ in range(3):
        learner.epoch()
    memory, params = learner.carry.state.memory, learner.now.params
    ((_, slower),) = Choices(trainer="adam", eta=1e-4).trainers(len(problem.X))
    learner.retrain(slower)
    assert learner.carry.state.memory is memory
    ((_, lm),) = Choices(trainer="lm").trainers(len(problem.X))
    learner.retrain(lm)
    assert gap(learner.carry.state.params, params) == 0
    before = learner.now.record["training_cost"]
    learner.epoch()
    assert learner.now.record["training_cost"] < before


def test_thinning_keeps_the_first_and_the_last_moment(monkeypatch):
    monkeypatch.setattr(module, "MOST_MOMENTS", 10)
    learner, *_ = learner_of("gd")
    start = learner.moments[0]
    for _ in range(50):
        learner.epoch()
    assert len(learner.moments) <= 10
    assert learner.moments[0] is start
    assert learner.now.epoch == 50
    assert learner.thinned > 0
    epochs = [one.epoch for one in learner.moments]
    assert epochs == sorted(set(epochs))


def test_a_training_that_diverges_says_so_and_stays():
    learner, *_ = learner_of("gd", problem="curve", eta=1e6)
    for _ in range(60):
        learner.epoch()
    assert "diverged" in learner.ended
    count = len(learner.moments)
    learner.epoch()
    learner.batch()
    assert len(learner.moments) == count


def test_held_out_examples_are_scored():
    problem = GENERATED["xor"]()
    choices = Choices.of(problem)
    ((_, trainer),) = choices.trainers(100)
    X, Y = problem.X, problem.Y
    learner = Learner(choices.network(problem), trainer, (X[:100], Y[:100]), (X[100:], Y[100:]), 0)
    learner.epoch()
    net = learner.course.net
    expected = net.cost_and_gradient(learner.now.params, X[100:], Y[100:])[0]
    assert abs(float(learner.now.record["validation_cost"]) - float(expected)) < 1e-12


def test_the_rest_of_an_epoch_is_one_moment_and_a_clock_may_end_it():
    learner, *_ = learner_of("sgd")
    learner.batch()
    assert len(learner.moments) == 2
    steps = iter(range(3))

    def clock():
        if next(steps, None) is None:
            raise TimeLimitReached

    with pytest.raises(TimeLimitReached):
        learner.epoch(clock)
    assert [(moment.epoch, moment.batch) for moment in learner.moments] == [(0, 0), (0, 1), (0, 4)]
    assert learner.now.params is learner.carry.state.params
    learner.epoch()
    assert [(moment.epoch, moment.batch) for moment in learner.moments[3:]] == [(1, 0)]
    whole, *_ = learner_of("sgd")
    whole.epoch()
    assert gap(learner.now.params, whole.now.params) < 1e-12
