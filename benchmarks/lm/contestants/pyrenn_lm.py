"""pyrenn.train_LM: pure NumPy, example by example; tanh hidden layers and a linear output only."""

import contextlib
import io
from dataclasses import dataclass

import numpy as np

from benchmarks.lm.contestants.contract import BudgetSpent, NotSupported, Recorder, Run
from benchmarks.lm.problems import Problem, Start
from benchmarks.machine import missing


@dataclass
class Pyrenn:
    """Its defaults: damping 3, multiplied or divided by 10; `iterations` counts its trials.

    The shim: train_LM reports only at its end, and tries larger dampings without end where none lowers the
    error. So the two functions it measures the error with, RTRL and calc_error, are wrapped while it runs:
    each tells the recorder what it returned, and leaves when the budget is spent.
    Targets beyond [-1, 1] it divides by their largest magnitude: the last layer of the start is divided
    likewise, and the error multiplied back.
    """

    name: str

    def available(self) -> str | None:
        """None, or what is not installed."""
        return missing("pyrenn")

    def run(self, problem: Problem, start: Start, *, seconds: float, iterations: int) -> Run:
        """Train from ``start``; raises NotSupported unless the layers are tanh, ..., tanh, linear."""
        if (problem.hidden, problem.output) != ("tanh", "linear"):
            raise NotSupported(f"only tanh and a linear output, found {problem.hidden} and {problem.output}")
        import pyrenn

        unit = np.maximum(np.abs(problem.Y).max(axis=0), 1.0)
        if not (unit == unit[0]).all():
            raise NotSupported("targets in one unit only: it divides each by its own maximum")
        start = [*start[:-1], (start[-1][0] / unit[0], start[-1][1] / unit[0])]
        per_residual = unit[0] ** 2 / problem.residuals
        network = pyrenn.CreateNN(list(problem.sizes))
        input_weights = {(1, 1, 0): start[0][0]}
        layer_weights = {(layer, layer - 1, 0): W for layer, (W, _) in enumerate(start, start=1) if layer > 1}
        biases = {layer: b for layer, (_, b) in enumerate(start, start=1)}
        network["w"] = pyrenn.Wb2w(network, input_weights, layer_weights, biases)

        recorder = Recorder(problem, seconds=seconds, iterations=iterations)
        jacobian, error = pyrenn.RTRL, pyrenn.calc_error

        def measured_jacobian(net, data):
            result = jacobian(net, data)
            if not recorder.rows:
                recorder.add(result[1] * per_residual, 0)
            recorder.stop_when_finished()
            return result

        def measured_error(net, data):
            result = error(net, data)
            recorder.add(result * per_residual, len(recorder.rows))
            recorder.stop_when_finished()
            return result

        pyrenn.RTRL, pyrenn.calc_error = measured_jacobian, measured_error
        recorder.begin()
        try:
            with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
                pyrenn.train_LM(problem.X.T, problem.Y.T, network, k_max=10**6, E_stop=0.0)
        except BudgetSpent:
            pass
        finally:
            pyrenn.RTRL, pyrenn.calc_error = jacobian, error
        return recorder.run(0.0, "")
