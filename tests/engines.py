"""The two engines in tests: which there are, and arrays put on one of them."""

from typing import Any

import numpy as np
import pytest

from deltarule import engine, trees
from deltarule.engine.rows import Rows

WITHOUT_JAX = pytest.mark.skipif(not engine.jax_is_installed(), reason="JAX is not installed")
BOTH = ("numpy", "jax")  # where a test needs JAX anyway
NAMES = ("numpy", pytest.param("jax", marks=WITHOUT_JAX))


def on(name: str, tree: Any) -> Any:
    """The tree with its arrays on the engine of that name, each in its own dtype."""
    return trees.map_leaves(lambda array: put(name, array), tree)


def put(name: str, array: Any) -> Any:
    """One array on the engine; what comes of a float64 one must be computed in `engine.get(name).computing_in`."""
    E, array = engine.get(name), np.asarray(array)
    with E.computing_in(array.dtype):
        return E.put(array)


def rows_on(name: str, x: Any, y: Any, weight: Any = None) -> Rows:
    """Examples laid out by the engine, each array in its own dtype."""
    E = engine.get(name)
    with E.computing_in(np.asarray(x).dtype):
        return E.make_rows(x, y, weight)


def off(tree: Any) -> Any:
    """The tree with NumPy's arrays."""
    return trees.map_leaves(np.asarray, tree)


def rounding(name: str, tolerance: float = 1e-6) -> float:
    """How far the same steps may be apart in two programs: compiled another way they may round another way."""
    return 0.0 if name == "numpy" else tolerance


def assert_close(left: Any, right: Any, tolerance: float = 1e-12, floor: float = 0.0) -> None:
    """Assert that two trees are the same in every number but for `tolerance` of the largest number of each leaf.

    A leaf whose largest number is below `floor` is rounding, and is held to `tolerance` of that.
    """
    ours, theirs = list(trees.named_leaves(off(left))), list(trees.named_leaves(off(right)))
    assert [place for place, _ in ours] == [place for place, _ in theirs]
    for (place, one), (_, other) in zip(ours, theirs, strict=True):
        assert one.shape == other.shape, place
        largest = float(np.max(np.abs(other), initial=0.0))
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * max(largest, floor), err_msg=place)
