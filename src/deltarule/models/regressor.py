"""`NetworkRegressor`: a network that fits numbers, as a scikit-learn estimator."""

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from deltarule.checks import require_number
from deltarule.errors import ConfigurationError, DataError, ShapeError, counted
from deltarule.models.base import NetworkEstimator
from deltarule.models.inputs import inputs_of, target_names, validated
from deltarule.models.outcome import Outcome
from deltarule.models.plan import Plan
from deltarule.models.planning import is_first_order
from deltarule.models.recipe import Recipe
from deltarule.models.scaling import Scaling
from deltarule.models.weighted_rows import WeightedRows, merge_duplicates
from deltarule.network.cost import Cost
from deltarule.network.costs import get_cost
from deltarule.trainers.base import Trainer

if TYPE_CHECKING:
    from deltarule.data.schema import Schema


class NetworkRegressor(RegressorMixin, NetworkEstimator):
    """A feed-forward network that fits numbers; inputs and targets are standardised inside.

    Args:
        hidden: the sizes of the hidden layers; () is a linear model. None tries several networks where exact steps
            are cheap and averages those that predict best what they have not seen (docs/models.md); elsewhere it is
            (20,).
        activation: of the hidden layers, a name in `deltarule.network.activations.ACTIVATIONS`.
        cost: "quadratic", with linear outputs; "huber", with linear outputs, for rows of which some are outliers: its
            delta is 1.345 times the scale of the noise, measured before training (`deltarule.models.noise_scale`);
            "poisson", with exponential outputs, for counts and rates y >= 0, which are divided by their mean, an offset
            ln(mean) of z; or a `deltarule.network.costs.Cost`, in the units of the standardised targets.
        trainer: "auto" takes Levenberg-Marquardt where a step of it is cheap and Adam elsewhere; or a name in
            `deltarule.models.trainers.TRAINERS`: "lm", "bayesian", "newton-cg", "gd", "sgd", "momentum", "adam"; or a
            trainer such as `deltarule.LevenbergMarquardt(solver="dual")`.
        regularization: "bayesian" lets the evidence choose the penalties and gives error bars, on all rows (see
            `BayesianRegularization`); "early-stopping" holds out `validation_fraction` of the rows and keeps the epoch
            that fits them best, with a weak L2 penalty beside; "l2" trains on all rows under the penalty; None on all
            rows, without.
            "auto" is "bayesian" where the cost is quadratic, a step of Levenberg-Marquardt is cheap and nothing that is
            given contradicts it; there with "huber" and "poisson" "l2"; and "early-stopping" elsewhere.
        l2: lambda of (lambda/2N) sum w², with the targets standardised and N the sum of the weights; None is 0.01 for
            "early-stopping", 0.1 for "l2", but with "huber" and "poisson" 5 times the variance of the noise; and a
            trainer object's own.
        eta: the learning rate of a first-order trainer given by name; None is the name's own.
        batch_size: the examples of a step, at most as many as train; None is the name's own, and all of them for "lm"
            and "gd".
        epochs: at most so many; None is the trainer's own.
        max_fail: the epochs without a better validation score that end the training; None is 6 for "lm", as in MATLAB,
            and 10 for "bayesian", without a larger evidence.
        validation_fraction: the share of the weight that is held out, in (0, 1).
        restarts: how many starts to train; with "bayesian" (None is 2) they make an ensemble, weighed by
            how they predict rows left out, else (None is 1; 4 for "l2" with "huber" and "poisson") the best on the
            validation rows, or on the cost, is kept.
        effort: how many networks are tried where `hidden` and `restarts` are not given: "quick" trains two of 20
            neurons, "default" stops where the average of up to 12 no longer improves, "thorough" of up to 36.
        engine: "numpy", "jax", or "auto", by the work; see `train`.
        output_weights: of the targets, (k,) above 0, how much the squared error of each counts beside the others; None
            counts all alike, once they are standardised. With the quadratic cost, and not with "bayesian", which finds
            the noise of each target itself; "auto" is "early-stopping" then.
        warm_start: let a second `fit` go on from the parameters of the one before (of an ensemble from its best
            member's), with the scaling and the categories of the first; rows, weights and settings may be others.
        verbose: True prints the costs of every epoch, as scikit-learn's networks do; 10 those of every tenth.
        random_state: a seed, a `numpy.random.RandomState`, or None, as in scikit-learn.

    Attributes:
        net_, params_: the network and its parameters, float64.
        x_scaling_, y_scaling_: the mean, the standard deviation and the range of each column.
        loss_curve_: the training cost after each epoch, of standardised targets; `history_` has all that was recorded.
        n_iter_, best_iter_: the epochs run, and the one the parameters are from.
        stop_reason_: a name in `deltarule.trainers.stopping.STOP_REASONS`.
        engine_: what computed.
        trainer_, regularization_: the names that "auto" chose.
        ensemble_: with "bayesian", the `BayesianEnsemble` of the starts; net_ is then all of them side by side in one
            network, and history_ that of the best start.
        effective_parameters_, log_evidence_, noise_std_: with "bayesian": gamma and the log evidence of the best start,
            and the standard deviation of the noise, in the target's units, (k,).
        networks_: where several candidates were tried, which of them are averaged and why, in a line; else None.
        n_features_in_, feature_names_in_, n_outputs_: the inputs, their names if they have any, and the targets.

    A weight of 3 is exactly three copies of its row, and the order of the rows does not matter: which rows are held out
    depends on what they hold. Weights that are not all whole numbers, such as 1/sigma² of each measurement, say how
    much rows count beside each other, and are scaled to a mean of 1.

    >>> X = np.linspace(-1, 1, 60)[:, None]
    >>> model = NetworkRegressor(hidden=(5,), random_state=0).fit(X, 100 * X[:, 0] ** 3)
    >>> bool(abs(model.predict([[0.5]])[0] - 12.5) < 0.5)
    True
    """

    def __init__(
        self,
        hidden: int | tuple[int, ...] | None = None,
        activation: str = "tanh",
        cost: str | Cost = "quadratic",
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
        output_weights: Any = None,
        warm_start: bool = False,
        verbose: bool | int = False,
        random_state: Any = None,
    ):
        self.__dict__.update({name: value for name, value in locals().items() if name != "self"})

    _task = "regression"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a fresh network on X (N, n_1) and y (N,) or (N, k), in any units, with weights (N,) of at least 0.

        X may be a DataFrame with booleans, categories and texts among its columns: it is encoded as `deltarule train`
        does (docs/tables.md), and `predict` finds the columns by their names. `sample_weight` may be the name of a
        column of X, which is no input then.
        Of several targets some may be missing (NaN): each is learnt from the rows that have it.

        Raises:
            ValueError: the data cannot be used, or an option lies outside its domain (`ConfigurationError`).
        """
        fresh = self._is_fresh
        X, Y, weight = self._checked(X, y, sample_weight, first=fresh)
        rows = merge_duplicates(X, Y, weight)
        if fresh:
            self._measure(rows)
        else:
            self.x_scaling_, self.y_scaling_ = self.x_scaling_.widened(rows.X), self.y_scaling_.widened(rows.Y)
        scaled = rows._replace(X=self.x_scaling_.encode(rows.X), Y=self.y_scaling_.encode(rows.Y))
        self._train(scaled)
        return self

    @available_if(lambda self: is_first_order(self.trainer))
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One epoch over these rows from where the last call ended, for first-order trainers.

        The first call measures the scaling, which then stays. Nothing is held out, and `l2` acts only if it is given,
        with N the rows of the call. After a `fit` that averaged several networks it goes on with the one of the largest
        weight, and with fresh parameters where all of them see steps or the logarithm of the target.
        """
        first = not hasattr(self, "params_")
        X, Y, weight = self._checked(X, y, sample_weight, first)
        if first:
            self._measure(merge_duplicates(X, Y, weight))
        self.x_scaling_, self.y_scaling_ = self.x_scaling_.widened(X), self.y_scaling_.widened(Y)
        self._train_further(self.x_scaling_.encode(X), self.y_scaling_.encode(Y), weight)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """The targets of X (N, n_1) in their own units: (N,), or (N, k) if y had columns.

        With `return_std`, which needs regularization "bayesian", also the standard deviation of a new measurement
        there, in the same shape: what the parameters leave open and the noise.
        """
        if not return_std:
            outputs = self._outputs(X)  # first, because it knows whether there was a fit
            return self._shaped(self.y_scaling_.decode(outputs))
        self._require_error_bars()
        predicted = self.ensemble_.predict(self.x_scaling_.encode(inputs_of(self, X)))
        return self._shaped(self.y_scaling_.decode(predicted.mean)), self._shaped(predicted.std * self.y_scaling_.std)

    def predict_interval(self, X: Any, coverage: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """The lower and upper ends between which a new measurement lies with probability `coverage`.

        mean ± t std, t the quantile of Student's distribution with as many degrees of freedom as the noise has,
        m - gamma; of a network fitted to the logarithm of the target so in its units, and further up than down in the
        target's. It needs regularization "bayesian".
        """
        share = require_number("coverage", coverage, above=0, below=1)
        self._require_error_bars()
        ends = self.ensemble_.interval(self.x_scaling_.encode(inputs_of(self, X)), share)
        low, high = (self._shaped(self.y_scaling_.decode(end)) for end in ends)
        return low, high

    def log_density(self, X: Any, y: Any) -> np.ndarray:
        """ln of the probability density of measurements y (N,) or (N, k) at X, in their units and shape.

        Its mean is how well mean and error bars together predict; it needs regularization "bayesian".
        """
        self._require_error_bars()
        X, Y = inputs_of(self, X), np.asarray(y, np.float64)
        Y = Y[:, None] if Y.ndim == 1 else Y
        if Y.shape != (len(X), self.n_outputs_):
            raise ShapeError(
                f"y has the shape {np.shape(y)}, and X has {counted(len(X), 'row')} for "
                f"{counted(self.n_outputs_, 'target')}: give each row of X its own."
            )
        found = self.ensemble_.log_density(self.x_scaling_.encode(X), self.y_scaling_.encode(Y))
        return self._shaped(found - np.log(self.y_scaling_.std))

    def _require_error_bars(self) -> None:
        check_is_fitted(self)
        if not hasattr(self, "ensemble_"):
            way = "partial_fit" if self._going_on is not None else repr(self.regularization_)
            raise ConfigurationError(
                f"error bars come from regularization 'bayesian', and this network was trained with {way}: "
                "fit it with regularization='bayesian'."
            )

    def _shaped(self, values: np.ndarray) -> np.ndarray:
        return values[:, 0] if self._flat else values

    def _recipe(self) -> Recipe:
        """Weights of targets leave no room for the noise of each, which Bayesian regularisation finds."""
        recipe = super()._recipe()
        weighed = self.output_weights is not None and self.regularization == "auto"
        return replace(recipe, regularization="early-stopping") if weighed else recipe

    def _plan(self, recipe: Recipe, X: np.ndarray, Y: np.ndarray) -> Plan:
        """Levenberg-Marquardt by name is that of Bayesian regularisation where this is what "auto" takes."""
        if recipe.trainer == "lm" and recipe.regularization == "auto":
            plan = super()._plan(replace(recipe, trainer="auto"), X, Y)
            if not plan.regularizer.holds_out and plan.rows is None:
                return plan
        return super()._plan(recipe, X, Y)

    @property
    def _target_scaling(self) -> Scaling:
        return self.y_scaling_

    def _trained(self, outcome: Outcome) -> None:
        """With "bayesian": the posteriors of all starts, and what they know of the noise."""
        bayesian = outcome.bayesian
        if bayesian is None:
            return
        self.ensemble_, self.noise_std_ = bayesian.ensemble, bayesian.noise_std
        self.log_evidence_, self.effective_parameters_ = bayesian.log_evidence, bayesian.gamma
        same = self.y_scaling_.low == self.y_scaling_.high
        if same.any():
            warnings.warn(
                f"{self._target_names[np.argmax(same)]} holds one value only, from which nobody can say how much "
                "new measurements scatter, so the error bars are next to nothing: add rows with other values.",
                UserWarning,
                stacklevel=4,  # the line that calls fit
            )

    def schema(self) -> "Schema":
        """The columns and the scaling, as a model file holds them."""
        from deltarule.data.schema import Schema

        check_is_fitted(self)
        targets = self.y_scaling_.columns(self._target_names)
        return Schema("table", "regression", self._input_columns(), targets, None, self._target_names)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _checked(self, X: Any, y: Any, sample_weight: Any, first: bool) -> tuple[np.ndarray, np.ndarray, Any]:
        """X (N, n_1), Y (N, k) and the weights, checked; what is known of the targets is remembered."""
        names, missing = target_names(y), _missing(y)
        if missing is not None:  # the marks go along, because rows of weight 0 may be left out
            y = np.concatenate([np.where(missing, 0.0, np.asarray(y, np.float64)), missing], axis=1)
        X, y, weight = validated(self, X, y, sample_weight, first, y_numeric=True)
        y = np.asarray(y, np.float64)
        if missing is not None:
            y, marks = np.split(y, 2, axis=1)
            y = np.where(marks, np.nan, y)
        Y = y[:, None] if y.ndim == 1 else y
        if first:
            self._flat, self.n_outputs_ = y.ndim == 1, Y.shape[1]
            self._target_names = names or ("y",) if self._flat else names or tuple(f"y{j}" for j in range(Y.shape[1]))
        elif Y.shape[1] != self.n_outputs_:
            raise ValueError(f"y has {Y.shape[1]} targets, and the network was trained on {self.n_outputs_}.")
        return X, Y, weight

    def _measure(self, rows: WeightedRows) -> None:
        cost = get_cost(self.cost)
        cost.check_targets("y", rows.Y)
        self.x_scaling_ = self._measured_inputs(rows.X, rows.weight)
        scale = Scaling.measured if cost.shifts_targets else Scaling.by_mean
        self.y_scaling_ = scale(rows.Y, rows.weight)
        if self.output_weights is not None:
            self.y_scaling_ = self.y_scaling_.stressed(self._checked_output_weights())

    def _checked_output_weights(self) -> np.ndarray:
        """The weights of the targets, (k,), with a mean of 1."""
        weight = np.asarray(self.output_weights, np.float64)
        if weight.shape != (self.n_outputs_,) or not np.isfinite(weight).all() or weight.min() <= 0:
            raise ConfigurationError(
                f"output_weights is {self.output_weights!r}: give a number above 0 for each of the {self.n_outputs_} "
                "targets."
            )
        if not get_cost(self.cost).is_square or self.regularization == "bayesian":
            raise ConfigurationError(
                "output_weights weigh the targets of the quadratic cost, and regularization 'bayesian' finds the noise "
                "of each target itself: leave output_weights out, or choose cost='quadratic' and another "
                "regularization."
            )
        return weight / weight.mean()


def _missing(y: Any) -> np.ndarray | None:
    """Where one of several targets is NaN, (N, k), if some are."""
    try:
        missing = np.isnan(np.asarray(y, np.float64))
    except (TypeError, ValueError):  # which scikit-learn words better
        return None
    if missing.ndim != 2 or missing.shape[1] == 1 or not missing.any():
        return None
    if missing.all(axis=1).any():
        raise DataError(f"row {int(missing.all(axis=1).argmax())} of y has no target at all: leave such rows out.")
    if missing.all(axis=0).any():
        raise DataError(f"target {int(missing.all(axis=0).argmax())} of y is NaN in every row: leave it out.")
    return missing
