"""torch.optim.LBFGS: strong Wolfe line search, full batch, float64."""

from dataclasses import dataclass

from benchmarks.lm.contestants.contract import BudgetSpent, Recorder, Run
from benchmarks.lm.problems import Problem, Start
from benchmarks.machine import missing


@dataclass
class TorchLBFGS:
    """One call of step() without its own stops; `iterations` counts directions, every evaluation is recorded.

    Where the line search gives up, it is started again from the gradient with an empty memory; twice in a row
    without a lower error ends the run.
    """

    name: str
    history: int = 30

    def available(self) -> str | None:
        """None, or what is not installed."""
        return missing("torch")

    def run(self, problem: Problem, start: Start, *, seconds: float, iterations: int) -> Run:
        """Train from ``start``."""
        import torch

        from benchmarks.lm.contestants.torch_network import torch_data, torch_network

        X, Y = torch_data(problem)

        def cost(model: torch.nn.Module) -> torch.Tensor:
            loss = (model(X) - Y).square().mean()
            loss.backward()
            return loss

        recorder = Recorder(problem, seconds=seconds, iterations=iterations, second_order=False)
        recorder.begin()
        model, restarts, made = torch_network(problem, start), -1, 0
        note = ""
        while True:
            optimizer = torch.optim.LBFGS(
                model.parameters(),
                max_iter=10**9,
                max_eval=10**9,
                tolerance_grad=0.0,
                tolerance_change=0.0,
                history_size=self.history,
                line_search_fn="strong_wolfe",
            )
            state = optimizer.state[optimizer.param_groups[0]["params"][0]]

            def closure(optimizer=optimizer, state=state, made=made):
                optimizer.zero_grad()
                loss = cost(model)
                recorder.add(float(loss.detach()), made + state.get("n_iter", 0))
                recorder.stop_when_finished()
                return loss

            best = recorder.best
            try:
                optimizer.step(closure)
            except BudgetSpent:
                break
            restarts, made = restarts + 1, recorder.rows[-1][2]
            if not recorder.best < best:
                note = "stopped by itself: the line search found nothing lower, twice"
                break
        return recorder.run(0.0, note or f"history {self.history}, {max(restarts, 0)} restarts")
