"""The network as a description: what it refuses, its shapes, and the precision it computes in."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.engine import jax_is_installed
from deltarule.errors import ConfigurationError, DataError, ShapeError
from engines import on, put

NET = dr.Network([dr.Dense(4, "tanh"), dr.Dense(3, "softmax")], "log-likelihood")
X = np.arange(10.0).reshape(5, 2) / 10


@pytest.fixture
def params(engine):
    return on(engine, NET.init(0, input_shape=(2,)))


def test_equal_descriptions_are_equal_and_hash_alike():
    again = dr.Network((dr.Dense(4, "tanh"), dr.Dense(np.int64(3), "softmax")), dr.LogLikelihood())
    assert again == NET
    assert hash(again) == hash(NET)
    assert dr.Network(NET.layers) != NET
    assert (NET.outputs, NET.output_activation.name) == (3, "softmax")


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "at least one layer"),
        (dr.Dense(3), r"layers is Dense\(n=3, .*\): give a list"),
        ([dr.Dense(2), 3], r"layers\[1\] is 3"),
        ([dr.Dense(2, "softmax"), dr.Dense(2)], r"layers\[0\] is softmax"),
    ],
)
def test_a_stack_that_makes_no_sense(layers, message):
    with pytest.raises(ConfigurationError, match=message):
        dr.Network(layers)


def test_init_is_a_list_of_dicts_of_numpys_arrays():
    params = NET.init(0, input_shape=(2,))
    assert [{name: p.shape for name, p in layer.items()} for layer in params] == [
        {"W": (4, 2), "b": (4,)},
        {"W": (3, 4), "b": (3,)},
    ]
    assert {(type(p), p.dtype) for p in trees.leaves(params)} == {(np.ndarray, np.dtype("float32"))}


def test_a_seed_is_a_start():
    params, again, other = (NET.init(seed, (2,)) for seed in (0, 0, 1))
    trees.map_leaves(np.testing.assert_array_equal, params, again)
    assert (np.asarray(other[0]["W"]) != np.asarray(params[0]["W"])).all()
    # Two layers of one shape do not start alike.
    twins = dr.Network([dr.Dense(2), dr.Dense(2)]).init(0, (2,))
    assert (np.asarray(twins[0]["W"]) != np.asarray(twins[1]["W"])).all()


def test_the_first_of_several_starts_is_that_of_init():
    """The first starts do not depend on how many there are."""
    three, two = NET.starts(5, 3, (2,), "float64"), NET.starts(5, 2, (2,), "float64")
    trees.map_leaves(np.testing.assert_array_equal, three[0], NET.init(5, (2,), "float64"))
    trees.map_leaves(np.testing.assert_array_equal, three[:2], two)
    assert (three[0][0]["W"] != three[1][0]["W"]).all()


def test_a_start_in_float32_is_that_in_float64_rounded():
    single, double = NET.init(0, (2,)), NET.init(0, (2,), "float64")
    trees.map_leaves(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), single, double)


def test_a_key_of_jax_is_a_start():
    jax = pytest.importorskip("jax")
    one, again, other = (NET.init(jax.random.key(seed), (2,)) for seed in (0, 0, 1))
    trees.map_leaves(np.testing.assert_array_equal, one, again)
    assert (one[0]["W"] != other[0]["W"]).all()


@pytest.mark.parametrize("shape", [(), (2, 2)])
def test_init_needs_a_flat_input(shape):
    with pytest.raises(ShapeError, match="takes a flat input"):
        NET.init(0, shape)


def test_init_refuses_another_dtype():
    with pytest.raises(ConfigurationError, match=r"dtype .*is 'int32'"):
        NET.init(0, (2,), "int32")


def test_float64_parameters_give_float64_outside_any_context(engine):
    params = on(engine, NET.init(0, (2,), "float64"))
    outputs = NET(params, X)
    cost, grads = NET.cost_and_gradient(params, X, [0, 1, 2, 0, 1])
    assert outputs.dtype == cost.dtype == grads[0]["W"].dtype == np.float64
    np.testing.assert_allclose(np.asarray(outputs).sum(axis=1), 1, rtol=1e-15)
    assert NET.trace(params, X[0], 1).layers[0].z.dtype == np.float64
    if engine == "jax":
        import jax

        assert not jax.config.jax_enable_x64
        assert jax.numpy.ones(1).dtype == np.float32


def test_results_are_arrays_of_the_engine_of_the_parameters(engine, params):
    """For any types of X and Y."""
    kind = type(params[0]["W"])
    for given in (X, put("jax", X)) if jax_is_installed() else (X,):
        cost, grads = NET.cost_and_gradient(params, given, [0, 1, 2, 0, 1])
        assert isinstance(NET(params, given), kind)
        assert {type(array) for array in trees.leaves(grads)} == {kind}
        assert isinstance(cost, np.floating if engine == "numpy" else kind)


def test_float32_parameters_give_float32(params):
    cost, grads = NET.cost_and_gradient(params, X, [0, 1, 2, 0, 1])
    assert NET(params, X).dtype == cost.dtype == grads[1]["b"].dtype == np.float32


def test_inputs_are_anything_numpy_can_read(params):
    expected = NET(params, X)
    jaxs = [put("jax", X)] if jax_is_installed() else []
    for given in (X.tolist(), X.astype("float32"), *jaxs, X[:, ::-1][:, ::-1]):
        np.testing.assert_allclose(NET(params, given), expected, rtol=1e-6)


def test_what_was_given_may_be_changed_at_once(engine):
    """JAX computes while Python goes on, and reads an aligned NumPy array where it lies."""
    net = dr.Network([dr.Dense(200, "tanh"), dr.Dense(2, "linear")])
    params = on(engine, net.init(0, (400,)))
    held = np.zeros(2000 * 400 * 4 + 64, np.uint8)
    start = -held.ctypes.data % 64
    X = held[start : start + 2000 * 400 * 4].view(np.float32).reshape(2000, 400)
    Y = np.zeros((2000, 2), np.float32)
    for compute in (lambda: net(params, X), lambda: net.cost_and_gradient(params, X, Y)[1][0]["W"]):
        X[:] = 1
        expected = np.array(compute())
        found = compute()
        X[:] = 0
        np.testing.assert_array_equal(found, expected)


def test_classes_become_one_hot_rows(params):
    labels = [2, 0, 1, 1, 0]
    cost, _ = NET.cost_and_gradient(params, X, labels)
    jaxs = [put("jax", np.array(labels, np.int32))] if jax_is_installed() else []
    for Y in (np.eye(3)[labels], np.array(labels, np.uint8), *jaxs, np.eye(3)[labels].astype(int)):
        np.testing.assert_allclose(NET.cost_and_gradient(params, X, Y)[0], cost, rtol=1e-6)


def test_one_output_takes_a_flat_target(engine):
    net = dr.Network([dr.Dense(1)])
    params = on(engine, net.init(0, (2,)))
    flat, column = (net.cost_and_gradient(params, X, Y)[0] for Y in ([1, 0, 1, 0, 1], [[1], [0], [1], [0], [1]]))
    assert flat == column


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.zeros(2), ShapeError, r"X has shape \(2,\).*X\[None\]"),
        (np.zeros((4, 3)), ShapeError, r"layer 0, Dense\(4\), needs .*'W': \(4, 3\)"),
        (np.zeros((4, 2, 1)), ShapeError, r"Dense\(4\) takes .*\(2, 1\)"),
        ([["a", "b"]], DataError, r"X cannot .*\(N, n_1\)"),
        ([[1, 2], [3]], DataError, "X cannot be read as numbers"),
    ],
)
def test_inputs_that_do_not_fit(params, X, error, message):
    with pytest.raises(error, match=message):
        NET(params, X)


@pytest.mark.parametrize(
    ("Y", "error", "message"),
    [
        ([0, 1, 2, 3, 0], DataError, "Y names classes 0..3.* 3 outputs"),
        ([0, 1, -1, 0, 0], DataError, r"Y names classes -1..1"),
        ([0, 1], ShapeError, r"Y has shape \(2, 3\).* need \(5, 3\)"),
        (np.zeros((5, 2)), ShapeError, r"Y has shape \(5, 2\)"),
        ([0.0, 1.0, 2.0, 0.0, 0.0], ShapeError, r"Y has shape \(5,\)"),
        ([["a"] * 3] * 5, DataError, r"Y cannot .*\(N, 3\)"),
    ],
)
def test_targets_that_do_not_fit(params, Y, error, message):
    with pytest.raises(error, match=message):
        NET.cost_and_gradient(params, X, Y)


def test_parameters_of_another_network(params):
    with pytest.raises(ShapeError, match=r"2 layers .*for 1"):
        NET(params[:1], X)
    with pytest.raises(ShapeError, match=r"layer 1, Dense\(3\), needs .* has .*'W': \(3, 5\)"):
        NET([params[0], {"W": np.zeros((3, 5)), "b": np.zeros(3)}], X)
    with pytest.raises(ConfigurationError, match="the parameters hold no arrays"):
        NET([{}, {}], X)


def test_no_rows(params):
    assert NET(params, np.zeros((0, 2))).shape == (0, 3)
    with pytest.raises(DataError, match="X has no rows"):
        NET.cost_and_gradient(params, np.zeros((0, 2)), np.zeros((0, 3)))
