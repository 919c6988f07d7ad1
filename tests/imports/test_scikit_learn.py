import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler

import deltarule as dr
from deltarule.errors import ConfigurationError

X = np.random.default_rng(0).normal([5, -200, 0.1], [2, 30, 0.01], (60, 3))
Y = np.c_[np.sin(X[:, 0]), X[:, 1] / 100]
LABELS = np.where(X[:, 0] > 6, "high", np.where(X[:, 0] > 4, "middle", "low"))


def fitted(estimator, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(X, y)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_a_regression_gives_the_same_numbers(activation):
    theirs = fitted(MLPRegressor(hidden_layer_sizes=(5, 4), activation=activation, max_iter=20, random_state=0), Y)
    np.testing.assert_allclose(dr.from_sklearn(theirs).predict(X), theirs.predict(X), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("scaler", [StandardScaler(), StandardScaler(with_mean=False), MinMaxScaler((-1, 2))], ids=str)
def test_the_scaling_is_read_too(scaler):
    inner = make_pipeline(scaler, MLPRegressor(hidden_layer_sizes=(5,), max_iter=20, random_state=0))
    theirs = fitted(TransformedTargetRegressor(inner, transformer=MinMaxScaler()), Y[:, 0])
    model = dr.from_sklearn(theirs)
    np.testing.assert_allclose(model.predict(X), theirs.predict(X), rtol=1e-12, atol=1e-12)
    if isinstance(scaler, MinMaxScaler):
        assert model.schema.inputs[1].low == X[:, 1].min()


@pytest.mark.parametrize("labels", [LABELS, LABELS == "high"], ids=["three classes", "two classes"])
def test_a_classifier_gives_the_same_probabilities(labels, tmp_path):
    theirs = fitted(
        make_pipeline(StandardScaler(), MLPClassifier(hidden_layer_sizes=(5,), max_iter=20, random_state=0)), labels
    )
    model = dr.from_sklearn(theirs)
    np.testing.assert_allclose(model.predict_proba(X), theirs.predict_proba(X), rtol=1e-12, atol=1e-15)
    assert model.predict(X).tolist() == theirs.predict(X).tolist()
    model.save(tmp_path / "net.safetensors")
    assert dr.load_model(tmp_path / "net.safetensors").predict(X).tolist() == theirs.predict(X).tolist()


def test_several_labels_of_a_row_are_several_outputs():
    theirs = fitted(MLPClassifier(hidden_layer_sizes=(5,), max_iter=20, random_state=0), (Y > 0).astype(int))
    np.testing.assert_allclose(dr.from_sklearn(theirs).predict(X), theirs.predict_proba(X), rtol=1e-12)


def test_the_names_of_a_data_frame_are_kept():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs = MLPRegressor(hidden_layer_sizes=(3,), max_iter=5, random_state=0).fit(frame, Y)
    model = dr.from_sklearn(theirs)
    np.testing.assert_allclose(model.predict(frame[["c", "a", "b"]]), theirs.predict(frame), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (MLPRegressor(), "give a fitted MLPRegressor"),
        (fitted(LinearRegression(), Y), "give a fitted MLPRegressor"),
        (
            fitted(make_pipeline(PolynomialFeatures(), MLPRegressor(hidden_layer_sizes=(2,), max_iter=3)), Y),
            "PolynomialFeatures.*StandardScaler",
        ),
        (
            fitted(make_pipeline(MinMaxScaler(clip=True), MLPRegressor(hidden_layer_sizes=(2,), max_iter=3)), Y),
            "clip=True.*without clip",
        ),
    ],
    ids=["not fitted", "another model", "another step", "clipped"],
)
def test_other_objects_are_refused(estimator, message):
    with pytest.raises(ConfigurationError, match=message):
        dr.from_sklearn(estimator)
