import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import recall_score

import deltarule as dr
from deltarule.errors import ConfigurationError
from deltarule.models.classifier import class_weights, relative_weights

LABELS = np.array(["no", "yes"])


@pytest.fixture(scope="module")
def rare():
    """(X, y): 8 % of rows are "yes", and the two clouds overlap."""
    random = np.random.default_rng(0)
    y = random.random(600) < 0.08
    return random.normal(size=(600, 2)) + 1.2 * y[:, None], LABELS[y.astype(int)]


@pytest.fixture(scope="module")
def model():
    return dr.NetworkClassifier(hidden=(4,), epochs=40, random_state=0)


def test_balanced_by_hand():
    # three rows of weight 1, 1, 2 in the first class, one of 1 in the second: 4 and 1, of 5 each class should have 2.5
    factor = relative_weights("balanced", LABELS, np.array([0, 0, 0, 1]), np.array([1.0, 1, 2, 1]))
    assert factor.tolist() == [2.5 / 4, 2.5]


def test_a_dict_keeps_the_sum_of_weights():
    codes, weight = np.array([0, 0, 1]), np.array([1.0, 2, 3])
    factor = relative_weights({"yes": 5}, LABELS, codes, weight)
    assert factor[1] / factor[0] == pytest.approx(5)
    assert factor[codes] @ weight == pytest.approx(6)
    assert class_weights({"yes": 5}, LABELS).tolist() == [1, 5]


def test_balanced_weights_raise_the_recall_of_a_rare_class(model, rare):
    X, y = rare
    plain = clone(model).fit(X, y)
    balanced = clone(model).set_params(class_weight="balanced").fit(X, y)
    assert recall_score(y, balanced.predict(X), pos_label="yes") > 0.6
    assert recall_score(y, plain.predict(X), pos_label="yes") <= 0.4


def test_probabilities_hold_for_the_weighted_population(model, rare):
    X, y = rare
    share = (y == "yes").mean()
    p = clone(model).set_params(class_weight="balanced").fit(X, y).predict_proba(X)
    assert p[:, 1].mean() > 3 * share
    weighed = p * [1 - share, share]  # p_j / w_j, with w_j inversely proportional to the share of class j
    back = weighed / weighed.sum(axis=1, keepdims=True)
    assert back[:, 1].mean() == pytest.approx(share, abs=0.02)
    assert clone(model).fit(X, y).predict_proba(X)[:, 1].mean() == pytest.approx(share, abs=0.02)


def test_class_weight_does_not_change_the_validation_rows(model, rare):
    first, second = (clone(model).set_params(class_weight=w).fit(*rare) for w in (None, {"no": 1, "yes": 1}))
    np.testing.assert_array_equal(first.predict_proba(rare[0]), second.predict_proba(rare[0]))
    assert clone(model).set_params(class_weight="balanced").fit(*rare).calibration_.rows == first.calibration_.rows


def test_a_whole_weight_equals_copies_with_class_weight(model, rare):
    X, y = rare
    weight = np.random.default_rng(1).integers(0, 3, len(y))
    balanced = clone(model).set_params(class_weight="balanced")
    weighted = clone(balanced).fit(X, y, sample_weight=weight)
    repeated = clone(balanced).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_array_equal(weighted.predict_proba(X), repeated.predict_proba(X))


def test_partial_fit_takes_a_dict(rare):
    X, y = rare
    found = []
    for class_weight in (None, {"yes": 10}):
        model = dr.NetworkClassifier(hidden=(4,), trainer="adam", class_weight=class_weight, random_state=0)
        for _ in range(20):
            model.partial_fit(X, y)
        found.append(recall_score(y, model.predict(X), pos_label="yes"))
    assert found[1] > 0.5 > found[0]


@pytest.mark.parametrize(
    ("class_weight", "sentence"),
    [
        ("even", "class_weight is 'even'"),
        ({"maybe": 2}, "holds 'maybe'"),
        ({"yes": 0}, r"class_weight\['yes'\] .*above 0"),
    ],
)
def test_bad_class_weights_are_refused(model, rare, class_weight, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        clone(model).set_params(class_weight=class_weight).fit(*rare)


def test_partial_fit_cannot_balance(rare):
    with pytest.raises(ConfigurationError, match="for fit, 'balanced'"):
        dr.NetworkClassifier(trainer="adam", class_weight="balanced").partial_fit(*rare)
