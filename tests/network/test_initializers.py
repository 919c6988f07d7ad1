"""The schemes have the means and variances that they promise, and each activation has its default."""

import numpy as np
import pytest

from deltarule.engine.randomness import generator
from deltarule.errors import ConfigurationError
from deltarule.network.activations import ACTIVATIONS
from deltarule.network.initializers import INITIALIZERS, get_initializer

N_OUT, N_IN = 200, 300


def draw(name, n_out=N_OUT, n_in=N_IN, dtype=np.float32, seed=0):
    return [np.asarray(values) for values in INITIALIZERS[name](generator(seed), n_out, n_in, dtype)]


@pytest.mark.parametrize(
    ("name", "variance"), [("old", 1), ("new", 1 / N_IN), ("glorot", 2 / (N_IN + N_OUT)), ("he", 2 / N_IN)]
)
def test_the_weights_have_their_variance(name, variance):
    W, _ = draw(name)
    assert W.shape == (N_OUT, N_IN)
    # 60,000 draws: the mean is within 5 of its standard errors, the variance within 5 · √(2/60,000) = 2.9 %.
    assert abs(W.mean()) < 5 * np.sqrt(variance / W.size)
    assert W.var() == pytest.approx(variance, rel=0.029)


@pytest.mark.parametrize("name", ["old", "new"])
def test_the_biases_are_standard_normal(name):
    _, b = draw(name, n_out=20_000, n_in=1)
    assert b.shape == (20_000,)
    assert abs(b.mean()) < 5 / np.sqrt(b.size)
    assert b.var() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("name", ["glorot", "he"])
def test_the_biases_are_zero(name):
    assert not draw(name)[1].any()


@pytest.mark.parametrize(("n_out", "n_in"), [(7, 1), (6, 3), (1, 4)])
def test_nguyen_widrow(n_out, n_in):
    W, b = draw("nguyen-widrow", n_out, n_in)
    lengths = np.linalg.norm(W, axis=1)
    np.testing.assert_allclose(lengths, lengths[0], rtol=1e-5)  # directions at random, one length
    np.testing.assert_allclose(
        b * np.sign(W[:, 0]), lengths[0] * (np.linspace(-1, 1, n_out) if n_out > 1 else 0), rtol=1e-5, atol=1e-6
    )


def test_nguyen_widrow_tiles_the_interval():
    """With one input neuron j is active around x_j = -b_j/w_j, and these are spread evenly over [-1, 1]."""
    W, b = draw("nguyen-widrow", 9, 1)
    np.testing.assert_allclose(np.sort(-b / W[:, 0]), np.linspace(-1, 1, 9), atol=1e-6)


def test_nguyen_widrow_grows_with_the_number_of_neurons():
    # length ~ n_out^(1/n_in): 4 times the neurons on 2 inputs have weights twice as long
    few, many = (np.linalg.norm(draw("nguyen-widrow", n, 2)[0][0]) for n in (5, 20))
    assert many == pytest.approx(2 * few, rel=1e-5)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_a_seed_is_a_network_and_a_dtype_is_kept(name):
    first, again, other = (draw(name, 3, 4, np.float64, seed) for seed in (1, 1, 2))
    assert first[0].dtype == first[1].dtype == np.float64
    assert {values.dtype for values in draw(name, 3, 4)} == {np.dtype("float32")}
    np.testing.assert_array_equal(first[0], again[0])
    assert (first[0] != other[0]).all()


def test_every_activation_has_a_default():
    assert {activation.initializer for activation in ACTIVATIONS.values()} <= set(INITIALIZERS)
    assert ACTIVATIONS["tanh"].initializer == "glorot"
    assert ACTIVATIONS["relu"].initializer == "he"


def test_names():
    assert get_initializer("he") is INITIALIZERS["he"]
    with pytest.raises(ConfigurationError, match="initializer 'xavier'"):
        get_initializer("xavier")
