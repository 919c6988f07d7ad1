"""Newton-CG: Newton's direction from exact Hessian-vector products, inside a trust region."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from deltarule import trees
from deltarule.arrays import Array
from deltarule.checks import check_fields
from deltarule.curvature.hessian import BackwardPass, backward_pass
from deltarule.engine.rows import EpochContext, Record, Rows, block_size
from deltarule.network.backprop import Params
from deltarule.network.network import Sizes
from deltarule.objective import Objective
from deltarule.trainers.base import ACCEPTED, Trainer, batches, damped_step, judge
from deltarule.trainers.newton_cg.steihaug import BOUNDARY, NEGATIVE, steihaug
from deltarule.trainers.stopping import stop_code
from deltarule.trees import norm, register

if TYPE_CHECKING:
    from deltarule.network.network import Network

PRODUCTS = 30  # of a step, far from a minimum and near one
PASSES = 12  # numbers for each neuron of an example, or so
BLOCK_BYTES = 2**27  # what they may take of one block of examples
TRIALS = 40  # the most radii tried from one point: each is at most a quarter of the one before, so 4^40 covers rounding


class NewtonCGState(NamedTuple):
    """The parameters and the radius of the trust region."""

    params: Params
    radius: float


class Point(NamedTuple):
    """Where a trial leads: the objective there, what was promised, how far it is, and how the search ended."""

    params: Params
    objective: Array
    promised: Array
    step_norm: Array
    ending: Array
    products: Array


class Trial(NamedTuple):
    """One radius tried: where it leads, in Python's numbers, and what came of it."""

    to: Point
    gain: float
    accepted: bool


class Model(NamedTuple):
    """The objective at one point, its gradient g and ‖g‖.

    passes are those of all examples where they go through the network together: they serve every product.
    """

    objective: Array
    gradient: Params
    gradient_norm: Array
    passes: BackwardPass | None


def quadratic_model(F: Objective, p: Params) -> Model:
    """One backward pass over the examples."""
    passes = None
    if F.fits_one_block:
        passes = backward_pass(F.net, p, F.rows.x, F.rows.y, F.scale * F.rows.mask)
        cost, g = passes.cost, passes.gradient()
    else:
        cost, g = F.sum(_first_sums, p, prepare=backward_pass)
    g = F.plus_prior(g, p)
    return Model(cost + F.prior_energy(p), g, norm(g), passes)


def product(F: Objective, p: Params, at: Model, v: Params) -> Params:
    """H v."""
    if at.passes is not None:
        return F.plus_prior(at.passes.hessian_product(v), v)
    return F.plus_prior(F.sum(BackwardPass.hessian_product, p, v, prepare=backward_pass), v)


def _first_sums(at: BackwardPass) -> tuple[Array, Params]:
    return at.cost, at.gradient()


def follow(radius: float, rho: float, step_norm: float, ending: int, largest: float) -> float:
    """The radius after a trial with the gain ratio rho (Nocedal & Wright, algorithm 4.1).

    A model that promised four times too much shrinks the region to a quarter of the step; one that was right, while the
    region was in its way, doubles it.
    """
    if not rho >= 1 / 4:
        return (min(step_norm, radius) if isfinite(step_norm) else radius) / 4
    return min(2 * radius, largest) if rho > 3 / 4 and ending >= BOUNDARY else radius


def attempt(F: Objective, p: Params, model: Model, radius: Array, tolerance: Array, iterations: Array) -> Point:
    """Solve within one radius and measure the objective where that leads."""
    found = steihaug(lambda v: product(F, p, model, v), model.gradient, radius, tolerance, iterations)
    there = trees.add(p, found.s)
    return Point(there, F.value(there), found.promised, trees.norm(found.s), found.ending, found.products)


