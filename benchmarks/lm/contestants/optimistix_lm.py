"""optimistix.LevenbergMarquardt: its own damping and trust region, QR (its default) or Cholesky."""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.lm.contestants.contract import Recorder, Run
from benchmarks.lm.problems import Problem, Start
from benchmarks.machine import missing

LARGEST_CHUNK = 64  # steps in one compiled call at most
CHUNK_SECONDS = 0.02  # long enough to hide the cost of the call, short against a run


@dataclass
class Optimistix:
    """Steps of the solver in a compiled loop, in chunks whose time is spread evenly over their steps.

    The tolerances never stop it: the race does. An optimistix step evaluates the trial point of the step
    before, so that its step i + 1 tells the error of trial i, and `iterations` counts the trials. The Jacobian
    is given to it by rule: left to itself it pushes one tangent for each parameter through the whole batch.
    """

    name: str
    solver: str = "qr"
    _compiled: dict[str, Any] = field(default_factory=dict)

    def available(self) -> str | None:
        """None, or what is not installed."""
        return missing("optimistix", "lineax")

    def run(self, problem: Problem, start: Start, *, seconds: float, iterations: int) -> Run:
        """Train from ``start``."""
        import jax
        import jax.numpy as jnp

        from benchmarks.lm.contestants.jax_network import flatten

        with jax.enable_x64(True):
            p = jnp.asarray(flatten(start))
            if problem.name not in self._compiled:
                self._compiled[problem.name] = self._compile(problem, p)
            initial, advance, compile_seconds = self._compiled[problem.name]
            state = initial(p)
            jax.block_until_ready(advance(p, state, 1))
            recorder = Recorder(problem, seconds=seconds, iterations=iterations)
            recorder.begin()
            steps, count, before = 0, 1, 0.0
            while not (recorder.rows and recorder.finished()):
                p, state, errors = advance(p, state, count)
                errors = np.asarray(errors)[:count]
                now = recorder.elapsed()
                for index, mse in enumerate(errors, start=1):
                    recorder.add(float(mse), steps + index - 1, before + (now - before) * index / count)
                steps += count
                count = int(np.clip(CHUNK_SECONDS / ((now - before) / count), 1, LARGEST_CHUNK))
                before = now
                if not np.isfinite(errors[-1]):
                    return recorder.run(compile_seconds, f"{self.solver}; not finite at step {steps}")
        return recorder.run(compile_seconds, self.solver)

    def _compile(self, problem: Problem, p: Any) -> tuple[Any, Any, float]:
        """(initial, advance, seconds to compile).

        initial(p) -> state; advance(p, state, count) -> (p, state, errors (LARGEST_CHUNK,)).
        """
        import equinox as eqx
        import jax
        import jax.numpy as jnp
        import lineax as lx
        import optimistix as optx

        from benchmarks.lm.contestants.jax_network import JaxNetwork

        linear = {"qr": lx.QR(), "cholesky": lx.Normal(lx.Cholesky())}[self.solver]
        solver = optx.LevenbergMarquardt(rtol=1e-15, atol=1e-15, linear_solver=linear)
        network = JaxNetwork(problem)
        data, tags, options = network.data, frozenset(), {}

        def residuals(p, data):
            return network.linearised_residuals(p, data), None

        shapes = jax.eval_shape(residuals, p, data)
        full = solver.init(residuals, p, data, options, *shapes, tags)
        static = eqx.partition(full, eqx.is_array)[1]

        @jax.jit
        def initial(p):
            return eqx.filter(solver.init(residuals, p, data, options, *shapes, tags), eqx.is_array)

        @jax.jit
        def loop(p, state, data, count):
            def body(index, carry):
                p, state, errors = carry
                p, state, _ = solver.step(residuals, p, data, options, eqx.combine(state, static), tags)
                mse = jnp.mean(state.f_info.residual**2)
                return p, eqx.filter(state, eqx.is_array), errors.at[index].set(mse)

            return jax.lax.fori_loop(0, count, body, (p, state, jnp.full(LARGEST_CHUNK, jnp.nan)))

        began = time.perf_counter()
        compiled = loop.lower(p, initial(p), data, 1).compile()
        compile_seconds = time.perf_counter() - began
        return initial, lambda p, state, count: compiled(p, state, data, count), compile_seconds
