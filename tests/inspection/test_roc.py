import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from deltarule.inspection.roc import roc_curve


@pytest.mark.parametrize("digits", [1, 6])
def test_the_area_under_the_curve_is_that_of_scikit_learn(digits):
    random = np.random.default_rng(0)
    positive = random.random(200) < 0.3
    score = np.round(random.normal(size=200) + positive, digits)  # with one digit many rows tie
    assert roc_curve(score, positive)[2] == pytest.approx(roc_auc_score(positive, score), rel=1e-12)


def test_without_positives_there_is_no_area():
    assert np.isnan(roc_curve(np.array([0.1, 0.2]), np.array([False, False]))[2])
