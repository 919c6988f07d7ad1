"""Dropout: a mask that is drawn, scaled, remembered and switched off; its derivatives with the mask held."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines_of
from deltarule import trees
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.network import backprop
from deltarule.network.layers import LAYER_KINDS, Dense, Dropout
from deltarule.network.network import Network
from engines import assert_close, on, put, rounding

A = np.random.default_rng(0).normal(size=(200, 50)).astype("float32")


def key_for(engine, number=7):
    """A key of this engine's random numbers."""
    return engines_of.get(engine).key((number,))


def test_without_a_key_it_is_the_identity(engine):
    a = put(engine, A)
    values = Dropout(0.5).forward({}, a)
    assert values.a is values.z is a
    assert values.memory is None
    np.testing.assert_array_equal(Dropout(0.5).slope(values), np.ones((200, 50)))
    np.testing.assert_array_equal(Dropout(0.0).forward({}, a, key_for(engine)).a, a)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_entries_are_dropped_with_probability_p_and_the_rest_scaled(p, engine):
    values = Dropout(p).forward({}, put(engine, A), key_for(engine))
    kept = np.asarray(values.a) != 0
    np.testing.assert_allclose(np.asarray(values.a)[kept], A[kept] / (1 - p), rtol=1e-6)
    # 10,000 independent draws: four standard deviations of their mean
    assert abs(kept.mean() - (1 - p)) < 4 * np.sqrt(p * (1 - p) / kept.size)


