"""First-order directions: steepest descent, momentum, Adam, and the rules of Optax.

Each is a pair (init, update) like Optax's: update takes the gradient, the direction's state, the learning rate eta of
this step and the parameters, and returns the step, p ← p + step, with the new state.
"""

from collections.abc import Callable
from math import log
from typing import TYPE_CHECKING, Any, NamedTuple

from deltarule.arrays import Array
from deltarule.network.backprop import Params
from deltarule.trees import leaves, map_leaves, map_pairs, scale

if TYPE_CHECKING:
    import optax

Number = Any


class Direction(NamedTuple):
    """A pair of functions, (init, update)."""

    init: Callable[[Params], Any]
    update: Callable[[Params, Any, Number, Params], tuple[Params, Any]]


def steepest() -> Direction:
    """Steepest descent: p ← p - eta ∇C."""

    def update(grads: Params, state: Any, eta: Number, params: Params) -> tuple[Params, Any]:
        return scale(grads, -eta), state

    return Direction(lambda params: (), update)


def momentum(mu: Number, nesterov: bool) -> Direction:
    """Momentum: v ← mu v - eta ∇C, p ← p + v; Nesterov's variant: p ← p + mu v - eta ∇C.

    In Nesterov's variant p is the look-ahead point, as in Optax.
    """

    def update(grads: Params, v: Params, eta: Number, params: Params) -> tuple[Params, Params]:
        v = map_pairs(lambda v, g: mu * v - eta * g, v, grads)
        if not nesterov:
            return v, v
        return map_pairs(lambda v, g: mu * v - eta * g, v, grads), v

    return Direction(lambda params: scale(params, 0.0), update)


class Moments(NamedTuple):
    """Adam's state: running means of the gradient and of its square, and the number of steps."""

    mean: Params
    square: Params
    steps: Array


def adam(first: float = 0.9, second: float = 0.999, floor: float = 1e-8) -> Direction:
    """Adam: p ← p - eta m̂ / (√v̂ + floor), with m ← b1 m + (1 - b1) ∇C and v ← b2 v + (1 - b2) ∇C², entry by entry.

    m̂ = m / (1 - b1^t) and v̂ = v / (1 - b2^t) correct the bias of means that begin at 0.

    Source: Kingma & Ba 2015, arXiv 1412.6980.
    """

    def init(params: Params) -> Moments:
        zero = scale(params, 0.0)
        return Moments(zero, zero, leaves(params)[0].__array_namespace__().zeros((), int))

    def update(grads: Params, memory: Moments, eta: Number, params: Params) -> tuple[Params, Moments]:
        steps = memory.steps + 1
        mean = map_pairs(lambda m, g: first * m + (1 - first) * g, memory.mean, grads)
        square = map_pairs(lambda v, g: second * v + (1 - second) * (g * g), memory.square, grads)
        xp, dtype = leaves(grads)[0].__array_namespace__(), leaves(grads)[0].dtype
        t = xp.asarray(steps, dtype=dtype)
        bias = -xp.expm1(t * log(first)), -xp.expm1(t * log(second))  # 1 - b^t, without its cancellation
        rate, root = -eta / bias[0], xp.sqrt(bias[1])
        step = map_pairs(lambda m, v: rate * m / (xp.sqrt(v) / root + floor), mean, square)
        return step, Moments(mean, square, steps)

    return Direction(init, update)


DIRECTIONS: dict[str, Callable[[], Direction]] = {"adam": adam}  # by name


def from_optax(rule: "optax.GradientTransformation") -> Direction:
    """A rule of Optax; eta multiplies its updates, so a rule that includes a learning rate takes eta = 1."""

    def update(grads: Params, state: Any, eta: Number, params: Params) -> tuple[Params, Any]:
        updates, state = rule.update(grads, state, params)
        return map_leaves(lambda u: eta * u, updates), state

    return Direction(rule.init, update)
