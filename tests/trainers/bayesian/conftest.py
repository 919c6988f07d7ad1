"""Three small problems with J and r by complex steps, and what both forms say of them on both engines."""

import itertools
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

import deltarule as dr
from complex_step import jacobian, second_along
from deltarule import engine as engines
from deltarule import trees
from deltarule.network.network import Network
from deltarule.objective import Objective
from deltarule.trainers.bayesian import evidence
from deltarule.trainers.bayesian.hyperparameters import Hyperparameters, total
from deltarule.trainers.bayesian.posterior import laplace_posterior, output_variance, parameter_covariance
from engines import NAMES, off, on, put

MU = 0.3


class Problem(NamedTuple):
    """A network at p, m weighted examples; J (m k, n), r (m k,); A (n,) the precisions; new inputs with their J."""

    net: Network
    params: list
    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    hyper: Hyperparameters
    p: np.ndarray
    J: np.ndarray
    r: np.ndarray
    bend: np.ndarray  # (m k,), d²r/dt² along the step of (BR4) at MU
    A: np.ndarray
    group: np.ndarray  # (n,), the group of each parameter, numbered as `gammas` lists them
    new: np.ndarray
    J_new: np.ndarray
    found: dict

    @property
    def beta(self):
        return float(self.hyper.beta)

    @property
    def H(self):
        """beta J^T J + A."""
        return self.beta * self.J.T @ self.J + np.diag(self.A)

    @property
    def residuals(self):
        """m k, examples counted by their weight."""
        return self.net.outputs * float(np.sum(self.weight))

    def step(self):
        """The s and a of (BR4) at MU, by NumPy on the explicit J."""
        M = self.H + MU * np.diag(self.A)
        s = np.linalg.solve(M, -(self.beta * self.J.T @ self.r + self.A * self.p))
        return s, np.linalg.solve(M, -0.5 * self.beta * self.J.T @ self.bend)


def gammas(gamma):
    """One number a group: the inputs of a layer, then its biases."""
    return np.concatenate([np.r_[np.asarray(layer["W"]), np.asarray(layer["b"])] for layer in gamma])


def everything(engine, net, params, hyper, data, new):
    """The evidence, a damped step and the posterior in both forms, in NumPy's arrays."""
    E, found = engines.get(engine), {}
    with E.computing_in(np.dtype("float64")):
        F = Objective(net, E.make_rows(*on(engine, data)), 8)
        params, hyper, new = on(engine, params), on(engine, hyper), put(engine, new)
        for form in ("primal", "dual"):
            point = F.call(evidence.POINTS[form], params)
            here = F.call(evidence.EVIDENCE[form], params, point, hyper)
            step = F.call(evidence.STEPS[form], params, point, hyper, MU)
            known = F.call(laplace_posterior, params, hyper, total(here.gamma), form=form)
            found[form] = {
                "square": np.asarray(point.square),
                "evidence": off(here),
                "step": trees.ravel(off(step.corrected)),
                "predicted": np.asarray(step.predicted),
                "noise": np.asarray(known.noise),
                "variance": np.asarray(E.call(output_variance, known, new, net=net)),
                "covariance": np.asarray(E.call(parameter_covariance, known, net=net)),
            }
    return found


