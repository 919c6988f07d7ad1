"""What the three forms of a step share: the force behind the correction, its clip, and what a model promises."""

import numpy as np
import pytest

from deltarule import trees
from deltarule.objective import Objective
from deltarule.trainers.levenberg_marquardt.model import corrected_step, correction_share, predicted_fall
from engines import on
from trainers.levenberg_marquardt.conftest import close, flat

pytestmark = pytest.mark.usefixtures("float64")


@pytest.mark.parametrize("block", [2, 8])
def test_the_force_of_the_acceleration(few, engine, block):
    v = np.random.default_rng(0).normal(size=few.p.size)
    F, p = few.on(engine, block=block)
    force = flat(F.call(Objective.acceleration_force, p, on(engine, trees.unravel(v, few.params))))
    np.testing.assert_allclose(force, few.J.T @ few.acceleration(v), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("length", "share"), [(0.0, 1.0), (1.0, 1.0), (3.0, 1.0), (6.0, 0.5)])
def test_the_correction_is_at_most_three_eighths_of_the_step(engine, length, share):
    s, a = on(engine, ([{"b": np.array([8.0, 0.0])}], [{"b": np.array([0.0, length])}]))
    found = corrected_step(s, a, predicted=7.0)
    np.testing.assert_array_equal(flat(found.corrected), flat(s) + share * flat(a))
    assert found.predicted == 7.0
    assert float(correction_share(s[0]["b"][0], a[0]["b"][1])) == share


def test_what_the_model_promises(few):
    """F(p) - model(p + s) for the damped step: -(g^T s + (1/2) s^T (J^T J + A) s)."""
    s, _ = few.step(0.7, 0.3)
    A = 0.3 * few.is_weight
    g, H = few.J.T @ few.r + A * few.p, few.J.T @ few.J + np.diag(A)
    assert predicted_fall([{"b": g}], [{"b": s}], 0.7) == pytest.approx(-(g @ s + 0.5 * s @ H @ s), rel=1e-12)


def test_the_derivatives_that_all_of_this_is_held_against(few):
    """J and the acceleration by complex steps, against differences of five points."""
    v, h = np.random.default_rng(1).normal(size=few.p.size), 1e-3
    before, just_before, here, just_after, after = (
        (np.sqrt(few.weight)[:, None] * (few.net(trees.unravel(few.p + t * v, few.params), few.x) - few.y)).reshape(-1)
        for t in (-2 * h, -h, 0, h, 2 * h)
    )
    close((before - 8 * just_before + 8 * just_after - after) / (12 * h), few.J @ v, 1e-9)
    close((16 * just_before - before - 30 * here + 16 * just_after - after) / (12 * h * h), few.acceleration(v), 1e-7)
