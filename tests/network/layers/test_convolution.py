"""Convolution as a description and in a network. Its numbers: `by_hand/` and `oracle/test_convolution`."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.errors import ConfigurationError, ShapeError
from engines import on

RANDOM = np.random.default_rng(0)
NET = dr.Network(
    [dr.Convolution(3, (3, 2), "relu", padding="same"), dr.MaxPool(2), dr.Flatten(), dr.Dense(2, "softmax")],
    cost="log-likelihood",
)
X, LABELS = RANDOM.normal(size=(12, 5, 6, 2)), np.arange(12) % 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 3), "filters .* is 0"),
        ((2.5, 3), "filters .* is 2.5"),
        ((2, 0), "kernel's size is 0"),
        ((2, (3, 3, 3)), r"the kernel's size is \(3, 3, 3\)"),
        ((2, (3, True)), "the kernel's size"),
        ((2, "5x5"), "the kernel's size is '5x5'"),
        ((2, 3, "swish"), "activation 'swish' is not known"),
        ((2, 3, "softmax"), "'softmax', .*last layer only"),
        ((2, 3, "relu", 0), "stride is 0"),
        ((2, 3, "relu", 1, "full"), "padding .*'full'"),
        ((2, 3, "relu", 1, "same", "zeros"), "initializer 'zeros' is not known"),
    ],
)
def test_a_bad_description(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        dr.Convolution(*arguments)


def test_a_description_equal_by_value():
    assert dr.Convolution(2, 3) == dr.Convolution(2, [3, 3], stride=(1, 1)) != dr.Convolution(2, 3, stride=2)
    assert hash(dr.Convolution(2, 3)) == hash(dr.Convolution(2, (3, 3)))
    assert dr.Convolution(2, (3, 5)).label == "Convolution(2, 3x5)"


@pytest.mark.parametrize(
    ("padding", "stride", "shape"),
    [
        ("valid", 1, (3, 5, 3)),
        ("valid", 2, (2, 3, 3)),
        ("same", 1, (5, 6, 3)),
        ("same", 2, (3, 3, 3)),
        ("valid", (3, 4), (1, 2, 3)),
    ],
)
def test_shapes(padding, stride, shape, engine):
    layer = dr.Convolution(3, (3, 2), "tanh", stride, padding)
    assert layer.output_shape((5, 6, 2)) == shape
    params = dr.Network([layer, dr.Flatten(), dr.Dense(1)]).init(0, (5, 6, 2))[0]
    assert params["W"].shape == (3, 3, 2, 2)
    assert params["b"].shape == (3,)
    assert layer.forward(*on(engine, (params, X.astype("float32")))).a.shape == (12, *shape)


def test_weights_start_as_those_of_one_receptive_field():
    W = dr.Network([dr.Convolution(4000, 3, "relu"), dr.Flatten(), dr.Dense(1)]).init(0, (3, 3, 2))[0]["W"]
    assert np.std(W) == pytest.approx(np.sqrt(2 / 18), rel=0.02)


def test_errors_list_the_shapes_so_far():
    net = dr.Network([dr.Reshape((8, 8, 1)), dr.Convolution(4, 5), dr.MaxPool(2), dr.Convolution(4, 5), dr.Dense(2)])
    shapes = r"input \(64,\), Reshape\(8x8x1\) \(8, 8, 1\), Convolution\(4, 5x5\) \(4, 4, 4\), MaxPool"
    with pytest.raises(ShapeError, match=rf"Convolution\(4, 5x5\) .*\(2, 2, 4\).*: {shapes}"):
        net.init(0, (64,))
    with pytest.raises(ShapeError, match=r"Dense\(1\) .*: input \(8, 8, 1\), Conv"):
        dr.Network([dr.Convolution(4, 5), dr.Dense(1)]).init(0, (8, 8, 1))
    with pytest.raises(ShapeError, match=r"\(height, width, channels\).*Reshape"):
        dr.Network([dr.Convolution(4, 5), dr.Dense(1)]).init(0, (64,))


def test_a_network_of_images_trains_saves_traces_and_checks(tmp_path, engine):
    trained = dr.train(
        NET, X, LABELS, trainer=dr.GradientDescent(eta=0.2, batch_size=4), epochs=40, seed=1,
        record=["learning_speed"], dtype="float64", engine=engine,
    )  # fmt: skip
    assert trained.history["cost"][-1] < 0.3 * trained.history["cost"][0]
    assert trained.history["learning_speed"].shape == (40, 2)
    dr.save(tmp_path / "m.safetensors", NET, trained.params)
    net, params = dr.load(tmp_path / "m.safetensors")
    assert net == NET
    assert trained.engine == engine
    np.testing.assert_array_equal(net(on(engine, params), X), NET(trained.params, X))
    trace = net.trace(params, X[0], 1)
    assert [layer.a.shape for layer in trace.layers] == [(5, 6, 3), (2, 3, 3), (18,), (2,)]
    assert trace.layers[0].dW.shape == (3, 3, 2, 2)
    assert dr.check_gradient(net, params, X, LABELS) < 1e-7


def test_many_examples_go_through_in_parts(monkeypatch, engine):
    from deltarule.network import evaluation

    params = on(engine, NET.init(0, X.shape[1:]))
    whole, (cost, grads) = np.asarray(NET(params, X)), NET.cost_and_gradient(params, X, LABELS)
    monkeypatch.setattr(evaluation, "EVALUATION_BYTES", 5 * 4 * NET.sizes(X.shape[1:]).neurons)
    np.testing.assert_allclose(NET(params, X), whole, rtol=1e-6)
    in_parts, grads_in_parts = NET.cost_and_gradient(params, X, LABELS)
    np.testing.assert_allclose(in_parts, cost, rtol=1e-6)
    trees.map_leaves(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), grads_in_parts, grads)


@pytest.mark.parametrize("channels", [1, 4])
def test_no_example_at_all(channels, engine):
    """Such as an empty part of the data: as of every other layer, outputs of shape (0, ...)."""
    net = dr.Network([dr.Convolution(3, 2), dr.MaxPool(2), dr.Flatten(), dr.Dense(2)])
    params = on(engine, net.init(0, (5, 5, channels)))
    assert net(params, np.zeros((0, 5, 5, channels), np.float32)).shape == (0, 2)


def test_sizes_may_be_arrays():
    assert dr.Convolution(3, np.array([3, 2]), stride=np.array(2)) == dr.Convolution(3, (3, 2), stride=2)
    with pytest.raises(ConfigurationError, match="give one whole number"):
        dr.Convolution(3, np.array([[1, 2], [3, 4]]))