def problem(engine, hidden, k, m, seed, change=lambda drawn, hyper: (drawn, hyper)):
    """Inputs of 3 columns; tanh and linear; `change` may set other parameters and precisions than those drawn."""
    draw = np.random.default_rng(seed)
    sizes = [3, *hidden, k]
    net = dr.Network([*(dr.Dense(n, "tanh") for n in hidden), dr.Dense(k, "linear")])
    x, y, new = draw.normal(size=(m, 3)), draw.normal(size=(m, k)), draw.normal(size=(8, 3))
    weight = draw.integers(1, 4, m).astype(float)
    params, alpha, group = [], [], []
    for n_in, n in itertools.pairwise(sizes):
        params.append({"W": draw.normal(size=(n, n_in)), "b": draw.normal(size=n)})
        alpha.append({"W": draw.uniform(0.3, 9, n_in), "b": np.asarray(draw.uniform(0.3, 9))})
        first = sum(map(len, group))
        group.append(np.arange(first, first + n_in + 1))
    params, hyper = change(params, Hyperparameters(alpha, np.asarray(2.5)))
    p = trees.ravel(params)

    def outputs(p, x):
        a = x
        *below, last = trees.unravel(p, params)
        for layer in below:
            a = np.tanh(a @ layer["W"].T + layer["b"])
        return a @ last["W"].T + last["b"]

    def residual(p):
        return (np.sqrt(weight)[:, None] * (outputs(p, x) - y)).reshape(-1)

    J, r, J_new = jacobian(residual, p), residual(p), jacobian(lambda p: outputs(p, new), p).reshape(len(new), k, -1)
    # The order of p: the columns of "W" repeat for each neuron, then "b".
    where = np.concatenate(
        [np.r_[np.tile(g[:-1], n), np.full(n, g[-1])] for g, n in zip(group, sizes[1:], strict=True)]
    )
    each = np.concatenate([np.r_[layer["W"], layer["b"]] for layer in hyper.alpha])
    found = everything(engine, net, params, hyper, (x, y, weight), new)
    made = Problem(net, params, x, y, weight, hyper, p, J, r, 0 * r, each[where], where, new, J_new, found)
    return made._replace(bend=second_along(residual, p, made.step()[0]))


PROBLEMS = {
    "linear, 3 outputs": ((), 3, 6),  # 12 parameters, 18 residuals
    "one hidden layer": ((4,), 1, 13),  # 21 parameters, 13 residuals; JAX pads 13 rows to 16
    "two hidden layers, 3 outputs": ((4, 3), 3, 13),  # 43 parameters, 39 residuals
}


@cache  # pytest makes a fixture with parameters anew for each file
def named(engine, name):
    hidden, k, m = PROBLEMS[name]
    return problem(engine, hidden, k, m, seed=4)


@pytest.fixture(scope="session", params=NAMES)
def engine_of_problems(request) -> str:
    """The engine that computes what is said of the problems."""
    return request.param


@pytest.fixture(scope="session", params=PROBLEMS)
def small(request, engine_of_problems) -> Problem:
    """Each of the problems."""
    return named(engine_of_problems, request.param)


@pytest.fixture(scope="session")
def one_precision(engine_of_problems) -> Problem:
    """The network of one hidden layer with the same alpha for every parameter."""
    hidden, k, m = PROBLEMS["one hidden layer"]

    def alike(params, hyper):
        return params, hyper._replace(alpha=trees.map_leaves(lambda a: np.full_like(a, 0.7), hyper.alpha))

    return problem(engine_of_problems, hidden, k, m, seed=4, change=alike)


@pytest.fixture(scope="session")
def at_the_mode(engine_of_problems) -> Problem:
    """The linear model at the minimum of S: one undamped step from anywhere."""
    hidden, k, m = PROBLEMS["linear, 3 outputs"]
    before = named(engine_of_problems, "linear, 3 outputs")

    def moved(params, hyper):
        g = before.beta * before.J.T @ before.r + before.A * before.p
        return trees.unravel(trees.ravel(params) - np.linalg.solve(before.H, g), params), hyper

    return problem(engine_of_problems, hidden, k, m, seed=4, change=moved)


@pytest.fixture(scope="session")
def curve():
    """(X, Y): 40 rows of two columns, a bend with noise of standard deviation 0.2, standardised."""
    draw = np.random.default_rng(7)
    X = draw.uniform(-1, 1, (40, 2))
    Y = np.sin(2 * X[:, :1]) + 0.5 * X[:, 1:] ** 2 + 0.2 * draw.normal(size=(40, 1))
    return X, (Y - Y.mean()) / Y.std()


NET = dr.Network([dr.Dense(3, "tanh"), dr.Dense(1, "linear")])  # 2-3-1: 13 parameters


def fitted(X, Y, seed=0, epochs=150, engine="auto", **options):
    """A training on rows of `curve`'s shape compiles nothing new on JAX."""
    return dr.train(NET, X, Y, trainer=dr.BayesianRegularization(**options), epochs=epochs, seed=seed, engine=engine)


@pytest.fixture(scope="session", params=NAMES)
def two_results(request, curve):
    """Trainings on `curve` from two starts, on each engine."""
    return [fitted(*curve, seed=seed, engine=request.param) for seed in (0, 1)]
