from dataclasses import replace

import numpy as np
import pytest

import deltarule as dr
from deltarule.data import load
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.models.candidates import EFFORTS
from deltarule.models.planning import is_first_order, make_plan
from deltarule.models.recipe import Problem, Recipe
from deltarule.network.layers import Convolution, Dense, Flatten, Reshape


def plan_for(data, searching=False, **options):
    return make_plan(Recipe(**options), Problem.of(data, searching))


@pytest.mark.parametrize(
    ("cost", "output"),
    [("quadratic", "sigmoid"), ("cross-entropy", "sigmoid"), ("log-likelihood", "softmax")],
)
def test_the_output_belongs_to_the_cost(flower_data, cost, output):
    plan = plan_for(flower_data, cost=cost)
    assert plan.net.cost.name == cost
    assert plan.network.endswith(f"(tanh, {output})")


def test_a_regression_has_a_linear_output(house_data):
    plan = plan_for(house_data)
    assert plan.network.endswith("(tanh, linear)")
    assert plan.net.cost.name == "quadratic"
    assert plan.monitor == "cost"
    with pytest.raises(ConfigurationError, match="cost is 'log-likelihood'"):
        plan_for(house_data, cost="log-likelihood")


def test_options_override_the_defaults(flower_data):
    numbers = {"eta": 0.3, "batch_size": 7, "momentum": 0.5, "l2": 0.1}
    plan = plan_for(flower_data, hidden=(5, 4), activation="tanh", trainer="momentum", epochs=9, **numbers)
    assert plan.sizes == (2, 5, 4, 3)
    assert plan.network.endswith("(tanh, tanh, softmax)")
    assert (plan.trainer.eta, plan.trainer.batch_size, plan.trainer.momentum, plan.trainer.l2) == (0.3, 7, 0.5, 0.1)
    assert plan.epochs == 9
    assert plan.description == "momentum, eta 0.3, batches of 7, momentum 0.5, l2 0.1"


def test_the_batch_size_is_at_most_the_table(flower_data):
    few = replace(Problem.of(flower_data), count=4)
    assert make_plan(Recipe(trainer="adam"), few).trainer.batch_size == 4
    plan = make_plan(Recipe(batch_size=5), few)
    assert plan.trainer.batch_size == 5  # which `train` refuses
    assert plan.limit_batch_size(4).trainer.batch_size == 4  # as estimators do


def test_full_batch_trainers_take_all_examples(flower_data):
    for name in ("gd", "lm"):
        plan = plan_for(flower_data, trainer=name)
        assert plan.trainer.batch_size is None
        assert "all examples in a step" in plan.description


def test_penalties_and_dropout_reach_trainer_and_network(flower_data):
    plan = plan_for(flower_data, hidden=(5, 4), dropout=0.5, l1=0.2, max_norm=3.0, halve_after=6)
    assert plan.network.endswith("(tanh, Dropout(0.5), tanh, Dropout(0.5), softmax)")
    assert plan.sizes == (2, 5, 4, 3)
    assert (plan.trainer.l1, plan.trainer.max_norm, plan.trainer.no_improvement.k) == (0.2, 3.0, 6)
    assert plan.description.endswith("l2 0.01, l1 0.2, max-norm 3, eta halved after 6 epochs without improvement")
    assert plan_for(flower_data, dropout=0.0).network.endswith("(tanh, softmax)")


def test_initializer_nesterov_and_monitor(flower_data, house_data):
    plan = plan_for(flower_data, trainer="momentum", nesterov=True, init="old", monitor="cost")
    assert [layer.initializer for layer in plan.net.layers] == ["old", "old"]
    assert plan.trainer.nesterov
    assert plan.monitor == "cost"
    assert "Nesterov momentum 0.9" in plan.description
    plain = plan_for(flower_data, trainer="momentum")
    assert [layer.initializer for layer in plain.net.layers] == [None, None]
    assert not plain.trainer.nesterov
    assert plain.monitor == "cost"
    assert plan_for(load("digits")).monitor == plan_for(flower_data, monitor="accuracy").monitor == "accuracy"
    assert plan_for(house_data, monitor="cost").monitor == "cost"


