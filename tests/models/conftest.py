"""Small tables, and estimators already fitted to them: one compilation serves many tests."""

import numpy as np
import pytest

from deltarule import NetworkClassifier, NetworkRegressor


@pytest.fixture(scope="session")
def regression():
    """(X, y): a smooth function of two inputs in units far from 1, with noise."""
    random = np.random.default_rng(0)
    X = random.uniform(0, 1, (90, 2)) * [1000, 0.01]
    y = 5000 + 300 * np.sin(X[:, 0] / 200) + 1e4 * X[:, 1] + random.normal(0, 10, 90)
    return X, y


@pytest.fixture(scope="session")
def classification():
    """(X, labels): three clouds."""
    random = np.random.default_rng(0)
    names = np.array(["birch", "ash", "oak"])
    classes = np.repeat([0, 1, 2], 40)
    X = random.normal(size=(120, 2)) + np.array([[0, 3], [3, 0], [-2, -2]])[classes]
    return X, names[classes]


@pytest.fixture(scope="session")
def regressor(regression):
    return NetworkRegressor(hidden=(6,), random_state=0).fit(*regression)


@pytest.fixture(scope="session")
def classifier(classification):
    return NetworkClassifier(hidden=(6,), trainer="adam", random_state=0).fit(*classification)