@dataclass(frozen=True)
class NewtonCG(Trainer):
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

    initializers: ClassVar[dict[str, str]] = {"tanh": "nguyen-widrow"}
    learning_rate_name: ClassVar[str | None] = "radius"
    passes: ClassVar[int | None] = PASSES
    most_at_once: ClassVar[float] = BLOCK_BYTES

    def __post_init__(self):
        positive = ("radius", "max_radius", "cg_tolerance")
        check_fields(self, above_0=positive, least_0=("l2",), counts=("batch_size", "cg_iterations"))

    def epoch_flops(self, sizes: Sizes, count: int) -> float:
        """The operations of an epoch with `PRODUCTS` products H v for each of its steps."""
        return PRODUCTS * 8.0 * count * sizes.steps * sizes.parameters

    def first_state(self, params: Params) -> NewtonCGState:
        return NewtonCGState(params, float(self.radius))

    def epoch(
        self, net: "Network", state: NewtonCGState, rows: Rows, context: EpochContext
    ) -> tuple[NewtonCGState, Record]:
        total = float(rows.mask.sum())
        if self.batch_size is not None:
            return self._mini_batch_epoch(net, state, rows, total, context)
        F, dtype = self._objective(net, rows, self.l2, total), rows.x.dtype
        model, attempt = self._begin(F, state.params)
        smallest = float(np.finfo(dtype).eps) * max(1.0, float(trees.norm(state.params)))
        radius, trials = damped_step(
            attempt, state.radius, lambda radius: radius <= smallest, TRIALS, context.check_time
        )
        last = trials[-1] if trials else None
        taken = last.to if last is not None and last.accepted else None
        stuck = stop_code("radius_min" if last is None or isfinite(last.to.promised) else "not_finite")
        record = {
            "cost": dtype.type(model.objective if taken is None else taken.objective),
            "gradient_norm": dtype.type(model.gradient_norm),
            "radius": dtype.type(radius),
            "step_norm": dtype.type(0 if taken is None else taken.step_norm),
            "gain": dtype.type(0 if last is None else last.gain),
            "rejected": np.int32(len(trials) - (taken is not None)),
            "products": np.int32(sum(trial.to.products for trial in trials)),
            "negative_curvature": np.int32(taken is not None and taken.ending == NEGATIVE),
            "stop": stuck if taken is None else 0,
        }
        return NewtonCGState(state.params if taken is None else taken.params, radius), record

    def _mini_batch_epoch(
        self, net: "Network", state: NewtonCGState, rows: Rows, total: float, context: EpochContext
    ) -> tuple[NewtonCGState, Record]:
        dtype = rows.x.dtype
        smallest, cost, counts = float(np.finfo(dtype).eps) * self.radius, 0.0, np.zeros(3, np.int32)
        for batch, share, l2 in batches(self, rows, context, total):
            model, attempt = self._begin(self._objective(net, batch, l2, share), state.params)
            trial, radius = attempt(state.radius)
            accepted, to = trial.accepted, trial.to
            state = NewtonCGState(to.params if accepted else state.params, max(radius, smallest))
            cost += share * (to.objective if accepted else float(model.objective))
            counts += (not accepted, int(to.products), accepted and to.ending == NEGATIVE)
        record = {"cost": dtype.type(cost / total), "radius": dtype.type(state.radius)}
        return state, record | dict(zip(("rejected", "products", "negative_curvature"), counts, strict=True))

    def _objective(self, net: "Network", rows: Rows, l2: float | None, total: float) -> Objective:
        """The mean cost of these rows, whose passes of one block fit BLOCK_BYTES."""
        at_once = max(1, BLOCK_BYTES // (8 * PASSES * net.sizes(rows.x.shape[1:]).neurons))
        return Objective(net, rows, block_size(rows.x.shape[0], at_once), l2, 1 / total)

    def _begin(self, F: Objective, p: Params) -> tuple[Model, Callable[[float], tuple[Trial, float]]]:
        """The model at a point, and what tries one radius around it."""
        model = F.call(quadratic_model, p)
        objective = float(model.objective)
        tolerance = min(self.cg_tolerance, float(model.gradient_norm) ** 0.5)

        def tried(radius: float) -> tuple[Trial, float]:
            found = F.call(attempt, p, model, radius, tolerance, self.cg_iterations)
            to: Any = Point(found.params, *(float(number) for number in found[1:]))
            gain, verdict = judge(objective, to.objective, to.promised)
            after = follow(radius, gain, to.step_norm, to.ending, self.max_radius)
            return Trial(to, gain, verdict == ACCEPTED), after

        return model, tried


register(NewtonCG, leaves=("l2", "radius", "max_radius", "cg_tolerance", "cg_iterations"))
