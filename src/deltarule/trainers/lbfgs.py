"""L-BFGS by SciPy, on all examples: what others train small networks by, for comparison with the trainers here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from deltarule import engine, trees
from deltarule.checks import check_fields
from deltarule.engine.rows import EpochContext, Record, Rows, TimeLimitReached, block_size
from deltarule.network.backprop import Params
from deltarule.network.evaluation import rows_per_pass
from deltarule.objective import Objective, value_and_gradient
from deltarule.trainers.base import Trainer
from deltarule.trainers.stopping import stop_code
from deltarule.trees import register

if TYPE_CHECKING:
    from deltarule.network.network import Network


class LBFGSState(NamedTuple):
    """The parameters."""

    params: Params


@dataclass(frozen=True)
class LBFGS(Trainer):
    """Limited-memory BFGS of SciPy's `minimize(method="L-BFGS-B")`: an epoch is one call of it.

    A time limit and Ctrl-C are seen after each iteration, and end an epoch with what it has reached; a training that
    is resumed from there goes on with an empty memory.

    Args:
        iterations: of an epoch; the memory starts anew with each, so take many.
        memory: how many pairs of steps and changes of the gradient it keeps.
        l2: lambda of (lambda/2N) sum w², over weights only; None for none.

    Raises:
        ConfigurationError: a value outside its range.

    Source: R. Byrd, P. Lu, J. Nocedal & C. Zhu, SIAM J. Sci. Comput. 16 (1995).
    """

    iterations: int = 1000
    memory: int = 50
    l2: float | None = None

    minimizes_objectives: ClassVar[bool] = True
    keeps_partial_epochs: ClassVar[bool] = True
    initializers: ClassVar[dict[str, str]] = {"tanh": "nguyen-widrow"}

    def __post_init__(self):
        check_fields(self, least_0=("l2",), counts=("iterations", "memory"))

    @property
    def memory_copies(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The steps and the changes of the gradient that it keeps."""
        return 2 * self.memory

    def first_state(self, params: Params) -> LBFGSState:
        return LBFGSState(params)

    def epoch(self, net: "Network", state: LBFGSState, rows: Rows, context: EpochContext) -> tuple[LBFGSState, Record]:
        block = block_size(rows.x.shape[0], rows_per_pass(net.sizes(rows.x.shape[1:]), rows.x))
        F = Objective(net, rows, block, self.l2, 1 / float(rows.mask.sum()))
        return self.step(F, "", state, 1.0, rows.x.dtype, context.check_time)

    def step(
        self,
        F: Objective,
        form: str,
        state: LBFGSState,
        total: float,
        dtype: np.dtype,
        clock: Callable[[], None],
    ) -> tuple[LBFGSState, Record]:
        """`iterations` steps on an objective; the record counts its gradients.

        Where the clock or Ctrl-C ends it, the step is the iterations that are done, and "stop" says what ended it.
        """
        E, start = engine.of(F.rows.x), np.asarray(trees.ravel(state.params), np.float64)
        norms, done = [], []  # of every gradient; the point and the cost after every iteration

        def gradient(vector: np.ndarray) -> tuple[float, np.ndarray]:
            p = trees.unravel(E.put(vector, dtype), state.params)
            cost, grads = F.call(value_and_gradient, p)
            slope = np.asarray(trees.ravel(grads), np.float64)
            norms.append(float(np.linalg.norm(slope)))
            return float(cost), slope

        def iterated(intermediate_result: OptimizeResult) -> None:
            done[:] = len(norms), intermediate_result.x.copy(), intermediate_result.fun, counted() + 1
            clock()

        def counted() -> int:
            return done[-1] if done else 0

        options = {"maxcor": self.memory, "maxiter": self.iterations, "maxfun": 10 * self.iterations, "maxls": 50}
        options |= {"ftol": 0.0, "gtol": 0.0}
        try:
            found = minimize(gradient, start, jac=True, method="L-BFGS-B", callback=iterated, options=options)
            reached, cost, norm = found.x, found.fun, np.linalg.norm(found.jac)
            stop = 0 if found.nit else stop_code("no_descent")
        except (TimeLimitReached, KeyboardInterrupt) as end:
            if not done:
                raise
            evaluations, reached, cost, _ = done
            norm = norms[evaluations - 1]
            stop = stop_code("time" if isinstance(end, TimeLimitReached) else "interrupted")
        record = {
            "cost": dtype.type(cost),
            "gradient_norm": dtype.type(norm),
            "iterations": np.int32(counted()),
            "gradients": np.int32(len(norms)),
            "stop": stop,
        }
        return LBFGSState(trees.unravel(E.put(reached, dtype), state.params)), record


register(LBFGS, leaves=("l2",))
