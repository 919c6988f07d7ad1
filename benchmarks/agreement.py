"""Whether the JAX engine computes what the NumPy engine does: gradients, one epoch of every trainer, a whole training.

A difference is the largest of all parameters (or of all derivatives), relative to the largest parameter. Nothing but
NumPy, SciPy and JAX is needed, so `benchmarks.gpu` runs these on machines where the test suite cannot.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

import deltarule as dr
from benchmarks.epochs import Epochs
from deltarule import engine as engines
from deltarule import trees

DOUBLE, ITERATED = 1e-12, 1e-8  # of float64: of a step, and of one by conjugate gradients, which carry rounding on
SINGLE, SHORTENED = 2e-5, 2e-2  # of float32, and where products are of shortened factors (TF32), a GPU's default
MINIMUM = 1e-10  # of the cost that two whole trainings end with


@dataclass(frozen=True)
class Check:
    """One comparison, how far apart the engines may be, and what was raised where one of them failed."""

    name: str
    dtype: str
    difference: float
    limit: float
    seconds: float
    failed: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the engines agree within the bound."""
        return self.difference <= self.limit


@dataclass(frozen=True)
class Problem:
    """A network and examples."""

    net: dr.Network
    X: np.ndarray
    Y: np.ndarray


def regression(examples: int, hidden: tuple[int, ...] = (8, 6)) -> Problem:
    """Three inputs, tanh and one linear output, on noisy examples."""
    random = np.random.default_rng(0)
    X = random.uniform(-1, 1, (examples, 3))
    y = np.sin(3 * X[:, :1]) * X[:, 1:2] + 0.1 * random.standard_normal((examples, 1))
    net = dr.Network([*(dr.Dense(n, "tanh") for n in hidden), dr.Dense(1, "linear")])
    return Problem(net, X, y / y.std())


def classes() -> Problem:
    """5-8-3, sigmoid and softmax."""
    random = np.random.default_rng(1)
    X = random.standard_normal((120, 5))
    net = dr.Network([dr.Dense(8, "sigmoid"), dr.Dense(3, "softmax")], "log-likelihood")
    return Problem(net, X, np.eye(3)[(X[:, 0] + X[:, 1] ** 2 > 1).astype(int) + (X[:, 2] > 0)])


def images(examples: int) -> Problem:
    """12 x 12 pixels, 4@3x3, pool, 6@3x3, 10."""
    random = np.random.default_rng(2)
    X = random.random((examples, 144))
    layers = [
        dr.Reshape((12, 12, 1)), dr.Convolution(4, (3, 3), "tanh"), dr.MaxPool((2, 2)),
        dr.Convolution(6, (3, 3), "tanh"), dr.Flatten(), dr.Dense(10, "softmax"),
    ]  # fmt: skip
    return Problem(dr.Network(layers, "log-likelihood"), X, np.eye(10)[random.integers(0, 10, examples)])


Trainings = list[tuple[str, Problem, Any, float]]


def trainings() -> Trainings:
    """Return the trainers of which one epoch is compared in float64."""
    tall, wide, sorts, pictures = regression(300), regression(30), classes(), images(24)
    lm = dr.LevenbergMarquardt
    exact_cg = {"cg_tolerance": 1e-12, "cg_iterations": 1_000}  # where they stop early, rounding decides how early
    return [
        ("gradient descent", tall, dr.GradientDescent(eta=0.1), DOUBLE),
        ("mini-batches, momentum, L2", tall, dr.GradientDescent(eta=0.05, batch_size=32, momentum=0.9, l2=0.1), DOUBLE),
        ("mini-batches, Adam, softmax", sorts, dr.GradientDescent(rule="adam", eta=0.01, batch_size=16), DOUBLE),
        ("mini-batches, convolution", pictures, dr.GradientDescent(eta=0.1, batch_size=8), DOUBLE),
        ("Levenberg-Marquardt, primal", tall, lm(solver="primal"), DOUBLE),
        ("Levenberg-Marquardt, primal, L2", tall, lm(solver="primal", l2=0.1), DOUBLE),
        ("Levenberg-Marquardt, dual", wide, lm(solver="dual"), DOUBLE),
        ("Levenberg-Marquardt, dual, L2", wide, lm(solver="dual", l2=0.1), DOUBLE),
        ("Levenberg-Marquardt, CG", tall, lm(solver="cg", **exact_cg), ITERATED),
        ("Levenberg-Marquardt, dual, convolution", pictures, lm(solver="dual"), DOUBLE),
        ("Levenberg-Marquardt, primal, softmax", sorts, lm(solver="primal"), DOUBLE),
        ("Newton-CG", tall, dr.NewtonCG(), ITERATED),
        ("Bayesian regularisation, primal", tall, dr.BayesianRegularization(solver="primal"), DOUBLE),
        ("Bayesian regularisation, dual", wide, dr.BayesianRegularization(solver="dual"), DOUBLE),
    ]


