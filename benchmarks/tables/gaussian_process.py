"""The Gaussian process as a careful user of scikit-learn fits it, and what keeps it affordable on larger tables."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from sklearn.utils import check_random_state

WORK = 3_000_000  # rows² x columns of the rows that the hyperparameters are fitted to
CONDITIONED = 5_000  # rows at most that the predictions are conditioned on


class ScalingGaussianProcess(RegressorMixin, BaseEstimator):
    """Matérn 5/2 with a length scale for each input, plus white noise, the targets standardised.

    The hyperparameters maximise the marginal likelihood, from three starts where rows² x columns is at most a million
    and from two beyond. Where it is more than `work`, a random subset of that size is used for them. The predictions
    are conditioned on all rows, on a random 5,000 where there are more.
    """

    def __init__(self, work: float = WORK, random_state: int = 0):
        self.work, self.random_state = work, random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to numbers that are standardised."""
        X, y = np.asarray(X, np.float64), np.asarray(y, np.float64)
        order = check_random_state(self.random_state).permutation(len(X))
        kernel = ConstantKernel(1.0) * Matern(np.ones(X.shape[1]), (1e-2, 1e4), nu=2.5)
        kernel = kernel + WhiteKernel(0.1, (1e-8, 1e1))
        few = order[: int(min(len(X), np.sqrt(self.work / X.shape[1])))]
        restarts = 2 if len(few) ** 2 * X.shape[1] <= 1_000_000 else 1
        model = GaussianProcessRegressor(
            kernel, n_restarts_optimizer=restarts, normalize_y=True, random_state=self.random_state
        )
        model.fit(X[few], y[few])
        if len(few) < len(X):
            many = order[:CONDITIONED]
            model = GaussianProcessRegressor(model.kernel_, optimizer=None, normalize_y=True).fit(X[many], y[many])
        self.model_ = model
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """The mean and, if asked for, the standard deviation of a new measurement."""
        return self.model_.predict(np.asarray(X, np.float64), return_std=return_std)
