"""Large exact Levenberg-Marquardt steps: time a step, error reached and peak memory, one process for each case.

python -m benchmarks.wide [CASE ...]
"""

import argparse
import resource
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np

import deltarule as dr


@dataclass(frozen=True)
class Case:
    """A network of tanh layers with a linear output, and how many examples it is given."""

    sizes: tuple[int, ...]
    examples: int
    epochs: int
    noise: float = 0.0


CASES = {
    "1e6": Case((10, 1000, 1000, 1), 500, 30),  # 1.01 million parameters
    "13.5e6": Case((100, 3615, 3615, 20), 38, 20),  # 13.5 million parameters, 38 examples, 20 outputs
    "1e7": Case((100, 3100, 3100, 1), 1000, 10),  # 10 million parameters, 1,000 examples
    "tall": Case((8, 20, 1), 1_000_000, 10, noise=0.01),  # 201 parameters, a million examples
}


def run(name: str) -> None:
    """Train one case in this process and print its row."""
    case = CASES[name]
    random = np.random.default_rng(0)
    X = random.uniform(-1, 1, (case.examples, case.sizes[0]))
    mixing = random.normal(size=(case.sizes[0], case.sizes[-1])) / case.sizes[0] ** 0.5
    Y = np.sin(3 * X @ mixing) + case.noise * random.normal(size=(case.examples, case.sizes[-1]))
    net = dr.Network([*(dr.Dense(n, "tanh") for n in case.sizes[1:-1]), dr.Dense(case.sizes[-1], "linear")])
    trainer = dr.LevenbergMarquardt()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    marks: list[float] = []
    result = dr.train(
        net, X, Y, trainer=trainer, epochs=case.epochs, callbacks=[lambda record: marks.append(time.perf_counter())]
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    trials = result.history["accepted"] + result.history["rejected"]
    seconds = (marks[-1] - marks[0]) / max(1, int(trials[1:].sum()))
    mse = 2 * result.history["cost"] / case.sizes[-1]
    n = sum(W.size for layer in result.params for W in layer.values())
    shape = "-".join(str(size) for size in case.sizes)
    print(
        f"| {shape} | {n:,} | {case.examples:,} | {trainer.form(net, result.params, case.examples)} | "
        f"{seconds * 1e3:.0f} | {result.epochs} ({result.stop_reason}) | {mse[-1]:.1e} | "
        f"{peak / 2**20:.2f} ({(peak - before) / 2**20:.2f}) |",
        flush=True,
    )


def main() -> None:
    """Run every case in a process of its own, so that peaks of memory do not mix."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], default=[])
    parser.add_argument("--here", action="store_true", help="run the one case in this process")
    options = parser.parse_args()
    if options.here:
        run(options.cases[0])
        return
    print("| network | n | examples | form | ms a trial | epochs | mean squared error | peak GiB (above the import) |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for name in options.cases or CASES:
        subprocess.run([sys.executable, "-m", "benchmarks.wide", name, "--here"], check=True)


if __name__ == "__main__":
    main()