def apart(one: Any, other: Any) -> float:
    """The largest difference of two trees of arrays, relative to the largest number of the first."""
    pairs = [(np.asarray(a), np.asarray(b)) for a, b in zip(trees.leaves(one), trees.leaves(other), strict=True)]
    return float(max(np.abs(a - b).max() for a, b in pairs) / max(np.abs(a).max() for a, _ in pairs))


def of_gradient(problem: Problem, dtype: str) -> float:
    """The difference of the gradients at one point."""
    given, found = np.dtype(dtype), []
    start = problem.net.init(0, problem.X.shape[1:], given)
    for name in engines.ENGINES:
        E = engines.get(name)
        with E.computing_in(given):
            params = trees.map_leaves(lambda p, E=E: E.put(p, given), start)
        found.append(problem.net.cost_and_gradient(params, problem.X.astype(given), problem.Y.astype(given))[1])
    return apart(*found)


def of_epoch(problem: Problem, trainer: Any, dtype: str, epochs: int = 1) -> float:
    """The difference of the parameters after some epochs from the same start."""
    start, found = problem.net.init(0, problem.X.shape[1:], dtype, trainer.initializers), []
    for name in engines.ENGINES:
        training = Epochs(name, problem.net, trainer, problem.X.astype(dtype), problem.Y.astype(dtype), start)
        training.run(epochs)
        found.append(training.params)
    return apart(*found)


def of_minimum(problem: Problem, trainer: Any, epochs: int) -> float:
    """The relative difference between the final costs of two whole trainings, each at a minimum of its own."""
    costs = []
    for name in engines.ENGINES:
        result = dr.train(problem.net, problem.X, problem.Y, trainer=trainer, epochs=epochs, engine=name)
        costs.append(float(result.history["cost"][-1]) if result.stop_reason == "mu_max" else math.inf)
    return abs(costs[0] - costs[1]) / costs[0]


def checks() -> Iterator[Check]:
    """Make all comparisons, one after the other."""

    def timed(name: str, dtype: str, limit: float, difference: Callable[[], float]) -> Check:
        began, failed = time.perf_counter(), ""
        try:
            found = difference()
        except Exception as error:  # on another machine, with other versions; the checks that follow are still worth it
            found, failed = math.inf, f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return Check(name, dtype, found, limit, time.perf_counter() - began, failed)

    dense, pictures = classes(), images(24)
    for name, problem in (("gradient, dense", dense), ("gradient, convolution", pictures)):
        yield timed(name, "float64", DOUBLE, lambda problem=problem: of_gradient(problem, "float64"))
    for name, problem, trainer, limit in trainings():
        yield timed(name, "float64", limit, lambda p=problem, t=trainer: of_epoch(p, t, "float64"))
    whole = dr.LevenbergMarquardt()
    yield timed("a whole Levenberg-Marquardt training, cost", "float64", MINIMUM,
                lambda: of_minimum(regression(300, (4,)), whole, 200))  # fmt: skip
    sgd = dr.GradientDescent(eta=0.1, batch_size=8)
    for kind, limit, precision in (("", SINGLE, exact_products), (", as by default", SHORTENED, nullcontext)):
        for name, problem in (("gradient, dense", dense), ("gradient, convolution", pictures)):
            with precision():
                yield timed(name + kind, "float32", limit, lambda problem=problem: of_gradient(problem, "float32"))
        with precision():
            yield timed("mini-batches, convolution" + kind, "float32", limit,
                        lambda: of_epoch(pictures, sgd, "float32"))  # fmt: skip


def exact_products() -> AbstractContextManager:
    """Return a context in which JAX multiplies float32 in full float32 precision on every platform."""
    import jax

    return jax.default_matmul_precision("highest")
