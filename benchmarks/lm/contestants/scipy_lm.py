"""scipy.optimize.least_squares with a compiled residual and Jacobian: MINPACK's "lm", and "trf"."""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.lm.contestants.contract import BudgetSpent, NotSupported, Recorder, Run
from benchmarks.lm.problems import Problem, Start
from benchmarks.machine import missing

TOLERANCE = 1e-15  # the smallest that MINPACK takes without a warning is just below; the race stops the run


@dataclass
class ScipyLeastSquares:
    """Default scaling and damping of each method; `iterations` counts evaluations after the first."""

    name: str
    method: str
    _compiled: dict[str, Any] = field(default_factory=dict)

    def available(self) -> str | None:
        """None, or what is not installed."""
        return missing("scipy")

    def run(self, problem: Problem, start: Start, *, seconds: float, iterations: int) -> Run:
        """Train from ``start``; raises NotSupported for method "lm" with fewer residuals than parameters."""
        import jax
        from scipy.optimize import least_squares

        from benchmarks.lm.contestants.jax_network import flatten

        if self.method == "lm" and problem.residuals < problem.parameters:
            raise NotSupported(f'"lm" needs residuals ≥ parameters, found {problem.residuals} < {problem.parameters}')
        with jax.enable_x64(True):
            if problem.name not in self._compiled:
                self._compiled[problem.name] = self._compile(problem, flatten(start))
            residuals, jacobian, compile_seconds = self._compiled[problem.name]
            recorder = Recorder(problem, seconds=seconds, iterations=iterations)

            def measured(p):
                r = residuals(p)
                recorder.add(float(r @ r) / r.size, len(recorder.rows))
                recorder.stop_when_finished()
                return r

            tolerances = dict.fromkeys(("ftol", "xtol", "gtol"), TOLERANCE)
            recorder.begin()
            try:
                solution = least_squares(
                    measured, flatten(start), jacobian, method=self.method, max_nfev=10**9, **tolerances
                )
            except BudgetSpent:
                note = ""
            else:
                note = f"stopped by itself: {solution.message}"
        return recorder.run(compile_seconds, note)

    def _compile(self, problem: Problem, p: np.ndarray) -> tuple[Any, Any, float]:
        """(residuals(p) (N k,), jacobian(p) (N k, n), seconds to compile), both returning NumPy arrays."""
        import jax

        from benchmarks.lm.contestants.jax_network import JaxNetwork

        network = JaxNetwork(problem)
        data = network.data
        began = time.perf_counter()
        residuals = jax.jit(network.residuals).lower(p, data).compile()
        jacobian = jax.jit(network.jacobian).lower(p, data).compile()
        compile_seconds = time.perf_counter() - began
        return (
            lambda p: np.asarray(residuals(p, data)),
            lambda p: np.asarray(jacobian(p, data)),
            compile_seconds,
        )
