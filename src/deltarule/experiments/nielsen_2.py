"""[N] ch. 2, why backpropagation is fast: one backward pass for all weights against a forward pass for each."""

from collections.abc import Callable
from timeit import repeat

import numpy as np

import deltarule as dr
from deltarule import trees
from deltarule.experiments.report import Report, Row, Settings
from deltarule.inspection import plots
from deltarule.network.backprop import Params

HIDDEN = (1, 3, 10, 30, 100)  # 784-h-10 has 795 h + 10 parameters
BATCH = 10
H = 1e-6  # the difference, in float64
PASSES = 100  # in one timed round


def network(hidden: int) -> dr.Network:
    """784-h-10 sigmoids with the quadratic cost."""
    return dr.Network([dr.Dense(hidden, "sigmoid"), dr.Dense(10, "sigmoid")])


def mean_cost(net: dr.Network, params: Params, x: np.ndarray, y: np.ndarray) -> float:
    """C by one forward pass."""
    return float(np.mean(np.sum((net(params, x) - y) ** 2, axis=1)) / 2)


def by_differences(net: dr.Network, params: Params, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """dC/dw_j ≈ (C(w + h e_j) - C(w)) / h for every weight and bias: n + 1 forward passes."""
    w, cost = trees.ravel(params), mean_cost(net, params, x, y)
    moved = trees.unravel(w, params)  # its arrays are views of w
    slopes = np.empty_like(w)
    for j in range(w.size):
        w[j] += H
        slopes[j] = (mean_cost(net, moved, x, y) - cost) / H
        w[j] -= H
    return slopes


def by_backpropagation(net: dr.Network, params: Params, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """All slopes by one forward and one backward pass."""
    return trees.ravel(net.cost_and_gradient(params, x, y)[1])


def seconds_of(compute: Callable, repeats: int, passes: int, *arguments: object) -> float:
    """The median time of a call over `repeats` rounds of `passes` calls."""
    return float(np.median(repeat(lambda: compute(*arguments), repeat=repeats, number=passes))) / passes


def measure(hidden: int, repeats: int) -> dict[str, float]:
    """The seconds of a forward pass and of both gradients of 784-h-10, and the largest difference of the gradients."""
    net, random = network(hidden), np.random.default_rng(0)
    params = net.init(0, (784,), dtype="float64")
    x, y = random.uniform(size=(BATCH, 784)), np.eye(10)[random.integers(0, 10, BATCH)]
    arguments = (net, params, x, y)
    gap = np.max(np.abs(by_backpropagation(*arguments) - by_differences(*arguments)))
    return {
        "weights": 795 * hidden + 10,
        "forward": seconds_of(mean_cost, repeats, PASSES, *arguments),
        "backpropagation": seconds_of(by_backpropagation, repeats, PASSES, *arguments),
        "differences": seconds_of(by_differences, min(repeats, 3), 1, *arguments),
        "gap": float(gap),
    }


def run(settings: Settings) -> Report:
    """Both methods for networks of increasing size."""
    sizes = HIDDEN[:2] if settings.quick else HIDDEN
    results = []
    for i, hidden in enumerate(sizes):
        settings.report_progress(f"784-{hidden}-10", i / len(sizes))
        results.append(measure(hidden, 3 if settings.quick else 9))
    rows = []
    for result in results:
        n = int(result["weights"])
        rows += [
            Row(f"n = {n:,}: backpropagation, in forward passes", 2.0, [result["backpropagation"] / result["forward"]],
                seconds=[result["backpropagation"]], template="{:,.1f}"),
            Row(f"n = {n:,}: differences, in forward passes", n + 1.0, [result["differences"] / result["forward"]],
                seconds=[result["differences"]], template="{:,.0f}"),
        ]  # fmt: skip
    gap = max(result["gap"] for result in results)
    return Report(
        "nielsen-2",
        "Why backpropagation is fast",
        rows,
        {"time": time_figure(results)},
        [
            f"784-h-10 sigmoids on {BATCH} examples in float64, by NumPy; one number is the median of "
            "several calls. Differences take a forward pass for every weight, backpropagation a forward and a backward "
            "one whatever their number.",
            f"The two gradients differ by {gap:.1e} at most.",
        ],
    )


def time_figure(results: list[dict[str, float]]) -> tuple:
    """Plot the seconds over the number of weights, both axes logarithmic."""
    figure = plots.curves(
        {
            "differences": [result["differences"] for result in results],
            "backpropagation": [result["backpropagation"] for result in results],
            "one forward pass": [result["forward"] for result in results],
        },
        x=[result["weights"] for result in results],
        xlabel="weights and biases, n",
        ylabel="seconds for one gradient",
        title="The gradient of 784-h-10",
        log=True,
    )
    figure.axes[0].set_xscale("log")
    for line in figure.axes[0].lines:
        line.set(marker="o", clip_on=False)
    return (
        figure,
        "Time of one gradient against the number of weights: differences by n forward passes, and backpropagation",
    )
