"""One neuron that is to turn 1 into 0, from a bad and a very bad start: quadratic cost against cross-entropy."""

from typing import Any

import numpy as np

import deltarule as dr
from deltarule.experiments.report import Row, Settings
from deltarule.inspection import plots

EPOCHS = 300
ETA = 0.15
STARTS = {"w = 0.6, b = 0.9": (0.6, 0.9), "w = 2, b = 2": (2.0, 2.0)}
BOOK = {"w = 0.6, b = 0.9": 0.09, "w = 2, b = 2": 0.20}  # the quadratic cost, after 300 epochs


def outputs(cost: str, w: float, b: float, settings: Settings) -> np.ndarray:
    """The neuron's output before each of the 300 steps and after the last, (301,)."""
    net = dr.Network([dr.Dense(1, "sigmoid")], cost=cost)
    start: Any = [{"W": np.array([[w]]), "b": np.array([b])}]
    result = dr.train(
        net,
        [[1.0]],
        [[0.0]],
        trainer=dr.GradientDescent(eta=ETA),
        epochs=EPOCHS,
        params=start,
        dtype="float64",
        callbacks=[settings.watch(f"one neuron, {cost}", EPOCHS)],
    )
    C = result.history["cost"]  # of the parameters before the step: a²/2, or -ln(1 - a)
    before = np.sqrt(2 * C) if cost == "quadratic" else -np.expm1(-C)
    return np.append(before, np.asarray(net(result.params, [[1.0]])).item())


def run(settings: Settings) -> tuple[list[Row], dict[str, tuple], str]:
    """Both starts with both costs."""
    rows, lines = [], {}
    for cost in ("quadratic", "cross-entropy"):
        for name, (w, b) in STARTS.items():
            lines[cost, name] = outputs(cost, w, b, settings)
            book = BOOK[name] if cost == "quadratic" else None
            what = f"one neuron from {name}, {cost}: output after {EPOCHS} epochs"
            rows.append(Row(what, book, [float(lines[cost, name][-1])], form="{:.2f}"))
    figure, axes = plots.panels(1, 2, (9.0, 3.8), sharey=True)
    axes[0].set_ylim(-0.06, 1)  # room for both names at the lower end
    for cost, ax in zip(("quadratic", "cross-entropy"), axes, strict=True):
        of_cost = {name: lines[cost, name] for name in STARTS}
        plots.curves(of_cost, x=np.arange(EPOCHS + 1), ylabel="output", title=f"{cost} cost", axes=ax)
    caption = (
        "The output of one neuron that should learn 0: with the quadratic cost a very bad start learns slowly at first"
    )
    note = (
        f"One neuron, input 1, target 0, eta = {ETA} with both costs. The book gives no numbers for cross-entropy, "
        "where it takes another eta."
    )
    return rows, {"slowdown": (figure, caption)}, note
