"""What a training holds, before it runs, and the refusal of one that cannot fit."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines
from deltarule.engine import machine
from deltarule.errors import TooLargeError
from deltarule.trainers.form import BLOCK_COPIES, memory_needed, require_fit

WIDE = dr.Network([dr.Dense(40, "tanh"), dr.Dense(40, "tanh"), dr.Dense(2, "linear")])
STEPS = dr.Network([dr.LSTM(5), dr.GRU(3), dr.Dense(2, "linear")])
LAST = dr.Network([dr.LSTM(5), dr.Recurrent(9, sequences=False), dr.Dense(2, "linear")])
SHARED = dr.Network(
    [
        dr.Reshape((20, 20, 1)),
        dr.Convolution(4, (3, 3), "tanh"),
        dr.MaxPool((9, 9)),
        dr.Flatten(),
        dr.Dense(1, "linear"),
    ]
)


@pytest.mark.parametrize(("net", "shape"), [(WIDE, (30,)), (SHARED, (400,)), (STEPS, (20, 2)), (LAST, (20, 2))])
@pytest.mark.parametrize("form", ["primal", "cg"])
def test_a_block_is_as_large_as_the_trainer_makes_it(net, shape, form):
    """Of a network that shares its weights the activations are more than the parameters."""
    trainer, N = dr.LevenbergMarquardt(solver=form), 2**20
    sizes = net.sizes(shape)
    row = max(sizes.parameters if form == "primal" else 0, 4 * sizes.neurons)
    held = 8 * sizes.outputs * row * trainer.block(sizes, N, form)
    estimated = memory_needed(sizes, N, FLOAT64, trainer).work / BLOCK_COPIES
    assert held <= estimated < 2.1 * held  # blocks are powers of two


NET = dr.Network([dr.Dense(1000, "tanh"), dr.Dense(1, "linear")])  # of 100 inputs 102,001 parameters
FLOAT64 = np.dtype("float64")


@pytest.fixture(autouse=True)
def one_gigabyte(monkeypatch):
    """As if so much were free."""
    monkeypatch.setattr(machine, "free_memory", lambda: 2.0**30)


@pytest.mark.parametrize(
    ("trainer", "rows", "cure"),
    [
        (dr.LevenbergMarquardt(solver="primal"), 200_000, "take solver='auto'"),
        (dr.LevenbergMarquardt(solver="dual"), 20_000, "take solver='auto'"),
        (dr.GradientDescent(eta=0.1), 1_000_000, "take batch_size=100"),
        (dr.GradientDescent(eta=0.1, batch_size=10), 2_000_000, "give fewer rows"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_cure(engine, trainer, rows, cure):
    with pytest.raises(TooLargeError, match=r"need about .* GiB .*1 GiB .*free") as error:
        require_fit(NET.sizes((100,)), trainer, rows, engines.get(engine), FLOAT64)
    assert cure in str(error.value)


@pytest.mark.parametrize(
    ("trainer", "rows"),
    [
        (dr.LevenbergMarquardt(memory=2**29), 100_000),  # which takes "cg"
        (dr.LevenbergMarquardt(batch_size=100), 100_000),
        (dr.GradientDescent(eta=0.1, batch_size=10), 400_000),
        (dr.NewtonCG(), 1000),
    ],
)
def test_the_cures_fit(engine, trainer, rows):
    require_fit(NET.sizes((100,)), trainer, rows, engines.get(engine), FLOAT64)


def test_training_refuses_before_its_first_step(monkeypatch, engine):
    monkeypatch.setattr(machine, "free_memory", lambda: 1000.0)
    X = np.zeros((50, 4))
    with pytest.raises(TooLargeError, match="training and its data"):
        dr.train(dr.Network([dr.Dense(1)]), X, X[:, :1], trainer=dr.GradientDescent(eta=0.1), epochs=1, engine=engine)


@pytest.mark.parametrize("width", [2**30, 2**40])
def test_parameters_that_no_machine_holds(width):
    """XLA would end the process here."""
    with pytest.raises(TooLargeError, match=r"inputs of shape .* (TiB|PiB)"):
        NET.init(0, (width,))


def test_levenberg_marquardt_changes_its_form_and_goes_on(engine):
    """With less and less memory: the exact form, then conjugate gradients; both learn."""
    X = np.random.default_rng(0).uniform(-1, 1, (40, 3))
    Y = np.sin(3 * X[:, :1])
    net = dr.Network([dr.Dense(5, "tanh"), dr.Dense(1, "linear")])
    params = net.init(0, (3,), "float64")
    for memory, form in ((1e9, "primal"), (1e3, "cg")):
        trainer = dr.LevenbergMarquardt(memory=memory)
        assert trainer.form(net.sizes((3,)), 40) == form
        result = dr.train(net, X, Y, trainer=trainer, epochs=20, params=params, engine=engine)
        assert result.history["cost"][-1] < 1e-2
