import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import deltarule as dr
from deltarule import NetworkClassifier
from deltarule.errors import DataError
from deltarule.models.calibration import expected_calibration_error


def test_three_clouds_are_classified(classifier, classification):
    X, y = classification
    assert classifier.classes_.tolist() == ["ash", "birch", "oak"]
    assert classifier.score(X, y) > 0.95
    assert set(classifier.predict(X)) == {"ash", "birch", "oak"}


def test_probabilities_sum_to_one_and_agree_with_the_labels(classifier, classification):
    X, _ = classification
    p = classifier.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-14)
    assert (classifier.classes_[p.argmax(axis=1)] == classifier.predict(X)).all()
    np.testing.assert_allclose(np.exp(classifier.predict_log_proba(X)), p, rtol=1e-12)


def test_which_trainer_auto_chooses(classification):
    model = NetworkClassifier(hidden=(2,), epochs=1).fit(*classification)
    assert (model.trainer_, model.regularization_) == ("lm", "bayesian")
    model = NetworkClassifier(hidden=(2,), epochs=1, l2=0.1).fit(*classification)
    assert (model.trainer_, model.regularization_) == ("adam", "early-stopping")
    model = NetworkClassifier(hidden=(6,), trainer="lm", random_state=0).fit(*classification)
    assert model.trainer_ == "lm"
    assert model.score(*classification) > 0.95


def test_the_temperature_is_part_of_the_parameters(classifier, classification):
    X, _ = classification
    outputs = np.asarray(classifier.net_(classifier.params_, classifier.x_scaling_.encode(X)))
    np.testing.assert_allclose(outputs, classifier.predict_proba(X), rtol=1e-13)
    assert classifier.calibration_.rows == 18
    assert classifier.calibration_.temperature != 1


def test_calibration_helps_an_overfitted_network():
    random = np.random.default_rng(0)
    X = random.normal(size=(3000, 4))
    y = random.random(3000) < 1 / (1 + np.exp(-2 * X[:, 0]))
    settings = {"hidden": (40,), "trainer": "adam", "eta": 0.02, "epochs": 300, "max_fail": 300, "random_state": 0}
    plain = NetworkClassifier(**settings, regularization=None).fit(X[:200], y[:200])
    held = NetworkClassifier(**settings).fit(X[:200], y[:200])
    assert plain.calibration_ is None
    error = [expected_calibration_error(m.predict_proba(X[200:]), y[200:].astype(int)) for m in (plain, held)]
    assert error[0] > 0.15
    assert error[1] < 0.6 * error[0]


@pytest.mark.parametrize("labels", [[0, 1], [False, True], [-1.0, 2.0], ["a", "b"]])
def test_labels_keep_their_type(labels):
    X = np.linspace(-1, 1, 30)[:, None]
    y = np.array(labels)[(X[:, 0] > 0).astype(int)]
    model = NetworkClassifier(hidden=(3,), trainer="adam", epochs=60, random_state=0).fit(X, y)
    assert model.predict(X).dtype == y.dtype
    assert model.schema().classes == tuple(labels)


def test_a_class_of_weight_zero_is_left_out(classification):
    X, y = classification
    model = NetworkClassifier(hidden=(3,), trainer="adam", epochs=2).fit(X, y, sample_weight=(y != "oak").astype(float))
    assert model.classes_.tolist() == ["ash", "birch"]


def test_one_class_is_refused(classification):
    X, _ = classification
    with pytest.raises(DataError, match="one class only, 'oak'"):
        NetworkClassifier().fit(X, np.full(120, "oak"))


def test_a_saved_model_gives_the_same_labels(classifier, classification, tmp_path):
    X, _ = classification
    classifier.save(tmp_path / "trees.safetensors")
    model = dr.load_model(tmp_path / "trees.safetensors")
    table = pd.DataFrame(X, columns=["x0", "x1"])
    np.testing.assert_allclose(model.predict_proba(table), classifier.predict_proba(X), rtol=1e-13)
    assert (model.predict(table) == classifier.predict(X)).all()


def test_partial_fit_needs_all_classes_in_the_first_call(classification):
    X, y = classification
    model = NetworkClassifier(hidden=(6,), trainer="sgd", random_state=0)
    model.partial_fit(X[:40], y[:40], classes=["oak", "ash", "birch"])
    for _ in range(20):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.9
    late = NetworkClassifier(hidden=(2,), trainer="sgd").partial_fit(X[:80], y[:80])
    with pytest.raises(DataError, match=r"holds the class 'oak', .* classes"):
        late.partial_fit(X, y)


def test_it_is_cross_validated_cloned_and_pickled(classifier, classification):
    X, y = classification
    assert cross_val_score(clone(classifier), X, y, cv=3).mean() > 0.9
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))


def test_each_copy_of_a_row_with_several_labels_is_a_measurement():
    """1,000 rows of two patterns: without all rows of a label its pattern would have the contrary label alone."""
    random = np.random.default_rng(0)
    x = random.integers(0, 2, 1000)
    y = np.where(random.random(1000) < 0.1, 1 - x, x)
    model = NetworkClassifier(random_state=0).fit(x[:, None] * 1.0, y)
    shares = [y[x == 0].mean(), y[x == 1].mean()]
    np.testing.assert_allclose(model.predict_proba([[0.0], [1.0]])[:, 1], shares, atol=0.03)


def test_the_noise_of_repeated_inputs_is_that_of_one_measurement():
    """Whole numbers on a grid of 16 places; rounding adds 1/12 to a variance of 1."""
    random = np.random.default_rng(1)
    X = random.integers(0, 4, (600, 2)).astype(float)
    y = np.round(X[:, 0] * X[:, 1] + random.normal(size=600))
    _, std = dr.NetworkRegressor(random_state=0).fit(X, y).predict([[1.0, 1.0], [3.0, 3.0]], return_std=True)
    np.testing.assert_allclose(std, (13 / 12) ** 0.5, rtol=0.15)
