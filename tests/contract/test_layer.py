"""A made-up layer, whose weights are called g, goes through everything that asks for a layer."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import deltarule as dr
from contract import consumers
from deltarule import trees
from deltarule.errors import ConfigurationError
from deltarule.network.layers import LAYER_KINDS, Layer, Pass, Tangents
from deltarule.network.layers.stages import dense_stage
from deltarule.network.tracing import equations
from engines import on


@dataclass(frozen=True)
class Scaling(Layer):
    """a = g ⊙ a_prev: a gain for each input, which L2 draws to 0 like any weight."""

    weights: ClassVar[tuple[str, ...]] = ("g",)
    input_axes: ClassVar[int | None] = 1
    keeps_shape: ClassVar[bool] = True
    label = "Scaling"
    forward_words: ClassVar[str] = "g^{l} ⊙ a^{below}"
    backward_words: ClassVar[str] = "g^{l} ⊙ delta^{l}"
    gradient_words: ClassVar[dict[str, str]] = {"g": "dC/dg^{l} = a^{below} ⊙ delta^{l}"}

    def output_shape(self, input_shape):
        return input_shape

    def parameter_shapes(self, input_shape):
        return {"g": input_shape}

    def input_shape(self, params):
        return params["g"].shape

    def init(self, random, input_shape, dtype, defaults):
        return {"g": random.uniform(0.5, 1.5, input_shape).astype(dtype)}

    def forward(self, params, a_prev, key=None):
        z = params["g"] * a_prev
        return Pass(params, a_prev, z, z)

    def slope(self, values):
        return values.z.__array_namespace__().ones_like(values.z)

    def error(self, values, dC_da):
        return dC_da

    def propagate(self, values, delta):
        return values.params["g"] * delta

    def gradient(self, values, delta):
        return {"g": (values.a_prev * delta).sum(axis=0)}

    def tangent(self, values, dparams, da_prev):
        dz = dparams["g"] * values.a_prev
        dz = dz if da_prev is None else dz + values.params["g"] * da_prev
        return Tangents(dparams, da_prev, dz, dz)

    def second_tangent(self, values, tangents, dda_prev):
        ddz = 0 * values.z if tangents.da_prev is None else 2 * tangents.dparams["g"] * tangents.da_prev
        ddz = ddz if dda_prev is None else ddz + values.params["g"] * dda_prev
        return ddz, ddz

    def error_tangent(self, values, tangents, dC_da, ddC_da):
        return ddC_da

    def propagate_tangent(self, values, tangents, delta, ddelta):
        return values.params["g"] * ddelta + tangents.dparams["g"] * delta

    def gradient_tangent(self, values, tangents, delta, ddelta):
        still = values.a_prev * ddelta
        return {"g": (still if tangents.da_prev is None else still + tangents.da_prev * delta).sum(axis=0)}

    def jacobian_transpose(self, values, delta):
        xp, (m, k, n) = delta.__array_namespace__(), delta.shape
        return [((delta * values.a_prev[:, None]).reshape(m * k, n).T, xp.ones((1, 1), dtype=delta.dtype))]

    def squared_jacobian(self, values, delta):
        return {"g": ((delta * values.a_prev[:, None]) ** 2).sum(axis=(0, 1))}

    def gram(self, a_prev, delta):
        left, right = (d * a[:, None] for a, d in zip(a_prev, delta, strict=True))
        (m, k, n), (m2, k2, _) = left.shape, right.shape
        return {"g": (left.reshape(m * k, n) @ right.reshape(m2 * k2, n).T).reshape(m, k, m2, k2)}


@pytest.fixture(autouse=True)
def scaling():
    """Its one line in the registry, for a test."""
    LAYER_KINDS["Scaling"] = Scaling
    yield
    del LAYER_KINDS["Scaling"]


NET = dr.Network([Scaling(), dr.Dense(4, "tanh"), Scaling(), dr.Dense(1, "linear")])


@consumers.every_trainer()
def test_every_trainer(trainer, engine):
    consumers.assert_it_trains(NET, trainer, engine, *consumers.examples())


def test_derivatives(engine):
    consumers.assert_derivatives(NET, engine, *consumers.examples())


@pytest.mark.parametrize("l2", [None, 0.3])
def test_the_forms_of_a_step_agree(l2, engine):
    X, Y = consumers.examples()
    solvers = ("primal", "dual", "cg")
    trainers = [dr.LevenbergMarquardt(solver=solver, l2=l2, cg_tolerance=1e-14) for solver in solvers]
    costs = [dr.train(NET, X, Y, trainer=t, epochs=2, seed=1, engine=engine).history["cost"][-1] for t in trainers]
    np.testing.assert_allclose(costs, costs[0], rtol=1e-6)


@pytest.mark.parametrize(
    "trainer", [dr.GradientDescent(eta=1e-3, batch_size=None, l2=6.0), dr.LevenbergMarquardt(l2=6.0)]
)
def test_a_penalty_holds_the_gains_and_leaves_biases_alone(trainer, engine):
    """The recorded cost has (lambda/2N) of the squares of g and W, whatever they are called; b adds nothing."""
    X, Y = consumers.examples()
    params = NET.init(0, (2,), "float64")
    start = on(engine, params)
    result = dr.train(NET, X, Y, trainer=trainer, epochs=1, params=start, engine=engine, dtype="float64")
    params = params if trainer.cost_before_step else trees.map_leaves(np.asarray, result.params)
    squares = sum((array**2).sum() for layer in params for name, array in layer.items() if name in ("g", "W"))
    plain = float(NET.cost_and_gradient(params, X, Y)[0])
    assert result.history["cost"][0] == pytest.approx(plain + 6.0 / (2 * len(X)) * squares, rel=1e-9)


def test_max_norm_holds_the_gains(engine):
    X, Y = consumers.examples()
    trainer = dr.GradientDescent(eta=0.01, batch_size=5, max_norm=0.25)
    result = dr.train(NET, X, Y, trainer=trainer, epochs=1, seed=0, engine=engine)
    assert np.abs(np.asarray(result.params[0]["g"])).max() <= 0.25 * (1 + 1e-6)


def test_bayesian_regularisation_refuses_it_by_name():
    X, Y = consumers.examples()
    with pytest.raises(ConfigurationError, match="Scaling"):
        dr.train(NET, X, Y, trainer=dr.BayesianRegularization(), epochs=1)


def test_the_trace():
    X, Y = consumers.examples()
    params = NET.init(0, (2,), "float64")
    traced = NET.trace(params, X[0], Y[0])
    _, grads = NET.cost_and_gradient(params, X[:1], Y[:1])
    np.testing.assert_allclose(traced.layers[0].gradients["g"], grads[0]["g"], rtol=1e-12)
    assert traced.layers[0].dW is None
    assert equations(NET, 0)["z"].startswith("z^2 = g^2 ⊙ a^1")
    assert equations(NET, 0)["dg"] == "dC/dg^2 = a^1 ⊙ delta^2"


def test_the_forecast():
    consumers.assert_it_is_forecast(NET)


def test_files_and_the_report(tmp_path):
    path = tmp_path / "model.safetensors"
    params = NET.init(0, (2,), "float64")
    dr.save(path, NET, params, schema=consumers.schema().to_json())
    X, _ = consumers.examples()
    loaded, again = dr.load(path)
    assert loaded == NET
    np.testing.assert_array_equal(loaded(again, X), NET(params, X))
    assert "Scaling" in consumers.assert_it_is_reported(path, tmp_path)


@pytest.mark.parametrize("name", ["net.c", "net.py", "net.m", "net.onnx"])
def test_exports_refuse_it_by_name(name, tmp_path):
    if name.endswith("onnx"):
        pytest.importorskip("onnx")
    with pytest.raises(ConfigurationError, match="Scaling"):
        dr.export_model((NET, NET.init(0, (2,))), tmp_path / name)
    assert not (tmp_path / name).exists()


@dataclass(frozen=True)
class Told(Scaling):
    """The same layer, which says what it is in plain arrays: a dense one with a diagonal of weights."""

    def stage(self, params, input_shape):
        return dense_stage(np.diag(params["g"]), np.zeros(input_shape), "linear")


def test_a_layer_that_says_its_stage_is_exported(tmp_path, monkeypatch):
    net = dr.Network([Told(), dr.Dense(4, "tanh"), Told(), dr.Dense(1, "linear")])
    params, (X, _) = net.init(0, (2,), "float64"), consumers.examples()
    with pytest.raises(ConfigurationError, match="Told"):  # a class that nobody listed may compute anything
        dr.export_model((net, params), tmp_path / "net.py")
    monkeypatch.setitem(LAYER_KINDS, "Told", Told)
    dr.export_model((net, params), tmp_path / "net.py")
    written = {}
    exec((tmp_path / "net.py").read_text(), written)
    np.testing.assert_allclose(written["predict"](X), net(params, X), rtol=1e-12)
    dr.export_model((net, params), tmp_path / "net.c")
