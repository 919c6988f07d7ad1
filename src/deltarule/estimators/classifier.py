"""`NetworkClassifier`: a network that tells classes apart, as a scikit-learn estimator."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from deltarule.costs import LogLikelihood
from deltarule.errors import DataError
from deltarule.estimators.base import NetworkEstimator
from deltarule.estimators.calibration import calibrate, cooled
from deltarule.estimators.content import distinct
from deltarule.estimators.scaling import Scaling
from deltarule.estimators.trainer_names import is_first_order

if TYPE_CHECKING:
    from deltarule.data.schema import Schema


class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """A feed-forward network with softmax outputs and the log-likelihood cost; inputs are standardised inside.

    With "early-stopping" the probabilities are calibrated on the rows held out: the temperature T that fits them best
    divides the output layer's z, softmax(z / T), and is folded into its parameters.

    Args:
        hidden: the sizes of the hidden layers; () is a linear model.
        activation: of the hidden layers, a name in `deltarule.activations.ACTIVATIONS`.
        trainer: "auto" is Adam; or one of "lm", "gd", "sgd", "momentum", "adam"; or a trainer such as
            `deltarule.LevenbergMarquardt()`.
        regularization: "early-stopping" holds out `validation_fraction` of each class and keeps the epoch that fits
            these rows best, with a weak L2 penalty beside; "l2" trains on all rows under the penalty; None on all
            rows, without. "auto" is "early-stopping".
        l2: lambda of (lambda/2N) sum w², with N the sum of the weights; None is 0.01 for "early-stopping", 0.1 for
            "l2", and a trainer object's own.
        eta: the learning rate of a first-order trainer given by name; None is the name's own.
        batch_size: the examples of a step, at most as many as train; None is the name's own, and all of them for "lm"
            and "gd".
        epochs: at most so many; None is the trainer's own.
        max_fail: the epochs without a better validation score that end the training; None is 6 for "lm", as in MATLAB.
        validation_fraction: the share of the weight that is held out, in (0, 1).
        restarts: how many starts to train; the best on the validation rows, or on the cost, is kept.
        engine: "numpy", "jax", or "auto", by the work; see `train`.
        random_state: a seed, a `numpy.random.RandomState`, or None, as in scikit-learn.

    Attributes:
        classes_: the labels, sorted, (k,).
        calibration_: the `Calibration` on the rows held out (temperature, expected calibration error before and
            after), or None where none were held out.
        net_, params_, x_scaling_, history_, loss_curve_, n_iter_, best_iter_, stop_reason_, trainer_, n_features_in_,
        feature_names_in_: as in `NetworkRegressor`, and so are weights.

    >>> X = np.linspace(-1, 1, 60)[:, None]
    >>> model = NetworkClassifier(hidden=(5,), random_state=0).fit(X, np.where(X[:, 0] > 0, "warm", "cold"))
    >>> model.predict([[-0.5], [0.5]]).tolist()
    ['cold', 'warm']
    """

    _output = "softmax"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a fresh network on X (N, n_1) and labels y (N,), with weights (N,) of at least 0.

        Raises:
            ValueError: the data cannot be used, or an option lies outside its domain (`ConfigurationError`).
        """
        X, y, weight = self._checked(X, y, sample_weight, first=True)
        kept = slice(None) if weight is None else weight > 0
        self.classes_, codes = np.unique(y[kept], return_inverse=True)
        self._check_classes()
        rows = distinct(X[kept], codes[:, None].astype(np.float64), None if weight is None else weight[kept])
        self.x_scaling_ = Scaling.measured(rows.X, rows.weight)
        classes = rows.Y[:, 0].astype(int)
        one_hot = np.eye(len(self.classes_))[classes]
        scaled = rows._replace(X=self.x_scaling_.encode(rows.X), Y=one_hot)
        held = self._train(scaled, LogLikelihood(), classes)
        self.calibration_ = None
        if held is not None:
            outputs = np.asarray(self.net_(self.params_, held.X))
            self.calibration_ = calibrate(outputs, np.argmax(held.Y, axis=1), held.weight)
            self.params_ = cooled(self.params_, self.calibration_.temperature)
        return self

    @available_if(lambda self: is_first_order(self.trainer))
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One epoch over these rows from where the last call ended, for first-order trainers.

        The first call needs `classes`, all the labels there will be, unless its y has them all. It measures the
        scaling, which then stays. Nothing is held out, so the probabilities are not calibrated, and `l2` acts only if
        it is given, with N the rows of the call.
        """
        first = not hasattr(self, "params_")
        X, y, weight = self._checked(X, y, sample_weight, first)
        if first:
            self.classes_ = np.unique(y if classes is None else np.asarray(classes))
            self._check_classes()
            self.x_scaling_ = Scaling.measured(X, np.ones(len(X)) if weight is None else weight)
            self.net_ = self._network(len(self.classes_), LogLikelihood())
            self.calibration_ = None
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise DataError(
                f"y holds the class {unknown[0]!r}, which is not in classes {self.classes_.tolist()}: "
                "give all classes in the first call of partial_fit."
            )
        one_hot = np.eye(len(self.classes_))[np.searchsorted(self.classes_, y)]
        self.x_scaling_ = self.x_scaling_.widened(X)
        self._train_further(self.x_scaling_.encode(X), one_hot, weight)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each row, (N,)."""
        outputs = self._outputs(X)
        return self.classes_[np.argmax(outputs, axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class in `classes_`, (N, k); rows sum to one."""
        return self._outputs(X)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """ln of `predict_proba`, (N, k); -inf where a probability is too small for a float."""
        with np.errstate(divide="ignore"):
            return np.log(self._outputs(X))

    def schema(self) -> "Schema":
        """The columns, the scaling and the classes, as a model file holds them."""
        check_is_fitted(self)
        from deltarule.data.schema import Schema

        labels = tuple(self.classes_.tolist())
        return Schema("table", "classification", self._input_columns(), (), labels, (self._target_name,))

    def _checked(self, X: Any, y: Any, sample_weight: Any, first: bool) -> tuple[np.ndarray, np.ndarray, Any]:
        """X (N, n_1), y (N,) and the weights, checked."""
        name = getattr(y, "name", None)
        X, y = validate_data(self, X, y, dtype=np.float64, reset=first)
        check_classification_targets(y)
        if first:
            self._target_name = name if isinstance(name, str) else "y"
        return X, column_or_1d(y, warn=True), self._checked_weight(sample_weight, len(X))

    def _check_classes(self) -> None:
        if len(self.classes_) < 2:
            raise DataError(
                f"y holds one class only, {self.classes_.tolist()[0]!r}, and a classifier needs at least two: "
                "add rows of another."
            )
