import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError
from deltarule.models.trainer_names import NAMED, automatic, choose, is_first_order


def network(hidden, k=1):
    return dr.Network([dr.Dense(hidden, "tanh"), dr.Dense(k, "linear")])


def test_the_same_name_gives_an_equal_trainer_so_that_nothing_compiles_again():
    for name in NAMED:
        first, second = (choose(name, network(5), 3, 100, None, None, 0.1) for _ in range(2))
        assert first == second


def test_small_problems_get_levenberg_marquardt_and_large_ones_adam():
    assert automatic(network(20), inputs=10, count=500) == "lm"
    assert automatic(network(20), inputs=10, count=10_000) == "lm"
    assert automatic(network(1000), inputs=100, count=100) == "lm"  # few rows: the dual form
    assert automatic(network(20), inputs=800, count=2800) == "adam"  # the dual form, but 2,800 rows
    assert automatic(network(100, k=10), inputs=64, count=1500) == "adam"
    assert automatic(network(100), inputs=100, count=100_000) == "adam"


def test_classifiers_get_adam():
    net = dr.Network([dr.Dense(3, "tanh"), dr.Dense(2, "softmax")], "log-likelihood")
    assert automatic(net, inputs=2, count=50) == "adam"


def test_settings_reach_the_trainer():
    chosen = choose("sgd", network(5), 3, 100, 0.3, 7, 0.1)
    assert (chosen.trainer.eta, chosen.trainer.batch_size, chosen.trainer.l2) == (0.3, 7, 0.1)
    assert chosen.name == "sgd"


@pytest.mark.parametrize("batch_size", [None, 10, 40])
def test_a_batch_yields_to_a_small_table(batch_size):
    """Of 10 rows some are held out, and a call of partial_fit may bring fewer than a batch."""
    assert choose("adam", network(5), 3, 9, None, batch_size, None).trainer.batch_size == 9


def test_a_trainer_object_stands_and_takes_an_l2_it_lacks():
    trainer = dr.LevenbergMarquardt(solver="dual")
    assert choose(trainer, network(5), 3, 9, None, None, None).trainer is trainer
    assert choose(trainer, network(5), 3, 9, None, None, 0.5).trainer == dr.LevenbergMarquardt(solver="dual", l2=0.5)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("newton", None, None, None), "trainer 'newton' is not known"),
        ((3, None, None, None), "trainer is 3: give a name"),
        (("sgd", None, 0, None), "batch_size must be a whole number of at least 1, and is 0"),
        (("lm", 0.1, None, None), "eta is 0.1, but Levenberg-Marquardt has no learning rate"),
        ((dr.BayesianRegularization(), None, None, 0.1), r"NetworkRegressor\(regularization='bayesian'\)"),
        ((dr.LevenbergMarquardt(), 0.1, None, None), "eta is 0.1, but the trainer is an object"),
        ((dr.LevenbergMarquardt(), None, 5, None), "batch_size is 5, but the trainer is an object"),
        ((dr.LevenbergMarquardt(l2=0.2), None, None, 0.1), "l2 is 0.1, but the trainer has an l2 of its own, 0.2"),
    ],
)
def test_a_contradiction_is_one_sentence(arguments, sentence):
    trainer, eta, batch_size, l2 = arguments
    with pytest.raises(ConfigurationError, match=sentence):
        choose(trainer, network(5), 3, 100, eta, batch_size, l2)


def test_who_can_go_on():
    assert is_first_order("adam")
    assert is_first_order(dr.GradientDescent(eta=0.1))
    assert not is_first_order("auto")
    assert not is_first_order(dr.LevenbergMarquardt())
