"""[N] ch. 1: NAND and the adder of two bits by step neurons with the book's weights; sigmoid neurons learn it."""

from typing import Any

import numpy as np

import deltarule as dr
from deltarule.experiments.report import Report, Row, Settings
from deltarule.inspection import plots
from deltarule.training.train import TrainingResult

BITS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
SUMS = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])  # carry bit, sum bit

NAND = dr.Network([dr.Dense(1, "step")])
NAND_PARAMS: list[Any] = [{"W": np.array([[-2.0, -2.0]]), "b": np.array([3.0])}]

# The book's circuit of NAND gates, n = NAND(x1, x2) in all of them. A bit that only passes through a layer takes a
# step neuron of weight 1 and bias -1/2. The carry bit is NAND(n, n), so its weight is -2 - 2 = -4.
ADDER = dr.Network([dr.Dense(3, "step"), dr.Dense(3, "step"), dr.Dense(2, "step")])
ADDER_PARAMS: list[Any] = [
    {"W": np.array([[-2.0, -2.0], [1.0, 0.0], [0.0, 1.0]]), "b": np.array([3.0, -0.5, -0.5])},  # n, x1, x2
    {"W": np.array([[-4.0, 0, 0], [-2, -2, 0], [-2, 0, -2]]), "b": np.array([3.0, 3, 3])},  # carry, NAND with x1, x2
    {"W": np.array([[1.0, 0, 0], [0, -2, -2]]), "b": np.array([-0.5, 3.0])},  # carry, sum
]

LEARNER = dr.Network([dr.Dense(3, "sigmoid"), dr.Dense(2, "sigmoid")], cost="cross-entropy")


def learn(seed: int, epochs: int, settings: Settings) -> TrainingResult:
    """Sigmoid neurons learn the adder from its four rows."""
    trainer = dr.GradientDescent(eta=0.5, momentum=0.9)
    watch = settings.progress_callback(f"sigmoid neurons, start {seed}", epochs)
    return dr.train(LEARNER, BITS, SUMS, trainer=trainer, epochs=epochs, seed=seed, callbacks=[watch])


def wrong_bits(net: dr.Network, params: Any, Y: np.ndarray) -> int:
    """The number of wrong output bits in the four rows."""
    return int(np.sum((np.asarray(net(params, BITS)) > 0.5) != (Y > 0.5)))


def run(settings: Settings) -> Report:
    """The two truth tables, and the share of starts that learn the adder."""
    nand, adder = np.asarray(NAND(NAND_PARAMS, BITS)), np.asarray(ADDER(ADDER_PARAMS, BITS))
    rows = []
    for (x1, x2), output in zip(BITS, nand, strict=True):
        rows.append(Row(f"{x1:g} NAND {x2:g}", float(not (x1 and x2)), [float(output[0])], template="{:g}"))
    for (x1, x2), (carry, total) in zip(BITS, adder, strict=True):
        expected = float(f"{int(x1) + int(x2):b}")
        rows.append(Row(f"{x1:g} + {x2:g}, in binary", expected, [float(10 * carry + total)], template="{:02.0f}"))
    epochs = 300 if settings.quick else 2000
    results = [learn(seed, epochs, settings) for seed in settings.runs(20, quick=3)]
    learnt = [float(wrong_bits(LEARNER, result.params, SUMS) == 0) for result in results]
    rows.append(
        Row(
            f"share of {len(learnt)} starts of 2-3-2 sigmoids that learn the adder",
            None,
            [100 * sum(learnt) / len(learnt)],
            template="{:.0f} %",
            seconds=[result.seconds for result in results],
        )
    )
    return Report(
        "perceptron",
        "NAND, the adder, and neurons that learn it",
        rows,
        {"learning": learning_figure(results), "outputs": outputs_figure(results)},
        [
            "NAND is the book's perceptron, weights -2, -2 and bias 3; the adder is the book's circuit of such gates, "
            "as a network of three layers of step neurons.",
            f"A step neuron has no gradient to follow. Sigmoid neurons have: 2-3-2, cross-entropy, eta = 0.5, "
            f"momentum 0.9, {epochs:,} steps on the four rows.",
        ],
    )


def learning_figure(results: list[TrainingResult]) -> tuple:
    """Plot the cost of every start."""
    costs = np.stack([result.history["cost"] for result in results])
    figure = plots.curves({"": costs}, xlabel="step", ylabel="cross-entropy", title="Learning to add", log=True)
    return figure, f"The cost of {len(results)} starts of the 2-3-2 network, and their geometric mean"


def outputs_figure(results: list[TrainingResult]) -> tuple:
    """Plot the outputs of the best start between the four rows."""
    best = min(results, key=lambda result: result.history["cost"][-1])
    figure, axes = plots.panels(1, 2, (7.2, 3.8))
    for j, (name, ax) in enumerate(zip(("carry bit", "sum bit"), axes, strict=True)):
        plots.decision_regions(
            lambda points, j=j: np.asarray(LEARNER(best.params, points))[:, j : j + 1],
            BITS,
            SUMS[:, j].astype(int),
            limits=(-0.2, 1.2, -0.2, 1.2),
            title=name,
            axes=ax,
        )
    return figure, "Where the learnt network gives 0 (red) and 1 (blue), with the four rows of the truth table"
