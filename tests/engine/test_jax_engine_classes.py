"""Frozen dataclasses as pytrees: leaves are traced, the rest is static and decides what compiles."""

from dataclasses import dataclass

import pytest

from deltarule import engine
from deltarule.trees import register

jax = pytest.importorskip("jax")
engine.get("jax")  # which hands all classes that register, before or later, to JAX


@dataclass(frozen=True)
class Dial:
    """A number that is traced and a choice that is not."""

    setting: float
    unit: str
    spare: float | None = None

    def __post_init__(self):
        """Refuse what a user must not write."""
        if not self.setting > 0:
            raise ValueError("setting")


register(Dial, leaves=("setting", "spare"))


def test_leaves_and_structure():
    leaves, structure = jax.tree.flatten(Dial(2.0, "volt", 3.0))
    assert leaves == [2.0, 3.0]
    assert jax.tree.unflatten(structure, leaves) == Dial(2.0, "volt", 3.0)
    assert jax.tree.leaves(Dial(2.0, "volt")) == [2.0]
    assert jax.tree.structure(Dial(2.0, "volt")) == jax.tree.structure(Dial(5.0, "volt"))
    assert jax.tree.structure(Dial(2.0, "volt")) != jax.tree.structure(Dial(2.0, "ohm"))


def test_unflattening_does_not_check():
    """JAX unflattens with placeholders, which a constructor's checks would refuse."""
    negative = jax.tree.map(lambda s: -s, Dial(2.0, "volt"))
    assert (negative.setting, negative.unit) == (-2.0, "volt")
    with pytest.raises(ValueError, match="setting"):
        Dial(-2.0, "volt")


def test_another_number_compiles_nothing_and_another_choice_does():
    compiled = jax.jit(lambda dial: 2 * dial.setting)
    assert compiled(Dial(2.0, "volt")) == 4
    assert compiled(Dial(3.0, "volt")) == 6
    assert compiled._cache_size() == 1
    assert compiled(Dial(3.0, "ohm")) == 6
    assert compiled._cache_size() == 2


def test_vmap_over_the_leaves():
    many = jax.tree.map(
        lambda *settings: jax.numpy.stack([*map(jax.numpy.asarray, settings)]), Dial(1.0, "volt"), Dial(2.0, "volt")
    )
    assert jax.vmap(lambda dial: 10 * dial.setting)(many).tolist() == [10, 20]
