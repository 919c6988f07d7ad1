"""Past the end of [N] ch. 6: recurrent networks, on a sine that needs a memory, and how far back their errors reach.

The task: inputs u_t are random numbers in [-1, 1], and y_t = sin(pi (u_t + u_{t-2})). A single input does not determine
the target, so a network without a memory can do no better than the mean. The reach: how much of the error of the last
of 50 steps backpropagation through time carries to earlier steps, before training; according to [N] ch. 6 the unstable
gradient makes recurrent networks hard to train, and long short-term memory is the cure.
"""

from typing import Any

import numpy as np

import deltarule as dr
from deltarule.experiments.report import Report, Row, Settings
from deltarule.inspection import plots

SEQUENCES, STEPS = 20, 50  # of training, and as many of test
HIDDEN = {
    "no memory, 20 neurons": dr.Dense(20, "tanh"),
    "recurrent, 8 neurons": dr.Recurrent(8),
    "GRU, 5 neurons": dr.GRU(5),
    "LSTM, 4 cells": dr.LSTM(4),
}
TRAINERS = {
    "Levenberg-Marquardt": (dr.LevenbergMarquardt(), 100),
    "Adam": (dr.GradientDescent(eta=0.01, rule="adam", batch_size=5), 1000),
}
REACHES = {
    "recurrent, sigmoid": dr.Recurrent(30, "sigmoid", sequences=False),
    "recurrent, tanh": dr.Recurrent(30, sequences=False),
    "GRU": dr.GRU(30, sequences=False),
    "LSTM": dr.LSTM(30, sequences=False),
}


def task(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """u (N, T, 1) and y (N, T, 1), NaN at the first two steps."""
    u = np.random.default_rng(seed).uniform(-1, 1, (SEQUENCES, STEPS, 1))
    y = np.full_like(u, np.nan)
    y[:, 2:] = np.sin(np.pi * (u[:, 2:] + u[:, :-2]))
    return u, y


def network(hidden: Any) -> dr.Network:
    """A hidden layer and one linear output."""
    return dr.Network([hidden, dr.Dense(1, "linear")])


def examples(net: dr.Network, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The task's sequences; for a network without a memory each step is an example."""
    u, y = task(seed)
    return (u, y) if net.is_recurrent else (u[:, 2:].reshape(-1, 1), y[:, 2:].reshape(-1, 1))


def reach(hidden: dr.Recurrent | dr.GRU | dr.LSTM, seed: int) -> np.ndarray:
    """‖delta_t‖ of every step t over that of the last step, which alone has a target, (T,)."""
    net, (u, _) = network(hidden), task(seed)
    delta = net.trace(net.init(seed, u.shape[1:], "float64"), u[0], [1.0]).layers[0].delta
    size = np.linalg.norm(delta, axis=1)
    return size / size[-1]


def run(settings: Settings) -> Report:
    """Every network by both trainers, then the reaches."""
    rows, outputs = [], {}
    for name, hidden in HIDDEN.items():
        for trainer_name, (trainer, epochs) in TRAINERS.items():
            row, outputs[name] = compare(f"{name}, {trainer_name}", network(hidden), trainer, epochs, settings)
            rows.append(row)
    settings.report_progress("the reach of errors", 1.0)
    reaches = {name: np.stack([reach(hidden, seed) for seed in settings.runs()]) for name, hidden in REACHES.items()}
    for name, runs in reaches.items():
        label = f"{name}: the share of the error that is left 20 steps back"
        rows.append(Row(label, None, runs[:, -21].tolist(), template="{:.1e}", median=True))
    figures = {"sine": sine_figure(outputs), "reach": reach_figure(reaches)}
    return Report("memory", "A sine that needs a memory", rows, figures, NOTES)


def compare(label: str, net: dr.Network, trainer: Any, epochs: int, settings: Settings) -> tuple[Row, np.ndarray]:
    """A row of the errors on new sequences over the targets' deviation, and the last network's predictions of one."""
    epochs = min(epochs, 5) if settings.quick else epochs
    results = [
        dr.train(
            net,
            *examples(net, seed),
            trainer=trainer,
            epochs=epochs,
            seed=seed,
            callbacks=[settings.progress_callback(f"{label}, seed {seed}", epochs)],
        )
        for seed in settings.runs()
    ]
    u, y = examples(net, 10_000)
    measured = ~np.isnan(y)
    outputs = [net(result.params, u) for result in results]
    errors = [float(np.sqrt(np.mean((a - y)[measured] ** 2)) / np.std(y[measured])) for a in outputs]
    label, seconds = f"{label}, {net.sizes(u.shape[1:]).parameters} parameters", [result.seconds for result in results]
    row = Row(label, None, errors, seconds=seconds, template="{:.3f}", median=True)
    return row, outputs[-1].reshape(SEQUENCES, -1)[0, -(STEPS - 2) :]


def sine_figure(outputs: dict[str, np.ndarray]) -> tuple:
    """Plot one new sequence: the target and the predictions of two of the networks, trained by Adam."""
    figure, (axes,) = plots.panels(size=(8.0, 3.2))
    _, y = task(10_000)
    axes.plot(y[0, 2:, 0], "ko", markersize=3, label="target")
    for colour, name in zip(plots.COLOURS, (next(iter(outputs)), list(outputs)[-1]), strict=False):
        axes.plot(outputs[name], color=colour, linewidth=1, label=name)
    axes.set(xlabel="step", ylabel="y")
    axes.legend(loc="upper right", fontsize="small")
    return figure, "A sequence that no network has seen: the target, a network without a memory, and the LSTM (by Adam)"


def reach_figure(reaches: dict[str, np.ndarray]) -> tuple:
    """Plot ‖delta_t‖ over the steps back from the last, the geometric mean of the runs."""
    figure, (axes,) = plots.panels(size=(6.5, 3.6))
    for colour, (name, runs) in zip(plots.COLOURS, reaches.items(), strict=False):
        axes.plot(np.arange(STEPS), np.exp(np.log(runs).mean(axis=0))[::-1], color=colour, label=name)
    axes.set(yscale="log", xlabel="steps back", ylabel="‖delta‖ beside the last step's", ylim=(1e-16, 10))
    axes.legend(fontsize="small")
    return (
        figure,
        "How much of the last step's error reaches the steps before it: 30 neurons, before training",
    )


NOTES = (
    "Inputs u_t uniform in [-1, 1], targets y_t = sin(pi (u_t + u_(t-2))), 20 sequences of 50 steps to train on and "
    "20 new ones to judge by. The number is the root mean square error beside the standard deviation of the targets: "
    "1 is no better than their mean. The first two steps have no target (NaN). Median of the runs, lowest and highest "
    "in brackets.",
    "Levenberg-Marquardt takes 100 exact steps on all sequences; its Jacobian comes by backpropagation through time "
    "or by the forward recursion, whichever is cheaper. Adam takes 1,000 epochs of batches of 5 sequences, eta = "
    "0.01. Levenberg-Marquardt computes with NumPy; for Adam JAX is taken where it is installed and sooner done, and "
    "its seconds hold the compilation.",
    "The reach is ‖delta_t‖ some steps before the only step with a target, beside that of this step. Sigmoid neurons "
    "pass on at most a quarter of it at each step, tanh neurons as much as V, which begins as 0.7 times an orthogonal "
    "matrix. An LSTM begins with f near sigmoid(1) = 0.73 and learns to forget less. Levenberg-Marquardt depends on "
    "its start where Adam is blunt but even: take restarts.",
)