def test_every_key_and_every_example_has_its_own_mask(engine):
    a = put(engine, A)
    first, again, other = (np.asarray(Dropout(0.5).forward({}, a, key_for(engine, k)).memory) for k in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert len({row.tobytes() for row in first}) == len(first)


@pytest.mark.usefixtures("float64")
def test_the_mask_does_not_depend_on_the_precision(engine):
    a, key = np.ones((20, 30)), key_for(engine)
    single, double = (
        np.asarray(Dropout(0.3).forward({}, put(engine, a.astype(d)), key).a) for d in ("float32", "float64")
    )
    np.testing.assert_array_equal(single != 0, double != 0)


def test_error_and_propagation_use_the_mask_of_the_forward_pass(engine):
    layer, a, dC_da = Dropout(0.5), put(engine, A), put(engine, np.full_like(A, 3.0))
    values = layer.forward({}, a, key_for(engine))
    np.testing.assert_allclose(layer.error(values, dC_da), 3 * np.asarray(values.memory), rtol=1e-6)
    assert layer.propagate(values, dC_da) is dC_da
    assert layer.gradient(values, dC_da) == layer.squared_jacobian(values, dC_da[:, None]) == {}
    assert layer.jacobian_transpose(values, dC_da[:, None]) == []
    assert layer.gram((a, a), (dC_da[:, None], dC_da[:, None])) == {}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("masked", [False, True], ids=["identity", "masked"])
def test_tangents_are_those_of_a_linear_layer(masked):
    jax = pytest.importorskip("jax")
    layer, key = Dropout(0.4), key_for("jax") if masked else None
    draw = np.random.default_rng(1)
    a, da, dda, v, dv = (put("jax", draw.normal(size=(6, 5))) for _ in range(5))
    values = layer.forward({}, a, key)

    def curve(t):
        return layer.forward({}, a + t * da + t * t / 2 * dda, key).a

    def velocity(t):
        return jax.jvp(curve, (t,), (1.0,))[1]

    _, bent = jax.jvp(velocity, (0.0,), (1.0,))
    tangents, still = layer.tangent(values, {}, da), layer.tangent(values, {}, None)
    np.testing.assert_allclose(tangents.da, velocity(0.0), rtol=1e-12)
    np.testing.assert_allclose(layer.second_tangent(values, tangents, dda)[1], bent, rtol=1e-12)
    for nothing in (still.dz, still.da, *layer.second_tangent(values, tangents, None)):
        assert not np.asarray(nothing).any()
    _, error = jax.jvp(lambda v: layer.error(values, v), (v,), (dv,))
    np.testing.assert_allclose(layer.error_tangent(values, tangents, v, dv), error, rtol=1e-12)
    assert layer.propagate_tangent(values, tangents, v, dv) is dv


@pytest.mark.parametrize("p", [-0.1, 1, 1.5, float("nan"), "half", None])
def test_p_is_a_probability_below_one(p):
    with pytest.raises(ConfigurationError, match=r"p, .* finite number"):
        Dropout(p)


def test_a_description_equal_by_value():
    assert Dropout(0.5) == Dropout(np.float64(0.5)) != Dropout(0.4)
    assert hash(Dropout(0.5)) == hash(Dropout(0.5))
    assert LAYER_KINDS["Dropout"] is Dropout
    assert Dropout(0.5).output_shape((3, 4)) == (3, 4)
    with pytest.raises(ShapeError, match=r"layer 0, Dropout\(0.5\), .*\{\} .* has \{'W'"):
        Network([Dropout(0.5), Dense(1)]).check([{"W": A}, {}], (3,))
    with pytest.raises(ConfigurationError, match="the last layer is Dropout"):
        dr.Network([dr.Dense(3), Dropout(0.5)])


NET = dr.Network([Dropout(0.2), dr.Dense(8, "tanh"), Dropout(0.5), dr.Dense(3, "softmax")], "log-likelihood")
PLAIN = dr.Network([dr.Dense(8, "tanh"), dr.Dense(3, "softmax")], "log-likelihood")
PARAMS = NET.init(0, (5,), "float64")
X, LABELS = np.random.default_rng(2).normal(size=(12, 5)), np.arange(12) % 3


def test_a_network_predicts_traces_and_checks_as_without_dropout(engine):
    params = on(engine, PARAMS)
    plain = [layer for layer in params if layer]
    assert_close(NET(params, X), PLAIN(plain, X), rounding(engine, 1e-13))
    assert dr.check_gradient(NET, params, X, LABELS) < 1e-6
    cost, grads = NET.cost_and_gradient(params, X, LABELS)
    expected_cost, expected = PLAIN.cost_and_gradient(plain, X, LABELS)
    assert_close([cost, [layer for layer in grads if layer]], [expected_cost, expected], rounding(engine, 1e-13))
    trace = NET.trace(params, X[0], LABELS[0])
    np.testing.assert_array_equal(trace.layers[2].a, trace.layers[1].a)
    assert trace.layers[2].dW is None
    np.testing.assert_array_equal(trace.layers[2].slope, np.ones(8))


def test_a_network_survives_its_file(tmp_path):
    dr.save(tmp_path / "net.safetensors", NET, PARAMS)
    net, params = dr.load(tmp_path / "net.safetensors")
    assert net == NET
    trees.map_leaves(np.testing.assert_array_equal, params, PARAMS)


def test_two_layers_of_dropout_draw_apart(engine):
    net = dr.Network([Dropout(0.5), Dropout(0.5), dr.Dense(1)])
    passes = backprop.forward(
        net, on(engine, net.init(0, (5,))), put(engine, np.ones((4, 5), "float32")), key_for(engine)
    )
    assert (np.asarray(passes[0].memory) != np.asarray(passes[1].memory)).any()


@pytest.mark.parametrize("batch_size", [None, 4])
def test_training_draws_masks_and_a_seed_repeats_them(batch_size, engine):
    def run(net, seed):
        trainer = dr.GradientDescent(eta=0.3, batch_size=batch_size)
        start = PARAMS if net is NET else [layer for layer in PARAMS if layer]
        return dr.train(net, X, LABELS, trainer=trainer, epochs=3, seed=seed, params=start, engine=engine)

    first, again, other = (run(NET, seed) for seed in (1, 1, 2))
    trees.map_leaves(np.testing.assert_array_equal, first.params, again.params)
    assert (np.asarray(first.params[1]["W"]) != np.asarray(other.params[1]["W"])).any()
    assert first.history["cost"][0] != run(PLAIN, 1).history["cost"][0]


def test_levenberg_marquardt_refuses_it():
    with pytest.raises(ConfigurationError, match=r"layer 0 is Dropout\(p=0.2\).* LevenbergMarquardt"):
        dr.train(NET, X, LABELS, trainer=dr.LevenbergMarquardt(), epochs=1)
