"""Recurrent, GRU and LSTM against jax.grad, jax.jacrev and central differences, over shapes and lengths of hypothesis.

In float64, relative to the largest entry: derivatives to 1e-10, differences to 1e-6.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deltarule as dr
from deltarule import engine as engines_of
from deltarule import trees
from deltarule.curvature.hessian import backward_pass
from deltarule.curvature.linearization import errors_along, gram, linearize
from deltarule.network import backprop
from deltarule.network.examples import as_inputs, as_targets
from deltarule.network.missing_targets import mask_missing_targets
from engines import BOTH, off, on
from oracle import cells
from oracle.plain_network import compiled, cost_of_output, jax, jnp

pytestmark = pytest.mark.usefixtures("float64")
KINDS = ("Recurrent", "GRU", "LSTM")


class Problem(NamedTuple):
    """A network, its parameters, sequences of different lengths as lists, and the same as the library holds them."""

    net: dr.Network
    stack: tuple
    params: list
    x: list
    y: list
    cost: str

    def outputs(self, params):
        """a^L of every sequence as rows, one below the other: those of its steps, or one."""
        every = [jnp.atleast_2d(cells.outputs(self.stack, params, x)) for x in self.x]
        return jnp.concatenate(every)

    def mean_cost(self, params):
        return jnp.sum(cost_of_output(jnp, self.cost, 0.5, self.outputs(params), np.concatenate(self.y))) / len(self.x)

    @property
    def together(self):
        """X and Y as `train` lays them out, with NaN where a sequence has ended."""
        X = np.asarray(as_inputs(self.net, self.params, self.x, np.dtype("float64")))
        Y = self.y if self.stack[-2][2] else np.concatenate(self.y)
        return X, np.asarray(as_targets(self.net, Y, X))

    @property
    def there(self):
        """Which rows of outputs (N, T) exist, flat."""
        X, Y = self.together
        return np.isfinite(X[..., 0]).ravel() if Y.ndim == 3 else np.ones(len(X), bool)


def close(found, expected, tolerance=1e-10):
    for one, other in zip(trees.leaves(off(found)), trees.leaves(off(expected)), strict=True):
        assert one.shape == other.shape
        assert np.max(np.abs(one - other), initial=0) <= tolerance * max(1, np.max(np.abs(other), initial=0))


def problem(kinds, features, sizes, outputs, lengths, every=True, sigma="tanh", between=False, cost="quadratic"):
    """A stack of such layers, of which the last gives every step or its last, and a Dense output."""
    draw = np.random.default_rng(len(kinds) + 10 * features + 100 * sum(lengths))
    stack, layers = [], []
    for i, (kind, n) in enumerate(zip(kinds, sizes, strict=True)):
        gives_all = every or i + 1 < len(kinds)
        name = {"activation": sigma} if kind == "Recurrent" else {}
        layers.append(getattr(dr, kind)(n, sequences=gives_all, **name))
        stack.append((kind, sigma, gives_all))
        if between and i + 1 < len(kinds):
            layers.append(dr.Dense(3, "softplus"))
            stack.append(("Dense", "softplus", True))
    output = "linear" if cost == "quadratic" else "softmax"
    net = dr.Network([*layers, dr.Dense(outputs, output)], cost)
    stack.append(("Dense", output, every))
    x = [draw.normal(size=(T, features)) for T in lengths]
    y = [draw.uniform(0.1, 0.9, size=(T if every else 1, outputs)) for T in lengths]
    y = [one / one.sum(axis=1, keepdims=True) for one in y] if cost != "quadratic" else y
    params = trees.map_leaves(
        lambda p: p + 0.3 * draw.normal(size=p.shape), net.init(0, (max(lengths), features), "float64")
    )
    return Problem(net, tuple(stack), params, x, y, cost)


@st.composite
def problems(draw):
    count = draw(st.integers(1, 2))
    kinds = [draw(st.sampled_from(KINDS)) for _ in range(count)]
    sizes = [draw(st.integers(1, 3)) for _ in range(count)]
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    sigma = draw(st.sampled_from(("tanh", "sigmoid", "softplus")))
    return problem(
        kinds, draw(st.integers(1, 2)), sizes, draw(st.integers(1, 2)), lengths, draw(st.booleans()), sigma,
        draw(st.booleans()),
    )  # fmt: skip


EXAMPLES = [problem([kind], 2, [3], 2, (4, 2), every) for kind in KINDS for every in (True, False)]
EXAMPLES += [
    problem(["LSTM", "GRU"], 1, [2, 3], 1, (3, 1, 4), False),
    problem(["GRU", "Recurrent"], 2, [2, 2], 2, (3, 3), True, "sigmoid", True),
    problem(["Recurrent", "LSTM"], 1, [3, 2], 3, (2, 4), True, "softplus", False, "log-likelihood"),
    problem(["GRU"], 1, [3], 3, (5, 2), False, cost="log-likelihood"),
]


def each(which, quick):
    """A test for each of these examples; compiling is most of the time, so only some are quick."""
    cases = [pytest.param(EXAMPLES[i], marks=() if i in quick else pytest.mark.slow) for i in which]
    return pytest.mark.parametrize("p", cases, ids=lambda p: "-".join(layer.label for layer in p.net.layers))


def assert_gradient(p, engines):
    expected = compiled(jax.value_and_grad(p.mean_cost))(p.params)
    for engine in engines:
        own = on(engine, p.params)
        Y = p.y if p.stack[-2][2] else np.concatenate(p.y)
        close(p.net.cost_and_gradient(own, p.x, Y), expected)


@given(problems())
@settings(max_examples=7)
def test_the_gradient_over_shapes_and_lengths(p):
    assert_gradient(p, ["numpy"])


@each(range(10), quick=(3, 4, 7, 8))
def test_the_gradient_on_both_engines(p):
    assert_gradient(p, BOTH)


@given(problems())
@settings(max_examples=20)
def test_central_differences(p):
    Y = p.y if p.stack[-2][2] else np.concatenate(p.y)
    assert dr.check_gradient(p.net, p.params, p.x, Y) < 1e-6


def assert_jacobian(p, engines):
    """J by backpropagation and by recursion, J v, J^T u, the diagonals and the Gram, of the outputs that there are."""
    X, Y = p.together
    there = np.repeat(p.there, p.net.outputs)
    net = backprop_net(p, Y)
    outputs = jax.jacrev(lambda vector: p.outputs(trees.unravel(vector, p.params)).ravel())
    J = np.asarray(compiled(outputs)(jnp.asarray(trees.ravel(p.params))))
    draw = np.random.default_rng(1)
    v, u = draw.normal(size=J.shape[1]), draw.normal(size=there.size)
    for engine in engines:
        own, x, y, weight = on(engine, (p.params, X, Y, np.ones(len(X))))

        def forms(own, x, y, weight, v, u, net=net):
            lin = linearize(net, own, x, y, weight)
            errors = lin.errors()
            found = {
                "J": lin.jacobian_transpose(errors),
                "J v": lin.product(trees.unravel(v, own)).reshape(-1),
                "J^T u": trees.ravel(lin.transpose_product(u.reshape(lin.r.shape))),
                "along": trees.ravel(backprop.gradients(net, lin.passes, errors_along(errors, u.reshape(lin.r.shape)))),
                "diagonal": trees.ravel(lin.squared_jacobian()),
                "gram": gram(lin, lin)["all"],
            }
            if lin.r.ndim > 2:
                found["recursion"] = lin.recursion()
            return found

        found = off(engines_of.get(engine).call(forms, own, x, y, weight, *on(engine, (v, np.where(there, u, 0)))))
        full = np.zeros((there.size, J.shape[1]))
        full[there] = J
        close(found["J"], full.T)
        close(found["J v"], full @ v)
        close(found["J^T u"], full.T @ u)
        close(found["along"], full.T @ u)
        close(found["diagonal"], (J * J).sum(axis=0))
        close(found["gram"], full @ full.T)
        if "recursion" in found:
            close(found["recursion"], full.T)


def backprop_net(p, Y):
    """The network with the cost of the steps that there are, and J of its outputs: the quadratic cost."""
    net = dr.Network([*p.net.layers[:-1], dr.Dense(p.net.outputs, "linear")])
    return mask_missing_targets(net, Y)


@given(problems())
@settings(max_examples=4)
def test_the_jacobian_over_shapes_and_lengths(p):
    assert_jacobian(p, ["numpy"])


@each(range(0, 8, 2), quick=(0, 6))
def test_the_jacobian_on_both_engines(p):
    assert_jacobian(p, BOTH)


@each(range(1, 10, 2), quick=(5, 7))
def test_the_hessian_times_a_vector(p):
    v = trees.map_leaves(np.cos, p.params)
    expected = compiled(lambda q, v: jax.jvp(jax.grad(p.mean_cost), (q,), (v,))[1])(p.params, v)
    X, Y = p.together
    net = mask_missing_targets(p.net, Y)

    def product(q, v, x, y, weight):
        return backward_pass(net, q, x, y, weight).hessian_product(v)

    for engine in BOTH:
        close(
            engines_of.get(engine).call(product, *on(engine, (p.params, v, X, Y, np.full(len(X), 1 / len(X))))),
            expected,
        )


@each(range(1, 8, 2), quick=(5, 7))
def test_the_acceleration_of_the_residuals(p):
    """d²r/dt² along a line in the parameters, for Levenberg-Marquardt's geodesic correction."""
    v = trees.map_leaves(np.sin, p.params)
    X, Y = p.together
    net, there = backprop_net(p, Y), np.repeat(p.there, p.net.outputs)

    def velocity(t):
        return jax.jvp(lambda t: p.outputs(trees.add(p.params, v, t)).ravel(), (t,), (1.0,))[1]

    expected = np.zeros(there.size)
    expected[there] = compiled(lambda: jax.jvp(velocity, (0.0,), (1.0,))[1])()

    def bent(q, x, y, weight, v):
        lin = linearize(net, q, x, y, weight)
        return lin.acceleration(v).reshape(-1)

    for engine in BOTH:
        close(engines_of.get(engine).call(bent, *on(engine, (p.params, X, Y, np.ones(len(X)), v))), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_errors_are_those_of_pieces_that_begin_from_constants(kind):
    """truncate=2 over 5 steps: the state that steps 2 and 4 begin from does not move with the parameters."""
    p = problem([kind], 2, [3], 2, (5, 5))
    net = dr.Network([getattr(dr, kind)(3, truncate=2), dr.Dense(2, "linear")])
    X, Y = np.stack(p.x), np.stack(p.y)
    whole = jax.grad(partial(truncated_cost, kind, X, Y))(trees.map_leaves(jnp.asarray, p.params))
    for engine in BOTH:
        close(net.cost_and_gradient(on(engine, p.params), X, Y)[1], whole)


def truncated_cost(kind, X, Y, params):
    """The mean cost, with the state held constant where a piece of two steps begins."""
    p, last = params
    total = 0.0
    for x, y in zip(X, Y, strict=True):
        n = p["V"].shape[1]
        h = c = jnp.zeros(n)
        for t, x_t in enumerate(x):
            if t % 2 == 0:
                h, c = jax.lax.stop_gradient(h), jax.lax.stop_gradient(c)
            h, c = cells.step(kind, p, h, c, x_t, "tanh")
            total = total + 0.5 * jnp.sum((h @ last["W"].T + last["b"] - y[t]) ** 2)
    return total / len(X)


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_tangents_are_the_transpose(kind):
    """J v and J^T u of truncated layers belong together: ⟨u, J v⟩ = ⟨J^T u, v⟩, and J by recursion is J."""
    net = dr.Network([getattr(dr, kind)(3, truncate=2), dr.Dense(2, "linear")])
    draw = np.random.default_rng(2)
    X, Y = draw.normal(size=(2, 5, 2)), draw.normal(size=(2, 5, 2))
    params = net.init(1, (5, 2), "float64")
    lin = linearize(net, params, X, Y, np.ones(2))
    v, u = trees.map_leaves(lambda p: draw.normal(size=p.shape), params), draw.normal(size=lin.r.shape)
    right = trees.dot(lin.transpose_product(u), v)
    np.testing.assert_allclose(np.vdot(u, lin.product(v)), right, rtol=1e-12)
    backward = lin.jacobian_transpose(lin.errors())
    close(lin.recursion(), backward, 1e-12)
