"""How far the starts of a training are, as structures in memory and as named arrays."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from deltarule import loop
from deltarule.errors import CheckpointError

Records = dict[str, np.ndarray]


class Progress(NamedTuple):
    """The carry of some starts, and of each start its records so far, in the pieces they came in."""

    carry: loop.Carry
    parts: list[list[Records]]

    @property
    def epoch(self) -> int:
        """The epochs run; of several starts, by the one that is furthest."""
        return int(np.max(self.carry.epoch))


def to_tensors(progress: Progress) -> Records:
    """The leaves of the carry by their place in it, and the records of each start whole."""
    leaves = jax.tree_util.tree_flatten_with_path(_plain(progress.carry))[0]
    tensors = {f"carry{jax.tree_util.keystr(path)}": np.asarray(leaf) for path, leaf in leaves}
    for lane, parts in enumerate(progress.parts):
        for name in parts[0] if parts else ():
            tensors[f"history.{lane}.{name}"] = np.concatenate([part[name] for part in parts])
    return tensors


def from_tensors(tensors: Records, fresh: Callable[[], loop.Carry]) -> Progress:
    """The progress that `to_tensors` took apart, in the structure of a fresh carry, which is traced, not computed."""
    kinds: list[Any] = []  # of each leaf that is a random key

    def shapes() -> loop.Carry:
        carry = fresh()
        kinds.extend(jax.random.key_impl(leaf) if _is_key(leaf) else None for leaf in jax.tree.leaves(carry))
        return _plain(carry)

    wanted, structure = jax.tree_util.tree_flatten_with_path(jax.eval_shape(shapes))
    leaves = []
    for (path, leaf), kind in zip(wanted, kinds, strict=True):
        name = f"carry{jax.tree_util.keystr(path)}"
        found = tensors.get(name)
        if found is None or found.shape != leaf.shape or found.dtype != leaf.dtype:
            what = "nothing" if found is None else f"{found.dtype} of shape {found.shape}"
            raise CheckpointError(
                f"the checkpoint holds {what} where this training has {leaf.dtype} of shape {leaf.shape} ({name}): "
                "it is of another version of deltarule or Optax; train anew."
            )
        leaves.append(jnp.asarray(found) if kind is None else jax.random.wrap_key_data(jnp.asarray(found), impl=kind))
    carry = jax.tree.unflatten(structure, leaves)
    parts = []
    for lane in range(np.size(carry.epoch)):
        prefix = f"history.{lane}."
        records = {n.removeprefix(prefix): array for n, array in tensors.items() if n.startswith(prefix)}
        parts.append([records] if records else [])
    return Progress(carry, parts)


def _plain(tree: Any) -> Any:
    """Random keys as the numbers they consist of; the rest as it is."""
    return jax.tree.map(lambda leaf: jax.random.key_data(leaf) if _is_key(leaf) else leaf, tree)


def _is_key(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
