"""The same seed gives the same network: bit for bit in another process, and on JAX with and without its cache."""

import os
import subprocess
import sys

import pytest

from engines import WITHOUT_JAX

TRAINING = """
import sys
import numpy as np, deltarule as dr
from deltarule.training.checkpoints.fingerprint import digest
X = np.random.default_rng(0).uniform(-1, 1, (60, 3)); Y = np.sin(3 * X[:, :1])
net = dr.Network([dr.Dense(6, "tanh"), dr.Dropout(0.2), dr.Dense(1, "linear")])
plain = dr.Network([dr.Dense(6, "tanh"), dr.Dense(1, "linear")])
trainings = {
    "sgd": (net, dr.GradientDescent(eta=0.1, batch_size=7, momentum=0.9)),
    "lm": (plain, dr.LevenbergMarquardt()),
    "newton-cg": (plain, dr.NewtonCG()),
    "bayesian": (plain, dr.BayesianRegularization()),
}
for name in sys.argv[2:]:
    net, trainer = trainings[name]
    result = dr.train(net, X, Y, trainer=trainer, epochs=12, seed=4, engine=sys.argv[1])
    arrays = [p for layer in result.params for p in layer.values()]
    print(name, digest([*arrays, *(result.history[k] for k in sorted(result.history))]))
"""


def digests(engine, *names, **environment):
    words = [sys.executable, "-c", TRAINING, engine, *names]
    run = subprocess.run(words, capture_output=True, text=True, check=True, env=os.environ | environment)
    return run.stdout.splitlines()


TRAINERS = ("sgd", "lm", "newton-cg", "bayesian")


def check(cache, *names):
    kept = {"JAX_COMPILATION_CACHE_DIR": str(cache), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    plain = digests("jax", *names, JAX_ENABLE_COMPILATION_CACHE="false")
    filled = digests("jax", *names, **kept)
    assert any(cache.iterdir())
    assert len(plain) == len(names)
    assert digests("jax", *names, **kept) == filled == plain


def test_numpy_across_processes():
    """Also beside a process that may use one thread only: small matrices are computed by one anyway."""
    found = digests("numpy", *TRAINERS, OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2")
    assert len(found) == len(TRAINERS)
    assert digests("numpy", *TRAINERS, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1") == found


@WITHOUT_JAX
def test_with_and_without_the_compilation_cache_across_processes(tmp_path):
    check(tmp_path, "sgd")


@WITHOUT_JAX
@pytest.mark.slow
def test_every_trainer_with_and_without_the_compilation_cache_across_processes(tmp_path):
    check(tmp_path, *TRAINERS)


@WITHOUT_JAX
@pytest.mark.slow
def test_a_damaged_compilation_cache_costs_time_and_nothing_else(tmp_path):
    """Entries cut short, as a process that is killed while it writes them leaves them."""
    kept = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    whole = digests("jax", "sgd", **kept)
    for entry in tmp_path.iterdir():
        if entry.is_file():
            entry.write_bytes(entry.read_bytes()[: entry.stat().st_size // 2])
    assert digests("jax", "sgd", **kept) == whole
