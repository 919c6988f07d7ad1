"""MNIST by mini-batch Levenberg-Marquardt beside SGD and Adam: accuracy on the validation images against seconds.

    python -m benchmarks.mnist_lm --data-dir DIR [--seconds 100] [--out docs/results/mnist-lm]

784-30-10, softmax outputs and the log-likelihood, the 50,000 training images of Nielsen's split; the same two
starting points for all; each trainer on the engine that "auto" takes until the seconds are over. What the first epoch
takes longer than the others, which on JAX is compilation, is measured apart, on a first run that is thrown away;
validation is part of every trainer's time.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

import deltarule as dr
from deltarule import data
from deltarule.inspection.plots import curves

NET = dr.Network([dr.Dense(30, "sigmoid"), dr.Dense(10, "softmax")], "log-likelihood")
SEEDS = (0, 1)


def trainers() -> dict[str, dr.GradientDescent | dr.LevenbergMarquardt]:
    """The contestants; the learning rates are the best of a grid by factors of about three, on validation images."""
    return {
        "SGD, eta 0.3": dr.GradientDescent(eta=0.3, batch_size=10),
        "Adam, eta 0.003": dr.GradientDescent(rule="adam", eta=0.003, batch_size=32),
        "LM, batches of 200": dr.LevenbergMarquardt(batch_size=200),
    }


def run(parts: data.DataSet, trainer: object, seed: int, seconds: float) -> dict[str, list[float]]:
    """Seconds and validation accuracy after every epoch."""
    marks: list[float] = []
    accuracy: list[float] = []
    began = time.perf_counter()

    def mark(record: dict) -> bool:
        marks.append(time.perf_counter() - began)
        accuracy.append(float(record["validation_accuracy"]))
        return marks[-1] >= seconds

    held = (parts.validation.X, parts.validation.Y)
    dr.train(
        NET,
        parts.train.X,
        parts.train.Y,
        trainer=trainer,
        epochs=1000,
        seed=seed,
        validation_data=held,
        callbacks=[mark],
    )  # pyright: ignore[reportArgumentType]
    return {"seconds": marks, "accuracy": accuracy}


def main() -> None:
    """Run every trainer from every start, print a table, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True, help="the folder that holds MNIST")
    parser.add_argument("--seconds", type=float, default=100.0, help="of each training (default 100)")
    parser.add_argument("--out", type=Path, help="where to write FILE.json and FILE.png")
    options = parser.parse_args()
    parts = data.load("mnist", data_dir=options.data_dir)
    found: dict[str, list[dict]] = {}
    checkpoints = [s for s in (1, 3, 10, 30, 60, 120, 300) if s <= options.seconds]
    print(f"| trainer | getting ready s | seconds an epoch | {' | '.join(f'{s} s' for s in checkpoints)} |")
    print("| --- |" + " ---: |" * (2 + len(checkpoints)))
    for name, trainer in trainers().items():
        began = time.perf_counter()
        first = run(parts, trainer, SEEDS[0], 0.0)
        runs = [run(parts, trainer, seed, options.seconds) for seed in SEEDS]
        epoch = float(np.median([np.diff([0.0, *r["seconds"]]).mean() for r in runs]))
        compilation = max(0.0, first["seconds"][0] - epoch)
        found[name] = runs
        best = [np.mean([_best_by(r, s) for r in runs]) for s in checkpoints]
        cells = " | ".join("-" if np.isnan(b) else f"{100 * b:.2f} %" for b in best)
        print(f"| {name} | {compilation:.1f} | {epoch:.2f} | {cells} |", flush=True)
        print(f"{name}: {time.perf_counter() - began:.0f} s in all", flush=True)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.with_suffix(".json").write_text(json.dumps(found, separators=(",", ":")))
        draw(found, options.seconds).savefig(options.out.with_suffix(".png"), dpi=150)


def _best_by(one: dict, seconds: float) -> float:
    """The best accuracy so far."""
    reached = [a for t, a in zip(one["seconds"], one["accuracy"], strict=True) if t <= seconds]
    return max(reached) if reached else float("nan")


def draw(found: dict[str, list[dict]], seconds: float) -> "object":
    """The best accuracy so far of each trainer, the mean of its starts, against seconds."""
    x = np.geomspace(0.3, seconds, 200)
    lines = {name: np.array([[100 * _best_by(r, t) for t in x] for r in runs]) for name, runs in found.items()}
    figure = curves(lines, x=x, xlabel="seconds", ylabel="validation images read, best so far, %")
    figure.axes[0].set_xscale("log")
    return figure


if __name__ == "__main__":
    main()
