"""Unknown coefficients: the viscosity of Burgers' equation from noisy values, and how often error bars hold the truth.

python -m benchmarks.equations.inverse [--only viscosity coverage] [--repetitions 100]
"""

import argparse
import time

import numpy as np

import deltarule as dr
from benchmarks.equations.problems import spread
from benchmarks.equations.references import NU, burgers

SECONDS = 60.0  # of processor time, for the viscosity
DAMPING, STIFFNESS, NOISE = 0.5, 4.0, 0.1


def network(*hidden: int) -> dr.Network:
    """Return a network of tanh layers with one output."""
    return dr.Network([*(dr.Dense(n, "tanh") for n in hidden), dr.Dense(1, "linear")])


def viscosity() -> None:
    """nu from 2,000 values of u with 1 % noise; the unknown is 100 nu, with a first guess three times too large."""
    draw = np.random.default_rng(0)
    X = np.column_stack([draw.uniform(-1, 1, 2000), draw.uniform(0, 1, 2000)])
    u = burgers(X)
    noise = 0.01 * u.std()
    inside = np.vstack([spread(2000, [-1, 0], [1, 1], 0), spread(500, [-0.15, 0.2], [0.15, 1], 1)])
    equation = dr.Equation(inside, lambda x, u, p: u.d(1) + u.value * u.d(0) - p.nu / 100 * u.d(0, 0), weight=10)
    began = time.process_time()
    found = dr.solve(
        network(20, 20, 20),
        [equation],
        unknowns={"nu": 1.0},
        data=(X, u + draw.normal(0, noise, u.shape)),
        trainer=dr.LevenbergMarquardt(),
        epochs=2000,
        callbacks=[lambda _: time.process_time() - began > SECONDS],
    )
    nu, error = found.unknowns["nu"] / 100, found.standard_errors["nu"] / 100
    print(
        f"nu {nu:.6f}, {100 * (nu / NU - 1):+.2f} % off, standard error {100 * error / NU:.2f} %; noise "
        f"{found.noise:.5f}, {noise:.5f} is true; {found.epochs} steps, {time.process_time() - began:.0f} s of "
        "processor time"
    )


def coverage(repetitions: int) -> None:
    """u'' + c u' + k u = 0 from 40 noisy measurements, again and again; the better of two starts each time."""

    def exact(t: np.ndarray) -> np.ndarray:
        omega = np.sqrt(STIFFNESS - DAMPING**2 / 4)
        return np.exp(-DAMPING * t / 2) * (np.cos(omega * t) + DAMPING / (2 * omega) * np.sin(omega * t))

    t, net, trainer = np.linspace(0, 4, 120)[:, None], network(30), dr.LevenbergMarquardt()

    def solved(data: tuple, seed: int) -> dr.Solution:
        params, unknowns, found = None, {"c": 0.1, "k": 2.0}, None
        for weight, epochs in ((0.01, 40), (10.0, 200)):
            equation = dr.Equation(t, lambda x, u, p: u.d(0, 0) + p.c * u.d(0) + p.k * u.value, weight=weight)
            found = dr.solve(
                net, [equation], unknowns=unknowns, params=params, data=data, trainer=trainer, epochs=epochs, seed=seed
            )
            params, unknowns = found.params, found.unknowns
        assert found is not None
        return found

    held, began = np.zeros(2, int), time.process_time()
    for i in range(repetitions):
        draw = np.random.default_rng(i)
        measured = np.sort(draw.uniform(0, 4, 40))[:, None]
        data = (measured, exact(measured) + draw.normal(0, NOISE, measured.shape))
        best = min((solved(data, 1000 * start + i) for start in range(2)), key=lambda one: one.history["cost"][-1])
        off = [abs(best.unknowns[name] - truth) for name, truth in (("c", DAMPING), ("k", STIFFNESS))]
        held += [error < 1.96 * best.standard_errors[name] for name, error in zip("ck", off, strict=True)]
        seconds = time.process_time() - began
        print(f"of {i + 1}: damping held {held[0]}, stiffness {held[1]}; {seconds:.0f} s of processor time", flush=True)


def main() -> None:
    """Take the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=["viscosity", "coverage"])
    parser.add_argument("--repetitions", type=int, default=100)
    options = parser.parse_args()
    if "viscosity" in options.only:
        viscosity()
    if "coverage" in options.only:
        coverage(options.repetitions)


if __name__ == "__main__":
    main()
