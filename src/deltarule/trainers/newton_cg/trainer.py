"""Newton-CG: Newton's direction from exact Hessian-vector products, inside a trust region."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from deltarule.backprop import Params
from deltarule.domain import require_count, require_number
from deltarule.initializers import DEFAULT_INITIALIZERS
from deltarule.pytrees import register
from deltarule.rows import Rows
from deltarule.stopping import stop_code
from deltarule.trainers.base import Record, require_batch, require_derivatives
from deltarule.trainers.newton_cg import radius as control
from deltarule.trainers.newton_cg.model import Model, objective, quadratic_model
from deltarule.trainers.newton_cg.steihaug import NEGATIVE, norm, plus, steihaug
from deltarule.trainers.sampling import examples_in_batch, permutation, take_batch

if TYPE_CHECKING:
    from deltarule.network import Network

TRIALS = 40  # the most radii tried from one point: each is at most a quarter of the one before, so 4^40 covers rounding


class NewtonCGState(NamedTuple):
    """The parameters and the radius of the trust region."""

    params: Params
    radius: Array


class Trial(NamedTuple):
    """One radius tried: where it leads and what came of it."""

    params: Params
    objective: Array
    promised: Array
    gain: Array
    taken: Array
    step_norm: Array
    ending: Array


@dataclass(frozen=True)
class NewtonCG:
    """p ← p + s, where s makes g^T s + (1/2) s^T H s small within ‖s‖ <= radius, H the exact Hessian of the cost.

    [N] ch. 3 calls it the Hessian technique. H is never formed: conjugate gradients need products H v alone, each about
    two gradients. Unlike Gauss-Newton, H sees the curvature of the network itself, so it may be indefinite; a direction
    of negative curvature is followed to the edge of the region, which leads out of saddle points.

    One epoch is one accepted step, for which the radius shrinks as often as it must. A step never goes uphill. Where
    none down to the rounding of the parameters leads down, training stops with "radius_min": to rounding, that is a
    minimum; or with "not_finite", where the model itself is not. The history has "cost" and the counts "rejected" and
    "products" of the epoch, "gradient_norm" before the step, "radius" after it, "step_norm", "gain" and
    "negative_curvature".

    Args:
        batch_size: None takes all examples in each step. A number m makes an epoch of ceil(N/m) steps on batches of a
            fresh permutation, each judged on its own batch; each batch gets one trial.
        l2: lambda of (lambda/2N) sum w², over weights only; None for none.
        radius: the first radius, in the length of the parameter vector.
        max_radius: the largest one.
        cg_tolerance: conjugate gradients stop where the residual is min(cg_tolerance, √‖g‖) ‖g‖, so that they grow
            exact towards a minimum and convergence is faster than linear.
        cg_iterations: the most products of one solve.

    Raises:
        ConfigurationError: a value outside its range.

    Source: T. Steihaug, SIAM J. Numer. Anal. 20 (1983); B. Pearlmutter, Neural Computation 6 (1994).
    """

    batch_size: int | None = None
    l2: float | None = None
    radius: float = 1.0
    max_radius: float = 1e3
    cg_tolerance: float = 0.1
    cg_iterations: int = 200

    dtype: ClassVar[str] = "float64"
    initializers: ClassVar[dict[str, str]] = DEFAULT_INITIALIZERS | {"tanh": "nguyen-widrow"}
    learning_rate_name: ClassVar[str | None] = "radius"
    cost_before_step: ClassVar[bool] = False
    judged_by: ClassVar[str | None] = None

    def __post_init__(self):
        """Check every number where it is given."""
        for name in ("radius", "max_radius", "cg_tolerance"):
            object.__setattr__(self, name, require_number(name, getattr(self, name), above=0))
        if self.l2 is not None:
            object.__setattr__(self, "l2", require_number("l2", self.l2, least=0))
        if self.batch_size is not None:
            object.__setattr__(self, "batch_size", require_count("batch_size", self.batch_size))
        object.__setattr__(self, "cg_iterations", require_count("cg_iterations", self.cg_iterations))

    def check(self, net: "Network", count: int) -> None:
        """A batch cannot be larger than the data, and a step function has no gradient."""
        require_derivatives(net)
        require_batch(self.batch_size, count)

    def surroundings(self, net: "Network", params: Params, count: int) -> AbstractContextManager:
        """Nothing: no factorisations here."""
        return nullcontext()

    def init(self, net: "Network", params: Params, rows: Rows) -> NewtonCGState:
        """The first radius."""
        return NewtonCGState(params, jnp.asarray(self.radius, rows.x.dtype))

    def epoch(self, net: "Network", state: NewtonCGState, rows: Rows, key: Array) -> tuple[NewtonCGState, Record]:
        """One accepted step on all examples, or one pass of batches with one trial each."""
        total = jnp.sum(rows.mask)
        if self.batch_size is None:
            return self._full_batch_epoch(net, state, rows, total)
        return self._mini_batch_epoch(net, state, rows, key, total)

    def _full_batch_epoch(
        self, net: "Network", state: NewtonCGState, rows: Rows, total: Array
    ) -> tuple[NewtonCGState, Record]:
        model = quadratic_model(net, state.params, rows, self.l2, total, total)
        smallest = jnp.finfo(rows.x.dtype).eps * jnp.maximum(1, norm(state.params))

        def going(carry: tuple) -> Array:
            trial, radius, i, _ = carry
            return ~trial.taken & (radius > smallest) & (i < TRIALS)

        def attempt(carry: tuple) -> tuple:
            _, radius, i, products = carry
            trial, radius, spent = self._trial(net, state.params, model, rows, radius, total, total)
            return trial, radius, i + 1, products + spent

        zero, none = jnp.zeros((), rows.x.dtype), jnp.zeros((), jnp.int32)
        start = Trial(state.params, model.objective, zero, zero, jnp.zeros((), bool), zero, none)
        trial, radius, trials, products = lax.while_loop(going, attempt, (start, state.radius, none, none))
        params, cost = _if_taken(trial, state.params, model.objective)
        stuck = jnp.where(jnp.isfinite(trial.promised), stop_code("radius_min"), stop_code("not_finite"))
        record = {
            "cost": cost,
            "gradient_norm": norm(model.gradient),
            "radius": radius,
            "step_norm": jnp.where(trial.taken, trial.step_norm, 0),
            "gain": trial.gain,
            "rejected": trials - trial.taken,
            "products": products,
            "negative_curvature": (trial.taken & (trial.ending == NEGATIVE)).astype(jnp.int32),
            "stop": jnp.where(trial.taken, 0, stuck).astype(jnp.int32),
        }
        return NewtonCGState(params, radius), record

    def _mini_batch_epoch(
        self, net: "Network", state: NewtonCGState, rows: Rows, key: Array, total: Array
    ) -> tuple[NewtonCGState, Record]:
        m, size = self.batch_size, rows.x.shape[0]
        assert m is not None
        steps = (rows.count + m - 1) // m
        order = jnp.pad(permutation(key, size, rows.count), (0, -size % m))
        smallest = jnp.finfo(rows.x.dtype).eps * self.radius

        def one_step(i: Array, carry: tuple) -> tuple:
            params, radius, cost, counts = carry
            x, y, weight = take_batch(rows, lax.dynamic_slice(order, (i * m,), (m,)), i * m, rows.count)
            batch = Rows(x, y, weight, jnp.asarray(m, jnp.int32))
            share = examples_in_batch(i, m, rows.count) * (total / rows.count)
            model = quadratic_model(net, params, batch, self.l2, share, total)
            trial, radius, products = self._trial(net, params, model, batch, radius, share, total)
            params, after = _if_taken(trial, params, model.objective)
            negative = trial.taken & (trial.ending == NEGATIVE)
            counts = counts + jnp.stack([~trial.taken, products, negative]).astype(jnp.int32)
            return params, jnp.maximum(radius, smallest), cost + share * after, counts

        zero = jnp.zeros((), rows.x.dtype)
        start = (state.params, state.radius, zero, jnp.zeros(3, jnp.int32))
        params, radius, cost, counts = lax.fori_loop(0, steps, one_step, start)
        record = {"cost": cost / total, "radius": radius}
        record |= dict(zip(("rejected", "products", "negative_curvature"), counts, strict=True))
        return NewtonCGState(params, radius), record

    def _trial(
        self, net: "Network", params: Params, model: Model, rows: Rows, radius: Array, share: Array, total: Array
    ) -> tuple[Trial, Array, Array]:
        """Solve within one radius and judge the point it leads to; also the next radius and the products spent."""
        tolerance = jnp.minimum(self.cg_tolerance, jnp.sqrt(norm(model.gradient)))
        found = steihaug(model.product, model.gradient, radius, tolerance, self.cg_iterations)
        there = plus(params, found.s)
        new = objective(net, there, rows, self.l2, share, total)
        rho, taken = control.judge(model.objective, new, found.promised)
        length = norm(found.s)
        radius = control.update(radius, rho, length, found.ending, self.max_radius)
        return Trial(there, new, found.promised, rho, taken, length, found.ending), radius, found.products


def _if_taken(trial: Trial, params: Params, objective: Array) -> tuple[Params, Array]:
    """Where the step leads if it is taken, else where it began."""
    there = jax.tree.map(lambda new, old: jnp.where(trial.taken, new, old), trial.params, params)
    return there, jnp.where(trial.taken, trial.objective, objective)


register(NewtonCG, leaves=("l2", "radius", "max_radius", "cg_tolerance", "cg_iterations"))
