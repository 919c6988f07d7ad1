"""float64 only where the parameters are float64, and JAX's global settings left alone."""

import subprocess
import sys

import numpy as np
import pytest

from deltarule import engine
from deltarule.checks import as_dtype, dtype_of
from deltarule.errors import ConfigurationError


def test_importing_deltarule_changes_no_setting_of_jax():
    pytest.importorskip("jax")
    program = (
        "import jax; before = dict(jax.config.values); import deltarule; "
        "assert dict(jax.config.values) == before; assert not jax.config.jax_enable_x64; "
        "import jax.numpy as jnp; assert jnp.ones(1).dtype == 'float32'"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, capture_output=True, text=True)


@pytest.mark.parametrize("dtype", ["float64", np.float64, float, np.dtype("float64")])
def test_float64_by_any_name(dtype):
    assert as_dtype(dtype) == np.dtype("float64")


@pytest.mark.parametrize("dtype", ["float16", int, "complex64", "twice", object])
def test_no_other_dtype(dtype):
    with pytest.raises(ConfigurationError, match=r"dtype .*'float32' or 'float64'"):
        as_dtype(dtype)


def test_the_dtype_of_parameters():
    single, double = np.ones(2, "float32"), np.ones(2, "float64")
    assert dtype_of([{"W": single}]) == np.float32
    assert dtype_of([{"W": single, "b": double}]) == np.float64
    with pytest.raises(ConfigurationError, match=r"no arrays: .*net\.init"):
        dtype_of([{}])


def test_jaxs_name_for_float64():
    jax = pytest.importorskip("jax")
    assert as_dtype(jax.numpy.float64) == np.dtype("float64")


def test_the_context_ends():
    jnp = pytest.importorskip("jax.numpy")
    computing_in = engine.get("jax").computing_in
    with computing_in(np.dtype("float64")):
        assert jnp.ones(1).dtype == np.float64
        with computing_in(np.dtype("float32")):
            assert jnp.ones(1, "float32").dtype == np.float32
    assert jnp.ones(1).dtype == np.float32


def test_the_context_ends_after_an_error():
    jnp = pytest.importorskip("jax.numpy")
    with pytest.raises(KeyError), engine.get("jax").computing_in(np.dtype("float64")):
        raise KeyError
    assert jnp.ones(1).dtype == np.float32


def test_numpys_arrays_keep_their_dtype_in_any_context():
    with engine.get("numpy").computing_in(np.dtype("float32")):
        assert np.ones(1).dtype == np.float64
