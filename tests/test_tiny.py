"""One minute, every public name: what the README promises runs."""

import subprocess
import sys

import numpy as np
import pytest

import deltarule as dr
from engines import NAMES, on

X = np.random.default_rng(0).uniform(-1, 1, size=(60, 2))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)


@pytest.fixture(scope="module", params=NAMES)
def trained(request):
    net = dr.Network([dr.Dense(8, "tanh"), dr.Dense(2, "softmax")], cost="log-likelihood")
    trainer = dr.GradientDescent(eta=0.5, batch_size=10, momentum=0.9)
    data = {"validation_data": (X[:20], LABELS[:20]), "seed": 2, "engine": request.param}
    return net, dr.train(
        net, X[20:], LABELS[20:], trainer=trainer, epochs=60, stopping=dr.Stopping(max_fail=60), **data
    )


def test_the_public_names():
    assert {name for name in dr.__all__ if not hasattr(dr, name)} == set()
    assert {"Dense", "GradientDescent", "Network", "Stopping", "check_gradient", "load", "save", "train"} <= set(
        dr.__all__
    )
    assert dr.__version__.count(".") == 2


def test_modules_are_attributes_of_a_fresh_import():
    """And none is imported before it is asked for, but what imports them."""
    code = """
import sys
import deltarule as dr
assert [name for name in sys.modules if name.startswith("deltarule.")] == ["deltarule.lazy"]
for name in ("errors", "checks", "network", "data"):
    assert getattr(dr, name).__name__ == f"deltarule.{name}"
assert not hasattr(dr, "boredom")
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_exception_is_a_public_name():
    raised = {name for name, kind in vars(dr.errors).items() if isinstance(kind, type)}
    assert raised <= set(dr.__all__)
    assert dr.ShapeError is dr.errors.ShapeError


def test_it_learns(trained):
    net, result = trained
    assert isinstance(result, dr.TrainingResult)
    assert result.engine in ("numpy", "jax")
    assert result.stop_reason in ("epochs", "max_fail")
    assert (np.asarray(net(result.params, X)).argmax(axis=1) == LABELS).mean() > 0.9
    assert result.history["validation_cost"].min() < result.history["validation_cost"][0]


def test_its_gradient_is_right(trained):
    net, result = trained
    assert dr.check_gradient(net, result.params, X, LABELS) < 1e-6
    cost, grads = net.cost_and_gradient(result.params, X, LABELS)
    assert float(cost) > 0
    assert grads[0]["W"].shape == result.params[0]["W"].shape == (8, 2)


def test_a_trace(trained):
    net, result = trained
    trace = net.trace(result.params, X[0], LABELS[0])
    assert [layer.a.shape for layer in trace.layers] == [(8,), (2,)]
    assert trace.layers[0].dW.shape == (8, 2)


def test_a_file(trained, tmp_path):
    net, result = trained
    dr.save(tmp_path / "model.safetensors", net, result.params)
    again, params = dr.load(tmp_path / "model.safetensors")
    params = on(result.engine, params)
    np.testing.assert_array_equal(again(params, X), net(result.params, X))


@pytest.mark.parametrize("cost", [dr.Quadratic(scale=1), dr.CrossEntropy(), dr.LogLikelihood()], ids=str)
def test_the_costs(cost, engine):
    net = dr.Network([dr.Dense(2, "softmax")], cost)
    assert np.isfinite(float(net.cost_and_gradient(on(engine, net.init(0, (2,))), X, LABELS)[0]))
