"""The checks of a user's numbers: what passes, what does not, and what the message says."""

import numpy as np
import pytest

from deltarule.domain import require_choice, require_count, require_number
from deltarule.errors import ConfigurationError, DataError, DeltaruleError, ModelFileError, ShapeError


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2), np.asarray(2)])
def test_a_number_comes_back_as_a_float(value):
    found = require_number("eta", value, above=0)
    assert type(found) is float
    assert found == 2


@pytest.mark.parametrize("value", ["2", None, True, float("nan"), float("inf"), -float("inf"), 2j, [2], np.ones(2)])
def test_what_is_no_number(value):
    with pytest.raises(ConfigurationError, match=r"eta must be a finite number, and is .*: give such a value\."):
        require_number("eta", value)


@pytest.mark.parametrize(
    ("value", "limits", "rule"),
    [
        (0, {"above": 0}, "a finite number above 0, and is 0"),
        (-1e-9, {"least": 0}, "a finite number of at least 0, and is -1e-09"),
        (1, {"least": 0, "below": 1}, "a finite number of at least 0 and below 1, and is 1"),
    ],
)
def test_outside_the_range(value, limits, rule):
    with pytest.raises(ConfigurationError, match=f"mu must be {rule}"):
        require_number("mu", value, **limits)


def test_the_ends_of_the_range():
    assert require_number("mu", 0, least=0, below=1) == 0
    assert require_number("mu", np.nextafter(1, 0), least=0, below=1) < 1
    assert require_number("eta", 5e-324, above=0) > 0


def test_a_number_of_jax():
    jnp = pytest.importorskip("jax.numpy")
    found = require_number("eta", jnp.asarray(2.0), above=0)
    assert type(found) is float
    assert found == 2
    with pytest.raises(ConfigurationError, match="eta must be a finite number"):
        require_number("eta", jnp.ones(2))


def test_a_traced_value_passes():
    jax = pytest.importorskip("jax")
    assert jax.jit(lambda eta: require_number("eta", eta, above=0))(-1.0) == -1


@pytest.mark.parametrize("value", [3, np.int32(3), np.uint8(3)])
def test_a_count_comes_back_as_an_int(value):
    found = require_count("epochs", value)
    assert type(found) is int
    assert found == 3


@pytest.mark.parametrize("value", [0, -1, 1.0, 1.5, "1", None, True])
def test_what_is_no_count(value):
    with pytest.raises(
        ConfigurationError, match=r"epochs must be a whole number of at least 1, and is .*: give such a value"
    ):
        require_count("epochs", value)


def test_a_choice():
    assert require_choice("monitor", "cost", ("cost", "accuracy")) == "cost"
    with pytest.raises(
        ConfigurationError, match="monitor must be one of cost, accuracy, and is 'loss': choose one of them"
    ):
        require_choice("monitor", "loss", ("cost", "accuracy"))


@pytest.mark.parametrize("kind", [ConfigurationError, ShapeError, DataError, ModelFileError])
def test_every_error_is_a_value_error_too(kind):
    assert issubclass(kind, DeltaruleError)
    assert issubclass(kind, ValueError)
