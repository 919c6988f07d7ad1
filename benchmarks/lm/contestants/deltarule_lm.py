"""deltarule.LevenbergMarquardt with its defaults, through the compiled loop that `dr.train` runs."""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.lm.contestants.contract import Recorder, Run
from benchmarks.lm.problems import Problem, Start
from benchmarks.machine import missing

CHUNK_SECONDS = 0.02  # long enough to hide the cost of the call, short against a run


@dataclass
class DeltaruleLM:
    """Epochs in chunks whose time is spread evenly over their trials; `iterations` counts trials, accepted or not."""

    name: str = "deltarule"
    _compiled: dict[str, float] = field(default_factory=dict)

    def available(self) -> str | None:
        """None, or what is not installed."""
        return missing("deltarule")

    def run(self, problem: Problem, start: Start, *, seconds: float, iterations: int) -> Run:
        """Train from ``start``."""
        import jax
        import jax.numpy as jnp

        import deltarule as dr
        from deltarule import loop
        from deltarule.rows import pad_rows

        hidden = [dr.Dense(n, problem.hidden) for n in problem.sizes[1:-1]]
        net = dr.Network([*hidden, dr.Dense(problem.sizes[-1], problem.output)], cost=problem.cost)
        trainer, rules, k = dr.LevenbergMarquardt(), dr.Stopping(), problem.Y.shape[1]
        with jax.enable_x64(True), trainer.surroundings(net, [{"W": W, "b": b} for W, b in start], len(problem.X)):
            params = [{"W": jnp.asarray(W), "b": jnp.asarray(b)} for W, b in start]
            rows, key = pad_rows(problem.X, problem.Y), jax.random.key(0)

            def advance(carry: Any, until: int) -> tuple[Any, dict[str, np.ndarray]]:
                until = jnp.asarray(until, jnp.int32)
                carry, records = loop.advance(net, trainer, rules, "cost", carry, rows, None, key, until)
                return jax.block_until_ready(carry), jax.tree.map(np.asarray, records)

            began = time.perf_counter()
            carry = loop.start(net, trainer, params, rows)
            advance(carry, 1)
            self._compiled.setdefault(problem.name, time.perf_counter() - began)  # later starts find it compiled
            recorder = Recorder(problem, seconds=seconds, iterations=iterations)
            recorder.begin()
            carry = loop.start(net, trainer, params, rows)
            trials, done, count, before, stopped = 0, 0, 8, 0.0, False
            while not stopped and not (recorder.rows and recorder.finished()):
                carry, records = advance(carry, done + count)
                now, ran = recorder.elapsed(), int(carry.epoch) - done
                for i in range(ran):
                    trials += int(records["accepted"][i] + records["rejected"][i])
                    recorder.add(2 * float(records["cost"][i]) / k, trials, before + (now - before) * (i + 1) / ran)
                done, stopped = done + ran, int(carry.stop) != 0
                count = int(np.clip(CHUNK_SECONDS / ((now - before) / ran), 1, loop.CHUNK))
                before = now
            form = trainer.form(net, params, rows.x.shape[0])
        return recorder.run(self._compiled[problem.name], f"{form}, to mu_max" if stopped else form)
