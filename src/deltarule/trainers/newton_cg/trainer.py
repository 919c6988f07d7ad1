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
from deltarule.trainers.base import Trainer, Trial, batches, damped_step, judge
from deltarule.trainers.newton_cg.steihaug import BOUNDARY, NEGATIVE, steihaug
from deltarule.trainers.stopping import stop_code
from deltarule.trees import norm, register

if TYPE_CHECKING:
    from deltarule.network.network import Network

PRODUCTS = 30  # H v of a step, on average
NUMBERS_PER_NEURON = 12  # that the products hold for an example, roughly
BLOCK_BYTES = 2**27  # for those of one block of examples
TRIALS = 40  # the most radii tried from one point: each is at most a quarter of the one before, down to rounding


class NewtonCGState(NamedTuple):
    """The parameters and the radius of the trust region."""

    params: Params
    radius: float


class Point(NamedTuple):
    """The end of a trial step: the objective there, its predicted fall, the step's length, how the search ended."""

    params: Params
    objective: Array
    predicted: Array
    step_norm: Array
    ending: Array
    products: Array


class Model(NamedTuple):
    """The objective at one point, its gradient g and ‖g‖; the passes of all examples, if they fit one block."""

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


def update_radius(radius: float, rho: float, step_norm: float, ending: int, largest: float) -> float:
    """Return the radius after a trial with the gain ratio rho (Nocedal & Wright, algorithm 4.1).

    If the model predicted four times too much, the region shrinks to a quarter of the step; if it was right and the
    region cut the step short, the radius doubles.
    """
    if not rho >= 1 / 4:
        return (min(step_norm, radius) if isfinite(step_norm) else radius) / 4
    return min(2 * radius, largest) if rho > 3 / 4 and ending >= BOUNDARY else radius


def attempt(F: Objective, p: Params, model: Model, radius: Array, tolerance: Array, iterations: Array) -> Point:
    """Solve within one radius and evaluate the objective after that step."""
    step = steihaug(lambda v: product(F, p, model, v), model.gradient, radius, tolerance, iterations)
    params = trees.add(p, step.s)
    return Point(params, F.value(params), step.predicted, trees.norm(step.s), step.ending, step.products)


@dataclass(frozen=True)
class NewtonCG(Trainer):
    """p ← p + s, where s minimises g^T s + (1/2) s^T H s within ‖s‖ <= radius, with H the exact Hessian of the cost.

    [N] ch. 3 calls it the Hessian technique. H is never formed: conjugate gradients need only products H v, each as
    expensive as two gradients. Unlike the Gauss-Newton matrix, H includes the curvature of the network and may be
    indefinite; a direction of negative curvature is followed to the boundary of the region, out of saddle points.

    One epoch is one accepted step; the radius shrinks until a step lowers the objective. If no step down to the
    rounding of the parameters does, training stops with "radius_min" (to rounding, this is a minimum), or with
    "not_finite" if the model is not finite. The history has "cost" and the counts "rejected" and "products" of the
    epoch, "gradient_norm" before the step, "radius" after it, "step_norm", "gain" and "negative_curvature".

    Args:
        batch_size: None takes all examples in each step. With a number m an epoch is ceil(N/m) steps on batches of a
            fresh permutation, with one trial on each batch.
        l2: lambda of (lambda/2N) sum w², over weights only; None for none.
        radius: the first radius, in the length of the parameter vector.
        max_radius: the largest one.
        cg_tolerance: conjugate gradients stop at the residual min(cg_tolerance, √‖g‖) ‖g‖, which makes convergence
            faster than linear.
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
    numbers_per_neuron: ClassVar[int | None] = NUMBERS_PER_NEURON
    largest_block: ClassVar[float] = BLOCK_BYTES

    def __post_init__(self):
        positive = ("radius", "max_radius", "cg_tolerance")
        check_fields(self, above_0=positive, least_0=("l2",), counts=("batch_size", "cg_iterations"))

    def epoch_flops(self, sizes: Sizes, count: int) -> float:
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
        taken = last.point if last is not None and last.accepted else None
        reason = "radius_min" if last is None or isfinite(last.point.predicted) else "not_finite"
        record = {
            "cost": dtype.type(model.objective if taken is None else taken.objective),
            "gradient_norm": dtype.type(model.gradient_norm),
            "radius": dtype.type(radius),
            "step_norm": dtype.type(0 if taken is None else taken.step_norm),
            "gain": dtype.type(0 if last is None else last.gain),
            "rejected": np.int32(len(trials) - (taken is not None)),
            "products": np.int32(sum(trial.point.products for trial in trials)),
            "negative_curvature": np.int32(taken is not None and taken.ending == NEGATIVE),
            "stop": stop_code(reason) if taken is None else 0,
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
            accepted, point = trial.accepted, trial.point
            state = NewtonCGState(point.params if accepted else state.params, max(radius, smallest))
            cost += share * (point.objective if accepted else float(model.objective))
            counts += (not accepted, int(point.products), accepted and point.ending == NEGATIVE)
        record = {"cost": dtype.type(cost / total), "radius": dtype.type(state.radius)}
        return state, record | dict(zip(("rejected", "products", "negative_curvature"), counts, strict=True))

    def _objective(self, net: "Network", rows: Rows, l2: float | None, total: float) -> Objective:
        """The mean cost of these rows, in blocks of at most BLOCK_BYTES."""
        most = max(1, BLOCK_BYTES // (8 * NUMBERS_PER_NEURON * net.sizes(rows.x.shape[1:]).neurons))
        return Objective(net, rows, block_size(rows.x.shape[0], most), l2, 1 / total)

    def _begin(self, F: Objective, p: Params) -> tuple[Model, Callable[[float], tuple[Trial, float]]]:
        """Return the model at a point, and the function that tries one radius around it."""
        model = F.call(quadratic_model, p)
        objective = float(model.objective)
        tolerance = min(self.cg_tolerance, float(model.gradient_norm) ** 0.5)

        def try_radius(radius: float) -> tuple[Trial, float]:
            params, *numbers = F.call(attempt, p, model, radius, tolerance, self.cg_iterations)
            point: Any = Point(params, *map(float, numbers))
            gain, verdict = judge(objective, point.objective, point.predicted)
            trial = Trial(radius, point, gain, verdict)
            return trial, update_radius(radius, gain, point.step_norm, point.ending, self.max_radius)

        return model, try_radius


register(NewtonCG, leaves=("l2", "radius", "max_radius", "cg_tolerance", "cg_iterations"))
