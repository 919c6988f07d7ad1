"""On JAX these long ways are slow tests: quickly it trains to the same minima in test_engines.py."""

import pytest

from engines import WITHOUT_JAX


@pytest.fixture(name="engine", params=["numpy", pytest.param("jax", marks=[WITHOUT_JAX, pytest.mark.slow])])
def engine_name(request: pytest.FixtureRequest) -> str:
    """The name of an engine: the test runs on both."""
    return request.param
