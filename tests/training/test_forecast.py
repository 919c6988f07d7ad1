"""The forecast of a training: sizes, form, memory and several devices; the clock is not tested."""

import itertools

import numpy as np
import pytest

import deltarule as dr
from deltarule.engine import numpy_engine
from deltarule.trainers.form import memory_needed
from deltarule.training.forecast import Forecast, forecast

NET = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])


def ticking():
    """A clock that advances by a second at each look."""
    ticks = itertools.count()
    return lambda: float(next(ticks))


def test_an_epoch_of_mini_batches_is_its_steps(monkeypatch):
    """Of 6,000 steps 500 are tried, 500 batches of 5 rows of 16 bytes; each epoch looks at the clock once, so they
    take a second and all 6,000 take 12."""
    monkeypatch.setattr("deltarule.training.forecast.TRIAL_BYTES", 500 * 5 * 16)
    found = forecast(NET, dr.GradientDescent(eta=0.1, batch_size=5), 3, 30_000, clock=ticking())
    assert (found.form, found.steps, found.sizes.parameters) == (None, 6000, 21)
    assert found.seconds == pytest.approx(12.0)
    assert found.flops == 6000 * 6 * 5 * 16
    assert found.traffic == 6000 * 21 * 4


def test_a_step_of_levenberg_marquardt_names_its_form():
    found = forecast(NET, dr.LevenbergMarquardt(), 3, 40, clock=ticking())
    assert (found.form, found.steps) == ("primal", 1)
    assert found.traffic == 21 * 21 * 8
    assert found.flops == 40 * 21**2 + 21**3 / 3


def test_sequences_have_residuals_at_every_step():
    """10 sequences of 12 steps with 2 outputs are 240 residuals, more than the 23 parameters."""
    net = dr.Network([dr.Recurrent(3), dr.Dense(2, "linear")])
    found = forecast(net, dr.LevenbergMarquardt(), (12, 1), 10, clock=ticking())
    assert (found.form, found.sizes.outputs, found.sizes.inputs, found.sizes.parameters) == ("primal", 24, 12, 23)
    assert found.sizes.products == 12 * 3 * (1 + 3) + 12 * 2 * 3
    last = dr.Network([dr.Recurrent(3, sequences=False), dr.Dense(2, "linear")])
    assert forecast(last, dr.LevenbergMarquardt(), (12, 1), 10, clock=ticking()).form == "dual"


def made(form="primal", parallel=8.0, serial=1.0, traffic=1e9):
    sizes, trainer, dtype = NET.sizes((3,)), dr.LevenbergMarquardt(solver=form), np.dtype("float64")
    memory = memory_needed(sizes, 1000, dtype, trainer, numpy_engine)
    return Forecast(sizes, 1000, dtype, form, 1, 1.0, memory, traffic, trainer, numpy_engine, parallel, serial)


def test_devices_divide_the_sum_and_not_the_factorisation():
    """8 s over 4 devices, 1 s alone, and 2 · 3/4 of 10⁹ bytes at 10⁹ a second."""
    assert made().seconds_on(1) == 9.0
    assert made().seconds_on(4, network=1e9) == pytest.approx(2.0 + 1.0 + 1.5)
    assert made("dual").seconds_on(4, network=1e9) == pytest.approx(2.0 + 1.0 + 0.75)


def test_memory_counts_the_examples_once_and_the_matrices_on_each_device():
    """1,000 rows of 3 + 1 float64; JᵀJ, a block's part of it and its factor of order 21."""
    alone, divided = made().memory_on(1), made().memory_on(4)
    assert alone.examples == 1000 * 4 * 8
    assert divided.examples == 250 * 4 * 8
    assert alone.matrices == divided.matrices == 3 * 21 * 21 * 8
    assert alone.total == alone.examples + alone.matrices + alone.work


def test_images_are_counted_by_their_activations_and_shared_weights():
    """8x8 images: 3 features of 3x3 give 6·6·3 activations, pooled 3·3·3, flat 27, then 2; a kernel meets 36 places."""
    layers = [dr.Reshape((8, 8, 1)), dr.Convolution(3, (3, 3), "relu"), dr.MaxPool((2, 2)), dr.Flatten()]
    net = dr.Network([*layers, dr.Dense(2, "linear")])
    sizes = net.sizes((64,))
    assert sizes.neurons == 64 + 108 + 27 + 27 + 2
    assert sizes.products == 36 * 27 + 54
    assert (sizes.parameters, sizes.gram) == (27 + 3 + 54 + 2, 27 + (2 + 7))  # of 27 inputs a quarter, rounded up


def test_one_disturbed_run_does_not_change_the_forecast(monkeypatch):
    """Of three runs of 1 s and 1.5 s one takes ten times as long; 1,024 more examples take half a second."""
    steps = iter([1.0, 1.5, 10.0, 15.0, 1.0, 1.5])
    monkeypatch.setattr("deltarule.training.forecast._trial", lambda *given: lambda: next(steps))
    monkeypatch.setattr("deltarule.training.forecast._trial_size", lambda *given: 1024)
    found = forecast(NET, dr.LevenbergMarquardt(), 3, 10_240)
    assert (found.parallel_seconds, found.serial_seconds) == (pytest.approx(5.0), pytest.approx(0.5))
