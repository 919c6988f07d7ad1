"""L-BFGS by SciPy on all examples, for comparison: many libraries train small networks with it."""

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

    A time limit or Ctrl-C ends an epoch after its current iteration; a training resumed from there starts with an
    empty memory.

    Args:
        iterations: of an epoch; each epoch starts with an empty memory, so take many.
        memory: how many pairs of steps and changes of the gradient it keeps.
        l2: lambda of (lambda/2N) sum w², over weights only; None for none.

    Raises:
        ConfigurationError: a value outside its range.

    Source: R. Byrd, P. Lu, J. Nocedal & C. Zhu, SIAM J. Sci. Comput. 16 (1995).
    """

    iterations: int = 1000
    memory: int = 50
    l2: float | None = None

    minimises_objectives: ClassVar[bool] = True
    keeps_partial_epochs: ClassVar[bool] = True
    initializers: ClassVar[dict[str, str]] = {"tanh": "nguyen-widrow"}

    def __post_init__(self):
        check_fields(self, least_0=("l2",), counts=("iterations", "memory"))

    @property
    def memory_copies(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
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
        """`iterations` iterations on an objective; the record counts its gradients.

        If the clock or Ctrl-C interrupts, the completed iterations are returned and "stop" is the interruption.
        """
        E, start = engine.of(F.rows.x), np.asarray(trees.ravel(state.params), np.float64)
        norms, completed = [], []  # of every gradient; gradients, point, cost and number of the last iteration

        def gradient(vector: np.ndarray) -> tuple[float, np.ndarray]:
            p = trees.unravel(E.put(vector, dtype), state.params)
            cost, grads = F.call(value_and_gradient, p)
            slope = np.asarray(trees.ravel(grads), np.float64)
            norms.append(float(np.linalg.norm(slope)))
            return float(cost), slope

        def after_iteration(intermediate_result: OptimizeResult) -> None:
            completed[:] = len(norms), intermediate_result.x.copy(), intermediate_result.fun, iterations() + 1
            clock()

        def iterations() -> int:
            return completed[-1] if completed else 0

        options = {"maxcor": self.memory, "maxiter": self.iterations, "maxfun": 10 * self.iterations, "maxls": 50}
        options |= {"ftol": 0.0, "gtol": 0.0}
        try:
            result = minimize(gradient, start, jac=True, method="L-BFGS-B", callback=after_iteration, options=options)
            point, cost, norm = result.x, result.fun, np.linalg.norm(result.jac)
            stop = 0 if result.nit else stop_code("no_descent")
        except (TimeLimitReached, KeyboardInterrupt) as interruption:
            if not completed:
                raise
            gradients, point, cost, _ = completed
            norm = norms[gradients - 1]
            stop = stop_code("time" if isinstance(interruption, TimeLimitReached) else "interrupted")
        record = {
            "cost": dtype.type(cost),
            "gradient_norm": dtype.type(norm),
            "iterations": np.int32(iterations()),
            "gradients": np.int32(len(norms)),
            "stop": stop,
        }
        return LBFGSState(trees.unravel(E.put(point, dtype), state.params)), record


register(LBFGS, leaves=("l2",))
