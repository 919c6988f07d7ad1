"""What every test shares: reproducible hypothesis examples, and a context in which JAX computes in float64."""

from collections.abc import Iterator

import jax
import pytest
from hypothesis import settings

# Every example that hypothesis makes may compile a network, so there are few, always the same, with no time limit.
settings.register_profile("deltarule", derandomize=True, deadline=None, max_examples=20, database=None)
settings.load_profile("deltarule")


@pytest.fixture
def float64() -> Iterator[None]:
    """64-bit types enabled during one test, as deltarule enables them inside its own calls."""
    with jax.enable_x64(True):
        yield
