"""The dense layer as a description, its parameters and its passes. Its derivatives: `oracle/test_curves`."""

import numpy as np
import pytest

from deltarule import trees
from deltarule.engine.randomness import generator
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.network.layers import LAYER_KINDS, Dense, Layer, Pass
from deltarule.network.network import Network
from engines import on, put

pytestmark = pytest.mark.usefixtures("float64")

PARAMS = {"W": np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 1.0]]), "b": np.array([10.0, 20.0])}
A = np.array([[1.0, 1.0, 1.0], [2.0, 0.0, -1.0]])


def test_forward_by_hand(engine):
    # W a + b: (1 + 2 + 3 + 10, 0 - 1 + 1 + 20), (2 + 0 - 3 + 10, 0 + 0 - 1 + 20)
    values = Dense(2, "linear").forward(*on(engine, (PARAMS, A)))
    assert values.z.tolist() == [[16, 20], [9, 19]]
    assert values.a.tolist() == values.z.tolist()
    assert values.memory is None


def test_backward_by_hand(engine):
    layer, delta = Dense(2, "relu"), put(engine, [[1.0, 0.5], [0.0, -2.0]])
    params, a = on(engine, (PARAMS, A))
    values = layer.forward(params, a)
    # BP2': W^T delta = (1·1 + 0, 2·1 - 0.5, 3·1 + 0.5), (0, 2, -2)
    assert layer.propagate(values, delta).tolist() == [[1, 1.5, 3.5], [0, 2, -2]]
    # BP4 summed: delta^T a = (1·1 + 0, 1, 1), (0.5 - 4, 0.5, 0.5 + 2); BP3: (1 + 0, 0.5 - 2)
    grads = layer.gradient(values, delta)
    assert grads["W"].tolist() == [[1, 1, 1], [-3.5, 0.5, 2.5]]
    assert grads["b"].tolist() == [1, -1.5]


def test_error_is_dC_da_times_the_slope(engine):
    layer = Dense(2, "relu")
    values = layer.forward(*on(engine, ({"W": -PARAMS["W"], "b": np.array([10.0, -20.0])}, A)))
    # z = (-6 + 10, 0 - 20), (1 + 10, 1 - 20): the second neuron is off
    assert layer.slope(values).tolist() == [[1, 0], [1, 0]]
    assert layer.error(values, put(engine, [[3.0, 4.0], [5.0, 6.0]])).tolist() == [[3, 0], [5, 0]]


def test_the_trace_of_the_gram_by_hand(engine):
    """Two examples of one residual: delta = (1, 2) and (3, 0), a as above, M = [[2, 1], [1, 4]]."""
    delta, M = put(engine, [[[1.0, 2.0]], [[3.0, 0.0]]]), put(engine, [[2.0, 1.0], [1.0, 4.0]])
    # delta delta^T = [[5, 3], [3, 9]], so Q = [[10, 3], [3, 36]]; a^T Q a of each column of a:
    # (1, 2): 10 + 2·3·2 + 36·4 = 166; (1, 0): 10; (1, -1): 10 - 2·3 + 36 = 40. b: 10 + 3 + 3 + 36.
    a = put(engine, A)
    found = Dense(2, "linear").gram_trace(Pass({}, a, a, a), delta, M)
    assert found["W"].tolist() == [166, 10, 40]
    assert found["b"].item() == 52


@pytest.mark.parametrize("n", [0, -1, 2.0, "3", None, True])
def test_n_is_a_positive_whole_number(n):
    with pytest.raises(ConfigurationError, match="number of neurons, must be a whole number of at least 1"):
        Dense(n)


def test_a_description_that_makes_no_sense():
    with pytest.raises(ConfigurationError, match="activation 'sin' is not known"):
        Dense(2, "sin")
    with pytest.raises(ConfigurationError, match="initializer 'xavier' is not known"):
        Dense(2, initializer="xavier")
    with pytest.raises(ConfigurationError, match="softmax over n = 1 neuron is always 1"):
        Dense(1, "softmax")


def test_descriptions_are_equal_by_value():
    assert Dense(np.int64(3)) == Dense(3, "sigmoid") != Dense(3, "tanh")
    assert hash(Dense(np.int64(3))) == hash(Dense(3))
    assert type(Dense(np.int64(3)).n) is int
    assert LAYER_KINDS["Dense"] is Dense


@pytest.mark.parametrize(
    ("layer", "same"),
    [
        (Dense(50, "relu"), Dense(50, "relu", "he")),
        (Dense(50, "sigmoid"), Dense(50, "sigmoid", "new")),
        (Dense(50, "tanh"), Dense(50, "linear", "glorot")),
    ],
)
def test_the_initializer_is_its_own_or_the_activation_s(layer, same):
    found, expected = (each.init(generator(0), (4,), np.float32, {}) for each in (layer, same))
    assert {name: p.shape for name, p in found.items()} == {"W": (50, 4), "b": (50,)}
    trees.map_leaves(np.testing.assert_array_equal, found, expected)
    other = Dense(50, layer.activation, "old").init(generator(0), (4,), np.float32, {})
    assert (np.asarray(other["W"]) != np.asarray(found["W"])).all()


def test_shapes_are_checked():
    assert Dense(2).output_shape((3,)) == (2,)
    net = Network([Dense(2)])
    net.check([PARAMS], (3,))
    with pytest.raises(ShapeError, match=r"Dense\(2\) takes .*\(4, 4, 1\)"):
        net.check([PARAMS], (4, 4, 1))
    with pytest.raises(ShapeError, match=r"layer 0, Dense\(2\), .*\(2, 4\).*\(4,\).*\(2, 3\)"):
        net.check([PARAMS], (4,))
    with pytest.raises(ShapeError, match="layer 0"):
        net.check([{"W": PARAMS["W"]}], (3,))


def test_the_interface_says_what_is_missing():
    with pytest.raises(NotImplementedError):
        Layer().forward({}, A)


@pytest.mark.parametrize("m", [3, 40], ids=["few examples", "many"])
def test_tangents_along_a_gradient_that_is_not_formed(m, engine):
    """The same as the tangents along dW = delta^T a, whichever product is cheaper: 3 examples, or 40, of 20 neurons."""
    draw, layer = np.random.default_rng(0), Dense(20, "tanh")
    params = on(engine, {"W": draw.normal(size=(20, 15)), "b": draw.normal(size=20)})
    a, da, dda = (put(engine, draw.normal(size=(m, 15))) for _ in range(3))
    delta, values = put(engine, draw.normal(size=(m, 20))), layer.forward(params, a)
    move = layer.gradient(values, delta)
    for below, bent in ((None, None), (da, None), (da, dda)):
        found = layer.tangent_along_gradient(values, delta, below)
        expected = layer.tangent(values, move, below)
        assert (found.dparams is None) == (m == 3)
        ours, theirs = (
            np.array([each.dz, each.da, *layer.second_tangent(values, each, bent)]) for each in (found, expected)
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11)
