"""scikit-learn's MLPRegressor(solver="lbfgs") without its L2 penalty, from the common start."""

import warnings
from dataclasses import dataclass

from benchmarks.lm.contestants.contract import BudgetSpent, NotSupported, Recorder, Run
from benchmarks.lm.problems import Problem, Start
from benchmarks.machine import missing

COST_SCALE = 1e12


@dataclass
class SklearnLBFGS:
    """alpha = 0, tol = 0; `iterations` counts evaluations of cost and gradient.

    L-BFGS-B inside stops at a fall in cost below 2.2e-9 max(cost, 1), which MLPRegressor does not let one
    change: small costs would end it early. A subclass therefore hands L-BFGS-B the cost and gradient times
    COST_SCALE, to which its steps are indifferent, and records each cost; fit is called again, warm, while
    that lowers it.
    """

    name: str

    def available(self) -> str | None:
        """None, or what is not installed, or what this scikit-learn lacks."""
        if reason := missing("sklearn"):
            return reason
        from sklearn.neural_network import MLPRegressor

        if not hasattr(MLPRegressor, "_loss_grad_lbfgs"):
            return "this scikit-learn has no MLPRegressor._loss_grad_lbfgs to measure"
        return None

    def run(self, problem: Problem, start: Start, *, seconds: float, iterations: int) -> Run:
        """Train from ``start``; raises NotSupported for an output that is not linear."""
        if problem.output != "linear":
            raise NotSupported(f"only a linear output, found {problem.output}")
        from sklearn.neural_network import MLPRegressor

        recorder = Recorder(problem, seconds=seconds, iterations=iterations, second_order=False)

        class Measured(MLPRegressor):
            recording = False

            def _loss_grad_lbfgs(self, *arguments):
                loss, gradient = super()._loss_grad_lbfgs(*arguments)
                if self.recording:
                    # Its loss is half the mean squared error.
                    recorder.add(2.0 * float(loss), len(recorder.rows))
                    recorder.stop_when_finished()
                return COST_SCALE * loss, COST_SCALE * gradient

        activation = {"sigmoid": "logistic"}.get(problem.hidden, problem.hidden)
        model = Measured(hidden_layer_sizes=problem.sizes[1:-1], activation=activation, solver="lbfgs")
        model.set_params(alpha=0.0, tol=0.0, warm_start=True, max_iter=1, max_fun=10**9, random_state=0)
        y = problem.Y.squeeze(axis=1) if problem.Y.shape[1] == 1 else problem.Y
        note, fits = "", 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the first fit makes one iteration and says so
            model.fit(problem.X, y)  # makes the arrays that the start is written into
            model.coefs_ = [W.T.copy() for W, _ in start]
            model.intercepts_ = [b.copy() for _, b in start]
            model.set_params(max_iter=10**9)
            model.recording = True
            recorder.begin()
            try:
                while True:
                    best = recorder.best
                    model.fit(problem.X, y)
                    fits += 1
                    if not recorder.best < best:
                        note = "stopped by itself: fitting again lowers nothing; "
                        break
            except BudgetSpent:
                pass
        return recorder.run(0.0, f"{note}{fits} warm fits")
