"""Which engine an array belongs to, and the error if JAX is missing."""

import subprocess
import sys

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines_of
from deltarule.engine import numpy_engine
from deltarule.errors import ConfigurationError
from engines import WITHOUT_JAX, on, put

SHARED = {
    "name", "xp", "memory", "threads_for", "computing_in", "put", "wait", "select", "ignore_float_errors", "key",
    "fold_in", "bits", "sigmoid", "logsumexp", "softmax", "log_softmax", "pad", "map_columns", "dense",
    "dense_transposed", "dense_outer", "correlate", "correlate_transposed", "kernel_gradient", "khatri_rao_rows",
    "symmetric_product", "factor", "solve", "solve_lower", "inverse_lower", "call", "while_loop", "fold", "scan",
    "make_rows", "take_batch", "full_gradient", "train_on_chunk", "each_batch", "sum_over_blocks", "is_leader",
    "broadcast_bytes", "detect_lost_process", "process_index", "process_counts", "sum_over_processes", "local_rows",
    "mesh_of", "free_memory", "device", "prepare_inputs",
}  # fmt: skip


def test_an_array_names_its_engine(engine):
    assert engines_of.of(put(engine, np.ones(2))).name == engine
    assert engines_of.of_params(on(engine, [{}, {"W": np.ones(2)}])).name == engine


def test_what_is_no_array_is_numpys():
    for number in (1, 1.5, np.float64(2), np.float32(2)):
        assert engines_of.of(number) is numpy_engine
    assert engines_of.of_params([{}, {}]) is numpy_engine


def test_both_engines_have_the_names_of_the_interface(engine):
    E = engines_of.get(engine)
    assert E.name == engine
    assert {name for name in SHARED if not hasattr(E, name)} == set()


def test_the_names_are_checked():
    with pytest.raises(ConfigurationError, match=r"engine .*is 'torch'"):
        engines_of.get("torch")


def test_where_jax_is_missing_the_extra_is_named():
    """In a process that cannot import it."""
    code = """
import sys
sys.modules["jax"] = None
import importlib.util
import numpy as np
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "jax" else found(name, *rest)
from deltarule import engine
engine.find_spec = importlib.util.find_spec
del sys.modules["jax"]
try:
    engine.get("jax")
except Exception as error:
    print(type(error).__name__, error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("ConfigurationError")
    assert "pip install 'deltarule[jax]'" in run.stdout


def test_training_predicting_and_tracing_on_numpy_import_no_jax():
    code = """
import sys
import numpy as np
import deltarule as dr
X = np.random.default_rng(0).uniform(-1, 1, (30, 2))
Y = X[:, :1] * X[:, 1:]
net = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])
images = dr.Network([dr.Convolution(2, 2, "relu"), dr.MaxPool((2, 1)), dr.Flatten(), dr.Dropout(0.5), dr.Dense(2)])
trainers = [
    dr.GradientDescent(eta=0.1, batch_size=5, rule="adam"), dr.LevenbergMarquardt(), dr.NewtonCG(),
    dr.BayesianRegularization(),
]
for trainer in trainers:
    result = dr.train(net, X, Y, trainer=trainer, epochs=2, engine="numpy")
net(result.params, X), net.trace(result.params, X[0], Y[0]), dr.check_gradient(net, result.params, X, Y)
dr.train(images, X.reshape(15, 2, 2, 1).repeat(2, axis=1), np.arange(15) % 2, trainer=dr.GradientDescent(eta=0.1),
         epochs=1, engine="numpy")
assert "jax" not in sys.modules, sorted(name for name in sys.modules if name.startswith("deltarule.engine"))
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@WITHOUT_JAX
def test_results_are_of_the_engine_that_trained():
    net, X = dr.Network([dr.Dense(1, "linear")]), np.linspace(-1, 1, 9)[:, None]
    for name in ("numpy", "jax"):
        result = dr.train(net, X, X, trainer=dr.LevenbergMarquardt(), epochs=1, engine=name)
        assert result.engine == name
        assert engines_of.of_params(result.params).name == name
        assert {type(values) for values in result.history.values()} == {np.ndarray}
