"""The forecasts of `deltarule plan` beside what the trainings then took.

python -m benchmarks.plan [--cpu]

With --cpu both are seconds of the processor, which on one core are those of a machine with nothing else to do.
"""

import argparse
import time

import numpy as np

import deltarule as dr
from deltarule.forecast import forecast

CASES = {
    "SGD, batches of 10": (dr.GradientDescent(eta=0.05, batch_size=10), (100, 100, 10), 50_000, 4),
    "SGD, batches of 256": (dr.GradientDescent(eta=0.05, batch_size=256), (100, 300, 10), 100_000, 4),
    "LM primal": (dr.LevenbergMarquardt(), (8, 20, 1), 200_000, 4),
    "LM primal, wide": (dr.LevenbergMarquardt(), (50, 20, 1), 20_000, 4),
    "LM dual": (dr.LevenbergMarquardt(), (50, 400, 400, 1), 1500, 4),
}


def main() -> None:
    """Forecast, then train, case by case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", action="store_true")
    clock = time.process_time if parser.parse_args().cpu else time.perf_counter
    print("| training | network | examples | form | forecast, s an epoch | measured | error | operations/s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, (trainer, sizes, examples, epochs) in CASES.items():
        net = dr.Network([*(dr.Dense(n, "tanh") for n in sizes[1:-1]), dr.Dense(sizes[-1], "linear")])
        found = forecast(net, trainer, sizes[0], examples, clock=clock)
        random = np.random.default_rng(1)
        X = random.uniform(-1, 1, (examples, sizes[0]))
        Y = np.cos(X @ random.standard_normal((sizes[0], sizes[-1])))
        marks: list[float] = []
        dr.train(
            net,
            X,
            Y,
            trainer=trainer,
            epochs=1 + epochs,
            callbacks=[lambda r, marks=marks: marks.append(clock())],
        )
        measured = (marks[-1] - marks[0]) / epochs
        print(
            f"| {name} | {'-'.join(map(str, sizes))} | {examples:,} | {found.form or ''} | {found.seconds:.3g} | "
            f"{measured:.3g} | {100 * (found.seconds / measured - 1):+.0f} % | {found.flops / measured:.2g} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
