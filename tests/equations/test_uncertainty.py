"""Standard errors against what noise does, redrawn, and the two forms against each other."""

import numpy as np
import pytest

import deltarule as dr

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


@pytest.mark.parametrize("hidden", [6, 60], ids=["primal", "dual"])
def test_the_slope_of_a_line(hidden):
    result = fitted(0, hidden)
    expected = result.noise / np.sqrt(((X - X.mean()) ** 2).sum())
    assert result.standard_errors["c"] == pytest.approx(expected, rel=0.03)
    line = np.polyfit(X[:, 0], X[:, 0] * SLOPE + 1 + np.random.default_rng(0).normal(0, NOISE, 40), 1)
    assert result.unknowns["c"] == pytest.approx(line[0], abs=1e-3)


def test_they_cover_the_truth():
    results = [fitted(seed) for seed in range(30)]
    inside = sum(abs(r.unknowns["c"] - SLOPE) < 1.96 * r.standard_errors["c"] for r in results)
    assert inside >= 26
    assert np.mean([r.noise for r in results]) == pytest.approx(NOISE, rel=0.1)
