"""Small settings for the experiments, with pictures like MNIST's or MNIST itself."""

import numpy as np
import pytest

from deltarule import data
from deltarule.data import DataSet, Examples
from deltarule.experiments import Settings


@pytest.fixture(scope="session")
def mnist(mnist_folder) -> DataSet:
    """MNIST itself."""
    return data.load("mnist", data_dir=mnist_folder)


@pytest.fixture
def images() -> DataSet:
    """Three times 1,200 pictures of 28x28 pixels whose bright row says the digit: MNIST's form, learnt in an epoch."""
    random = np.random.default_rng(0)
    parts = []
    for _ in range(3):
        digits = random.integers(0, 10, 1200)
        X = 0.1 * random.uniform(size=(1200, 28, 28)).astype("float32")
        X[np.arange(1200), 2 * digits] = 1
        parts.append(Examples(X.reshape(-1, 784), np.eye(10)[digits], np.arange(1200)))
    return DataSet("pictures", data.load("digits").schema, *parts)


@pytest.fixture
def quick(images) -> Settings:
    """A quick run of one seed on those pictures."""
    return Settings(quick=True, seeds=1, mnist=lambda: images)
