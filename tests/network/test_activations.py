"""The table of activations: values by hand, limits, and names."""

import numpy as np
import pytest

from deltarule.errors import ConfigurationError
from deltarule.network.activations import ACTIVATIONS, get_activation, softplus, step
from engines import put


@pytest.mark.parametrize(
    ("name", "z", "a", "slope", "curvature"),
    [
        # sigma(ln 3) = 3/4, sigma' = 3/4 · 1/4, sigma'' = 3/16 · (1 - 3/2)
        ("sigmoid", np.log(3), 3 / 4, 3 / 16, -3 / 32),
        ("sigmoid", 0, 1 / 2, 1 / 4, 0),
        # tanh((ln 3)/2) = (3 - 1)/(3 + 1) = 1/2, 1 - a² = 3/4, -2 a (1 - a²) = -3/4
        ("tanh", np.log(3) / 2, 1 / 2, 3 / 4, -3 / 4),
        ("relu", 2, 2, 1, 0),
        ("relu", -2, 0, 0, 0),
        ("relu", 0, 0, 0, 0),
        # ln(1 + 3) with slope sigma(ln 3)
        ("softplus", np.log(3), np.log(4), 3 / 4, 3 / 16),
        ("linear", -2, -2, 1, 0),
        ("exponential", np.log(3), 3, 3, 3),
        ("step", 0.5, 1, 0, 0),
        ("step", 0, 0, 0, 0),
        ("step", -0.5, 0, 0, 0),
    ],
)
def test_by_hand(name, z, a, slope, curvature, engine):
    activation = ACTIVATIONS[name]
    z = put(engine, np.array([z], np.float32))
    found = activation.sigma(z)
    assert found.dtype == np.float32
    assert found.item() == pytest.approx(a, rel=1e-6)
    assert activation.slope(z, found).item() == pytest.approx(slope, rel=1e-6, abs=1e-7)
    assert activation.curvature(z, found).item() == pytest.approx(curvature, rel=1e-6, abs=1e-7)


def test_softmax_by_hand(engine):
    # e^z = (1, 2, 5): a = (1, 2, 5)/8, the same wherever z starts; sigma' v = a ⊙ (v - <a, v>)
    softmax = ACTIVATIONS["softmax"]
    z = put(engine, np.log(np.array([[1, 2, 5]], np.float32)))
    a = softmax.sigma(z)
    np.testing.assert_allclose(a, [[1 / 8, 2 / 8, 5 / 8]], rtol=1e-6)
    np.testing.assert_allclose(softmax.sigma(z + 1000), a, rtol=1e-4)
    # v = (8, 0, 0): <a, v> = 1, so (7/8, -2/8, -5/8)
    np.testing.assert_allclose(
        softmax.times_slope(z, a, put(engine, np.array([[8, 0, 0]], np.float32))), [[7 / 8, -2 / 8, -5 / 8]], rtol=1e-6
    )
    # The slope that a trace shows is the diagonal of that matrix, a (1 - a).
    np.testing.assert_allclose(softmax.slope(z, a), [[7 / 64, 12 / 64, 15 / 64]], rtol=1e-6)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "exponential"])  # which is what it says
def test_nothing_overflows(name, engine):
    z = put(engine, np.array([[-1e4, 1e4]], np.float32))
    activation = ACTIVATIONS[name]
    a = activation.sigma(z)
    for values in (a, activation.slope(z, a), activation.curvature(z, a), activation.times_slope(z, a, z)):
        assert np.isfinite(values).all()


def test_softplus_keeps_what_is_small(engine):
    # ln(1 + e^-30) = e^-30 to one part in e^30
    z = put(engine, np.array([-30, 0, 1e4], np.float32))
    np.testing.assert_allclose(softplus(z), [np.exp(-30), np.log(2), 1e4], rtol=1e-6)


def test_step_has_the_type_of_its_input(engine):
    assert step(put(engine, np.ones(1, np.float32))).dtype == np.float32


def test_only_the_step_cannot_be_trained_and_only_softmax_mixes():
    assert [name for name, activation in ACTIVATIONS.items() if not activation.trainable] == ["step"]
    assert [name for name, activation in ACTIVATIONS.items() if not activation.elementwise] == ["softmax"]


def test_names():
    assert get_activation("tanh").name == "tanh"
    with pytest.raises(ConfigurationError, match="activation 'sigmoidal'"):
        get_activation("sigmoidal")
