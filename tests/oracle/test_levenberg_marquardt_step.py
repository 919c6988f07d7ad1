"""One LM step by its three forms, primal, dual and conjugate gradients, against (LM) solved with an explicit J.

J and r are written here from the table of method.md, section 5, and differentiated automatically. Every output and
every cost meets hidden layers of every kind, one to four layers, one to five outputs, fewer, as many and more residuals
than parameters, with and without L2, example weights, padding rows and blocks: `CASES` takes them in turn.
"""

import itertools
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines_of
from deltarule import trees
from deltarule.curvature.linearization import gram, linearize
from deltarule.network.costs import Quadratic, get_cost
from deltarule.objective import Objective
from deltarule.trainers.levenberg_marquardt.trainer import FORMS
from engines import BOTH, on, rows_on
from oracle.plain_network import COSTS, HIDDEN, OUTPUTS, compiled, cost_of_output, jax, jnp, outputs, problem

pytestmark = pytest.mark.usefixtures("float64")

NATURAL = {("sigmoid", "cross-entropy"), ("softmax", "log-likelihood")}
L2 = 0.3


class Case(NamedTuple):
    """A network, its cost and the shape of its data."""

    activations: tuple[str, ...]
    cost: tuple[str, float | None]
    k: int
    residuals: str  # fewer than parameters, as many, more
    l2: float | None
    weighted: bool
    blocks: bool
    seed: int

    @property
    def sizes(self):
        """3-3-...-k: n = 12 (L - 2) + 4 k parameters, a multiple of k, so that m k = n is possible."""
        return (3,) * len(self.activations) + (self.k,)

    @property
    def m(self):
        """n/k examples, half as many or twice as many."""
        equal = (12 * (len(self.activations) - 1) + 4 * self.k) // self.k
        return {"fewer": equal // 2, "equal": equal, "more": 2 * equal + 1}[self.residuals]

    def __str__(self):
        """The test's name."""
        scale = "" if self.cost[1] is None else f"({self.cost[1]})"
        marks = ["l2"] * (self.l2 is not None) + ["weights"] * self.weighted + ["blocks"] * self.blocks
        return "-".join(["3", *self.activations, self.cost[0] + scale, f"k{self.k}", self.residuals, *marks])


def every_case():
    """Each pair of an output and a cost once, the natural pairs and linear regression three times.

    The digits of i in mixed radix choose the rest, so that every number of layers meets every number of residuals,
    and every number of residuals meets L2 and weights in each combination.
    """
    pairs = list(itertools.product(COSTS, OUTPUTS))
    pairs += 2 * [(COSTS[2], "sigmoid"), (COSTS[3], "softmax"), (COSTS[0], "linear")]
    cases = []
    for i, (cost, output) in enumerate(pairs):
        layers, residuals = 1 + i % 4, ("fewer", "equal", "more")[i // 4 % 3]
        k = 5 if layers == 1 else 1 + (i // 4 + i) % 4
        k = max(k, 2) if output == "softmax" else k
        hidden = tuple(HIDDEN[(i + j) % 5] for j in range(layers - 1))
        l2, weighted, blocks = (None, L2)[i % 2], i // 2 % 2 == 1, i // 3 % 2 == 1
        cases.append(Case((*hidden, output), cost, k, residuals, l2, weighted, blocks, seed=i))
    return cases


CASES = every_case()


def mostly_slow(cases):
    """Every fifth case in the short run, which still has each number of layers and of residuals."""
    return [case if i % 5 == 0 else pytest.param(case, marks=pytest.mark.slow) for i, case in enumerate(cases)]


def test_the_cases_cover_what_they_should():
    residuals = ("fewer", "equal", "more")
    assert {(case.cost, case.activations[-1]) for case in CASES} == set(itertools.product(COSTS, OUTPUTS))
    assert {name for case in CASES for name in case.activations[:-1]} == set(HIDDEN)
    assert {(len(c.activations), c.residuals) for c in CASES} == set(itertools.product((1, 2, 3, 4), residuals))
    assert {case.k for case in CASES} == {1, 2, 3, 4, 5}
    assert {(c.residuals, c.l2, c.weighted) for c in CASES} == set(
        itertools.product(residuals, (None, L2), (False, True))
    )
    for case in CASES:
        n = sum(n * (n_in + 1) for n_in, n in itertools.pairwise(case.sizes))
        found = {"fewer": case.m * case.k < n, "equal": case.m * case.k == n, "more": case.m * case.k > n}
        assert found[case.residuals]


def explicit(case, unravel, x, y, weight, p, v):
    """J (m k, n) by reverse mode, r (m k,), and d²r/dt² (m k,) along p + t v by forward mode twice."""
    output, (cost, scale) = case.activations[-1], case.cost

    def z_of(p):
        a, layers = x, unravel(p)
        for name, layer in zip(case.activations[:-1], layers[:-1], strict=True):
            a = outputs(name, a @ layer["W"].T + layer["b"])
        return a @ layers[-1]["W"].T + layers[-1]["b"]

    def out(p):
        return outputs(output, z_of(p))

    def second(function):
        return jax.jvp(lambda t: jax.jvp(lambda t: function(p + t * v), (t,), (1.0,))[1], (0.0,), (1.0,))[1]

    a = out(p)
    if (output, cost) in NATURAL:
        root = jnp.sqrt(a * (1 - a)) if output == "sigmoid" else jnp.sqrt(a)
        S = root[:, :, None] * jnp.eye(case.k)
        if output == "softmax":
            S = S - root[:, :, None] * root[:, :, None] * root[:, None, :]
        r = (a - y) / root
        J = jnp.einsum("mjo,mjn->mon", S, jax.jacrev(z_of)(p))
    else:
        slope = jax.grad(lambda a: jnp.sum(cost_of_output(jnp, cost, scale, a, y)))
        root = jnp.sqrt(jax.jvp(slope, (a,), (jnp.ones_like(a),))[1])  # C'' is diagonal in a
        r = slope(a) / root
        J = root[:, :, None] * jax.jacrev(out)(p)

    if cost == "quadratic":
        bent = root * second(out)
    elif (output, cost) in NATURAL:
        bent = jnp.einsum("mjo,mj->mo", S, second(z_of))
    else:  # the same S^T ddz, with S = sigma'(z) √C''
        bent = root * jax.jvp(lambda z: outputs(output, z), (z_of(p),), (second(z_of),))[1]
    weighing = jnp.sqrt(weight)[:, None]
    return (weighing[..., None] * J).reshape(-1, p.size), (weighing * r).reshape(-1), (weighing * bent).reshape(-1)


def relative_error(found, expected):
    return np.linalg.norm(np.asarray(found) - expected) / np.linalg.norm(expected)


def prepare(case):
    """The network, its parameters, its data, and `explicit` compiled as a function of p and v."""
    params, x, y = problem(case.seed, case.sizes, case.activations, case.cost[0], case.m)
    weight = np.random.default_rng(case.seed).uniform(0.2, 3, size=case.m)
    weight[1] = 0.0  # an example that weighs nothing
    data = (x, y, weight if case.weighted else None)
    weight = weight if case.weighted else np.ones(case.m)
    name, scale = case.cost
    layers = [dr.Dense(n, activation) for n, activation in zip(case.sizes[1:], case.activations, strict=True)]
    net = dr.Network(layers, Quadratic(scale) if name == "quadratic" else get_cost(name))
    like = trees.map_leaves(jnp.asarray, params)
    return net, params, data, compiled(partial(explicit, case, lambda p: trees.unravel(p, like), x, y, weight))


def objective_on(engine, case, net, data):
    """F of these data, in blocks of four if the case asks for them; JAX's rows are padded."""
    rows = rows_on(engine, *data)
    return Objective(net, rows, 4 if case.blocks else rows.x.shape[0], case.l2)


def computed(engine, of_library):
    """The function as the engine calls it: compiled, quickly rather than well, on JAX."""
    return compiled(of_library) if engine == "jax" else partial(engines_of.get(engine).call, of_library)


def expected_steps(case, params, explicit):
    """J, the gradient, and for each damping: lambda, s and a of (LM) by NumPy, and the tolerance to hold them to.

    Two computations of a step may differ by the condition number of J^T J + A + lambda I, here at most 10 and 10^6,
    times the rounding of the sums in it, some 1e-15.
    """
    p = trees.ravel(params)
    J, r = map(np.asarray, explicit(p, p)[:2])
    A = np.concatenate([np.r_[np.full(q["W"].size, case.l2 or 0.0), np.zeros(q["b"].size)] for q in params])
    gradient = J.T @ r + A * p
    steps = []
    for damping, tolerance in ((0.12, 1e-12), (1e-6, 1e-9)):
        lam = damping * np.linalg.norm(J, 2) ** 2
        M = J.T @ J + np.diag(A + lam)
        s = np.linalg.solve(M, -gradient)
        steps.append((lam, s, np.linalg.solve(M, -0.5 * J.T @ np.asarray(explicit(p, s)[2])), tolerance))
    return J, gradient, steps


def check_step(plain, corrected, s, a, lam, gradient, tolerance):
    """The step s alone, and s + a with a clipped. The correction of a linear network is zero: beside s it is rounding.

    Args:
        plain: the library's step without the correction.
        corrected: its step with it.
        s: what the first should be.
        a: the correction.
        lam: the damping.
        gradient: of the objective.
        tolerance: beside s.
    """
    found_s, found_bent = (np.asarray(trees.ravel(step.corrected)) for step in (plain, corrected))
    size = np.linalg.norm(s)
    assert np.linalg.norm(found_s - s) < tolerance * size
    share = min(1, 0.375 * size / max(np.linalg.norm(a), 1e-300))
    assert np.linalg.norm(found_bent - (s + share * a)) < 10 * tolerance * size
    for step in (plain, corrected):
        assert step.predicted == pytest.approx(0.5 * (lam * s @ s - gradient @ s), rel=10 * tolerance)


def both_steps(form, F, p, at, *more):
    """The form's step without and with the geodesic correction."""
    return [form.step(F, p, at, *more, accelerate=accelerate) for accelerate in (False, True)]


@pytest.mark.parametrize("case", mostly_slow(CASES), ids=str)
def test_primal_and_dual_are_the_step(case):
    net, params, data, explicit = prepare(case)

    def of_library(F, p, lam):
        lin = linearize(net, p, F.rows.x, F.rows.y, F.rows.mask)
        forms = [(form, form.model(F, p)) for form in (FORMS["primal"], FORMS["dual"])]
        at_point = [(at.objective, trees.ravel(at.gradient), at.gradient_norm, at.trace) for _, at in forms]
        J = lin.jacobian_transpose().T
        return [both_steps(form, F, p, at, lam) for form, at in forms], at_point, J, gram(lin, lin)["all"]

    J, gradient, expected = expected_steps(case, params, explicit)
    for engine in BOTH:
        F, p, run = objective_on(engine, case, net, data), on(engine, params), computed(engine, of_library)
        for lam, s, a, tolerance in expected:
            steps, at_point, library_J, K = run(F, p, lam)
            for plain, corrected in steps:
                check_step(plain, corrected, s, a, lam, gradient, tolerance)
        for _, found, norm, trace in at_point:
            assert norm == pytest.approx(np.linalg.norm(gradient), rel=1e-10)
            assert np.linalg.norm(found - gradient) < 1e-12 * np.linalg.norm(gradient)
            assert trace == pytest.approx(np.sum(J * J), rel=1e-12)
        assert at_point[0][0] == pytest.approx(float(at_point[1][0]), rel=1e-13)
        R = J.shape[0]  # the rows after these are JAX's padding
        np.testing.assert_allclose(library_J[:R], J, rtol=1e-11, atol=1e-13 * np.abs(J).max())
        np.testing.assert_allclose(library_J[R:], 0, atol=0)
        np.testing.assert_allclose(K[:R, :R], J @ J.T, rtol=1e-11, atol=1e-13 * np.linalg.norm(J, 2) ** 2)
        np.testing.assert_allclose(K[R:], 0, atol=0)


@pytest.mark.parametrize("case", mostly_slow(CASES[9:21:2] + CASES[24:27]), ids=str)
def test_conjugate_gradients_find_the_step(case):
    net, params, data, explicit = prepare(case)

    def of_library(F, p, lam):
        at = FORMS["cg"].model(F, p)
        steps = both_steps(FORMS["cg"], F, p, at, lam, 1e-14, 3000)
        return steps, trees.ravel(at.gradient), at.gradient_norm, at.trace

    J, gradient, expected = expected_steps(case, params, explicit)
    for engine in BOTH:
        F, p, run = objective_on(engine, case, net, data), on(engine, params), computed(engine, of_library)
        for lam, s, a, tolerance in expected:
            (plain, corrected), found, norm, trace = run(F, p, lam)
            check_step(plain, corrected, s, a, lam, gradient, 10 * tolerance)
        assert norm == pytest.approx(np.linalg.norm(gradient), rel=1e-12)
        assert np.linalg.norm(found - gradient) < 1e-12 * np.linalg.norm(gradient)
        assert trace == pytest.approx(np.sum(J * J), rel=1e-12)
