"""deltarule.LevenbergMarquardt with its defaults, through the loop that `dr.train` runs, on the NumPy engine."""

from dataclasses import dataclass

import numpy as np

from benchmarks.lm.contestants.contract import Recorder, Run
from benchmarks.lm.problems import Problem, Start
from benchmarks.machine import missing


@dataclass
class DeltaruleLM:
    """Epoch by epoch; `iterations` counts trials, accepted or not. Nothing is compiled."""

    name: str = "deltarule"

    def available(self) -> str | None:
        """None, or what is not installed."""
        return missing("deltarule")

    def run(self, problem: Problem, start: Start, *, seconds: float, iterations: int) -> Run:
        """Train from ``start``."""
        import deltarule as dr
        from deltarule import engine
        from deltarule.training.loop import Course

        recorder = Recorder(problem, seconds=seconds, iterations=iterations)
        recorder.begin()
        hidden = [dr.Dense(n, problem.hidden) for n in problem.sizes[1:-1]]
        net = dr.Network([*hidden, dr.Dense(problem.sizes[-1], problem.output)], cost=problem.cost)
        trainer, k = dr.LevenbergMarquardt(), problem.Y.shape[1]
        params = [{"W": np.array(W), "b": np.array(b)} for W, b in start]
        rows = engine.get("numpy").make_rows(problem.X, problem.Y, None)
        course = Course(net, trainer, rows, None, (0,), dr.Stopping(), "cost", ())
        trials, stopped = 0, False
        with course.thread_limits():
            carry = course.start(params)
            while not stopped and not (recorder.rows and recorder.finished()):
                carry, records, _ = course.advance(carry, carry.epoch + 1)
                trials += int(records["accepted"][0] + records["rejected"][0])
                recorder.add(2 * float(records["cost"][0]) / k, trials)
                stopped = carry.stop != 0
        form = trainer.form(net.sizes(problem.X.shape[1:]), len(problem.X))
        return recorder.run(0.0, f"{form}, to mu_max" if stopped else form)
