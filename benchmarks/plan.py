"""Compare the forecasts of `deltarule plan` with what the trainings take.

python -m benchmarks.plan [--cpu] [--memory] [--engine ENGINE]

Each training takes the engine that "auto" takes for so many epochs, unless one is named. With --cpu both are seconds of
the processor, which on one core are those of a machine with nothing else to do. With --memory the memory that is
estimated, beside what the resident set of a process grows by while it trains.
"""

import argparse
import subprocess
import sys
import time

import numpy as np

import deltarule as dr
from benchmarks.machine import resident
from deltarule import engine as engines
from deltarule.engine.choice import choose_engine
from deltarule.trainers.form import memory_needed
from deltarule.training.forecast import forecast

CASES = {
    "SGD, batches of 10": (dr.GradientDescent(eta=0.05, batch_size=10), (100, 100, 10), 50_000, 4),
    "SGD, batches of 256": (dr.GradientDescent(eta=0.05, batch_size=256), (100, 300, 10), 100_000, 4),
    "LM primal": (dr.LevenbergMarquardt(), (8, 20, 1), 200_000, 4),
    "LM primal, wide": (dr.LevenbergMarquardt(), (50, 20, 1), 20_000, 4),
    "LM dual": (dr.LevenbergMarquardt(), (50, 400, 400, 1), 1500, 4),
}

MEMORY_CASES = {
    "SGD, batches of 256": (dr.GradientDescent(eta=0.05, batch_size=256), (100, 300, 10), 500_000),
    "gradient descent, all examples": (dr.GradientDescent(eta=0.05), (100, 300, 10), 200_000),
    "LM primal, many examples": (dr.LevenbergMarquardt(), (8, 20, 1), 2_000_000),
    "LM primal, many parameters": (dr.LevenbergMarquardt(), (50, 80, 1), 20_000),
    "LM dual": (dr.LevenbergMarquardt(), (50, 400, 400, 1), 3000),
}


def problem(sizes: tuple[int, ...], examples: int) -> tuple[dr.Network, np.ndarray, np.ndarray]:
    """Return a network of these sizes and data for it to learn."""
    net = dr.Network([*(dr.Dense(n, "tanh") for n in sizes[1:-1]), dr.Dense(sizes[-1], "linear")])
    random = np.random.default_rng(1)
    X = random.uniform(-1, 1, (examples, sizes[0]))
    return net, X, np.cos(X @ random.standard_normal((sizes[0], sizes[-1])))


def remember(name: str, engine: str) -> None:
    """Train a case in this process and print its row."""
    trainer, sizes, examples = MEMORY_CASES[name]
    net, X, Y = problem(sizes, examples)
    engine = choose_engine(engine, net, trainer, (examples, sizes[0]), 2, None)
    dr.train(*problem((2, 2, 1), 500), trainer=trainer, epochs=1, engine=engine)  # so that what computes is there
    estimated = memory_needed(net.sizes(sizes[:1]), examples, np.dtype(trainer.dtype), trainer, engines.get(engine))
    estimated, before = estimated.total, resident("VmRSS")
    dr.train(net, X.astype(trainer.dtype), Y.astype(trainer.dtype), trainer=trainer, epochs=2, engine=engine)
    measured = resident("VmHWM") - before
    print(
        f"| {name} | {engine} | {'-'.join(map(str, sizes))} | {examples:,} | {estimated / 2**20:,.0f} | "
        f"{measured / 2**20:,.0f} | {100 * (estimated / measured - 1):+.0f} % |",
        flush=True,
    )


def main() -> None:
    """Forecast, then train, case by case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--engine", default="auto", choices=("auto", "numpy", "jax"))
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        return remember(options.case, options.engine)
    if options.memory:
        print("| training | engine | network | examples | estimated, MiB | measured | error |", flush=True)
        print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
        words = [sys.executable, "-m", "benchmarks.plan", "--engine", options.engine, "--case"]
        for name in MEMORY_CASES:  # each in a process of its own, which alone has a peak of its own
            subprocess.run([*words, name], check=True)
        return None
    clock = time.process_time if options.cpu else time.perf_counter
    print("| training | engine | network | examples | form | forecast, s an epoch | measured | error | operations/s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, (trainer, sizes, examples, epochs) in CASES.items():
        net, X, Y = problem(sizes, examples)
        engine = choose_engine(options.engine, net, trainer, X.shape, 1 + epochs, None)
        found = forecast(net, trainer, sizes[0], examples, clock=clock, engine=engine)
        marks: list[float] = []
        dr.train(
            net,
            X,
            Y,
            trainer=trainer,
            epochs=1 + epochs,
            engine=engine,
            callbacks=[lambda r, marks=marks: marks.append(clock())],
        )
        measured = (marks[-1] - marks[0]) / epochs
        print(
            f"| {name} | {engine} | {'-'.join(map(str, sizes))} | {examples:,} | {found.form or ''} | "
            f"{found.seconds:.3g} | {measured:.3g} | {100 * (found.seconds / measured - 1):+.0f} % | "
            f"{found.flops / measured:.2g} |",
            flush=True,
        )
    return None


if __name__ == "__main__":
    main()
