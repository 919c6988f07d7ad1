"""One exact dual step of a network of a million parameters on 1,000 residuals of Burgers' equation, J never formed.

    python -m benchmarks.equations.wide

Prints the seconds of one epoch after the first, the peak of the process's memory, and what J alone would take.
"""

import time

import numpy as np

import deltarule as dr
from benchmarks.equations.references import NU
from benchmarks.machine import resident


def main() -> None:
    """Run three epochs."""
    draw = np.random.default_rng(0)
    inside = np.column_stack([draw.uniform(-1, 1, 900), draw.uniform(0, 1, 900)])
    start = np.column_stack([np.linspace(-1, 1, 100), np.zeros(100)])
    net = dr.Network([*(dr.Dense(707, "tanh") for _ in range(3)), dr.Dense(1, "linear")])
    equations = [
        dr.Equation(inside, lambda x, u, p: u.d(1) + u.value * u.d(0) - NU * u.d(0, 0)),
        dr.Equation(start, lambda x, u, p: u.value + np.sin(np.pi * x[:, :1])),
    ]
    looks = [(time.perf_counter(), time.process_time())]

    def look(record: dict) -> None:
        looks.append((time.perf_counter(), time.process_time()))
        print(f"cost {record['cost']:.3e}, {record['rejected']} rejected")

    result = dr.solve(net, equations, trainer=dr.LevenbergMarquardt(), epochs=3, callbacks=[look])
    n = sum(array.size for layer in result.params for array in layer.values())
    wall, cpu = (b - a for a, b in zip(looks[-2], looks[-1], strict=True))
    peak = resident() / 2**30
    print(
        f"{n:,} parameters, 1,000 residuals: {wall:.1f} s ({cpu:.1f} s of processor time) an epoch, peak {peak:.2f} GiB"
    )
    print(f"J alone would take {8000 * n / 2**30:.1f} GiB")


if __name__ == "__main__":
    main()
