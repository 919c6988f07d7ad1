"""`NetworkClassifier`: a network for classification, as a scikit-learn estimator."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted

from deltarule.checks import require_number
from deltarule.errors import ConfigurationError, DataError
from deltarule.models.base import NetworkEstimator
from deltarule.models.inputs import check_training_rows, target_names
from deltarule.models.outcome import Outcome
from deltarule.models.planning import is_first_order
from deltarule.models.weighted_rows import WeightedRows, merge_duplicates
from deltarule.trainers.base import Trainer

if TYPE_CHECKING:
    from deltarule.data.schema import Schema


class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """A feed-forward network with softmax outputs and the log-likelihood cost; inputs are standardised inside.

    For targets (N, k) of 0 and 1, where a row may have several labels, it has sigmoid outputs and the cross-entropy
    cost.

    Several networks are averaged into one by a weighted sum of their logits, softmax(sum w_k z_k). The weights are
    those that predict training rows best by networks that have not seen them, in closed form, so that no row is held
    out. Their sum need not be 1, which calibrates the probabilities. With "early-stopping" probabilities are calibrated
    on the validation rows: the temperature T that fits them best divides z of the output layer, softmax(z / T), and
    becomes part of its parameters.

    Args:
        hidden: the sizes of the hidden layers; () is a linear model. None tries several networks if exact steps are
            cheap (docs/models.md), and else is (20,).
        activation: of the hidden layers, a name in `deltarule.network.activations.ACTIVATIONS`.
        trainer: "auto" takes Levenberg-Marquardt if its steps are cheap, and else Adam; or "lm", "bayesian",
            "newton-cg", "gd", "sgd", "momentum", "adam"; or a trainer such as `deltarule.LevenbergMarquardt()`.
        regularization: "bayesian" sets the penalties by the evidence of the classes, from all rows (see
            `BayesianRegularization`); "early-stopping" holds out `validation_fraction` of each class and keeps the
            epoch that fits these rows best, with a weak L2 penalty too; "l2" trains on all rows with an L2 penalty, and
            None without. "auto" is "bayesian" if a step of Levenberg-Marquardt is cheap and no other argument
            contradicts it, and else "early-stopping".
        l2: lambda of (lambda/2N) sum w², with N the sum of the weights; None is 0.01 for "early-stopping", 0.1 for
            "l2"; a trainer object has its own.
        eta: the learning rate of a first-order trainer given by name; None takes that trainer's default.
        batch_size: the examples of a step, at most all training examples; None takes the default of a trainer given by
            name, which for "lm" and "gd" is all.
        epochs: the largest number of epochs; None takes the trainer's default.
        max_fail: the training ends after this many epochs without a better validation score; None is 6 for "lm", as in
            MATLAB.
        validation_fraction: the share of the weight that is held out, in (0, 1).
        restarts: how many networks to train, each from its own random parameters; with "bayesian" (None is 2) they are
            averaged, else (None is 1) the one with the best validation score, or the lowest cost, is kept.
        effort: how many networks are tried if `hidden` and `restarts` are not given: "quick" trains two of 20 neurons,
            "default" up to 12 and "thorough" up to 36, until averaging more no longer improves the predictions.
        engine: "numpy", "jax", or "auto", which chooses by the amount of work; see `train`.
        class_weight: None, "balanced", which gives all classes the same sum of weights, or a dict of weights by class,
            1 for a class that it lacks. It multiplies `sample_weight` in training, validation and calibration; the sum
            of all weights stays the same. So the probabilities hold for a population in which the classes are as
            frequent as their weights; for the population of the rows, divide p_j by w_j and scale to a sum of 1.
        warm_start: let a second `fit` go on from the parameters of the one before, with the scaling, the categories and
            the classes of the first; rows, weights and settings may change.
        verbose: True prints the costs of every epoch, as scikit-learn's networks do; 10 those of every tenth.
        random_state: a seed, a `numpy.random.RandomState`, or None, as in scikit-learn.

    Attributes:
        classes_: the labels, sorted, (k,); 0 to k - 1 if a row may have several labels.
        calibration_: the `Calibration` (temperature, expected calibration error before and after) on the validation
            rows, or with "bayesian" on the training rows, each left out; else None, also if a row may have several
            labels.
        effective_parameters_, log_evidence_: with "bayesian": gamma and the log evidence of the network of the largest
            weight.
        net_, params_, x_scaling_, history_, loss_curve_, n_iter_, best_iter_, stop_reason_, trainer_, n_features_in_,
        feature_names_in_, networks_: as in `NetworkRegressor`.

    Sample weights have the same meaning as in `NetworkRegressor`.

    >>> X = np.linspace(-1, 1, 60)[:, None]
    >>> model = NetworkClassifier(hidden=(5,), random_state=0).fit(X, np.where(X[:, 0] > 0, "warm", "cold"))
    >>> model.predict([[-0.5], [0.5]]).tolist()
    ['cold', 'warm']
    """

    _multilabel = False
    _weight_of_class: np.ndarray | None = None

    def __init__(
        self,
        hidden: int | tuple[int, ...] | None = None,
        activation: str = "tanh",
        trainer: str | Trainer = "auto",
        regularization: str | None = "auto",
        l2: float | None = None,
        eta: float | None = None,
        batch_size: int | None = None,
        epochs: int | None = None,
        max_fail: int | None = None,
        validation_fraction: float = 0.15,
        restarts: int | None = None,
        effort: str = "default",
        engine: str = "auto",
        class_weight: Any = None,
        warm_start: bool = False,
        verbose: bool | int = False,
        random_state: Any = None,
    ):
        self.__dict__.update({name: value for name, value in locals().items() if name != "self"})

    @property
    def _task(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return "labels" if self._multilabel else "classification"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a fresh network on X (N, n_1) and labels y (N,), with weights (N,) of at least 0.

        y may be (N, k) of 0 and 1 if a row may have several of k labels or none. X may be a DataFrame with booleans,
        categories and texts among its columns: it is encoded as `deltarule train` does (docs/tables.md), and `predict`
        finds the columns by their names. `sample_weight` may be the name of a column of X, which is then not an input.

        Raises:
            ValueError: the data cannot be used, or an option lies outside its domain (`ConfigurationError`).
        """
        fresh = self._is_fresh
        X, y, weight = self._check_data(X, y, sample_weight, first=fresh)
        if weight is not None:
            X, y, weight = X[weight > 0], y[weight > 0], weight[weight > 0]
        if fresh:
            self._set_classes(y)
        rows = merge_duplicates(X, self._class_numbers(y), weight)
        if fresh:
            self.x_scaling_ = self._fit_input_scaling(rows.X, rows.weight)
        self.x_scaling_ = self.x_scaling_.extend_range(rows.X)
        classes = rows.Y[:, 0].astype(int)
        self._weight_of_class = None
        if self.class_weight is not None:
            self._weight_of_class = relative_weights(self.class_weight, self._require_classes(), classes, rows.weight)
        scaled = rows._replace(X=self.x_scaling_.encode(rows.X), Y=self._targets(rows.Y))
        self._train(scaled, None if self._multilabel else classes)
        return self

    @available_if(lambda self: is_first_order(self.trainer))
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one epoch on these rows from where the last call ended, for first-order trainers.

        The first call needs `classes`, all labels that will ever occur, unless its y has them all. It measures the
        scaling, which later calls keep. No rows are held out, so the probabilities are not calibrated, and there is no
        L2 penalty unless `l2` is given, with N the rows of the call. `class_weight` may be a dict, whose weights are
        not rescaled here.
        """
        first = not hasattr(self, "params_")
        X, y, weight = self._check_data(X, y, sample_weight, first)
        weight = np.ones(len(X)) if weight is None else weight
        if first:
            self._set_classes(y, classes)
            self.x_scaling_ = self._fit_input_scaling(X, weight)
        self.calibration_ = None
        numbers = self._class_numbers(y)
        self.x_scaling_ = self.x_scaling_.extend_range(X)
        if self.class_weight is not None:
            class_weight = class_weights(self.class_weight, self._require_classes())
            weight = weight * class_weight[numbers[:, 0].astype(int)]
        weights = None if (weight == 1).all() else weight
        self._train_one_epoch(self.x_scaling_.encode(X), self._targets(numbers), weights)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each row, (N,); or 1 for each label of a probability above 0.5, (N, k)."""
        outputs = self._outputs(X)
        if self._multilabel:
            return (outputs > 0.5).astype(int)
        return self.classes_[np.argmax(outputs, axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class in `classes_`, (N, k); rows sum to 1 unless a row may have several labels."""
        return self._outputs(X)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """ln of `predict_proba`, (N, k); -inf where a probability is too small for a float."""
        with np.errstate(divide="ignore"):
            return np.log(self._outputs(X))

    def schema(self) -> "Schema":
        """The columns, the scaling and the classes, for a model file.

        If a row may have several labels, the probability of each label is a target, between 0 and 1.
        """
        check_is_fitted(self)
        from deltarule.data.columns import NumericColumn
        from deltarule.data.schema import Schema

        if self._multilabel:
            targets = tuple(NumericColumn(name, 0.0, 1.0, 0.0, 1.0) for name in self._target_names)
            return Schema("table", "regression", self._input_columns(), targets, None, self._target_names)
        labels = tuple(self.classes_.tolist())
        return Schema("table", "classification", self._input_columns(), (), labels, self._target_names)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _apply_class_weight(self, rows: WeightedRows) -> WeightedRows:
        if self._weight_of_class is None:
            return rows
        return rows.with_weight(rows.weight * self._weight_of_class[np.argmax(rows.Y, axis=1)])

    def _check_data(self, X: Any, y: Any, sample_weight: Any, first: bool) -> tuple[np.ndarray, np.ndarray, Any]:
        """Check X (N, n_1), y (N,) or (N, k) and the weights."""
        names = target_names(y)
        X, y, weight = check_training_rows(self, X, y, sample_weight, first)
        check_classification_targets(y)
        multilabel = type_of_target(y) == "multilabel-indicator"
        y = np.asarray(y.todense() if issparse(y) else y, np.float64) if multilabel else column_or_1d(y, warn=True)
        if multilabel and not ((y == 0) | (y == 1)).all():
            raise DataError(f"y holds {y[(y != 0) & (y != 1)][0]:g}: if a row may have several labels, give 0 and 1.")
        if first:
            self._multilabel = multilabel
            defaults = tuple(f"y{j}" for j in range(y.shape[1])) if multilabel else ("y",)
            self._target_names = names if names is not None and len(names) == len(defaults) else defaults
        elif multilabel != self._multilabel or (multilabel and y.shape[1] != len(self.classes_)):
            raise DataError(
                f"y has the shape {y.shape}, and the network was trained on "
                f"{f'{len(self.classes_)} labels for each row' if self._multilabel else 'one label for each row'}."
            )
        return X, y, weight

    def _set_attributes(self, outcome: Outcome) -> None:
        self.calibration_ = outcome.calibration
        if outcome.bayesian is not None:
            self.log_evidence_, self.effective_parameters_ = outcome.bayesian.log_evidence, outcome.bayesian.gamma

    def _set_classes(self, y: np.ndarray, classes: Any = None) -> None:
        """Set `classes_` from y, or from all the labels that the user gives."""
        if self._multilabel:
            self.classes_ = np.arange(y.shape[1])
            return
        self.classes_ = np.unique(y if classes is None else np.asarray(classes))
        if len(self.classes_) < 2:
            raise DataError(
                f"y holds one class only, {self.classes_.tolist()[0]!r}, and a classifier needs at least two: "
                "add rows of another."
            )

    def _class_numbers(self, y: np.ndarray) -> np.ndarray:
        """The number of each row's class, (N, 1) float64; or y unchanged if a row may have several labels."""
        if self._multilabel:
            return y
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise DataError(
                f"y holds the class {unknown.tolist()[0]!r}, which is not in classes {self.classes_.tolist()}: "
                "give all classes in the first call of partial_fit or of fit with warm_start."
            )
        return np.searchsorted(self.classes_, y)[:, None].astype(np.float64)

    def _targets(self, numbers: np.ndarray) -> np.ndarray:
        """The targets of the outputs: the one-hot encoding of the classes, (N, k)."""
        return numbers if self._multilabel else np.eye(len(self.classes_))[numbers[:, 0].astype(int)]

    def _require_classes(self) -> np.ndarray:
        """The labels; raise a ConfigurationError if a row may have several, because `class_weight` needs classes."""
        if self._multilabel:
            raise ConfigurationError(
                f"class_weight is {self.class_weight!r}, but here a row may have several labels and has no class: "
                "give sample_weight instead."
            )
        return self.classes_


def relative_weights(class_weight: Any, labels: np.ndarray, codes: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The factor by which each class is weighted, (k,); the sum of all rows' weights stays the same.

    Args:
        class_weight: "balanced", which gives all classes the same sum of weights, or a dict.
        labels: the classes, (k,).
        codes: the number of each row's class, (N,).
        weight: of each row, (N,).

    >>> relative_weights("balanced", np.array(["no", "yes"]), np.array([0, 0, 0, 1]), np.ones(4)).round(3).tolist()
    [0.667, 2.0]
    """
    total = np.bincount(codes, weight, minlength=len(labels))
    balanced = isinstance(class_weight, str) and class_weight == "balanced"
    factor = 1 / np.where(total > 0, total, 1.0) if balanced else class_weights(class_weight, labels)
    return factor * (total.sum() / (factor @ total))


def class_weights(class_weight: Any, labels: np.ndarray) -> np.ndarray:
    """The weight of each class from a dict, (k,); 1 for a class that it lacks."""
    if not isinstance(class_weight, Mapping):
        raise ConfigurationError(
            f"class_weight is {class_weight!r}: give None, a dict of weights by class, or, for fit, 'balanced'."
        )
    known = labels.tolist()
    for label, value in class_weight.items():
        if label not in known:
            raise ConfigurationError(
                f"class_weight holds {label!r}, which is not one of the classes {known}: correct it."
            )
        require_number(f"class_weight[{label!r}]", value, above=0)
    return np.array([class_weight.get(label, 1.0) for label in known], np.float64)
