from dataclasses import replace
from types import SimpleNamespace

import pytest

from deltarule.cli.choices import Choices
from deltarule.cli.planning import make_plan
from deltarule.data import load
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.network.layers import Convolution, Dense, Flatten, Reshape

NOTHING = dict.fromkeys(Choices.__dataclass_fields__) | {"source": "digits", "seed": 0, "drop_missing": False}


def plan_for(data, **options):
    return make_plan(Choices(**NOTHING | {"source": data.name} | options), data)


@pytest.fixture(scope="module")
def flower_data(shelf):
    return load(shelf / "flowers.csv", target="flower")


@pytest.fixture(scope="module")
def house_data(shelf):
    return load(shelf / "houses.csv", target="price")


@pytest.mark.parametrize(
    ("cost", "output"),
    [("quadratic", "sigmoid"), ("cross-entropy", "sigmoid"), ("log-likelihood", "softmax")],
)
def test_the_output_belongs_to_the_cost(flower_data, cost, output):
    plan = plan_for(flower_data, cost=cost)
    assert plan.net.cost.name == cost
    assert plan.network.endswith(f"(sigmoid, {output})")


def test_a_regression_has_a_linear_output(house_data):
    plan = plan_for(house_data)
    assert plan.network.endswith("(tanh, linear)")
    assert plan.net.cost.name == "quadratic"
    assert plan.monitor == "cost"
    with pytest.raises(ConfigurationError, match="--cost is 'log-likelihood'"):
        plan_for(house_data, cost="log-likelihood")


def test_the_choices_come_before_the_defaults(flower_data):
    plan = plan_for(
        flower_data, hidden="5,4", activation="tanh", trainer="momentum", eta=0.3, batch_size=7, epochs=9, momentum=0.5,
        l2=0.1,
    )  # fmt: skip
    assert plan.sizes == (2, 5, 4, 3)
    assert plan.network.endswith("(tanh, tanh, softmax)")
    assert (plan.trainer.eta, plan.trainer.batch_size, plan.trainer.momentum, plan.trainer.l2) == (0.3, 7, 0.5, 0.1)
    assert plan.epochs == 9
    assert plan.description == "momentum, eta 0.3, batches of 7, momentum 0.5, l2 0.1"


def test_the_batch_of_a_small_table_is_no_larger_than_the_table(flower_data):
    few = SimpleNamespace(
        name="few.csv", task="classification", schema=flower_data.schema, train=range(4), validation=[], test=[]
    )
    assert plan_for(few).settings.batch_size == 4
    with pytest.raises(ConfigurationError, match=r"--batch-size is 5, but few\.csv has 4 training examples"):
        plan_for(few, batch_size=5)


def test_full_batch_trainers_take_all_examples(flower_data):
    for name in ("gd", "lm"):
        plan = plan_for(flower_data, trainer=name)
        assert plan.trainer.batch_size is None
        assert "all examples in a step" in plan.description


def test_what_keeps_weights_small_reaches_the_trainer_and_the_network(flower_data):
    plan = plan_for(flower_data, hidden="5,4", dropout=0.5, l1=0.2, max_norm=3.0, halve_after=6)
    assert plan.network.endswith("(sigmoid, dropout 0.5, sigmoid, dropout 0.5, softmax)")
    assert plan.sizes == (2, 5, 4, 3)
    assert (plan.trainer.l1, plan.trainer.max_norm, plan.trainer.no_improvement.k) == (0.2, 3.0, 6)
    assert plan.description.endswith("l1 0.2, max-norm 3, eta halved after 6 epochs without improvement")
    assert plan_for(flower_data, dropout=0.0).network.endswith("(sigmoid, softmax)")


def test_the_start_the_look_ahead_and_the_monitor_are_the_user_s(flower_data, house_data):
    plan = plan_for(flower_data, trainer="momentum", nesterov=True, init="old", monitor="cost")
    assert [layer.initializer for layer in plan.net.layers] == ["old", "old"]
    assert plan.trainer.nesterov
    assert plan.monitor == "cost"
    assert "Nesterov momentum 0.9" in plan.description
    plain = plan_for(flower_data, trainer="momentum")
    assert [layer.initializer for layer in plain.net.layers] == [None, None]
    assert not plain.trainer.nesterov
    assert plain.monitor == "accuracy"
    assert plan_for(house_data, monitor="cost").monitor == "cost"


def test_a_small_regression_is_bayesian_unless_an_option_asks_for_another(house_data):
    plan = plan_for(house_data)
    assert (plan.trainer_name, plan.sizes, plan.restarts, plan.validated) == ("bayesian", (3, 20, 1), 2, False)
    for options in ({"eta": 0.1}, {"l2": 0.1}, {"dropout": 0.2}, {"batch_size": 8}, {"monitor": "cost"}):
        plan = plan_for(house_data, **options)
        assert (plan.trainer_name, plan.restarts, plan.validated) == ("adam", 1, True)


def test_a_large_regression_is_adam_s(house_data):
    many = SimpleNamespace(
        name="many.csv", task="regression", schema=house_data.schema, train=range(2_000_000), validation=[], test=[]
    )
    assert plan_for(many).trainer_name == "adam"
    assert plan_for(house_data, hidden="3000,3000").trainer_name == "bayesian"  # the dual form: 42 x 42


def test_bayesian_is_refused_where_it_cannot_be(flower_data, house_data):
    with pytest.raises(ConfigurationError, match=r"'bayesian', which is for a regression, and flowers\.csv is a class"):
        plan_for(flower_data, trainer="bayesian")
    with pytest.raises(ConfigurationError, match="--monitor is 'cost', but --trainer bayesian"):
        plan_for(house_data, trainer="bayesian", monitor="cost")
    choices = Choices(**NOTHING | {"source": house_data.name, "trainer": "bayesian"})
    with pytest.raises(ConfigurationError, match="a search judges by the validation part"):
        make_plan(choices, house_data, searching=True)
    assert make_plan(replace(choices, trainer=None), house_data, searching=True).trainer_name == "adam"


def test_a_named_stack_and_one_from_a_file(tmp_path):
    digits = load("digits")
    with pytest.raises(ShapeError, match=r"Convolution\(40, 5x5\) needs images of at least 5x5 .* The shapes so far"):
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
    with pytest.raises(ConfigurationError, match="slides over images, and its input is a row of numbers"):
        plan_for(flower_data, stack="lenet")


def test_a_stack_of_dense_layers_on_a_regression(house_data, tmp_path):
    (tmp_path / "net.toml").write_text('[[layers]]\nkind = "Dense"\nn = 5\nactivation = "tanh"\n')
    plan = plan_for(house_data, stack=str(tmp_path / "net.toml"))
    assert plan.trainer_name == "adam"
    assert plan.network.endswith("-5-1 (tanh, linear)")
