"""What everything that trains, traces, files, exports or judges a network does with a made-up part of one."""

import itertools
import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines
from deltarule import trees
from deltarule.cli import main
from deltarule.curvature.hessian import backward_pass
from deltarule.data import NumericColumn, Schema
from deltarule.network.tracing import equations
from deltarule.training.forecast import forecast
from engines import WITHOUT_JAX, on

FIRST_ORDER = {
    "gd": dr.GradientDescent(eta=0.05, batch_size=None),
    "sgd": dr.GradientDescent(eta=0.05, batch_size=8, l2=0.1),
    "momentum": dr.GradientDescent(eta=0.02, batch_size=8, momentum=0.9, nesterov=True, max_norm=3.0),
    "adam": dr.GradientDescent(rule="adam", eta=0.01, batch_size=8, l1=0.01),
}
GAUSS_NEWTON = {
    **{solver: dr.LevenbergMarquardt(solver=solver, l2=0.01) for solver in ("primal", "dual", "cg")},
    "mini-batch lm": dr.LevenbergMarquardt(batch_size=15),
}
TRAINERS = {**FIRST_ORDER, **GAUSS_NEWTON, "newton-cg": dr.NewtonCG()}
ON_JAX = ("adam", "dual", "cg", "newton-cg")  # those that are quick there too: JAX compiles each
BAYESIAN = {solver: dr.BayesianRegularization(solver=solver) for solver in ("primal", "dual")}


def every_trainer(**also: Any) -> pytest.MarkDecorator:
    """A test for each trainer on each engine."""
    cases = []
    for name, trainer in (TRAINERS | also).items():
        slow = () if name in ON_JAX or name in also else (pytest.mark.slow,)
        cases += [(trainer, "numpy"), pytest.param(trainer, "jax", marks=(WITHOUT_JAX, *slow))]
    return pytest.mark.parametrize(("trainer", "engine"), cases, ids=str)


def examples(positive: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """30 rows of 2 numbers, and targets that a small network can learn."""
    random = np.random.default_rng(0)
    X = random.normal(size=(30, 2))
    y = np.sin(X[:, :1]) + 0.5 * X[:, 1:]
    return X, np.exp(0.5 * y) if positive else y


def assert_it_trains(net: dr.Network, trainer, engine: str, X: np.ndarray, Y: np.ndarray) -> dr.TrainingResult:
    """A few epochs from the same start leave a smaller cost."""
    params = net.init(0, (X.shape[1],), "float64", trainer.initializers)
    before = float(net.cost_and_gradient(params, X, Y)[0])
    result = dr.train(net, X, Y, trainer=trainer, epochs=4, seed=0, params=on(engine, params), engine=engine)
    assert result.engine == engine
    after = float(net.cost_and_gradient(trees.map_leaves(np.asarray, result.params), X, Y)[0])
    assert after < before
    return result


def assert_derivatives(net: dr.Network, engine: str, X: np.ndarray, Y: np.ndarray) -> None:
    """BP1-BP4 and H v against central differences, S r against the gradient."""
    params = net.init(3, (X.shape[1],), "float64")
    assert dr.check_gradient(net, on(engine, params), X, Y) < 1e-6
    v, h = trees.map_leaves(np.cos, params), 1e-5
    p, along, x, y, weight = on(engine, (params, v, X, Y, np.full(len(X), 1 / len(X))))
    with engines.get(engine).computing_in(np.dtype("float64")):
        product = backward_pass(net, p, x, y, weight).hessian_product(along)
    product = trees.ravel(trees.map_leaves(np.asarray, product))
    ahead, behind = (
        trees.ravel(net.cost_and_gradient(trees.map_leaves(lambda p, v, t=t: p + t * v, params, v), X, Y)[1])
        for t in (h, -h)
    )
    np.testing.assert_allclose(product, (ahead - behind) / (2 * h), rtol=0, atol=1e-7 * np.abs(product).max())


def assert_it_is_traced(net: dr.Network, X: np.ndarray, Y: np.ndarray) -> dict[str, str]:
    """The trace of one example gives the gradient; its formulas of the output layer are returned."""
    params = net.init(0, (X.shape[1],), "float64")
    traced = net.trace(params, X[0], Y[0])
    cost, grads = net.cost_and_gradient(params, X[:1], Y[:1])
    assert traced.cost == pytest.approx(float(cost), rel=1e-12)
    for layer, grad in zip(traced.layers, grads, strict=True):
        np.testing.assert_allclose(layer.dW, grad["W"], rtol=1e-12, atol=1e-15)
    return equations(net, len(net.layers) - 1)


def assert_it_is_forecast(net: dr.Network) -> None:
    """The memory and the time of a training are known before it."""
    found = forecast(net, dr.LevenbergMarquardt(), 2, 60, clock=itertools.count().__next__, engine="numpy")
    assert found.memory.total > 0
    assert found.form == "primal"


def schema() -> Schema:
    """Two columns and a target, in units."""
    columns = NumericColumn("a", 0.0, 1.0, -3.0, 3.0), NumericColumn("b", 1.0, 2.0, -5.0, 7.0)
    return Schema("table", "regression", columns, (NumericColumn("y", 10.0, 3.0, 0.0, 20.0),), None, ("y",))


def assert_it_is_reported(model: Path, folder: Path) -> str:
    """`deltarule predict`, `evaluate`, `trace`, `check` and `report` on a table; the page is returned."""
    X, Y = examples()
    lines = [f"{a},{1 + 2 * b},{10 + 3 * y}" for (a, b), (y,) in zip(X, Y, strict=True)]
    table = folder / "table.csv"
    table.write_text("a,b,y\n" + "\n".join(lines) + "\n")
    page = folder / "page.html"
    for words in (
        ("predict", model, table),
        ("evaluate", model, table),
        ("trace", model, table, "--row", 0),
        ("check", model, table),
        ("report", model, table, "--out", page),
    ):
        assert main([str(word) for word in words]) == 0
    return page.read_text()


def exported(model, language: str, folder: Path, X: np.ndarray) -> np.ndarray:
    """What the exported network says of raw rows, (N, k)."""
    suffix = {"c": ".c", "python": ".py", "onnx": ".onnx"}[language]
    path = dr.export_model(model, folder / f"net{suffix}", to=language)
    if language == "c":
        program = folder / "net"
        strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-O2"]
        subprocess.run(["gcc", *strict, "-DNET_MAIN", str(path), "-o", str(program), "-lm"], check=True)
        text = "\n".join(" ".join(map(repr, map(float, row))) for row in X)
        done = subprocess.run([str(program)], input=text, capture_output=True, text=True, check=True)
        return np.array([[float(cell) for cell in line.split()[1:]] for line in done.stdout.splitlines()])
    if language == "python":
        spec = spec_from_file_location("net", path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.predict(X)
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"X": X})[0]
