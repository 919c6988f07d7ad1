"""Small tables, and estimators already fitted to them: one compilation serves many tests."""

import numpy as np
import pandas as pd
import pytest

from deltarule import NetworkClassifier, NetworkRegressor
from deltarule.data.table import load_table


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


@pytest.fixture(scope="session")
def flowers():
    """A table of three classes."""
    length, k = np.random.default_rng(0).normal(size=60), np.arange(60) % 3
    names = np.array(["aster", "iris", "rose"])
    return pd.DataFrame({"length": length + 3 * k, "width": length - k, "flower": names[k]})


@pytest.fixture(scope="session")
def houses():
    """A table of numbers without noise."""
    random = np.random.default_rng(0)
    area, age = random.uniform(50, 200, 60), random.uniform(0, 80, 60)
    return pd.DataFrame({"area": area, "age": age, "price": 1000 * area - 500 * age, "heat": 2 * area + age})


@pytest.fixture(scope="session")
def flower_data(flowers):
    return load_table(flowers, target="flower")


@pytest.fixture(scope="session")
def house_data(houses):
    return load_table(houses, target="price")


@pytest.fixture(scope="session")
def line():
    """y = 10 x + noise of 2; z says nothing."""
    random = np.random.default_rng(0)
    x, z = random.normal(size=(2, 400))
    return load_table(pd.DataFrame({"x": x, "z": z, "y": 10 * x + 2 * random.normal(size=400)}), target="y")
