"""The contestants: every peer with its defaults and the pre-processing that its documentation recommends."""

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR

from benchmarks.tables.cleaning import Table
from benchmarks.tables.gaussian_process import ScalingGaussianProcess

OURS = "deltarule"


@dataclass(frozen=True)
class Peer:
    """A contestant of another library.

    Attributes:
        package: its distribution, whose version is kept with the result.
        regressor, classifier: make it, given the names of the columns of categories; None where it cannot.
        most: the training rows times classes beyond which it is left out, as too slow; None is no limit.
    """

    package: str
    regressor: Callable[[list[str]], Any] | None
    classifier: Callable[[list[str]], Any] | None
    most: int | None = None

    @property
    def version(self) -> str:
        """Of its package; where it is not installed its fits are stored as failed, with that reason."""
        try:
            return importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            return "none"


def _encoder(scaled: bool) -> Any:
    """Categories as columns of 0 and 1, numbers as they are or standardised."""
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer(
        (categories, make_column_selector(dtype_include="category")),
        remainder=StandardScaler() if scaled else "passthrough",
    )


def _scaled(model: Any) -> Any:
    return make_pipeline(_encoder(scaled=True), model)


def _scaled_too(model: Any) -> Any:
    """With the target standardised as well."""
    return TransformedTargetRegressor(_scaled(model), transformer=StandardScaler())


def _catboost(kind: str, categories: list[str]) -> Any:
    import catboost

    return getattr(catboost, kind)(
        cat_features=categories, random_seed=0, thread_count=1, verbose=False, allow_writing_files=False
    )


def _support_vectors(categories: list[str]) -> Any:
    """SVC has no probabilities of its own: Platt's sigmoid by cross-validation, as its documentation recommends."""
    return _scaled(CalibratedClassifierCV(SVC(random_state=0), ensemble=False))


def _ridge(categories: list[str]) -> Any:
    return _scaled(RidgeCV(np.logspace(-3, 3, 13), scoring="neg_mean_squared_error"))


def _logistic(categories: list[str]) -> Any:
    return _scaled(LogisticRegressionCV(scoring="neg_log_loss", max_iter=1000))


PEERS = {
    "Gaussian process": Peer(
        "scikit-learn",
        lambda _: _scaled_too(ScalingGaussianProcess()),
        lambda _: _scaled(GaussianProcessClassifier(1.0 * RBF(1.0), random_state=0)),
        1_200,
    ),
    "CatBoost": Peer(
        "catboost", lambda c: _catboost("CatBoostRegressor", c), lambda c: _catboost("CatBoostClassifier", c)
    ),
    "boosting": Peer(
        "scikit-learn",
        lambda _: HistGradientBoostingRegressor(random_state=0),
        lambda _: HistGradientBoostingClassifier(random_state=0),
    ),
    "random forest": Peer(
        "scikit-learn",
        lambda _: make_pipeline(_encoder(scaled=False), RandomForestRegressor(oob_score=True, random_state=0)),
        lambda _: make_pipeline(_encoder(scaled=False), RandomForestClassifier(random_state=0)),
    ),
    "MLP": Peer(
        "scikit-learn",
        lambda _: _scaled_too(MLPRegressor(random_state=0)),
        lambda _: _scaled(MLPClassifier(random_state=0)),
    ),
    "linear": Peer("scikit-learn", _ridge, _logistic),
    "support vectors": Peer("scikit-learn", lambda _: _scaled_too(SVR()), _support_vectors),
}


def ours(kind: str, options: dict[str, Any]) -> Any:
    """Return our estimator with its defaults, except for `options`."""
    import deltarule as dr

    return (dr.NetworkRegressor if kind == "regression" else dr.NetworkClassifier)(random_state=0, **options)


def peer(name: str, table: Table, rows: int) -> Any:
    """The estimator of that peer for a training part of so many rows, or why it takes no part, as a text."""
    one = PEERS[name]
    make = one.regressor if table.kind == "regression" else one.classifier
    if make is None:
        return "has none of this kind"
    if table.kind == "classification" and one.most is not None and rows * _classes(table) > 2 * one.most:
        return f"left out above {one.most} rows of two classes, where a fit takes minutes"
    return make([name for name, column in table.X.items() if column.dtype == "category"])


def _classes(table: Table) -> int:
    return len(np.unique(table.y))


def error_bars(model: Any, X: Any, y: np.ndarray) -> np.ndarray | None:
    """The standard deviation of new measurements at X, for those peers that say it; y trained the model.

    The Gaussian process has its own; random forest and ridge regression one noise for all rows, that of the rows which
    each tree, or each leave-one-out fit, has not seen. The others would have to be fitted again for it: None.
    """
    pipeline = getattr(model, "regressor_", model)
    last = pipeline.steps[-1][1] if hasattr(pipeline, "steps") else pipeline
    if isinstance(last, ScalingGaussianProcess):
        std = last.predict(pipeline[:-1].transform(X), return_std=True)[1]
        return float(model.transformer_.scale_[0]) * std
    if isinstance(last, RandomForestRegressor):
        return np.full(len(X), np.sqrt(np.nanmean((last.oob_prediction_ - y) ** 2)))
    if isinstance(last, RidgeCV):
        return np.full(len(X), np.sqrt(-last.best_score_))
    return None
