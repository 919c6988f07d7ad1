"""The choice between primal, dual and conjugate gradients, at its boundaries."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines
from deltarule.engine import machine
from deltarule.network.network import Sizes
from deltarule.trainers.form import available_memory, choose_form, form_costs

PLENTY = 2.0**60


def sized(n, outputs, width):
    return Sizes(n, 1, outputs, 1, 1, n, width)


def test_the_costs_by_hand():
    """n = 10 parameters, R = 3 · 2 residuals, inner products of 5."""
    costs = form_costs(sized(10, 2, 5), examples=3)
    assert costs["primal"] == (6 * 100 + 1000 / 3, 4 * 8 * 100)
    assert costs["dual"] == (2 * 36 * 5 + 216 / 3, 11 * 8 * 36)
    assert costs["cg"] == (100 * 8 * 3 * 10, 10 * 8 * 10)


@pytest.mark.parametrize(
    ("n", "examples", "outputs", "memory", "expected"),
    [
        (100, 99, 1, PLENTY, "dual"),
        (100, 100, 1, PLENTY, "primal"),  # as many: primal, whose matrix is not singular for a full J
        (100, 101, 1, PLENTY, "primal"),
        (100, 24, 4, PLENTY, "dual"),  # residuals count, not examples
        (100, 25, 4, PLENTY, "primal"),
        (1, 1, 1, PLENTY, "primal"),
        (1_000_000, 500, 1, PLENTY, "dual"),
        (23, 10**7, 2, PLENTY, "primal"),
        (100, 1000, 1, 4 * 8 * 100**2, "primal"),  # 4 n² numbers just fit
        (100, 1000, 1, 4 * 8 * 100**2 - 1, "cg"),
        (1000, 100, 1, 11 * 8 * 100**2, "dual"),  # 11 R² numbers just fit
        (1000, 100, 1, 11 * 8 * 100**2 - 1, "cg"),
        (9_000, 9_000, 1, PLENTY, "primal"),  # R n² + n³/3 = 9.7e11, under a trillion
        (9_100, 9_100, 1, PLENTY, "cg"),  # 1.005e12, and cg only 100 · 8 R n = 6.6e10
        (1000, 1_000_000, 1, PLENTY, "primal"),  # 1e12 + 3e8, and cg 8e11: not a tenth of it
        (10**6, 10**6, 10, PLENTY, "cg"),
    ],
)
def test_the_boundaries(n, examples, outputs, memory, expected):
    assert choose_form(sized(n, outputs, 50), examples, memory) == expected


def test_available_memory_without_sysconf(monkeypatch):
    assert 2**28 < available_memory() < 2**50

    def refuse(name):
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(machine.os, "sysconf", refuse, raising=False)
    machine.total_memory.cache_clear()
    assert available_memory() == 4 * 2**30
    machine.total_memory.cache_clear()


def test_the_trainer_asks_for_its_problem(engine):
    """2-6-1: n = 18 + 7 = 25. Rows that JAX pads with count as examples, because they are computed."""
    net = dr.Network([dr.Dense(6, "tanh"), dr.Dense(1, "linear")])
    own, trainer = net.sizes((2,)), dr.LevenbergMarquardt()
    sizes = {N: len(engines.get(engine).make_rows(np.zeros((N, 2)), np.zeros((N, 1)), None)[0]) for N in (17, 25)}
    assert sizes == ({17: 17, 25: 25} if engine == "numpy" else {17: 24, 25: 32})
    assert trainer.form(own, sizes[17]) == "dual"
    assert trainer.form(own, sizes[25]) == "primal"
    assert dr.LevenbergMarquardt(memory=1000).form(own, 24) == "cg"
    for solver in ("primal", "dual", "cg"):
        assert dr.LevenbergMarquardt(solver=solver, memory=1).form(own, 24) == solver


def test_the_width_of_the_gram_by_hand():
    """30-7-2: errors 7 + 2, and inputs for one of k² = 4 pairs of residuals: 30/4 and 7/4, rounded up."""
    net = dr.Network([dr.Dense(7, "tanh"), dr.Dense(2, "linear")])
    assert net.sizes((30,)).gram == (7 + 8) + (2 + 2)
    shared = dr.Network([dr.Reshape((4, 4, 1)), dr.Convolution(3, (2, 2)), dr.Flatten(), dr.Dense(1, "linear")])
    assert shared.sizes((16,)).gram == 3 * 2 * 2 + (1 + 27)


def test_an_epoch_s_operations_by_hand():
    """2-6-1: n = 25; width (6 + 2) + (1 + 6) = 15."""
    net = dr.Network([dr.Dense(6, "tanh"), dr.Dense(1, "linear")])
    sizes, lm, bayesian = net.sizes((2,)), dr.LevenbergMarquardt(), dr.BayesianRegularization()
    primal, dual = 100 * 25**2 + 25**3 / 3, 2 * 10**2 * 15 + 10**3 / 3
    assert lm.epoch_flops(sizes, 100) == primal
    assert lm.epoch_flops(sizes, 10) == dual
    assert dr.LevenbergMarquardt(batch_size=10).epoch_flops(sizes, 95) == 10 * dual
    assert bayesian.epoch_flops(sizes, 100) == primal + 2 * 25**3 / 3
    assert bayesian.epoch_flops(sizes, 10) == 3 * dual + 5 * 10**3 / 3
    assert dr.NewtonCG().epoch_flops(sizes, 10) == 30 * 8 * 10 * 25
