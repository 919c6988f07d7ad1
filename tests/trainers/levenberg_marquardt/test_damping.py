"""The control of lambda by hand, also for numbers that are not finite."""

import numpy as np
import pytest

from deltarule.trainers.base import ACCEPTED, LOW_GAIN, NOT_FINITE, UPHILL, judge
from deltarule.trainers.levenberg_marquardt import VERDICTS, damping
from deltarule.trainers.levenberg_marquardt.damping import Damping
from deltarule.trainers.stopping import STOP_REASONS

DOUBLE = np.dtype("float64")


def at(lam, nu=2.0, trace=1.0):
    return Damping(lam, nu, trace)


def test_the_verdicts_and_their_names():
    assert VERDICTS[0] == "none"
    assert VERDICTS[ACCEPTED] == "accepted"
    assert VERDICTS[UPHILL] == "rejected: the objective did not fall"
    assert VERDICTS[NOT_FINITE] == "rejected: not finite"
    assert VERDICTS[LOW_GAIN] == "rejected: gain too low"


def test_start():
    assert damping.start(0.3, 7.0, DOUBLE) == (0.3, 2, 7)
    assert damping.start(0.3, 0.0, DOUBLE).trace > 0  # it is divided by


@pytest.mark.parametrize(
    ("rho", "factor"),
    [
        (1.0, 1 / 5),  # 1 - 1³ = 0, held at 1/5
        (0.95, 0.271),  # 1 - 0.9³
        (0.75, 0.875),  # 1 - 0.5³
        (0.5, 1.0),  # the step is as good as it should be for this lambda
        (0.25, 1.125),  # 1 + 0.5³: taken, and yet lambda grows
        (1e-4, 1.99940012),  # 1 + (1 - 2e-4)³ = 2 - 6e-4 + 12e-8 - ...
        (5.0, 1 / 5),  # better than the model promised
    ],
)
def test_an_accepted_step(rho, factor):
    lam, nu, trace = damping.update(at(2.0, nu=8.0, trace=3.0), rho, True)
    assert lam == pytest.approx(2 * factor, rel=1e-6)
    assert (nu, trace) == (2, 3)


def test_rejections_in_a_row():
    """lambda · 2 · 4 · 8 = 64 lambda, whatever the gain, and nu is 16 then."""
    state = at(0.5)
    for rho in (-3.0, np.nan, -np.inf):
        state = damping.update(state, rho, False)
    assert state == (32, 16, 1)
    assert damping.update(state, 0.5, True) == (32, 2, 1)


@pytest.mark.parametrize(
    ("trace", "ratio"),
    [(4.0, 1), (8.0, 2), (1.0, 0.25), (4e-9, 1e-3), (4e9, 1e3), (0.0, 1e-3), (np.inf, 1), (np.nan, 1)],
)
def test_lambda_follows_the_trace(trace, ratio):
    """From a trace of 4: lambda and the trace it belongs to move by the same ratio, in [1/1000, 1000]."""
    found = damping.rescale(at(0.5, nu=4.0, trace=4.0), trace, DOUBLE)
    assert found == pytest.approx((0.5 * ratio, 4, 4 * ratio), rel=1e-14)


def test_lambda_stays_above_zero():
    """A rejection only multiplies it; what counts as 0 is the precision's that the network computes in."""
    for precision in ("float32", "float64"):
        tiny = float(np.finfo(precision).tiny)
        assert damping.rescale(at(0.0, trace=tiny), 0.0, np.dtype(precision)).lam == tiny
        assert damping.start(0.3, 0.0, np.dtype(precision)).trace == tiny


def test_cap():
    """Past the ceiling the damping starts afresh there."""
    assert damping.cap(at(19.0, nu=8.0, trace=2.0), 20.0) == (19, 8, 2)
    assert damping.cap(at(21.0, nu=8.0, trace=2.0), 20.0) == (20, 2, 2)


def test_ceiling():
    """Ten times the greater of the trace and of ‖g‖/‖p‖, but ‖p‖ counts as 1 at least."""
    values = [(2.0, 6.0, 4.0), (1.0, 6.0, 4.0), (1.0, 6.0, 0.5)]
    found = [damping.ceiling(10.0, *value) for value in values]
    assert found == [20, 15, 60]


@pytest.mark.parametrize(("trace", "gradient"), [(np.inf, 6.0), (np.nan, 6.0), (2.0, np.inf), (2.0, np.nan)])
def test_without_a_finite_curvature_and_gradient_there_is_no_ceiling(trace, gradient):
    found = damping.ceiling(10.0, trace, gradient, 4.0)
    assert STOP_REASONS[damping.stop_at(found)] == "not_finite"
    assert STOP_REASONS[damping.stop_at(20.0)] == "mu_max"


@pytest.mark.parametrize(
    ("old", "new", "predicted", "rho", "verdict"),
    [
        (10.0, 7.0, 4.0, 0.75, ACCEPTED),
        (10.0, 6.0, 4.0, 1.0, ACCEPTED),
        (10.0, 10.0, 4.0, 0.0, UPHILL),  # no better is not better
        (10.0, 11.0, 4.0, -0.25, UPHILL),
        (10.0, 9.9999, 4.0, 2.5e-5, LOW_GAIN),  # under 1e-4
        (10.0, 9.9, 4.0, 0.025, ACCEPTED),
        (10.0, 9.0, -4.0, -0.25, LOW_GAIN),  # a model that promises a rise is not one to trust
        (10.0, np.nan, 4.0, np.nan, NOT_FINITE),
        (10.0, np.inf, 4.0, -np.inf, NOT_FINITE),
        (10.0, -np.inf, 4.0, np.inf, NOT_FINITE),
        (10.0, 9.0, np.nan, np.nan, NOT_FINITE),
        (10.0, 9.0, np.inf, 0.0, NOT_FINITE),
        (np.inf, 9.0, 4.0, np.inf, ACCEPTED),
        (0.0, 0.0, 0.0, np.nan, UPHILL),  # at zero there is nowhere to go
        (10.0, 9.0, 0.0, np.inf, ACCEPTED),  # what promised nothing and fell
        (10.0, 11.0, 0.0, -np.inf, UPHILL),
        (10.0, np.nan, 0.0, np.nan, NOT_FINITE),
    ],
)
def test_judge(old, new, predicted, rho, verdict):
    found, verdict_found = judge(old, new, predicted)
    assert found == pytest.approx(rho, rel=1e-10, nan_ok=True)
    assert VERDICTS[verdict_found] == VERDICTS[verdict]
