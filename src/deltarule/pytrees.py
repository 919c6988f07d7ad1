"""Frozen dataclasses as pytrees: numbers are leaves, which compiled code takes as traced values; choices are static."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import jax


def register(cls: type, leaves: tuple[str, ...]) -> None:
    """Register a frozen dataclass whose fields named in `leaves` are traced and whose other fields are static.

    Unflattening does not call the constructor: its checks are for what a user writes, and JAX passes placeholders.
    """
    static = tuple(field.name for field in dataclasses.fields(cls) if field.name not in leaves)

    def flatten(instance: Any) -> tuple[tuple, tuple]:
        return tuple(getattr(instance, n) for n in leaves), tuple(getattr(instance, n) for n in static)

    def flatten_with_keys(instance: Any) -> tuple[tuple, tuple]:
        children, choices = flatten(instance)
        return tuple(zip(map(jax.tree_util.GetAttrKey, leaves), children, strict=True)), choices

    def unflatten(choices: tuple, children: Iterable[Any]) -> Any:
        instance = object.__new__(cls)
        for name, value in zip(leaves + static, (*children, *choices), strict=True):
            object.__setattr__(instance, name, value)
        return instance

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
