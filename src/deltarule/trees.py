"""Parameters as one vector: arithmetic on nested lists, tuples and dicts of arrays, for NumPy's arrays and JAX's alike.

Parameters are a list with one dict of arrays for each layer. The functions walk any nesting of lists, tuples, named
tuples and dicts (by sorted names, as JAX does); None holds nothing, and whatever else stands there is a leaf.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from operator import mul, truediv
from typing import Any

Tree = Any
Number = Any
CONTAINERS = (dict, list, tuple, type(None))
Params = list[dict[str, Any]]


def mapped(f: Callable[..., Any], tree: Tree, *others: Tree) -> Tree:
    """f of every leaf, and of the leaves at the same place of the others, in the structure of the first."""
    if isinstance(tree, dict):
        return {name: mapped(f, entry, *(other[name] for other in others)) for name, entry in tree.items()}
    if isinstance(tree, list | tuple):
        found = [mapped(f, *entries) for entries in zip(tree, *others, strict=True)]
        return found if isinstance(tree, list) else type(tree)(*found) if hasattr(tree, "_fields") else tuple(found)
    return None if tree is None else f(tree, *others)


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
    return rebuilt(like, parts)


def rebuilt(like: Tree, parts: Iterable[Any]) -> Tree:
    """The tree in the structure of `like` with these leaves, in its order."""
    next_leaf = iter(parts)

    def take(tree: Tree) -> Tree:
        if isinstance(tree, dict):
            return {name: take(tree[name]) for name in sorted(tree)}
        if isinstance(tree, list | tuple):
            found = [take(entry) for entry in tree]
            return found if isinstance(tree, list) else type(tree)(*found) if hasattr(tree, "_fields") else tuple(found)
        return None if tree is None else next(next_leaf)

    return take(like)


# Vectors in the shape of the parameters: a list with one dict of arrays for each layer


def zipped(f: Callable[[Any, Any], Any], u: Params, v: Params) -> Params:
    """f of the arrays at the same place of both."""
    return [{name: f(a[name], b[name]) for name in a} for a, b in zip(u, v, strict=True)]


def dot(u: Params, v: Params) -> Any:
    """The inner product."""
    products = [a[name].__array_namespace__().vdot(a[name], b[name]) for a, b in zip(u, v, strict=True) for name in a]
    return sum(products[1:], products[0])


def norm(v: Params) -> Any:
    """‖v‖."""
    return dot(v, v) ** 0.5


def plus(u: Params, v: Params, scale: Number = 1.0) -> Params:
    """u + scale v."""
    return zipped(lambda a, b: a + scale * b, u, v)


def scaled(v: Params, scale: Number) -> Params:
    """scale v."""
    return [{name: scale * array for name, array in layer.items()} for layer in v]


def times(d: Params, v: Params) -> Params:
    """d ⊙ v."""
    return zipped(mul, d, v)


def over(v: Params, d: Params) -> Params:
    """v / d, entry by entry."""
    return zipped(truediv, v, d)


def largest(tree: Tree) -> Any:
    """The largest magnitude of all numbers."""
    found = leaves(tree)
    xp = found[0].__array_namespace__()
    return xp.max(xp.stack([xp.max(xp.abs(leaf)) for leaf in found]))


# Frozen dataclasses as JAX takes them apart: numbers are leaves, which compiled code traces; choices are static. A
# class says so where it is defined, and the JAX engine, once it is there, hands all of them to JAX.

REGISTERED: list[tuple[type, tuple[str, ...], tuple[str, ...]]] = []  # the class, its leaves, its static fields
_listeners: list[Callable[[type, tuple[str, ...], tuple[str, ...]], None]] = []


def register(cls: type, leaves: tuple[str, ...]) -> None:
    """Register a frozen dataclass whose fields named in `leaves` are traced and whose other fields are static."""
    static = tuple(field.name for field in dataclasses.fields(cls) if field.name not in leaves)
    REGISTERED.append((cls, leaves, static))
    for listen in _listeners:
        listen(cls, leaves, static)


def each_registered(listen: Callable[[type, tuple[str, ...], tuple[str, ...]], None]) -> None:
    """Call `listen` for every class that is registered, or will be."""
    for entry in REGISTERED:
        listen(*entry)
    _listeners.append(listen)
