"""Three small problems with J and r by automatic differentiation, and what both forms say of them, compiled once."""

import itertools
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import deltarule as dr
from deltarule.network import Network
from deltarule.rows import Rows, pad_rows
from deltarule.trainers.bayesian.evidence import dual_point, primal_point
from deltarule.trainers.bayesian.hyperparameters import Hyperparameters
from deltarule.trainers.bayesian.posterior import output_variance, parameter_covariance, posterior

MU = 0.3


class Problem(NamedTuple):
    """A network at p, m weighted examples; J (m k, n), r (m k,); A (n,) the precisions; new inputs with their J."""

    net: Network
    params: list
    rows: Rows
    hyper: Hyperparameters
    p: np.ndarray
    J: np.ndarray
    r: np.ndarray
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
        return self.net.outputs * float(np.sum(np.asarray(self.rows.weight)))


def gammas(gamma):
    """One number a group: the inputs of a layer, then its biases."""
    return np.concatenate([np.r_[np.asarray(layer["W"]), np.asarray(layer["b"])] for layer in gamma])


@partial(jax.jit, static_argnums=0, compiler_options={"xla_backend_optimization_level": 0})
def everything(net, params, hyper, rows, new, mu):
    """The evidence, a damped step and the posterior in both forms."""
    found = {}
    for form in ("primal", "dual"):
        size = rows.x.shape[0]
        point = primal_point(net, params, rows, 8) if form == "primal" else dual_point(net, params, rows)
        here = point.at(hyper)
        step = here.solve(mu)
        gamma = jax.tree.reduce(jnp.add, jax.tree.map(jnp.sum, here.gamma))
        known = posterior(net, params, hyper, rows, gamma, form, size)
        found[form] = {
            "square": point.square,
            "evidence": here._replace(solve=None),
            "s": ravel_pytree(step.s)[0],
            "a": ravel_pytree(step.a)[0],
            "predicted": step.predicted,
            "noise": known.noise,
            "variance": output_variance(net, known, new),
            "covariance": parameter_covariance(net, known),
        }
    return found


def problem(hidden, k, m, seed, change=lambda drawn, hyper: (drawn, hyper)):
    """Inputs of 3 columns; tanh and linear; `change` may set other parameters and precisions than those drawn."""
    draw = np.random.default_rng(seed)
    sizes = [3, *hidden, k]
    net = dr.Network([*(dr.Dense(n, "tanh") for n in hidden), dr.Dense(k, "linear")])
    x, y, new = draw.normal(size=(m, 3)), draw.normal(size=(m, k)), draw.normal(size=(8, 3))
    weight = draw.integers(1, 4, m).astype(float)
    with jax.enable_x64(True):
        params, alpha, group = [], [], []
        for n_in, n in itertools.pairwise(sizes):
            params.append({"W": jnp.asarray(draw.normal(size=(n, n_in))), "b": jnp.asarray(draw.normal(size=n))})
            alpha.append({"W": jnp.asarray(draw.uniform(0.3, 9, n_in)), "b": jnp.asarray(draw.uniform(0.3, 9))})
            first = sum(map(len, group))
            group.append(np.arange(first, first + n_in + 1))
        params, hyper = change(params, Hyperparameters(alpha, jnp.asarray(2.5)))
        p, unravel = ravel_pytree(params)

        def outputs(p, x):
            a = x
            *below, last = unravel(p)
            for layer in below:
                a = jnp.tanh(a @ layer["W"].T + layer["b"])
            return a @ last["W"].T + last["b"]

        def residual(p):
            return (np.sqrt(weight)[:, None] * (outputs(p, x) - y)).reshape(-1)

        jacobians = jax.jit(lambda p: (jax.jacrev(residual)(p), residual(p), jax.jacrev(outputs)(p, new)))
        J, r, J_new = map(np.asarray, jacobians(p))
        rows = pad_rows(x, y, weight)
        found = everything(net, params, hyper, rows, jnp.asarray(new), jnp.asarray(MU))
        found = jax.tree.map(np.asarray, found)
    # The order of p: the columns of "W" repeat for each neuron, then "b".
    where = np.concatenate(
        [np.r_[np.tile(g[:-1], n), np.full(n, g[-1])] for g, n in zip(group, sizes[1:], strict=True)]
    )
    each = np.concatenate([np.r_[np.asarray(layer["W"]), np.asarray(layer["b"])] for layer in hyper.alpha])
    return Problem(net, params, rows, hyper, np.asarray(p), J, r, each[where], where, new, J_new, found)


PROBLEMS = {
    "linear, 3 outputs": ((), 3, 6),  # 12 parameters, 18 residuals
    "one hidden layer": ((4,), 1, 13),  # 21 parameters, 13 residuals; 13 rows are padded to 16
    "two hidden layers, 3 outputs": ((4, 3), 3, 13),  # 43 parameters, 39 residuals
}


@cache  # pytest makes a fixture with parameters anew for each file
def named(name):
    hidden, k, m = PROBLEMS[name]
    return problem(hidden, k, m, seed=4)


@pytest.fixture(scope="session", params=PROBLEMS)
def small(request) -> Problem:
    """Each of the problems."""
    return named(request.param)


@pytest.fixture(scope="session")
def one_precision() -> Problem:
    """The network of one hidden layer with the same alpha for every parameter."""
    hidden, k, m = PROBLEMS["one hidden layer"]

    def alike(params, hyper):
        return params, hyper._replace(alpha=jax.tree.map(lambda a: jnp.full_like(a, 0.7), hyper.alpha))

    return problem(hidden, k, m, seed=4, change=alike)


@pytest.fixture(scope="session")
def at_the_mode() -> Problem:
    """The linear model at the minimum of S: one undamped step from anywhere."""
    hidden, k, m = PROBLEMS["linear, 3 outputs"]
    before = named("linear, 3 outputs")

    def moved(params, hyper):
        g = before.beta * before.J.T @ before.r + before.A * before.p
        p, unravel = ravel_pytree(params)
        return unravel(p - jnp.asarray(np.linalg.solve(before.H, g))), hyper

    return problem(hidden, k, m, seed=4, change=moved)


@pytest.fixture(scope="session")
def curve():
    """(X, Y): 40 rows of two columns, a bend with noise of standard deviation 0.2, standardised."""
    draw = np.random.default_rng(7)
    X = draw.uniform(-1, 1, (40, 2))
    Y = np.sin(2 * X[:, :1]) + 0.5 * X[:, 1:] ** 2 + 0.2 * draw.normal(size=(40, 1))
    return X, (Y - Y.mean()) / Y.std()


NET = dr.Network([dr.Dense(3, "tanh"), dr.Dense(1, "linear")])  # 2-3-1: 13 parameters


def fitted(X, Y, seed=0, epochs=150, **options):
    """A training on rows of `curve`'s shape compiles nothing new."""
    return dr.train(NET, X, Y, trainer=dr.BayesianRegularization(**options), epochs=epochs, seed=seed)


@pytest.fixture(scope="session")
def two_results(curve):
    """Trainings on `curve` from two starts."""
    return [fitted(*curve, seed=seed) for seed in (0, 1)]
