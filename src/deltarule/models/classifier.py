"""`NetworkClassifier`: a network that tells classes apart, as a scikit-learn estimator."""

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
from deltarule.models.inputs import target_names, validated
from deltarule.models.outcome import Outcome
from deltarule.models.planning import is_first_order
from deltarule.models.weighted_rows import WeightedRows, merge_duplicates
from deltarule.trainers.base import Trainer

if TYPE_CHECKING:
    from deltarule.data.schema import Schema


class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """A feed-forward network with softmax outputs and the log-likelihood cost; inputs are standardised inside.

    For targets (N, k) of 0 and 1, several labels for each row, it has sigmoid outputs and the cross-entropy cost.

    Several networks are averaged as one: their weighed logits, softmax(sum w_k z_k), with the weights that predict best
    what each of them has not seen, in closed form and with no row held out. The weights need not sum to 1, which
    calibrates the probabilities. With "early-stopping" they are calibrated on the rows held out: the temperature T that
    fits them best divides the output layer's z, softmax(z / T), and is folded into its parameters.

    Args:
        hidden: the sizes of the hidden layers; () is a linear model. None tries several networks where exact steps are
            cheap (docs/models.md); elsewhere it is (20,).
        activation: of the hidden layers, a name in `deltarule.network.activations.ACTIVATIONS`.
        trainer: "auto" takes Levenberg-Marquardt where a step of it is cheap and Adam elsewhere; or "lm", "bayesian",
            "newton-cg", "gd", "sgd", "momentum", "adam"; or a trainer such as `deltarule.LevenbergMarquardt()`.
        regularization: "bayesian" lets the evidence of the classes choose the penalties, on all rows (see
            `BayesianRegularization`); "early-stopping" holds out `validation_fraction` of each class and keeps the
            epoch that fits these rows best, with a weak L2 penalty beside; "l2" trains on all rows under the penalty;
            None on all rows, without. "auto" is "bayesian" where a step of Levenberg-Marquardt is cheap and nothing
            that is given contradicts it, and "early-stopping" elsewhere.
        l2: lambda of (lambda/2N) sum w², with N the sum of the weights; None is 0.01 for "early-stopping", 0.1 for
            "l2", and a trainer object's own.
        eta: the learning rate of a first-order trainer given by name; None is the name's own.
        batch_size: the examples of a step, at most as many as train; None is the name's own, and all of them for "lm"
            and "gd".
        epochs: at most so many; None is the trainer's own.
        max_fail: the epochs without a better validation score that end the training; None is 6 for "lm", as in MATLAB.
        validation_fraction: the share of the weight that is held out, in (0, 1).
        restarts: how many starts to train; with "bayesian" (None is 2) they are averaged, else (None is 1) the best on
            the validation rows, or on the cost, is kept.
        effort: how many networks are tried where `hidden` and `restarts` are not given: "quick" trains two of 20
            neurons, "default" stops where the average of up to 12 no longer improves, "thorough" of up to 36.
        engine: "numpy", "jax", or "auto", by the work; see `train`.
        class_weight: None, "balanced", which gives all classes the same sum of weights, or a dict of weights by class,
            1 for those that it lacks. It multiplies `sample_weight` where the network trains, stops and is calibrated,
            the sum of all weights unchanged. So the probabilities are those of a population in which the classes are as
            frequent as they weigh; p_j / w_j, made to sum to one, are those of the rows as they are.
        warm_start: let a second `fit` go on from the parameters of the one before, with the scaling, the categories and
            the classes of the first; rows, weights and settings may be others.
        verbose: True prints the costs of every epoch, as scikit-learn's networks do; 10 those of every tenth.
        random_state: a seed, a `numpy.random.RandomState`, or None, as in scikit-learn.

    Attributes:
        classes_: the labels, sorted, (k,); 0 to k - 1 where a row may have several labels.
        calibration_: the `Calibration` (temperature, expected calibration error before and after) on the rows held out,
            or with "bayesian" on all rows, each left out; None otherwise, and where a row may have several labels.
        effective_parameters_, log_evidence_: with "bayesian": gamma and the log evidence of the network of the largest
            weight.
        net_, params_, x_scaling_, history_, loss_curve_, n_iter_, best_iter_, stop_reason_, trainer_, n_features_in_,
        feature_names_in_, networks_: as in `NetworkRegressor`, and so are weights.

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

        y may be (N, k) of 0 and 1, where a row may have several of k labels or none. X may be a DataFrame with
        booleans, categories and texts among its columns: it is encoded as `deltarule train` does (docs/tables.md), and
        `predict` finds the columns by their names. `sample_weight` may be the name of a column of X, which is no input
        then.

        Raises:
            ValueError: the data cannot be used, or an option lies outside its domain (`ConfigurationError`).
        """
        fresh = self._is_fresh
        X, y, weight = self._checked(X, y, sample_weight, first=fresh)
        if weight is not None:
            X, y, weight = X[weight > 0], y[weight > 0], weight[weight > 0]
        if fresh:
            self._learn_classes(y)
        rows = merge_duplicates(X, self._numbered(y), weight)
        self.x_scaling_ = self._measured_inputs(rows.X, rows.weight) if fresh else self.x_scaling_.widened(rows.X)
        classes = rows.Y[:, 0].astype(int)
        self._weight_of_class = None
        if self.class_weight is not None:
            self._weight_of_class = relative_weights(self.class_weight, self._require_classes(), classes, rows.weight)
        scaled = rows._replace(X=self.x_scaling_.encode(rows.X), Y=self._targets(rows.Y))
        self._train(scaled, None if self._multilabel else classes)
        return self

    @available_if(lambda self: is_first_order(self.trainer))
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One epoch over these rows from where the last call ended, for first-order trainers.

        The first call needs `classes`, all the labels there will be, unless its y has them all. It measures the
        scaling, which then stays. Nothing is held out, so the probabilities are not calibrated, and `l2` acts only if
        it is given, with N the rows of the call. `class_weight` may be a dict, whose numbers are taken as they are.
        """
        first = not hasattr(self, "params_")
        X, y, weight = self._checked(X, y, sample_weight, first)
        weight = np.ones(len(X)) if weight is None else weight
        if first:
            self._learn_classes(y, classes)
            self.x_scaling_ = self._measured_inputs(X, weight)
        self.calibration_ = None
        numbers = self._numbered(y)
        self.x_scaling_ = self.x_scaling_.widened(X)
        if self.class_weight is not None:
            own = given_weights(self.class_weight, self._require_classes())
            weight = weight * own[numbers[:, 0].astype(int)]
        self._train_further(self.x_scaling_.encode(X), self._targets(numbers), None if (weight == 1).all() else weight)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each row, (N,); of several labels all that are more probable than not, (N, k)."""
        outputs = self._outputs(X)
        if self._multilabel:
            return (outputs > 0.5).astype(int)
        return self.classes_[np.argmax(outputs, axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class in `classes_`, (N, k); rows sum to one, but for those with several labels."""
        return self._outputs(X)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """ln of `predict_proba`, (N, k); -inf where a probability is too small for a float."""
        with np.errstate(divide="ignore"):
            return np.log(self._outputs(X))

    def schema(self) -> "Schema":
        """The columns, the scaling and the classes, as a model file holds them.

        Where a row may have several labels, the probability of each is a target of its own, between 0 and 1.
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

    def _weighed(self, rows: WeightedRows) -> WeightedRows:
        """The rows with `class_weight` in their weights; after the split, which does not depend on it."""
        if self._weight_of_class is None:
            return rows
        return rows.with_weight(rows.weight * self._weight_of_class[np.argmax(rows.Y, axis=1)])

    def _checked(self, X: Any, y: Any, sample_weight: Any, first: bool) -> tuple[np.ndarray, np.ndarray, Any]:
        """X (N, n_1), y (N,) or (N, k) and the weights, checked."""
        names = target_names(y)
        X, y, weight = validated(self, X, y, sample_weight, first)
        check_classification_targets(y)
        multilabel = type_of_target(y) == "multilabel-indicator"
        y = np.asarray(y.todense() if issparse(y) else y, np.float64) if multilabel else column_or_1d(y, warn=True)
        if multilabel and not ((y == 0) | (y == 1)).all():
            raise DataError(f"y holds {y[(y != 0) & (y != 1)][0]:g}: where a row may have several labels give 0 and 1.")
        if first:
            self._multilabel = multilabel
            several = tuple(f"y{j}" for j in range(y.shape[1])) if multilabel else ("y",)
            self._target_names = names if names is not None and len(names) == len(several) else several
        elif multilabel != self._multilabel or (multilabel and y.shape[1] != len(self.classes_)):
            raise DataError(
                f"y has the shape {y.shape}, and the network was trained on "
                f"{f'{len(self.classes_)} labels for each row' if self._multilabel else 'one label for each row'}."
            )
        return X, y, weight

    def _trained(self, outcome: Outcome) -> None:
        self.calibration_ = outcome.calibration
        if outcome.bayesian is not None:
            self.log_evidence_, self.effective_parameters_ = outcome.bayesian.log_evidence, outcome.bayesian.gamma

    def _learn_classes(self, y: np.ndarray, classes: Any = None) -> None:
        """All the labels that there are, sorted; where a row may have several they are numbered."""
        if self._multilabel:
            self.classes_ = np.arange(y.shape[1])
            return
        self.classes_ = np.unique(y if classes is None else np.asarray(classes))
        if len(self.classes_) < 2:
            raise DataError(
                f"y holds one class only, {self.classes_.tolist()[0]!r}, and a classifier needs at least two: "
                "add rows of another."
            )

    def _numbered(self, y: np.ndarray) -> np.ndarray:
        """The number of each row's class, (N, 1) float64; several labels as they are, (N, k)."""
        if self._multilabel:
            return y
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise DataError(
                f"y holds the class {unknown[0]!r}, which is not in classes {self.classes_.tolist()}: "
                "give all classes in the first call of partial_fit or of fit with warm_start."
            )
        return np.searchsorted(self.classes_, y)[:, None].astype(np.float64)

    def _targets(self, numbers: np.ndarray) -> np.ndarray:
        """What the outputs are trained to, (N, k)."""
        return numbers if self._multilabel else np.eye(len(self.classes_))[numbers[:, 0].astype(int)]

    def _require_classes(self) -> np.ndarray:
        """The labels that `class_weight` weighs."""
        if self._multilabel:
            raise ConfigurationError(
                f"class_weight is {self.class_weight!r}, and rows that may have several labels have no class: give "
                "sample_weight instead."
            )
        return self.classes_


def relative_weights(class_weight: Any, labels: np.ndarray, codes: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The factor of each class, (k,), such that the sum of all rows' weights stays what it is.

    Args:
        class_weight: "balanced", for which all classes weigh the same, or a dict.
        labels: the classes, (k,).
        codes: the number of each row's class, (N,).
        weight: of each row, (N,).

    >>> relative_weights("balanced", np.array(["no", "yes"]), np.array([0, 0, 0, 1]), np.ones(4)).round(3).tolist()
    [0.667, 2.0]
    """
    total = np.bincount(codes, weight, minlength=len(labels))
    balanced = isinstance(class_weight, str) and class_weight == "balanced"
    factor = 1 / np.where(total > 0, total, 1.0) if balanced else given_weights(class_weight, labels)
    return factor * (total.sum() / (factor @ total))


def given_weights(class_weight: Any, labels: np.ndarray) -> np.ndarray:
    """The weight of each class in a dict, (k,), 1 for those that it lacks."""
    if not isinstance(class_weight, Mapping):
        raise ConfigurationError(
            f"class_weight is {class_weight!r}: give None, a dict of weights by class, or, for fit, 'balanced'."
        )
    known = labels.tolist()
    for label, value in class_weight.items():
        if label not in known:
            raise ConfigurationError(f"class_weight holds {label!r}, which is none of the classes {known}: correct it.")
        require_number(f"class_weight[{label!r}]", value, above=0)
    return np.array([class_weight.get(label, 1.0) for label in known], np.float64)
