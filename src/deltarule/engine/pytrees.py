"""Frozen dataclasses as JAX takes them apart: numbers are leaves, which compiled code traces; choices are static.

A class says so here where it is defined; the JAX engine, once it is there, hands all of them to JAX.
"""

import dataclasses
from collections.abc import Callable

REGISTERED: list[tuple[type, tuple[str, ...], tuple[str, ...]]] = []  # the class, its leaves, its static fields
_listeners: list[Callable[[type, tuple[str, ...], tuple[str, ...]], None]] = []


def register(cls: type, leaves: tuple[str, ...]) -> None:
    """Register a frozen dataclass whose fields named in `leaves` are traced and whose other fields are static."""
    static = tuple(field.name for field in dataclasses.fields(cls) if field.name not in leaves)
    REGISTERED.append((cls, leaves, static))
    for listen in _listeners:
        listen(cls, leaves, static)


def each(listen: Callable[[type, tuple[str, ...], tuple[str, ...]], None]) -> None:
    """Call `listen` for every class that is registered, or will be."""
    for entry in REGISTERED:
        listen(*entry)
    _listeners.append(listen)
