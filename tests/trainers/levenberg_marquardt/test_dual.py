"""The dual step against NumPy on an explicit J, its limits, what rounding may do to it, and that J is never formed."""

import re
import tracemalloc

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines
from deltarule.objective import Objective
from deltarule.trainers.levenberg_marquardt import dual
from deltarule.trainers.levenberg_marquardt.trainer import FORMS
from engines import WITHOUT_JAX, on
from trainers.levenberg_marquardt.conftest import close, flat

pytestmark = pytest.mark.usefixtures("float64")


def step(problem, engine, lam, l2=None, accelerate=True):
    """The step, and the model that it is made from."""
    F, p = problem.on(engine, l2)
    model = F.call(dual.model, p)
    return flat(F.call(dual.step, p, model, lam, accelerate=accelerate).corrected), model


@pytest.mark.parametrize("l2", [None, 0.3, 30.0])
@pytest.mark.parametrize("lam", [1e-2, 1.0, 100.0])
def test_the_step_and_its_correction(few, engine, lam, l2):
    close(step(few, engine, lam, l2)[0], few.corrected_step(lam, l2), 1e-10)
    close(step(few, engine, lam, l2, accelerate=False)[0], few.step(lam, l2)[0], 1e-10)


def test_an_l2_of_zero_is_none(few, engine):
    found, expected = step(few, engine, 0.1, 0.0)[0], step(few, engine, 0.1, None)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("l2", [None, 0.3])
def test_the_fields_of_the_model(few, engine, l2):
    _, model = step(few, engine, 1.0, l2)
    gradient = few.J.T @ few.r + (l2 or 0) * few.is_weight * few.p
    energy = (l2 or 0) / 2 * np.sum(few.is_weight * few.p**2)
    assert float(model.objective) == pytest.approx(few.cost + energy, rel=1e-13)
    close(flat(model.gradient), gradient, 1e-13)
    assert float(model.gradient_norm) == pytest.approx(np.linalg.norm(gradient), rel=1e-13)
    assert float(model.trace) == pytest.approx(np.sum(few.J**2), rel=1e-13)  # also where l2 makes two matrices of it


@pytest.mark.parametrize("l2", [None, 0.3])
def test_the_predicted_fall(few, engine, l2):
    F, p = few.on(engine, l2)
    found = F.call(dual.step, p, F.call(dual.model, p), 0.7, accelerate=True)
    s, A = few.step(0.7, l2)[0], (l2 or 0) * few.is_weight
    expected = -((few.J.T @ few.r + A * few.p) @ s + 0.5 * (np.sum((few.J @ s) ** 2) + s @ (A * s)))
    assert float(found.predicted) == pytest.approx(expected, rel=1e-11)


def test_more_residuals_than_parameters(many, engine):
    """J J^T is singular, and with damping the step is the same all the same."""
    close(step(many, engine, 1.0, 0.3)[0], many.corrected_step(1.0, 0.3), 1e-10)


def test_without_damping_it_is_the_smallest_step_that_ends_every_residual(few, engine):
    """lambda -> 0: of all s with J s = -r the one of least norm, NumPy's lstsq."""
    expected = np.linalg.lstsq(few.J, -few.r, rcond=None)[0]
    np.testing.assert_allclose(few.J @ expected, -few.r, rtol=1e-9)
    lam = 1e-15 * np.sum(few.J**2)
    close(step(few, engine, lam, accelerate=False)[0], expected, 1e-14 * np.linalg.cond(few.J) ** 2)


def test_with_great_damping_it_is_steepest_descent(few, engine):
    lam = 1e14 * np.sum(few.J**2)
    found, model = step(few, engine, lam, 0.3)
    close(found, -flat(model.gradient) / lam, 1e-12)


X = np.random.default_rng(5).uniform(-1, 1, (26, 2))
Y = np.sin(3 * X[:, :1]) * X[:, 1:]


ORDERS = (1e-15, 1e-12, 1e-8, 1e-5)


@pytest.mark.parametrize(
    ("engine", "size"), [*(("numpy", size) for size in ORDERS), pytest.param("jax", 1e-8, marks=WITHOUT_JAX)]
)
def test_a_gram_matrix_indefinite_by_rounding(engine, monkeypatch, size):
    """J J^T with `size` of its trace taken from its diagonal: squares of lengths that are 0 come out below 0.

    A table of 26 rows with four different ones has a Gram matrix of rank 4, and none of the processor's own rounding
    is needed. What does not factor is an ordinary rejection, and the end is a minimum.
    """
    exact = dual.gram

    def rounded(*arguments, **options):
        K, xp = exact(*arguments, **options)["all"], engines.get(engine).xp
        return {"all": K - size * xp.trace(K) * xp.eye(len(K))}

    monkeypatch.setattr(dual, "gram", rounded)
    net = dr.Network([dr.Dense(11 + ORDERS.index(size), "tanh"), dr.Dense(1, "linear")])  # JAX compiles each
    four, targets = np.sign(X), np.sin(5 * Y)
    trainer = dr.LevenbergMarquardt(solver="dual")
    result = dr.train(net, four, targets, trainer=trainer, epochs=60, seed=0, engine=engine)
    assert result.stop_reason == "mu_max"
    assert all(np.isfinite(result.history[name]).all() for name in ("cost", "gradient_norm", "lambda"))
    means = [np.mean(targets[(four == row).all(axis=1)]) for row in four]
    assert result.history["cost"][-1] == pytest.approx(0.5 * np.mean((targets[:, 0] - means) ** 2), rel=1e-6)


WIDE = dr.Network([dr.Dense(30, "tanh"), dr.Dense(30, "tanh"), dr.Dense(1, "linear")])
WIDE_SIZE = 90 + 930 + 31


def wide(engine, l2):
    rows = engines.get(engine).make_rows(*on(engine, (np.zeros((16, 2)), np.zeros((16, 1)), None)))
    return Objective(WIDE, rows, 16, l2), on(engine, WIDE.init(0, (2,), "float64"))


def whole_step(form, F, p, lam):
    return form.step(F, p, form.model(F, p), lam, accelerate=True)


@pytest.mark.parametrize("l2", [None, 0.1])
def test_the_jacobian_is_never_formed(l2):
    """Nothing as large as J, m k x n = 16 x 1,051, appears in a compiled dual step; in a primal one J^T J does."""
    jax = pytest.importorskip("jax")
    F, p = wide("jax", l2)

    def largest_array(form):
        """The number of entries of the largest array, before XLA makes anything of it."""
        lowered = jax.jit(lambda F, p, lam: whole_step(form, F, p, lam)).lower(F, p, 1.0)
        shapes = re.findall(r"tensor<((?:\d+x)+)f64>", lowered.as_text())
        return max(int(np.prod([int(n) for n in shape[:-1].split("x")])) for shape in shapes)

    assert largest_array(dual) < 16 * WIDE_SIZE / 10
    assert largest_array(FORMS["primal"]) == WIDE_SIZE**2


@pytest.mark.parametrize("l2", [None, 0.1])
def test_the_jacobian_is_never_formed_in_memory(l2):
    """The most memory that the arrays of a step take at once: less than J's own, 8 · 16 · 1,051 bytes, for the dual
    form beyond what vectors of the parameters' size take, more than J^T J for the primal one."""
    F, p = wide("numpy", l2)

    def most(form):
        whole_step(form, F, p, 1.0)
        tracemalloc.start()
        whole_step(form, F, p, 1.0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak / 8

    assert most(FORMS["primal"]) > WIDE_SIZE**2
    assert most(dual) < 16 * WIDE_SIZE
