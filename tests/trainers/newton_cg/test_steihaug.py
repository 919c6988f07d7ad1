"""Steihaug's conjugate gradients on small quadratics whose answers are known."""

import numpy as np
import pytest

from deltarule import engine as engines
from deltarule.trainers.newton_cg import ENDINGS
from deltarule.trainers.newton_cg.steihaug import steihaug
from engines import put

pytestmark = pytest.mark.usefixtures("float64")
DRAW = np.random.default_rng(0)
ROTATION = np.linalg.qr(DRAW.normal(size=(6, 6)))[0]
G = DRAW.normal(size=6)


def matrix(*eigenvalues):
    return ROTATION @ np.diag(eigenvalues) @ ROTATION.T


def _solve(H, g, radius, tolerance, iterations):
    return steihaug(lambda v: [{"W": H @ v[0]["W"]}], [{"W": g}], radius, tolerance, iterations)


def solve(engine, H, g=G, radius=1e9, tolerance=1e-12, iterations=100):
    found = engines.get(engine).call(_solve, put(engine, H), put(engine, g), radius, tolerance, iterations)
    return np.asarray(found.s[0]["W"]), float(found.predicted), ENDINGS[int(found.ending)], int(found.products)


def model(H, s, g=G):
    return g @ s + s @ H @ s / 2


CONVEX, SADDLE = matrix(1, 2, 3, 5, 8, 13), matrix(-2, 1, 2, 3, 5, 8)


def test_newton_s_step_inside_a_wide_region(engine):
    s, predicted, ending, products = solve(engine, CONVEX)
    np.testing.assert_allclose(s, -np.linalg.solve(CONVEX, G), rtol=1e-10)
    assert predicted == pytest.approx(-model(CONVEX, s), rel=1e-12)
    assert ending == "converged"
    assert products <= 7  # six in exact arithmetic


def test_equal_eigenvalues_take_one_product(engine):
    s, _, ending, products = solve(engine, 4 * np.eye(6))
    np.testing.assert_allclose(s, -G / 4, rtol=1e-13)
    assert (ending, products) == ("converged", 1)


@pytest.mark.parametrize("H", [CONVEX, SADDLE], ids=["convex", "saddle"])
@pytest.mark.parametrize("radius", [1e-3, 0.1, 0.5])
def test_a_narrow_region_ends_on_its_boundary_below_cauchy_s_point(engine, H, radius):
    s, predicted, ending, _ = solve(engine, H, radius=radius)
    assert np.linalg.norm(s) == pytest.approx(radius, rel=1e-12)
    assert ending in ("boundary", "negative curvature")
    curvature = G @ H @ G
    t = radius / np.linalg.norm(G)
    if curvature > 0:
        t = min(t, G @ G / curvature)
    assert model(H, s) <= model(H, -t * G) + 1e-14
    assert predicted == pytest.approx(-model(H, s), rel=1e-10)


def test_negative_curvature_is_followed_to_the_boundary(engine):
    s, predicted, ending, _ = solve(engine, SADDLE, radius=50.0)
    assert ending == "negative curvature"
    assert np.linalg.norm(s) == pytest.approx(50, rel=1e-12)
    assert predicted == pytest.approx(-model(SADDLE, s), rel=1e-10)
    assert predicted > 100
    # Along the first direction already: H = -I.
    s, predicted, ending, products = solve(engine, -np.eye(6), radius=3.0)
    np.testing.assert_allclose(s, -3 * G / np.linalg.norm(G), rtol=1e-12)
    assert (ending, products) == ("negative curvature", 1)
    assert predicted == pytest.approx(3 * np.linalg.norm(G) + 4.5, rel=1e-12)


def test_the_tolerance_is_that_of_the_residual(engine):
    for tolerance in (0.5, 1e-2, 1e-5):
        s, _, ending, products = solve(engine, CONVEX, tolerance=tolerance)
        assert np.linalg.norm(G + CONVEX @ s) <= tolerance * np.linalg.norm(G)
        assert ending == "converged"
    assert products == 6


def test_iterations_are_limited(engine):
    s, predicted, ending, products = solve(engine, CONVEX, iterations=3)
    assert (ending, products) == ("running", 3)
    assert predicted == pytest.approx(-model(CONVEX, s), rel=1e-12)
    assert predicted > 0


def test_no_gradient_no_step(engine):
    s, predicted, ending, products = solve(engine, CONVEX, g=np.zeros(6))
    assert not s.any()
    assert (predicted, ending, products) == (0, "converged", 0)
