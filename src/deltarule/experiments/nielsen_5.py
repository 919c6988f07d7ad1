"""[N] ch. 5: one to four hidden layers of 30 neurons, and how fast each layer learns."""

import numpy as np

import deltarule as dr
from deltarule.data import DataSet
from deltarule.errors import pluralized
from deltarule.experiments.handwriting import (
    accuracy_figure,
    accuracy_row,
    curves,
    first,
    load,
    network,
    train_all,
    verdict,
)
from deltarule.experiments.report import Report, Row, Settings
from deltarule.inspection import plots

BOOK = (96.48, 96.90, 96.57, 96.53)  # of 1, 2, 3, 4 hidden layers
BOOK_SPEEDS = {2: (0.07, 0.31), 3: (0.012, 0.060, 0.283), 4: (0.003, 0.017, 0.070, 0.285)}  # before training
IMAGES = 1000  # that the speeds are measured on
STEPS = 500
CAPTION = "Accuracy on the validation images after every epoch: the runs, thin, and their mean"


def learning_speeds(data: DataSet, depth: int, seed: int, settings: Settings) -> np.ndarray:
    """‖dC/db^l‖ of every layer over 500 steps of full-batch descent on 1,000 images, (steps, depth + 1)."""
    images, steps = first(data.train, IMAGES), 20 if settings.quick else STEPS
    result = dr.train(
        network(depth * (30,), "cross-entropy", "new"),
        images.X,
        images.Y,
        trainer=dr.GradientDescent(eta=0.1, l2=5.0),
        epochs=steps,
        seed=seed,
        record=["learning_speed"],
        callbacks=[settings.progress_callback(f"speeds of {depth} hidden layers, seed {seed}", steps)],
    )
    return result.history["learning_speed"]


def run(settings: Settings) -> Report:
    """The accuracies, then the speeds."""
    data = load(settings)
    epochs, rows, lines = 2 if settings.quick else 30, [], {}
    for depth, book in enumerate(BOOK, start=1):
        net, name = network(depth * (30,), "cross-entropy", "new"), pluralized(depth, "hidden layer")
        results = train_all(net, data.train, data.validation, settings, name, eta=0.1, l2=5.0, epochs=epochs)
        rows.append(accuracy_row(f"{name} of 30", book, results, monitored="validation", test=(net, data.test)))
        lines[name] = curves(results)
    summary = verdict(rows)
    speeds = {
        depth: np.stack([learning_speeds(data, depth, seed, settings) for seed in settings.runs()])
        for depth in BOOK_SPEEDS
    }
    for depth, book in BOOK_SPEEDS.items():
        for i in range(depth):
            before = speeds[depth][:, 0, i].tolist()
            rows.append(
                Row(
                    f"{depth} hidden layers: speed of hidden {i + 1} before training",
                    book[i],
                    before,
                    template="{:.3f}",
                )
            )
    return Report(
        "nielsen-5",
        "Deeper networks and the vanishing gradient",
        rows,
        {
            "accuracy": (accuracy_figure(lines, "validation accuracy, %", "Hidden layers of 30 neurons"), CAPTION),
            "speeds": speeds_figure(speeds),
        },
        [
            summary,
            "Cross-entropy, eta = 0.1, lambda = 5, mini-batches of 10, 30 epochs, weights N(0, 1/n_in). As in the book "
            'the accuracy is that on the validation images, whose best epoch is kept; "test images" are read by the '
            "parameters of that epoch.",
            f"The learning speed of layer l is ‖dC/db^l‖ over {IMAGES:,} images, by full-batch descent with the same "
            "eta and lambda. The book's are of one start. Early layers learn many times slower than late ones.",
        ],
    )


def speeds_figure(speeds: dict[int, np.ndarray]) -> tuple:
    """Plot the speeds of the hidden layers over the steps, the geometric mean of the runs."""
    figure, axes = plots.panels(1, len(speeds), (4.0 * len(speeds), 3.8), sharey=True)
    lowest, highest = (f([f(runs) for runs in speeds.values()]) for f in (np.min, np.max))
    axes[0].set(yscale="log", ylim=(lowest / 2, 2 * highest))  # set first, because labels are placed by the scale
    for (depth, runs), ax in zip(speeds.items(), axes, strict=True):
        mean = np.exp(np.log(runs).mean(axis=0))
        plots.learning_speeds(mean, title=f"{depth} hidden layers", axes=ax)
        ax.set_xlabel("step")
    for ax in axes[1:]:
        ax.set_ylabel("")
    return figure, "How fast each layer learns, on a logarithmic scale: the further from the output, the slower"
