import numpy as np
import pytest

from deltarule.inspection.residuals import find_outliers, find_unequal_errors, robust_std


@pytest.fixture
def gaussian():
    return 0.3 * np.random.default_rng(0).normal(size=1000)


def test_the_robust_std_of_gaussian_errors_is_their_standard_deviation(gaussian):
    assert robust_std(gaussian) == pytest.approx(0.3, rel=0.05)


def test_gaussian_errors_have_no_outliers_and_are_equal(gaussian):
    assert find_outliers(gaussian) is None
    assert find_unequal_errors(np.arange(1000.0), gaussian) is None


def test_outliers_come_farthest_first(gaussian):
    gaussian[[7, 40, 3]] = 50, -90, 20
    found = find_outliers(gaussian)
    assert found is not None
    assert found.rows.tolist() == [40, 7, 3]
    assert found.robust_std == pytest.approx(0.3, rel=0.1)
    assert found.share == pytest.approx(1 - 0.09 * 997 / (50**2 + 90**2 + 20**2), abs=2e-3)


def test_rows_with_little_of_the_error_are_no_outliers(gaussian):
    gaussian[0] = 3  # ten robust standard deviations, and a tenth of the squared error
    assert find_outliers(gaussian) is None


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("pull", [0, 1])
def test_outliers_are_found_whatever_their_share(gaussian, share, pull):
    """All shifted one way; where they pull the network with them, its errors elsewhere have their mean."""
    count = int(1000 * share)
    gaussian[:count] += 5
    found = find_outliers(gaussian - pull * gaussian.mean())
    assert found is not None
    assert sorted(found.rows) == list(range(count))
    assert found.robust_std == pytest.approx(0.3, rel=0.1)
    assert found.share > 0.8


@pytest.mark.parametrize("kind", ["normal", "laplace", "exponential"])
def test_the_tails_of_ordinary_noise_are_no_outliers(kind):
    for seed in range(20):
        assert find_outliers(getattr(np.random.default_rng(seed), kind)(size=1000)) is None


def test_held_out_rows_may_have_larger_errors(gaussian):
    held = (np.arange(1000) >= 700).astype(int)
    learnt = gaussian * np.where(held, 1, 0.01)  # by heart
    assert find_outliers(learnt, held) is None
    learnt[[5, 800]] = 20
    assert sorted(find_outliers(learnt, held).rows) == [5, 800]


def test_errors_of_any_size():
    for size in (1e-200, 1e200):
        errors = size * np.r_[np.random.default_rng(0).normal(size=99), 1e3]
        found = find_outliers(errors)
        assert found is not None
        assert found.rows.tolist() == [99]
    assert find_outliers(np.zeros(50)) is None
    assert find_outliers(np.r_[np.zeros(49), 1.0]) is None  # most errors are none at all


def test_errors_that_grow_with_the_prediction(gaussian):
    predicted = np.random.default_rng(1).permutation(1000) / 1000
    found = find_unequal_errors(predicted, (0.1 + predicted) * gaussian)
    assert found is not None
    assert found.lowest == pytest.approx(0.2 * 0.3, rel=0.2)
    assert found.highest == pytest.approx(1.0 * 0.3, rel=0.2)
    shrinking = find_unequal_errors(-predicted, (0.1 + predicted) * gaussian)
    assert shrinking is not None
    assert shrinking.lowest == found.highest
    assert find_unequal_errors(predicted[:100], (0.1 + predicted[:100]) * gaussian[:100]) is None  # too few to say
