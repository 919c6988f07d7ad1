"""First-order directions: which way a gradient moves the parameters. The learning rate is a separate piece.

Each is a pair (init, update) like Optax's: update takes the gradient, its own state, the learning rate eta of this
step and the parameters, and returns the step, p ← p + step, with the new state.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from deltarule.backprop import Params

if TYPE_CHECKING:
    import optax

Number = float | Array


class Direction(NamedTuple):
    """(init, update) of a direction."""

    init: Callable[[Params], Any]
    update: Callable[[Params, Any, Number, Params], tuple[Params, Any]]


def steepest() -> Direction:
    """Steepest descent: p ← p - eta ∇C."""

    def update(grads: Params, state: Any, eta: Number, params: Params) -> tuple[Params, Any]:
        return jax.tree.map(lambda g: -eta * g, grads), state

    return Direction(lambda params: (), update)


def momentum(mu: Number, nesterov: bool) -> Direction:
    """Momentum: v ← mu v - eta ∇C, p ← p + v; Nesterov's variant looks ahead along v: p ← p + mu v - eta ∇C.

    Nesterov's form is the one whose parameters are those of the look-ahead point, as in Optax.
    """

    def update(grads: Params, v: Params, eta: Number, params: Params) -> tuple[Params, Params]:
        v = jax.tree.map(lambda v, g: mu * v - eta * g, v, grads)
        if not nesterov:
            return v, v
        return jax.tree.map(lambda v, g: mu * v - eta * g, v, grads), v

    return Direction(lambda params: jax.tree.map(jnp.zeros_like, params), update)


def from_optax(rule: "optax.GradientTransformation") -> Direction:
    """Any Optax rule; eta multiplies its updates, so a rule with a learning rate of its own takes eta = 1."""

    def update(grads: Params, state: Any, eta: Number, params: Params) -> tuple[Params, Any]:
        updates, state = rule.update(grads, state, params)
        return jax.tree.map(lambda u: eta * u, updates), state

    return Direction(rule.init, update)
