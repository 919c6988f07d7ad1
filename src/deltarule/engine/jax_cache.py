"""What the JAX engine tells JAX once: where compiled programs are kept, and how deltarule's classes are taken apart."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax

OFF = "0"  # of DELTARULE_CACHE


def switch_on() -> None:
    """Have JAX keep every compiled program on disk, so that another process need not compile it again.

    They lie in $DELTARULE_CACHE, or else in the user's cache folder; DELTARULE_CACHE=0 keeps none. A folder that JAX
    was told of otherwise stays. Where it cannot be written, nothing is kept.
    """
    place = os.environ.get("DELTARULE_CACHE", "")
    if place == OFF or jax.config.jax_compilation_cache_dir is not None:
        return
    try:
        folder = Path(place) if place else _users_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:  # the cache saves time and is needed for nothing
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


def _users_folder() -> Path:
    from platformdirs import user_cache_dir  # where a folder is named, or none, it need not be installed

    return Path(user_cache_dir("deltarule")) / "compiled"


def register(cls: type, leaves: tuple[str, ...], static: tuple[str, ...]) -> None:
    """Make a frozen dataclass a pytree, see `deltarule.engine.pytrees`.

    Unflattening does not call the constructor: its checks are for what a user writes, and JAX passes placeholders.
    """

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
