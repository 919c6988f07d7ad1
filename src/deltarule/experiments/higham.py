"""[HH]: ten points in the plane, a 2-2-3-2 network of 23 parameters, a million steps of stochastic gradient descent.

The paper's cost is the sum over the points of ‖y - a‖², 20 times the mean of ½‖y - a‖² that is descended.
"""

import numpy as np

import deltarule as dr
from deltarule import trees
from deltarule.experiments.report import Report, Row, Settings
from deltarule.inspection import plots
from deltarule.network.backprop import Params
from deltarule.training.train import TrainingResult

X = np.array([[0.1, 0.3, 0.1, 0.6, 0.4, 0.6, 0.5, 0.9, 0.4, 0.7], [0.1, 0.4, 0.5, 0.9, 0.2, 0.3, 0.6, 0.2, 0.4, 0.6]]).T
Y = np.array(5 * [[1.0, 0.0]] + 5 * [[0.0, 1.0]])
NET = dr.Network([dr.Dense(2, "sigmoid", "old"), dr.Dense(3, "sigmoid", "old"), dr.Dense(2, "sigmoid", "old")])
STEPS = 1000  # between two measurements of the cost
PAPER = 20  # the ratio of the paper's cost to the mean cost


def start(seed: int) -> Params:
    """Weights and biases N(0, 1/4), as in the paper's program."""
    return trees.scale(NET.init(seed, input_shape=(2,)), 0.5)


def descend(seed: int, steps: int, settings: Settings) -> TrainingResult:
    """Take `steps` steps, each on one of the ten points, drawn with replacement."""
    trainer = dr.GradientDescent(eta=0.05, batch_size=1, sampling="uniform", steps=STEPS)
    return dr.train(
        NET,
        X,
        Y,
        trainer=trainer,
        epochs=steps // STEPS,
        params=start(seed),
        seed=seed,
        validation_data=(X, Y),  # the cost of all ten points, every STEPS steps
        callbacks=[settings.progress_callback(f"start {seed}", steps // STEPS)],
    )


def run(settings: Settings) -> Report:
    """Twenty starts; figures show the cost of three of them, and their decision regions at the end."""
    steps = 20_000 if settings.quick else 10**6
    results = [descend(seed, steps, settings) for seed in settings.runs(20, quick=3)]
    costs = [PAPER * result.history["validation_cost"] for result in results]
    rows = [
        Row(
            f"cost after {steps:,} steps, median of {len(costs)} starts",
            7.6e-4,
            [float(cost[-1]) for cost in costs],
            template="{:.1e}",
            median=True,
            seconds=[result.seconds for result in results],
        ),
        Row(
            "points classified right, of 10",
            10,
            [float(10 * result.history["validation_accuracy"][-1]) for result in results],
            template="{:g}",
            median=True,
        ),
        Row(
            f"seconds for {steps:,} steps, the ten points' cost taken every {STEPS:,} included",
            None,
            [result.seconds for result in results],
            template="{:.2f}",
            median=True,
        ),
    ]
    return Report(
        "higham",
        "Ten points and 23 parameters",
        rows,
        {"cost": cost_figure(costs[:3]), "regions": regions_figure(results[:3])},
        [
            "2-2-3-2 sigmoids, weights and biases from N(0, 1/4), eta = 0.05, one point drawn with replacement a step. "
            "The cost is the paper's: the sum over the ten points of ‖y - a‖². "
            "The paper gives its cost as a curve alone, so the number beside ours is the median that a plain loop in C "
            "reached. Where JAX computes, the first start compiles: the median is the time of a training after that.",
        ],
    )


def cost_figure(costs: list[np.ndarray]) -> tuple:
    """Plot the cost of a few starts over the steps."""
    x = STEPS / 1000 * np.arange(1, len(costs[0]) + 1)
    lines = {f"start {seed}": cost for seed, cost in enumerate(costs)}
    figure = plots.curves(
        lines,
        x=x,
        xlabel="thousands of steps",
        ylabel="sum of ‖y - a‖²",
        title="Stochastic gradient descent on ten points",
        log=True,
    )
    return figure, "The cost of three starts over the steps, on a logarithmic scale"


def regions_figure(results: list[TrainingResult]) -> tuple:
    """Plot the decision regions of each start."""
    figure, axes = plots.panels(1, len(results), (3.4 * len(results), 3.6))
    for seed, (result, ax) in enumerate(zip(results, axes, strict=True)):
        plots.decision_regions(
            lambda points, result=result: NET(result.params, points),
            X,
            Y.argmax(axis=1),
            limits=(0, 1, 0, 1),
            title=f"start {seed}",
            axes=ax,
        )
    return figure, "The class of every point of the unit square, by each of the three networks, and the ten points"
