"""Parameters as one vector: arithmetic on nested lists, tuples and dicts of arrays, for NumPy's arrays and JAX's alike.

Parameters are a list with one dict of arrays for each layer. Other trees are any nesting of lists, tuples, named tuples
and dicts (by sorted names, as JAX does); None holds no leaf, and everything else is one.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from operator import mul, truediv
from typing import Any

Tree = Any
Number = Any
CONTAINERS = (dict, list, tuple, type(None))
Params = list[dict[str, Any]]


def map_leaves(f: Callable[..., Any], tree: Tree, *others: Tree) -> Tree:
    """The tree of f(leaf, *leaves), `leaves` being those at the same place of `others`."""
    if isinstance(tree, dict):
        return {name: map_leaves(f, entry, *(other[name] for other in others)) for name, entry in tree.items()}
    if isinstance(tree, list | tuple):
        return _like(tree, [map_leaves(f, *entries) for entries in zip(tree, *others, strict=True)])
    return None if tree is None else f(tree, *others)


def _like(tree: list | tuple, entries: list[Any]) -> list | tuple:
    """The entries in the type of the tree: a list, a tuple or a named tuple."""
    if isinstance(tree, list):
        return entries
    return type(tree)(*entries) if hasattr(tree, "_fields") else tuple(entries)


def named_leaves(tree: Tree, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its place, such as ".params[0]['W']", in the order of the tree; names of dicts sorted."""
    if isinstance(tree, dict):
        for name in sorted(tree):
            yield from named_leaves(tree[name], f"{place}[{name!r}]")
    elif isinstance(tree, list | tuple):
        fields = getattr(tree, "_fields", None)
        for i, entry in enumerate(tree):
            yield from named_leaves(entry, f"{place}.{fields[i]}" if fields else f"{place}[{i}]")
    elif tree is not None:
        yield place, tree


def leaves(tree: Tree) -> list[Any]:
    """The leaves in the order of the tree; names of dicts sorted."""
    if isinstance(tree, dict):
        tree = [tree[name] for name in sorted(tree)]
    if isinstance(tree, list | tuple):
        return [leaf for entry in tree for leaf in (leaves(entry) if isinstance(entry, CONTAINERS) else [entry])]
    return [] if tree is None else [tree]


def size(tree: Tree) -> int:
    """How many numbers the leaves hold: n of a network's parameters."""
    return sum(leaf.size for leaf in leaves(tree))


def ravel(tree: Tree) -> Any:
    """The leaves one after another as one vector, (n,)."""
    arrays = leaves(tree)
    return arrays[0].__array_namespace__().concatenate([array.reshape(-1) for array in arrays])


def unravel(vector: Any, like: Tree) -> Tree:
    """The tree in the structure of `like` whose `ravel` is the vector."""
    parts, first = [], 0
    for leaf in leaves(like):
        parts.append(vector[first : first + leaf.size].reshape(leaf.shape))
        first += leaf.size
    return from_leaves(like, parts)


def from_leaves(like: Tree, parts: Iterable[Any]) -> Tree:
    """The tree in the structure of `like` with these leaves, in the order of `leaves`."""
    next_leaf = iter(parts)

    def build(tree: Tree) -> Tree:
        if isinstance(tree, dict):
            return {name: build(tree[name]) for name in sorted(tree)}
        if isinstance(tree, list | tuple):
            return _like(tree, [build(entry) for entry in tree])
        return None if tree is None else next(next_leaf)

    return build(like)


# Arithmetic of vectors in the shape of the parameters


def map_pairs(f: Callable[[Any, Any], Any], u: Params, v: Params) -> Params:
    """f of the arrays at the same place of both."""
    return [{name: f(a[name], b[name]) for name in a} for a, b in zip(u, v, strict=True)]


def dot(u: Params, v: Params) -> Any:
    """u^T v."""
    products = [a[name].__array_namespace__().vdot(a[name], b[name]) for a, b in zip(u, v, strict=True) for name in a]
    return sum(products[1:], products[0])


def norm(v: Params) -> Any:
    """‖v‖."""
    return dot(v, v) ** 0.5


def add(u: Params, v: Params, factor: Number = 1.0) -> Params:
    """u + factor v."""
    return map_pairs(lambda a, b: a + factor * b, u, v)


def scale(v: Params, factor: Number) -> Params:
    """factor v."""
    return [{name: factor * array for name, array in layer.items()} for layer in v]


def multiply(d: Params, v: Params) -> Params:
    """d ⊙ v."""
    return map_pairs(mul, d, v)


def divide(v: Params, d: Params) -> Params:
    """v / d, entry by entry."""
    return map_pairs(truediv, v, d)


def max_abs(tree: Tree) -> Any:
    """The largest magnitude of all numbers."""
    arrays = leaves(tree)
    xp = arrays[0].__array_namespace__()
    return xp.max(xp.stack([xp.max(xp.abs(array)) for array in arrays]))


# Dataclasses that JAX handles as trees: it traces the fields named as leaves, and compiles anew for other values of the
# static ones. The classes are registered here because this module does not import JAX; its engine reads the list.

REGISTERED: list[tuple[type, tuple[str, ...], tuple[str, ...]]] = []  # class, leaves, static fields
_callbacks: list[Callable[[type, tuple[str, ...], tuple[str, ...]], None]] = []


def register(cls: type, leaves: tuple[str, ...]) -> None:
    """Register a frozen dataclass whose fields named in `leaves` are traced and whose other fields are static."""
    static = tuple(field.name for field in dataclasses.fields(cls) if field.name not in leaves)
    REGISTERED.append((cls, leaves, static))
    for callback in _callbacks:
        callback(cls, leaves, static)


def on_registered(callback: Callable[[type, tuple[str, ...], tuple[str, ...]], None]) -> None:
    """Call callback(class, leaves, static fields) for every class that is registered already, and for later ones."""
    for entry in REGISTERED:
        callback(*entry)
    _callbacks.append(callback)
