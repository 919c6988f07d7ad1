"""The no-improvement rule: counted by hand, then inside a training whose validation score is known in advance."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines
from deltarule import trees
from deltarule.errors import ConfigurationError
from deltarule.trainers.stopping import STOP_REASONS
from engines import put

# One linear neuron on x = 1, y = 10 from 0, as in `test_training`; validation that asks for -1 never improves after
# the first epoch.
NEURON = dr.Network([dr.Dense(1, "linear")])
START = [{"W": np.zeros((1, 1)), "b": np.zeros(1)}]
X, Y = np.array([[1.0]]), np.array([[10.0]])
WORSE = (X, np.array([[-1.0]]))


def climb(trainer, epochs=1000, **options):
    options = {"validation_data": WORSE} | options
    return dr.train(NEURON, X, Y, trainer=trainer, epochs=epochs, params=START, **options)


def walk(engine, rule, answers):
    rate, scales, stops = rule.start(put(engine, np.zeros(1, "float32"))), [], []
    for improved in answers:
        rate, stop = rule.after_epoch(rate, engines.get(engine).put(improved))
        assert rate.scale.dtype == np.float32
        scales.append(float(rate.scale))
        stops.append(STOP_REASONS[int(stop)])
    return scales, stops


def test_the_count_by_hand(engine):
    # k = 2: two fails halve, an improvement begins the count anew, and so does a halving.
    scales, stops = walk(
        engine, dr.NoImprovement(2), [True, False, True, False, False, False, False, True, False, False]
    )
    assert scales == [1, 1, 1, 1, 1 / 2, 1 / 2, 1 / 4, 1 / 4, 1 / 4, 1 / 8]
    assert set(stops) == {"running"}


def test_the_seventh_halving_ends_the_training(engine):
    scales, stops = walk(engine, dr.NoImprovement(1), [False] * 7)
    assert scales == [2.0**-i for i in range(1, 8)]
    assert stops == ["running"] * 6 + ["eta_min"]


def test_a_floor_between_two_halvings(engine):
    _, stops = walk(engine, dr.NoImprovement(1, divide_by=3, floor=0.1), [False] * 3)
    assert stops == ["running", "running", "eta_min"]  # 1/3, 1/9 > 0.1, 1/27
    assert set(walk(engine, dr.NoImprovement(1, floor=0), [False] * 20)[1]) == {"running"}


@pytest.mark.parametrize("batch_size", [None, 1])
@pytest.mark.usefixtures("on_each_engine")
def test_a_training_that_never_improves(batch_size):
    result = climb(dr.GradientDescent(eta=0.1, batch_size=batch_size, no_improvement=3))
    # Epoch 1 is the best so far by default; epochs 2, 3, 4 fail, so the fifth has half of eta. Seven times three fails.
    assert (result.stop_reason, result.epochs, result.best_epoch) == ("eta_min", 1 + 7 * 3, 1)
    assert "floor after 22 epochs" in result.message
    scale = np.concatenate([[1], np.repeat(2.0 ** -np.arange(7), 3)])
    np.testing.assert_allclose(result.history["eta"], 0.1 * scale, rtol=1e-12)
    # The steps took that eta: a ← a + 2 eta (10 - a).
    a = 10 * (1 - np.cumprod(1 - 2 * 0.1 * scale))
    np.testing.assert_allclose(result.history["validation_cost"], (a + 1) ** 2 / 2, rtol=1e-10)


@pytest.mark.usefixtures("on_each_engine")
def test_an_epoch_of_the_same_accuracy_is_no_improvement():
    """Validation whose accuracy stays at 1 while its cost falls: no improvement by accuracy, always one by cost."""
    data = {"validation_data": (X, Y), "epochs": 12}
    rule = {"eta": 0.05, "no_improvement": 2}
    by_accuracy = climb(dr.GradientDescent(**rule), monitor="accuracy", **data)
    by_cost = climb(dr.GradientDescent(**rule), monitor="cost", **data)
    accuracy = by_accuracy.history["validation_accuracy"]
    first = int(np.argmax(accuracy))
    assert accuracy[first:].all()
    assert by_accuracy.history["eta"][-1] < 0.05
    np.testing.assert_array_equal(by_cost.history["eta"], np.full(12, 0.05))


@pytest.mark.usefixtures("on_each_engine")
def test_the_rule_multiplies_a_schedule():
    plain = climb(dr.GradientDescent(eta=0.1, momentum=0.5, schedule=lambda t: 0.9**t), epochs=3)
    ruled = climb(dr.GradientDescent(eta=0.1, momentum=0.5, schedule=lambda t: 0.9**t, no_improvement=5), epochs=3)
    trees.map_leaves(np.testing.assert_array_equal, plain.params, ruled.params)


def test_a_whole_number_is_k():
    trainer = dr.GradientDescent(eta=1, no_improvement=4)
    assert trainer.no_improvement == dr.NoImprovement(4) == dr.NoImprovement(k=4, divide_by=2, floor=1 / 128)


def test_numbers_are_leaves_and_compile_nothing_again():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    from deltarule.training import compiled_loop

    trainer = dr.GradientDescent(eta=1, no_improvement=4)
    assert jax.tree.leaves(trainer) == [1.0, 4, 2.0, 1 / 128]
    climb(dr.GradientDescent(eta=0.1, no_improvement=3), epochs=2, engine="jax")
    size = compiled_loop._advance._cache_size()
    assert size > 0
    other = dr.NoImprovement(5, divide_by=10, floor=0)
    climb(dr.GradientDescent(eta=0.2, no_improvement=other), epochs=2, engine="jax")
    assert compiled_loop._advance._cache_size() == size


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "no_improvement, .*is 0"),
        ({"divide_by": 1}, "divide_by .*is 1"),
        ({"floor": 1}, "floor .*is 1"),
    ],
)
def test_options_outside_their_range(options, message):
    with pytest.raises(ConfigurationError, match=message):
        dr.NoImprovement(**options)
    if "k" in options:
        with pytest.raises(ConfigurationError, match=message):
            dr.GradientDescent(eta=1, no_improvement=options["k"])


def test_it_needs_validation_data():
    with pytest.raises(ConfigurationError, match=r"no_improvement is 3, .*validation"):
        climb(dr.GradientDescent(eta=0.1, no_improvement=3), validation_data=None)
