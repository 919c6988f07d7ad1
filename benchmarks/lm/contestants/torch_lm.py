"""torch-levenberg-marquardt: its training module on the full batch, with each of its solvers."""

import logging
from dataclasses import dataclass

from benchmarks.lm.contestants.contract import Recorder, Run
from benchmarks.lm.problems import Problem, Start
from benchmarks.machine import missing


@dataclass
class TorchLevenbergMarquardt:
    """A row for each training_step; `iterations` counts its attempts, that is, its factorisations.

    Everything but the solver is the library's default: damping 1e-3 on JᵀJ/N, divided or multiplied by 10
    within [1e-10, 1e10], ten attempts a step, the per-example Jacobian under vmap, JJᵀ where parameters
    outnumber residuals. After ten failed attempts it takes the last step even though the error rises; the
    best error so far is recorded. Nothing is compiled: the clock begins with the first call.
    """

    name: str
    solve_method: str = "qr"

    def available(self) -> str | None:
        """None, or what is not installed."""
        return missing("torch", "torch_levenberg_marquardt")

    def run(self, problem: Problem, start: Start, *, seconds: float, iterations: int) -> Run:
        """Train from ``start``."""
        from torch_levenberg_marquardt.training import LevenbergMarquardtModule

        from benchmarks.lm.contestants.torch_network import torch_data, torch_network

        # A factorisation that fails is an attempt like any other, and the library logs each one.
        logging.getLogger("torch_levenberg_marquardt.training").setLevel(logging.ERROR)
        X, Y = torch_data(problem)

        recorder = Recorder(problem, seconds=seconds, iterations=iterations)
        recorder.begin()
        trainer = LevenbergMarquardtModule(torch_network(problem, start), solve_method=self.solve_method)
        attempts = 0
        while not (recorder.rows and recorder.finished()):
            _, loss, stopped, logs = trainer.training_step(X, Y)
            attempts += logs["attempts"]
            recorder.add(float(loss), attempts)
            if stopped:
                return recorder.run(0.0, "stopped by itself: damping reached its maximum")
        return recorder.run(0.0, "")
