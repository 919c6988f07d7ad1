"""Training in closed loop: exact Levenberg-Marquardt steps on the error of free runs.

    F(p) = (1/2) sum_t ‖yhat_t(p) - y_t‖² + (l2/2) sum w²

over windows of a record, each of which runs freely from the measured outputs before it. J is that of `Unrolled.jacobian`,
so the step is the primal one on another J.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltarule import trees
from deltarule.backprop import Params
from deltarule.data.lagged import Stretch, Windows, windows
from deltarule.engine import numpy_engine
from deltarule.models.feedback import Feedback
from deltarule.objective import Objective
from deltarule.trainers.levenberg_marquardt.primal import Primal


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

    def equations(self, p: Params) -> Primal:
        """J^T J and J^T r."""
        r = self.residual(p).ravel()
        J = self.pieces.known.reshape(-1, 1) * self.model.unrolled(p, self.pieces.U, self.run(p)).jacobian()
        gradient = trees.plus(trees.unravel(r @ J, p), trees.times(self.prior(p), p))
        hessian = numpy_engine.symmetric_product(J.T)
        return Primal(
            0.5 * (r @ r) + self.prior_energy(p), gradient, trees.norm(gradient), np.trace(hessian), hessian, None
        )
