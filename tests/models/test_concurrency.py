"""Forked processes and threads fit and predict, with the bits of a fit alone, also after use in the parent."""

import concurrent.futures
import multiprocessing
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines

RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(-1, 1, (60, 3))
Y = np.sin(3 * X[:, 0]) * X[:, 1]
SEEDS = range(4)
FORK = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")


def model(seed, trainer="lm"):
    ways = {"lm": "bayesian", "adam": "early-stopping"}
    return dr.NetworkRegressor(hidden=(4,), trainer=trainer, regularization=ways[trainer], epochs=8, random_state=seed)


def fitted(seed, trainer="lm"):
    return model(seed, trainer).fit(X, Y).predict(X)


PROGRAM = """
import concurrent.futures, multiprocessing, pickle, sys
from models.test_concurrency import SEEDS, X, Y, fitted, model

if sys.argv[1] == "after JAX":
    import jax
    jax.block_until_ready(jax.jit(lambda x: x @ x.T)(X))  # the threads of XLA are there, and a fork has none of them
trained = model(0).fit(X, Y)
before = trained.predict(X)
with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
    predicted = pool.submit(trained.predict, X).result(60)
    found = list(pool.map(fitted, SEEDS, timeout=60))
assert (predicted == before).all()
for seed, one in zip(SEEDS, found, strict=True):
    assert (one == fitted(seed)).all(), seed
print("the same bits")
"""


@FORK
def test_a_forked_process_fits_and_predicts():
    """Also of JAX, where it is installed. In a process of its own, because a pool that hangs would hold the tests; JAX
    warns of forks, rightly for its own engine, which is not used here."""
    parent = "after JAX" if engines.jax_is_installed() else "plain"
    words = [sys.executable, "-W", "ignore::RuntimeWarning", "-W", "ignore::DeprecationWarning", "-c", PROGRAM, parent]
    tests = Path(__file__).parents[1]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, cwd=tests)
    assert done.stdout.strip() == "the same bits", done.stderr


@pytest.mark.parametrize("trainer", ["lm", "adam"])
def test_fits_in_threads_equal_a_single_fit(trainer):
    alone = [fitted(seed, trainer) for seed in SEEDS]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for one, other in zip(alone, pool.map(lambda seed: fitted(seed, trainer), SEEDS), strict=True):
            np.testing.assert_array_equal(one, other)


def test_trainings_in_threads_equal_a_single_training(engine):
    net = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])
    trainers = [
        dr.LevenbergMarquardt(),
        dr.LevenbergMarquardt(solver="dual"),
        dr.NewtonCG(),
        dr.BayesianRegularization(),
        dr.GradientDescent(eta=0.1, batch_size=7),
        dr.GradientDescent(eta=1e-2, rule="adam"),
    ][:: 1 if engine == "numpy" else 2]  # JAX compiles each

    def trained(trainer):
        result = dr.train(net, X, Y[:, None], trainer=trainer, epochs=6, seed=1, engine=engine)
        return result.history["cost"]

    alone = [trained(trainer) for trainer in trainers]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for one, other in zip(alone, pool.map(trained, trainers), strict=True):
            np.testing.assert_array_equal(one, other)


def test_threads_predict_with_one_model():
    trained = model(0).fit(X, Y)
    expected = trained.predict(X)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: trained.predict(X), range(20)):
            np.testing.assert_array_equal(found, expected)
