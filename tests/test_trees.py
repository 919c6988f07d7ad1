"""Arithmetic on nested lists, tuples and dicts, for both engines' arrays."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from deltarule import trees
from engines import on

pytestmark = pytest.mark.usefixtures("float64")


class Pair(NamedTuple):
    """A named tuple of two."""

    first: Any
    second: Any = None


# The dicts' names are not in order, as those of a layer: W before b.
TREE = [
    {"b": np.array([5.0]), "W": np.array([[1.0, 2.0], [3.0, 4.0]])},
    {},
    Pair(np.array(6.0)),
    (None, np.array([7.0])),
]


def numbers(tree):
    return [np.asarray(leaf).tolist() for leaf in trees.leaves(tree)]


def test_a_function_of_every_leaf_keeps_the_structure(engine):
    found = trees.map_leaves(lambda a, b: a + 10 * b, *on(engine, (TREE, TREE)))
    assert numbers(found) == [[[11, 22], [33, 44]], [55], 66, [77]]
    assert list(found[0]) == ["b", "W"]
    assert type(found[2]) is Pair
    assert type(found[3]) is tuple
    assert found[1] == {}
    assert found[3][0] is found[2].second is None


def test_trees_that_differ_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        trees.map_leaves(np.add, [1.0, 2.0], [1.0])
    with pytest.raises(KeyError):
        trees.map_leaves(np.add, {"W": 1.0}, {"b": 1.0})


def test_leaves_come_by_sorted_names_with_their_places():
    assert numbers(TREE) == [[[1, 2], [3, 4]], [5], 6, [7]]
    assert [place for place, _ in trees.named_leaves(TREE)] == ["[0]['W']", "[0]['b']", "[2].first", "[3][1]"]
    assert [place for place, _ in trees.named_leaves(Pair([1.0]))] == [".first[0]"]
    assert trees.leaves({}) == trees.leaves(None) == []
    assert trees.size(TREE) == 7


def test_the_order_is_that_of_jax():
    jax = pytest.importorskip("jax")
    tree = [{"b": 1.0, "W": 2.0}, {"z": {"b": 3.0, "a": 4.0}}, Pair((5.0, None), 6.0)]
    assert trees.leaves(tree) == jax.tree.leaves(tree)
    paths = jax.tree_util.tree_flatten_with_path(tree)[0]
    assert [place for place, _ in trees.named_leaves(tree)] == [jax.tree_util.keystr(path) for path, _ in paths]


def test_there_and_back_as_one_vector(engine):
    tree = on(engine, TREE)
    vector = trees.ravel(tree)
    assert vector.tolist() == [1, 2, 3, 4, 5, 6, 7]
    again = trees.unravel(2 * vector, tree)
    assert numbers(again) == [[[2, 4], [6, 8]], [10], 12, [14]]
    assert type(again[2]) is Pair
    assert again[3][0] is None
    rebuilt = trees.from_leaves(tree, list("abcd"))
    assert trees.leaves(rebuilt) == list("abcd")
    assert rebuilt[0] == {"W": "a", "b": "b"}


def test_vectors(engine):
    u = on(engine, [{"W": np.array([[1.0, 2.0]]), "b": np.array([2.0])}])
    v = on(engine, [{"W": np.array([[3.0, 0.0]]), "b": np.array([-1.0])}])
    assert float(trees.dot(u, v)) == 3 - 2
    assert float(trees.norm(u)) == 3
    assert numbers(trees.add(u, v)) == [[[4, 2]], [1]]
    assert numbers(trees.add(u, v, -2.0)) == [[[-5, 2]], [4]]
    assert numbers(trees.scale(u, 0.5)) == [[[0.5, 1]], [1]]
    assert numbers(trees.multiply(u, v)) == [[[3, 0]], [-2]]
    assert float(trees.max_abs(v)) == 3
    assert float(trees.max_abs(trees.scale(v, -1.0))) == 3
