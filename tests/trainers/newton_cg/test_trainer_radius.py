"""The control of the trust region: the gain ratio, accepted steps, and the radius."""

import pytest

from deltarule.trainers.base import ACCEPTED, judge
from deltarule.trainers.newton_cg.steihaug import BOUNDARY, CONVERGED, NEGATIVE
from deltarule.trainers.newton_cg.trainer import update_radius


@pytest.mark.parametrize(
    ("old", "new", "predicted", "gain", "taken"),
    [
        (10.0, 8.0, 2.0, 1.0, True),
        (10.0, 9.5, 2.0, 0.25, True),
        (10.0, 9.9999, 2.0, 5e-5, False),  # less than a ten-thousandth of the promise
        (10.0, 10.0, 2.0, 0.0, False),
        (10.0, 11.0, 2.0, -0.5, False),
        (10.0, float("nan"), 2.0, None, False),
        (10.0, float("inf"), 2.0, None, False),
        (10.0, 8.0, float("nan"), None, False),
        (10.0, 10.0, 0.0, None, False),
    ],
)
def test_a_step_must_go_downhill(old, new, predicted, gain, taken):
    found, verdict = judge(old, new, predicted)
    assert (verdict == ACCEPTED) is taken
    if gain is not None:
        assert found == pytest.approx(gain, abs=2e-5)


@pytest.mark.parametrize(
    ("gain", "ending", "expected"),
    [
        (0.9, BOUNDARY, 4.0),
        (0.9, NEGATIVE, 4.0),
        (0.9, CONVERGED, 2.0),  # the region was not in the way
        (0.5, BOUNDARY, 2.0),
        (0.2, BOUNDARY, 0.25),  # a quarter of the step's length, 1
        (-3.0, CONVERGED, 0.25),
        (float("nan"), BOUNDARY, 0.25),
        (1e9, BOUNDARY, 4.0),
    ],
)
def test_the_radius_follows_the_gain(gain, ending, expected):
    assert update_radius(2.0, gain, 1.0, ending, 1e3) == expected


def test_the_radius_has_a_ceiling_and_survives_a_broken_step():
    assert update_radius(2.0, 1.0, 2.0, BOUNDARY, 3.0) == 3
    assert update_radius(2.0, float("nan"), float("nan"), BOUNDARY, 3.0) == 0.5
