"""Seeds and keys."""

import jax
import numpy as np
import pytest

from deltarule.errors import ConfigurationError
from deltarule.randomness import as_key


def test_a_seed_is_jaxs_key_of_it():
    assert jax.random.key_data(as_key(np.int64(7))).tolist() == jax.random.key_data(jax.random.key(7)).tolist()


def test_a_key_is_left_as_it_is():
    key = jax.random.key(3)
    assert as_key(key) is key


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0", True, None])
def test_a_seed_that_jax_would_fold_or_refuse_is_named(seed):
    with pytest.raises(ConfigurationError, match=r"seed must be a whole number from 0 to 4294967295, and is"):
        as_key(seed)
