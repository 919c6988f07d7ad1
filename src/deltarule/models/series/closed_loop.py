"""Training in closed loop: exact Levenberg-Marquardt steps on the error of free runs.

    F(p) = (1/2) sum_t ‖yhat_t(p) - y_t‖² + (l2/2) sum w²

over windows of a record, each of which runs freely from the measured outputs before it. J is that of `Unrolled.jacobian`,
so the step is the primal one on another J.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltarule.curvature import NormalEquations
from deltarule.data.lagged import Stretch, Windows, windows
from deltarule.engine import numpy_engine
from deltarule.models.series.feedback import Feedback
from deltarule.network.backprop import Params
from deltarule.objective import Objective
from deltarule.trainers.levenberg_marquardt.damping import start
from deltarule.trainers.levenberg_marquardt.trainer import FIRST_DAMPING, LevenbergMarquardt, LevenbergMarquardtState


class ClosedLoop(Objective):
    """The error of free runs as a function of p, for the trainers' loop.

    Args:
        model: the network with its feedback.
        pieces: the windows.
        l2: of the penalty, over weights and not biases.
    """

    def __init__(self, model: Feedback, pieces: Windows, l2: float):
        """No run is made."""
        for name, value in {"net": model.net, "l2": l2, "scale": 1.0, "model": model, "pieces": pieces}.items():
            object.__setattr__(self, name, value)
        longest = model.lags.longest
        object.__setattr__(self, "start", pieces.Y[:, :longest])
        object.__setattr__(self, "target", np.where(pieces.known > 0, pieces.Y[:, longest:], 0.0))
        object.__setattr__(self, "last", (None, None))

    def call(self, piece: Callable[..., Any], *arguments: Any, **static: Any) -> Any:
        """piece(self, *arguments, **static), by NumPy."""
        return numpy_engine.call(piece, self, *arguments, **static)

    def run(self, p: Params) -> np.ndarray:
        """The free runs, (K, D + H, k); those of the last p are kept, because a trial that is taken is linearised next."""
        if self.last[0] is not p:
            object.__setattr__(self, "last", (p, self.model.free_run(p, self.pieces.U, self.start)))
        return self.last[1]

    def residual(self, p: Params) -> np.ndarray:
        """yhat - y where it is measured, (K, H, k)."""
        return self.pieces.known * (self.run(p)[:, self.model.lags.longest :] - self.target)

    def value(self, p: Params) -> float:
        """F(p)."""
        r = self.residual(p).ravel()
        return 0.5 * float(r @ r) + self.prior_energy(p)

    @property
    def in_one_block(self) -> bool:
        """All windows run together."""
        return True

    def equations(self, p: Params) -> tuple[None, NormalEquations]:
        """J^T J and J^T r of the free runs."""
        r = self.residual(p).ravel()
        J = self.pieces.known.reshape(-1, 1) * self.model.unrolled(p, self.pieces.U, self.run(p)).jacobian()
        return None, NormalEquations(0.5 * (r @ r), r @ J, numpy_engine.symmetric_product(J.T))


def begin(F: ClosedLoop, p: Params) -> LevenbergMarquardtState:
    """The state before the first step: lambda_0 = 0.01 max diag(J^T J)."""
    hessian = F.call(ClosedLoop.equations, p)[1].hessian
    damping = start(FIRST_DAMPING * float(np.diag(hessian).max()), float(np.trace(hessian)), hessian.dtype)
    return LevenbergMarquardtState(p, damping)