def test_a_small_regression_is_bayesian_by_default(house_data):
    plan = plan_for(house_data)
    assert (plan.trainer_name, plan.sizes, plan.restarts, plan.validated) == ("bayesian", (3, 20, 1), 2, False)
    for options in ({"eta": 0.1}, {"dropout": 0.2}, {"batch_size": 8}):
        plan = plan_for(house_data, **options)
        assert (plan.trainer_name, plan.restarts, plan.validated) == ("adam", 1, True)
    for options in ({"l2": 0.1}, {"monitor": "cost"}, {"regularization": "early-stopping"}):
        plan = plan_for(house_data, **options)
        assert (plan.trainer_name, plan.restarts, plan.validated) == ("lm", 1, True)


def test_small_problems_get_exact_steps_and_large_ones_adam(house_data):
    problem = Problem.of(house_data)

    def automatic(inputs, count, hidden=20, outputs=1):
        asked = replace(problem, inputs=inputs, count=count, outputs=outputs)
        return make_plan(Recipe(hidden=(hidden,)), asked).trainer_name

    assert automatic(10, 500) == automatic(10, 10_000) == "bayesian"
    assert automatic(100, 100, hidden=1000) == "bayesian"  # few rows: the dual form
    assert automatic(800, 2800) == "adam"  # the dual form, but 2,800 rows
    assert automatic(64, 1500, hidden=100, outputs=10) == "adam"
    assert automatic(100, 100_000, hidden=100) == "adam"


def test_the_noise_sets_the_penalty(house_data):
    plan = plan_for(house_data, cost="huber")
    assert (plan.trainer_name, plan.regularization, plan.validated, plan.patience) == ("lm", "l2", False, None)
    assert plan.restarts == 4
    assert 0 < plan.trainer.l2 != 0.1
    assert plan_for(house_data, cost="huber", patience=7).validated


def test_when_bayesian_is_refused(flower_data, house_data):
    with pytest.raises(ConfigurationError, match=r"'bayesian' is for tables"):
        make_plan(Recipe(trainer="bayesian"), replace(Problem.of(flower_data), images="digits"))
    with pytest.raises(ConfigurationError, match="cost is 'quadratic'"):
        plan_for(flower_data, trainer="bayesian", cost="quadratic")
    with pytest.raises(ConfigurationError, match="monitor is 'cost'"):
        plan_for(house_data, trainer="bayesian", monitor="cost")
    with pytest.raises(ConfigurationError, match=r"search .*validation"):
        plan_for(house_data, searching=True, trainer="bayesian")
    assert plan_for(house_data, searching=True).trainer_name == "adam"


