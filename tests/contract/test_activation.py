"""A made-up activation, defined here in a few lines, goes through everything that asks for one."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

import deltarule as dr
from contract import consumers
from deltarule.errors import ConfigurationError, ModelFileError
from deltarule.network.activations import ACTIVATIONS, sigmoid

# a = z s with s = 1/(1 + e^-z): a' = s + a (1 - s), a'' = s (1 - s) (2 + z (1 - 2 s))
SILU = dr.Activation(
    "silu",
    sigma=lambda z: z * sigmoid(z),
    slope=lambda z, a: sigmoid(z) + a * (1 - sigmoid(z)),
    curvature=lambda z, a: sigmoid(z) * (1 - sigmoid(z)) * (2 + z * (1 - 2 * sigmoid(z))),
    initializer="he",
    words="z / (1 + e^-z)",
    slope_words="s + a (1 - s), s = 1 / (1 + e^-z)",
    written={
        "c": "z / (1.0 + exp(-z))",
        "numpy": "z / (1 + np.exp(-z))",
        "octave": "z ./ (1 + exp(-z))",
        "onnx": "z * Sigmoid(z)",
    },
)


@pytest.fixture(autouse=True)
def silu():
    """SILU is known during a test."""
    dr.add_activation(SILU)
    yield
    del ACTIVATIONS["silu"]


def network(output="linear"):
    return dr.Network([dr.Dense(4, "silu"), dr.Dense(1, output)])


@consumers.every_trainer(bayesian=consumers.BAYESIAN["primal"], bayesian_dual=consumers.BAYESIAN["dual"])
def test_every_trainer(trainer, engine):
    X, Y = consumers.examples()
    consumers.assert_it_trains(network(), trainer, engine, X, Y)


@pytest.mark.parametrize("output", ["linear", "silu"])
def test_derivatives(output, engine):
    consumers.assert_derivatives(network(output), engine, *consumers.examples())


def test_the_forms_of_a_step_agree(engine):
    X, Y = consumers.examples()
    trainers = [dr.LevenbergMarquardt(solver=solver, cg_tolerance=1e-14) for solver in ("primal", "dual", "cg")]
    costs = [
        dr.train(network("silu"), X, Y, trainer=trainer, epochs=2, seed=1, engine=engine).history["cost"][-1]
        for trainer in trainers
    ]
    np.testing.assert_allclose(costs, costs[0], rtol=1e-6)


def test_its_weights_start_as_its_record_says():
    he, silu = (dr.Network([dr.Dense(50, *words)]).init(0, (3,)) for words in (("relu", "he"), ("silu",)))
    np.testing.assert_array_equal(he[0]["W"], silu[0]["W"])


def test_in_images(engine):
    net = dr.Network([dr.Reshape((3, 3, 1)), dr.Convolution(2, 2, "silu"), dr.Flatten(), dr.Dense(1, "linear")])
    X = np.random.default_rng(0).normal(size=(12, 9))
    assert dr.check_gradient(net, net.init(0, (9,), "float64"), X, X[:, :1]) < 1e-6


def test_the_trace():
    found = consumers.assert_it_is_traced(network("silu"), *consumers.examples())
    assert found["a"].startswith("a^3 = sigma(z^3) = z / (1 + e^-z)")
    assert found["slope"].endswith(SILU.slope_words)


def test_the_forecast():
    consumers.assert_it_is_forecast(network())


def test_files_and_the_report(tmp_path):
    net, path = network(), tmp_path / "model.safetensors"
    params = net.init(0, (2,), "float64")
    dr.save(path, net, params, schema=consumers.schema().to_json())
    X, _ = consumers.examples()
    loaded, again = dr.load(path)
    assert loaded == net
    np.testing.assert_array_equal(loaded(again, X), net(params, X))
    assert "silu" in consumers.assert_it_is_reported(path, tmp_path)
    saved = ACTIVATIONS.pop("silu")
    try:
        with pytest.raises(ModelFileError, match=r"'silu' is not known.*deltarule.add_activation"):
            dr.load(path)
    finally:
        ACTIVATIONS["silu"] = saved


@pytest.mark.parametrize("regularization", ["bayesian", "early-stopping"])
def test_estimators(regularization, tmp_path):
    X, Y = consumers.examples()
    model = dr.NetworkRegressor(hidden=(4,), activation="silu", regularization=regularization, random_state=0)
    model.fit(X, Y[:, 0])
    assert model.score(X, Y[:, 0]) > 0.9
    model.save(tmp_path / "model.safetensors")
    assert dr.load(tmp_path / "model.safetensors")[0] == model.net_
    classes = dr.NetworkClassifier(hidden=(4,), activation="silu", random_state=0).fit(X, Y[:, 0] > 0)
    assert classes.score(X, Y[:, 0] > 0) > 0.8


@pytest.mark.parametrize("language", ["c", "python", "onnx"])
def test_exports(language, tmp_path):
    if language == "c" and shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    if language == "onnx":
        pytest.importorskip("onnx")
    X, Y = consumers.examples()
    model = dr.NetworkRegressor(hidden=(4,), activation="silu", epochs=20, random_state=0).fit(X, Y[:, 0])
    found = consumers.exported(model, language, tmp_path, X)
    np.testing.assert_allclose(found[:, 0], model.predict(X), rtol=1e-10, atol=1e-12)


def test_octave_and_floats(tmp_path):
    net = network("silu")
    params = net.init(0, (2,), "float64")
    assert "a = z ./ (1 + exp(-z));" in dr.export_model((net, params), tmp_path / "net.m").read_text()
    assert "z / (1.0f + expf(-z))" in dr.export_model((net, params), tmp_path / "net.c", precision="float").read_text()


@pytest.mark.parametrize("name", ["net.c", "net.py", "net.m", "net.onnx"])
def test_without_its_dialect_an_export_is_refused_by_name(name, tmp_path):
    if name.endswith("onnx"):
        pytest.importorskip("onnx")
    plain = dr.add_activation(replace(SILU, name="plain-silu", written={}))
    try:
        net = dr.Network([dr.Dense(3, "plain-silu"), dr.Dense(1, "linear")])
        with pytest.raises(ConfigurationError, match="activation 'plain-silu'"):
            dr.export_model((net, net.init(0, (2,))), tmp_path / name)
        assert not (tmp_path / name).exists()
    finally:
        del ACTIVATIONS[plain.name]


@pytest.mark.parametrize("text", ["z * Sigmoidal(z)", "z *", "y + 1", "import os", "z if z else z"])
def test_an_onnx_text_that_is_none_is_refused(text, tmp_path):
    pytest.importorskip("onnx")
    dr.add_activation(replace(SILU, name="odd", written={"onnx": text}))
    try:
        net = dr.Network([dr.Dense(1, "odd")])
        with pytest.raises(ConfigurationError, match=r"'odd' .*ONNX"):
            dr.export_model((net, net.init(0, (2,))), tmp_path / "net.onnx")
    finally:
        del ACTIVATIONS["odd"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "'silu' exists"),
        ({"name": "tanh"}, "'tanh' exists"),
        ({"name": "two words"}, "'two words'"),
        ({"name": "odd", "slope": lambda z, a: sigmoid(z)}, "slope of activation 'odd'"),
        ({"name": "odd", "curvature": lambda z, a: 0 * z}, "curvature of activation 'odd'"),
        ({"name": "odd", "sigma": lambda z: z.sum()}, "returns shape"),
        ({"name": "odd", "sigma": "z"}, "sigma of activation 'odd' is 'z'"),
        ({"name": "odd", "initializer": "xavier"}, "initializer 'xavier' is not known"),
        ({"name": "odd", "words": 3}, "words of activation 'odd' is 3"),
        ({"name": "odd", "written": {"cobol": "z"}}, "'cobol'"),
        ({"name": "odd", "written": {"c": " "}}, "' ' for 'c'"),
        ({"name": "odd", "written": "z"}, "written of activation 'odd' is 'z'"),
    ],
)
def test_a_bad_record_is_refused(changes, words):
    known = list(ACTIVATIONS)
    with pytest.raises(ConfigurationError, match=words):
        dr.add_activation(replace(SILU, **changes))
    assert list(ACTIVATIONS) == known


def test_only_an_activation_is_added():
    with pytest.raises(ConfigurationError, match=r"give a deltarule.Activation"):
        dr.add_activation("silu")  # pyright: ignore[reportArgumentType]
