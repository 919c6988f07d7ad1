"""Standard errors against what noise does, redrawn, and the two forms against each other."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.curvature.linearization import linearize
from deltarule.equations.uncertainty import RIDGE, standard_errors

X = np.linspace(0, 1, 40)[:, None]
SLOPE, NOISE = 2.0, 0.05


def fitted(seed, hidden=6):
    """u' = c and noisy data of c x + 1: the standard error of the slope of a straight line is known."""
    y = SLOPE * X + 1 + np.random.default_rng(seed).normal(0, NOISE, X.shape)
    net = dr.Network([dr.Dense(hidden, "tanh"), dr.Dense(1, "linear")])
    equation = dr.Equation(X, lambda x, u, p: u.d(0) - p.c, weight=1e4)
    return dr.solve(
        net, [equation], unknowns={"c": 1.0}, data=(X, y), trainer=dr.LevenbergMarquardt(), epochs=100, seed=seed
    )


def test_the_slope_of_a_line():
    result = fitted(0)
    expected = result.noise / np.sqrt(((X - X.mean()) ** 2).sum())
    assert result.standard_errors["c"] == pytest.approx(expected, rel=0.03)
    line = np.polyfit(X[:, 0], X[:, 0] * SLOPE + 1 + np.random.default_rng(0).normal(0, NOISE, 40), 1)
    assert result.unknowns["c"] == pytest.approx(line[0], abs=1e-3)


@pytest.mark.parametrize("hidden", [6, 60], ids=["primal", "dual"])
def test_the_formula(hidden):
    """(SE) with J written out, whichever of J^T J and J J^T is the smaller."""
    result = fitted(0, hidden)
    problem, params = result.problem, result.lifted()
    F = problem.joint(problem.parts([X]), problem.weights(), None)
    lins = [linearize(part.net, params, part.rows.x, part.rows.y, part.scale * part.rows.mask) for part in F.parts]
    rows = [lin.jacobian_transpose() for part, lin in zip(F.parts, lins, strict=True)]
    J = np.concatenate(rows, axis=1)
    A = np.linalg.solve(J @ J.T + RIDGE * np.trace(J @ J.T) * np.eye(len(J)), rows[1])
    misfit = result(X) - problem.data[1]
    noise = np.sqrt((misfit**2).sum() / (len(X) - (A * rows[1]).sum()))
    errors, found = standard_errors(F, ["c"], params)
    assert found == pytest.approx(noise, rel=1e-3)
    assert errors["c"] == pytest.approx(noise / len(X) ** 0.5 * np.linalg.norm(A[-1]), rel=1e-2)


@pytest.mark.parametrize(("count", "least"), [(10, 8), pytest.param(30, 26, marks=pytest.mark.slow)])
def test_they_cover_the_truth(count, least):
    results = [fitted(seed) for seed in range(count)]
    inside = sum(abs(r.unknowns["c"] - SLOPE) < 1.96 * r.standard_errors["c"] for r in results)
    assert inside >= least
    assert np.mean([r.noise for r in results]) == pytest.approx(NOISE, rel=0.1)
