"""Adam from Optax: full batch, float64, whole epochs compiled, the best learning rate of a list."""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.lm.contestants.contract import Recorder, Run
from benchmarks.lm.problems import Problem, Start
from benchmarks.machine import missing

CHUNK = 100  # steps in one compiled call
BLOCK = 10  # steps of which the lowest error is recorded


@dataclass
class Adam:
    """Constant learning rate, tuned once for each problem.

    Every rate of the list is given the full budget from the first start that is met; the best one stays.
    The time within a compiled chunk of steps is spread evenly over them.
    """

    name: str
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2)
    _compiled: dict[str, Any] = field(default_factory=dict)
    _tuned: dict[str, float] = field(default_factory=dict)

    def available(self) -> str | None:
        """None, or what is not installed."""
        return missing("optax")

    def run(self, problem: Problem, start: Start, *, seconds: float, iterations: int) -> Run:
        """Train from ``start`` at the learning rate that was best on the first start."""
        import jax

        with jax.enable_x64(True):
            if problem.name not in self._compiled:
                self._compiled[problem.name] = self._compile(problem, start)
            if problem.name in self._tuned:
                return self._train(problem, start, self._tuned[problem.name], seconds, iterations)
            runs = {rate: self._train(problem, start, rate, seconds, iterations) for rate in self.rates}
        rank = {rate: (max(run.mse[-1], min(problem.targets)), run.seconds[-1]) for rate, run in runs.items()}
        self._tuned[problem.name] = min(rank, key=rank.__getitem__)
        return runs[self._tuned[problem.name]]

    def _train(self, problem: Problem, start: Start, rate: float, seconds: float, iterations: int) -> Run:
        import jax.numpy as jnp

        from benchmarks.lm.contestants.jax_network import flatten

        initial, chunk, compile_seconds = self._compiled[problem.name]
        p = jnp.asarray(flatten(start))
        carry = p, initial(p)
        recorder = Recorder(problem, seconds=seconds, iterations=iterations, second_order=False)
        recorder.begin()
        steps, before = 0, 0.0
        while not (recorder.rows and recorder.finished()):
            carry, errors = chunk(carry, rate)
            errors = np.asarray(errors)
            now = recorder.elapsed()
            for block in np.split(np.arange(CHUNK), CHUNK // BLOCK):
                at = block[np.argmin(np.where(np.isfinite(errors[block]), errors[block], np.inf))]
                recorder.add(float(errors[at]), steps + int(at), before + (now - before) * (at + 1) / CHUNK)
            steps, before = steps + CHUNK, now
        return recorder.run(compile_seconds, f"rate {rate:g}")

    def _compile(self, problem: Problem, start: Start) -> tuple[Any, Any, float]:
        """(initial, chunk, seconds to compile).

        initial(p) -> state; chunk((p, state), rate) -> ((p, state), errors (CHUNK,)).
        """
        import jax
        import jax.numpy as jnp
        import optax

        from benchmarks.lm.contestants.jax_network import JaxNetwork, flatten

        network = JaxNetwork(problem)
        data, rule = network.data, optax.scale_by_adam()

        @jax.jit
        def chunk(carry, rate, data):
            def step(carry, _):
                p, state = carry
                mse, gradient = jax.value_and_grad(network.mse)(p, data)
                direction, state = rule.update(gradient, state)
                return (p - rate * direction, state), mse

            return jax.lax.scan(step, carry, length=CHUNK)

        p = jnp.asarray(flatten(start))
        began = time.perf_counter()
        compiled = chunk.lower((p, rule.init(p)), 0.1, data).compile()
        compile_seconds = time.perf_counter() - began
        return rule.init, lambda carry, rate: compiled(carry, rate, data), compile_seconds
