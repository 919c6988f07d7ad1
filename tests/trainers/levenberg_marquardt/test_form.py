"""The choice between primal, dual and conjugate gradients, at its boundaries."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines
from deltarule import machine
from deltarule.trainers.levenberg_marquardt.form import CHEAP_FLOPS, available_memory, choose_form, form_costs, is_cheap

PLENTY = 2.0**60


def test_the_costs_by_hand():
    """n = 10 parameters, R = 3 · 2 residuals, 5 neurons."""
    costs = form_costs(10, examples=3, outputs=2, neurons=5)
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
    assert choose_form(n, examples, outputs, neurons=50, memory=memory) == expected


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
    params = net.init(0, (2,))
    trainer = dr.LevenbergMarquardt()
    sizes = {N: len(engines.get(engine).laid_out(np.zeros((N, 2)), np.zeros((N, 1)), None)[0]) for N in (17, 25)}
    assert sizes == ({17: 17, 25: 25} if engine == "numpy" else {17: 24, 25: 32})
    assert trainer.form(net, params, sizes[17]) == "dual"
    assert trainer.form(net, params, sizes[25]) == "primal"
    assert dr.LevenbergMarquardt(memory=1000).form(net, params, 24) == "cg"
    for solver in ("primal", "dual", "cg"):
        assert dr.LevenbergMarquardt(solver=solver, memory=1).form(net, params, 24) == solver


def test_a_step_is_cheap_by_the_smaller_of_its_exact_forms():
    assert is_cheap(n=200, examples=1000, outputs=1, neurons=21)  # 4e7 operations
    assert is_cheap(n=1_000_000, examples=100, outputs=1, neurons=2000)  # the dual form
    n, examples = 1000, 20_000
    assert form_costs(n, examples, 1, 50)["primal"].flops > CHEAP_FLOPS
    assert not is_cheap(n, examples, outputs=1, neurons=50)