def test_a_trainer_object_takes_a_missing_l2(house_data):
    trainer = dr.LevenbergMarquardt(solver="dual")
    assert plan_for(house_data, trainer=trainer).trainer is trainer
    assert plan_for(house_data, trainer=trainer, l2=0.5).trainer == dr.LevenbergMarquardt(solver="dual", l2=0.5)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"trainer": "newton"}, "trainer is 'newton'"),
        ({"trainer": 3}, "trainer is 3"),
        ({"trainer": "sgd", "batch_size": 0}, "batch_size .* 0"),
        ({"trainer": "sgd", "epochs": 0}, "epochs .* 0"),
        ({"trainer": "lm", "eta": 0.1}, "eta is 0.1"),
        ({"trainer": "sgd", "regularization": "bayesian"}, "trainer is 'sgd'"),
        ({"trainer": dr.BayesianRegularization()}, "trainer='bayesian'"),
        ({"trainer": dr.LevenbergMarquardt(), "eta": 0.1}, "eta is 0.1"),
        ({"trainer": dr.LevenbergMarquardt(), "batch_size": 5}, "batch_size is 5"),
        ({"trainer": dr.LevenbergMarquardt(l2=0.2), "l2": 0.1}, "l2 is 0.1, .* 0.2"),
        ({"regularization": None, "l2": 0.1}, "l2 is 0.1"),
        ({"regularization": "dropout"}, "'dropout'"),
        ({"hidden": "20"}, "'20'"),
    ],
)
def test_contradictory_options_are_refused(house_data, options, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        plan_for(house_data, **options)


def test_is_first_order():
    assert is_first_order("adam")
    assert is_first_order(dr.GradientDescent(eta=0.1))
    assert not is_first_order("auto")
    assert not is_first_order(dr.LevenbergMarquardt())


def test_a_named_stack_and_one_from_a_file(tmp_path):
    digits = load("digits")
    with pytest.raises(ShapeError, match=r"Convolution\(40, 5x5\) .*at least 5x5"):
        plan_for(digits, stack="lenet")
    (tmp_path / "net.toml").write_text(
        '[[layers]]\nkind = "Convolution"\nfilters = 3\nkernel = 3\nactivation = "relu"\n'
        '[[layers]]\nkind = "Dense"\nn = 7\ninitializer = "new"\n'
    )
    plan = plan_for(digits, stack=str(tmp_path / "net.toml"), init="old")
    assert plan.net.layers == (
        Reshape((8, 8, 1)),
        Convolution(3, 3, "relu", initializer="old"),
        Flatten(),
        Dense(7, initializer="new"),
        Dense(10, "softmax", "old"),
    )
    assert plan.sizes == (64, 108, 7, 10)
    assert plan.network == (
        "Reshape(8x8x1) - Convolution(3, 3x3) relu - Flatten - Dense(7) sigmoid - Dense(10) softmax"
    )
    assert (plan.trainer_name, plan.settings.eta) == ("sgd", 0.03)


def test_a_stack_of_images_refuses_a_table(flower_data):
    with pytest.raises(ConfigurationError, match="slides over images"):
        plan_for(flower_data, stack="lenet")


def test_a_stack_of_dense_layers_on_a_regression(house_data, tmp_path):
    (tmp_path / "net.toml").write_text('[[layers]]\nkind = "Dense"\nn = 5\nactivation = "tanh"\n')
    plan = plan_for(house_data, stack=str(tmp_path / "net.toml"))
    assert plan.trainer_name == "adam"
    assert plan.network.endswith("-5-1 (tanh, linear)")


def test_many_classes_get_a_wider_layer(flower_data):
    problem = Problem.of(flower_data)
    assert make_plan(Recipe(trainer="adam"), problem).sizes == (2, 20, 3)
    many = replace(problem, outputs=100, Y=np.eye(100))
    assert make_plan(Recipe(trainer="adam"), many).sizes == (2, 200, 100)
    assert make_plan(Recipe(trainer="adam", hidden=(7,)), many).sizes == (2, 7, 100)


def wide(count):
    draw = np.random.default_rng(0)
    X, Y = draw.normal(size=(200, 60)), draw.normal(size=(200, 1))
    return Problem("rows", "regression", 60, 1, count, X, Y, np.ones(1), shifted=False)


def test_rows_are_drawn_if_exact_steps_on_all_are_expensive():
    assert make_plan(Recipe(), wide(5_000)).rows is None
    plan = make_plan(Recipe(), wide(100_000))
    assert plan.rows == 25_000  # the largest half of a half on which a step of 10 neurons is cheap
    assert make_plan(Recipe(epochs=50), wide(100_000)).rows == 25_000
    assert plan.regularization == "bayesian"
    # What is given is done: on all rows, by the trainer that is named or that takes small steps.
    for recipe in (Recipe(hidden=(20,)), Recipe(trainer="adam"), Recipe(l2=0.1), Recipe(effort="quick")):
        assert make_plan(recipe, wide(100_000)).rows is None
    assert make_plan(Recipe(), replace(wide(100_000), searching=True)).rows is None


def test_drawn_rows_give_error_bars(monkeypatch):
    monkeypatch.setattr("deltarule.trainers.bayesian.trainer.CHEAP_FLOPS", 3e6)
    monkeypatch.setattr("deltarule.models.planning.MIN_DRAWN", 100)
    draw = np.random.default_rng(0)
    X = draw.normal(size=(3_000, 4))
    y = np.sin(X[:, 0]) + X[:, 1] + 0.3 * draw.normal(size=3_000)
    effort = replace(EFFORTS["default"], max_candidates=3)
    model = dr.NetworkRegressor(effort=effort, random_state=0).fit(X[:2_000], y[:2_000])
    assert "500 rows" in str(model.networks_)
    low, high = model.predict_interval(X[2_000:])
    assert 0.9 < np.mean((low <= y[2_000:]) & (y[2_000:] <= high)) < 0.99
    assert model.score(X[2_000:], y[2_000:]) > 0.8
