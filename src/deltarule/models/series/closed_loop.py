"""Training in closed loop: exact Levenberg-Marquardt steps on the error of free runs.

    F(p) = (1/2) sum_t ‖yhat_t(p) - y_t‖² + (l2/2) sum w²

over windows of a record, each of which runs freely from the measured outputs before it. J is `Unrolled.jacobian`, so
the step is the primal one on another J.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from deltarule import trees
from deltarule.curvature.linearization import NormalEquations
from deltarule.data.lagged import Windows
from deltarule.engine import numpy_engine
from deltarule.models.series.feedback import Feedback
from deltarule.network.backprop import Params
from deltarule.objective import Objective
from deltarule.trainers.levenberg_marquardt.damping import start
from deltarule.trainers.levenberg_marquardt.trainer import LevenbergMarquardtState

FIRST_DAMPING = 1e-2


class ClosedLoop(Objective):
    """The error of free runs of windows as a function of p, for the trainers' loop."""

    model: Feedback
    pieces: Windows
    start: np.ndarray
    target: np.ndarray
    last: tuple[Any, Any]
    all_known: bool

    in_one_block = property(lambda self: True)  # pyright: ignore[reportIncompatibleMethodOverride]

    def __init__(self, model: Feedback, pieces: Windows, l2: float):
        """No run is made."""
        longest = model.lags.longest
        vars(self).update(net=model.net, l2=l2, scale=1.0, model=model, pieces=pieces, last=(None, None))
        vars(self).update(
            start=pieces.Y[:, :longest],
            target=np.where(pieces.known > 0, pieces.Y[:, longest:], 0.0),
            all_known=bool(pieces.known.all()),
        )

    def call(self, piece: Callable[..., Any], *arguments: Any, **static: Any) -> Any:
        return numpy_engine.call(piece, self, *arguments, **static)

    def prior(self, p: Params) -> Params:
        """l2 for weights and biases: a free bias lets a neuron saturate where no run has been yet."""
        return trees.mapped(lambda array: np.full_like(array, self.l2), p)

    def run(self, p: Params) -> np.ndarray:
        """The free runs, (K, D + H, k); the last ones are kept, because a trial that is taken is linearised next."""
        before, run = self.last
        if before is not p:
            run = self.model.free_run(p, self.pieces.U, self.start, near=run)
            vars(self)["last"] = p, run
        return run

    def residual(self, p: Params) -> np.ndarray:
        """yhat - y where it is measured, (K, H, k)."""
        return self.pieces.known * (self.run(p)[:, self.model.lags.longest :] - self.target)

    def value(self, p: Params) -> float:
        r = self.residual(p).ravel()
        return 0.5 * float(r @ r) + self.prior_energy(p)

    def equations(self, p: Params) -> tuple[Any, NormalEquations]:
        """J^T J and J^T r of the free runs; what is kept is those unrolled, dy/dp of all steps, and J of the known."""
        r = self.residual(p).ravel()
        unrolled = self.model.unrolled(p, self.pieces.U, self.run(p))
        whole = unrolled.jacobian()
        J = whole if self.all_known else self.pieces.known.reshape(-1, 1) * whole
        equations = NormalEquations(0.5 * (r @ r), r @ J, numpy_engine.symmetric_product(J.T))
        return (unrolled, whole, J), equations

    def acceleration_force(self, p: Params, s: Params, kept: Any = None) -> Params:
        """J^T d²y/dt² along p + t s, from what `equations` kept."""
        unrolled, whole, J = kept
        return trees.unravel(unrolled.bend(s, whole @ trees.ravel(s)) @ J, p)


def begin(F: ClosedLoop, p: Params) -> LevenbergMarquardtState:
    """The state before the first step, lambda_0 = 0.01 max diag(J^T J).

    A smaller one moves far at once, where long runs bend most: on the two tanks such runs were no better on what had
    trained and worse on the rest.
    """
    hessian = F.call(ClosedLoop.equations, p)[1].hessian
    damping = start(FIRST_DAMPING * float(np.diag(hessian).max()), float(np.trace(hessian)), hessian.dtype)
    return LevenbergMarquardtState(p, damping)
