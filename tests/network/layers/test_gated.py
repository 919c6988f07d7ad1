"""Layers with a memory as descriptions: shapes and fresh parameters. Derivatives: `oracle/test_recurrent`."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.engine.randomness import generator
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.network.layers import LAYER_KINDS

KINDS = {"Recurrent": 1, "GRU": 3, "LSTM": 4}  # and how many gates a neuron has


@pytest.fixture(params=KINDS)
def kind(request):
    return getattr(dr, request.param)


@pytest.mark.parametrize("n", [0, -1, 2.0, "3", None, True])
def test_n_is_a_positive_whole_number(kind, n):
    with pytest.raises(ConfigurationError, match=f"{kind.__name__}: n .* at least 1"):
        kind(n)


def test_a_description_that_makes_no_sense(kind):
    with pytest.raises(ConfigurationError, match=r"truncate .*is 0"):
        kind(2, truncate=0)
    with pytest.raises(ConfigurationError, match="sequences is 'last'"):
        kind(2, sequences="last")
    with pytest.raises(ConfigurationError, match="initializer 'xavier' is not known"):
        kind(2, initializer="xavier")


def test_activations_of_the_recurrent_layer():
    assert dr.Recurrent(3) == dr.Recurrent(np.int64(3), "tanh") != dr.Recurrent(3, "relu")
    with pytest.raises(ConfigurationError, match="activation 'sin' is not known"):
        dr.Recurrent(2, "sin")
    with pytest.raises(ConfigurationError, match="activation is 'softmax'"):
        dr.Recurrent(2, "softmax")


def test_shapes(kind):
    gates = KINDS[kind.__name__]
    assert kind(4).output_shape((7, 3)) == (7, 4)
    assert kind(4, sequences=False).output_shape((7, 3)) == (4,)
    assert kind(4).parameter_shapes((7, 3)) == {"W": (4 * gates, 3), "V": (4 * gates, 4), "b": (4 * gates,)}
    assert kind(4).multiplications((7, 3)) == 7 * gates * 4 * (3 + 4)
    assert kind(4).sequential_calls((7, 3)) == 7
    assert kind(4).saved_numbers((7, 3)) >= 7 * 4 * (gates + 2)
    assert [kind(4).role(name) for name in ("W", "V", "b")] == ["weight", "weight", "bias"]
    assert LAYER_KINDS[kind.__name__] is kind
    with pytest.raises(ShapeError, match=rf"{kind.__name__}\(4\) goes .*\(steps, features\)"):
        kind(4).output_shape((12,))


def test_fresh_parameters(kind):
    """V orthogonal gate by gate but for a share, the bias of the LSTM's f 1, W of the initializer's spread."""
    layer = kind(30)
    params = layer.init(generator(0), (5, 20), np.float64, {"tanh": "nguyen-widrow"})
    for V in np.split(params["V"], layer.gates):
        np.testing.assert_allclose(V @ V.T, 0.49 * np.eye(30), atol=1e-12)
    assert np.std(params["W"]) == pytest.approx((2 / 50) ** 0.5, rel=0.1)  # glorot's
    assert params["b"].tolist() == [0] * 30 * layer.gates if kind is not dr.LSTM else [0] * 30 + [1] * 30 + [0] * 60
    assert layer.init(generator(0), (5, 20), np.float32, {})["V"].dtype == np.float32
    he = kind(30, initializer="he").init(generator(0), (5, 20), np.float64, {})
    assert np.std(he["W"]) == pytest.approx((2 / 20) ** 0.5, rel=0.1)


def test_dense_takes_every_step_only_beside_a_memory():
    net = dr.Network([dr.Dense(4, "tanh"), dr.GRU(2), dr.Dense(3, "linear")])
    assert net.shapes((7, 2)) == [(7, 2), (7, 4), (7, 2), (7, 3)]
    assert (net.sizes((7, 2)).steps, net.is_recurrent) == (7, True)
    with pytest.raises(ShapeError, match=r"Dense\(4\) takes .*\(7, 2\)"):
        dr.Network([dr.Dense(4)]).shapes((7, 2))


def test_max_norm_holds_all_that_enters_a_neuron(kind):
    """A row of W and the row of V beside it are one neuron's (or gate's) weights."""
    from deltarule.network.regularization import limit_norms

    net = dr.Network([kind(3), dr.Dense(1)])
    params = [{name: 10 * p for name, p in layer.items()} for layer in net.init(0, (4, 2), "float64")]
    limited = limit_norms(net.layers, params, 2.0)[0]
    rows = np.concatenate([limited["W"], limited["V"]], axis=1)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 2.0, rtol=1e-12)
    np.testing.assert_array_equal(limited["b"], params[0]["b"])


def test_it_is_saved_and_loaded(kind, tmp_path):
    net = dr.Network([dr.Dense(2, "tanh"), kind(3, sequences=False, truncate=4), dr.Dense(1, "linear")])
    params = net.init(0, (5, 2), "float64")
    dr.save(tmp_path / "net.safetensors", net, params)
    again, found = dr.load(tmp_path / "net.safetensors")
    assert again == net
    X = np.random.default_rng(0).normal(size=(4, 6, 2))
    np.testing.assert_array_equal(again(found, X), net(params, X))
