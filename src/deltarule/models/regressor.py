"""`NetworkRegressor`: a network for regression, as a scikit-learn estimator."""

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from deltarule.checks import require_number
from deltarule.errors import ConfigurationError, DataError, ShapeError, pluralized
from deltarule.models.base import NetworkEstimator
from deltarule.models.inputs import check_inputs, check_training_rows, target_names
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
    """A feed-forward network for regression; it standardises inputs and targets itself.

    Args:
        hidden: the sizes of the hidden layers; () is a linear model. None tries several networks if exact steps are
            cheap and averages those that best predict rows they have not seen (docs/models.md), and else is (20,).
        activation: of the hidden layers, a name in `deltarule.network.activations.ACTIVATIONS`.
        cost: "quadratic", with linear outputs; "huber", with linear outputs, for data with outliers: its delta is 1.345
            times the scale of the noise, measured before training (`deltarule.models.noise_scale`); "poisson", with
            exponential outputs, for counts and rates y >= 0, which are divided by their mean, an offset ln(mean) of z;
            or a `deltarule.network.costs.Cost`, in the units of the standardised targets.
        trainer: "auto" takes Levenberg-Marquardt if its steps are cheap, and else Adam; or a name in
            `deltarule.models.trainers.TRAINERS`: "lm", "bayesian", "newton-cg", "gd", "sgd", "momentum", "adam"; or a
            trainer such as `deltarule.LevenbergMarquardt(solver="dual")`.
        regularization: "bayesian" sets the penalties by the evidence, from all rows, and gives error bars (see
            `BayesianRegularization`); "early-stopping" holds out `validation_fraction` of the rows and keeps the epoch
            that fits them best, with a weak L2 penalty too; "l2" trains on all rows with an L2 penalty, and None
            without. "auto" is "bayesian" if the cost is quadratic, a step of Levenberg-Marquardt is cheap and no other
            argument contradicts it; under the same conditions "l2" for "huber" and "poisson"; else "early-stopping".
        l2: lambda of (lambda/2N) sum w², with the targets standardised and N the sum of the weights; None is 0.01 for
            "early-stopping", and for "l2" 0.1, or with "huber" and "poisson" 5 times the variance of the noise; a
            trainer object has its own.
        eta: the learning rate of a first-order trainer given by name; None takes that trainer's default.
        batch_size: the examples of a step, at most all training examples; None takes the default of a trainer given by
            name, which for "lm" and "gd" is all.
        epochs: the largest number of epochs; None takes the trainer's default.
        max_fail: the training ends after this many epochs without a better validation score; None is 6 for "lm", as in
            MATLAB, and 10 for "bayesian", whose score is the evidence.
        validation_fraction: the share of the weight that is held out, in (0, 1).
        restarts: how many networks to train, each from its own random parameters. With "bayesian" (None is 2) they are
            averaged, weighted by how they predict rows left out; else (None is 1; 4 for "l2" with "huber" and
            "poisson") the one with the best validation score, or the lowest cost, is kept.
        effort: how many networks are tried if `hidden` and `restarts` are not given: "quick" trains two of 20 neurons,
            "default" up to 12 and "thorough" up to 36, until averaging more no longer improves the predictions.
        engine: "numpy", "jax", or "auto", which chooses by the amount of work; see `train`.
        output_weights: how much the squared error of each standardised target counts, (k,) above 0; None counts all
            alike. They need the quadratic cost, and "auto" is then "early-stopping": "bayesian" estimates the noise of
            each target itself and refuses them.
        warm_start: let a second `fit` go on from the parameters of the one before (of an average from its heaviest
            member), with the scaling and the categories of the first; rows, weights and settings may change.
        verbose: True prints the costs of every epoch, as scikit-learn's networks do; 10 those of every tenth.
        random_state: a seed, a `numpy.random.RandomState`, or None, as in scikit-learn.

    Attributes:
        net_, params_: the network and its parameters, float64.
        x_scaling_, y_scaling_: the mean, the standard deviation and the range of each column.
        loss_curve_: the training cost after each epoch, of standardised targets; `history_` has all that was recorded.
        n_iter_, best_iter_: the number of epochs, and the epoch from which the parameters are.
        stop_reason_: a name in `deltarule.trainers.stopping.STOP_REASONS`.
        engine_: the engine that computed.
        trainer_, regularization_: the names that "auto" chose.
        ensemble_: with "bayesian", the `BayesianEnsemble` of the averaged networks; net_ is then one network with all
            of them side by side, and history_ belongs to the heaviest.
        effective_parameters_, log_evidence_, noise_std_: with "bayesian": gamma and the log evidence of the heaviest
            network, and the standard deviation of the noise, in the target's units, (k,).
        networks_: which of several candidates are averaged, in a line; None if only one network was tried.
        n_features_in_, feature_names_in_, n_outputs_: the inputs, their names if they have any, and the targets.

    A weight of 3 is exactly three copies of its row, and the order of the rows does not matter: the content of a row
    decides whether it is held out. Weights that are not all whole numbers, such as 1/sigma² of each measurement, give
    the rows' relative importance, and are scaled to a mean of 1.

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
        column of X, which is then not an input. If there are several targets, some may be missing (NaN): each is
        learnt from the rows that have it.

        Raises:
            ValueError: the data cannot be used, or an option lies outside its domain (`ConfigurationError`).
        """
        fresh = self._is_fresh
        X, Y, weight = self._check_data(X, y, sample_weight, first=fresh)
        rows = merge_duplicates(X, Y, weight)
        if fresh:
            self._fit_scalings(rows)
        self._extend_ranges(rows.X, rows.Y)
        scaled = rows._replace(X=self.x_scaling_.encode(rows.X), Y=self.y_scaling_.encode(rows.Y))
        self._train(scaled)
        return self

    @available_if(lambda self: is_first_order(self.trainer))
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one epoch on these rows from where the last call ended, for first-order trainers.

        The first call measures the scaling, which later calls keep. No rows are held out, and there is no L2 penalty
        unless `l2` is given, with N the rows of the call. After a `fit` that averaged several networks it goes on with
        the one of the largest weight; with fresh parameters if all of them have step features or were fitted to the
        logarithm of the target.
        """
        first = not hasattr(self, "params_")
        X, Y, weight = self._check_data(X, y, sample_weight, first)
        if first:
            self._fit_scalings(merge_duplicates(X, Y, weight))
        self._extend_ranges(X, Y)
        self._train_one_epoch(self.x_scaling_.encode(X), self.y_scaling_.encode(Y), weight)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict the targets of X (N, n_1) in their own units: (N,), or (N, k) if y had columns.

        With `return_std`, which needs regularization "bayesian", also return the standard deviation of a new
        measurement, in the same shape, from the uncertainty of the parameters and the noise.
        """
        if not return_std:
            outputs = self._outputs(X)  # first, because it checks that the estimator is fitted
            return self._shaped(self.y_scaling_.decode(outputs))
        self._require_error_bars()
        predicted = self.ensemble_.predict(self.x_scaling_.encode(check_inputs(self, X)))
        return self._shaped(self.y_scaling_.decode(predicted.mean)), self._shaped(predicted.std * self.y_scaling_.std)

    def predict_interval(self, X: Any, coverage: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """The lower and upper ends between which a new measurement lies with probability `coverage`.

        mean ± t std, t the quantile of Student's distribution with m - gamma degrees of freedom; asymmetric in the
        target's units if the network was fitted to its logarithm. It needs regularization "bayesian".
        """
        share = require_number("coverage", coverage, above=0, below=1)
        self._require_error_bars()
        ends = self.ensemble_.interval(self.x_scaling_.encode(check_inputs(self, X)), share)
        low, high = (self._shaped(self.y_scaling_.decode(end)) for end in ends)
        return low, high

    def log_density(self, X: Any, y: Any) -> np.ndarray:
        """ln of the probability density of measurements y (N,) or (N, k) at X, in their units and shape.

        Its mean scores predictions and error bars together. It needs regularization "bayesian".
        """
        self._require_error_bars()
        X, Y = check_inputs(self, X), np.asarray(y, np.float64)
        Y = Y[:, None] if Y.ndim == 1 else Y
        if Y.shape != (len(X), self.n_outputs_):
            raise ShapeError(
                f"y has the shape {np.shape(y)}, and X has {pluralized(len(X), 'row')} for "
                f"{pluralized(self.n_outputs_, 'target')}: give each row of X its own."
            )
        scaled = self.ensemble_.log_density(self.x_scaling_.encode(X), self.y_scaling_.encode(Y))
        return self._shaped(scaled - np.log(self.y_scaling_.std))

    def _require_error_bars(self) -> None:
        check_is_fitted(self)
        if not hasattr(self, "ensemble_"):
            training = "partial_fit" if self._state is not None else repr(self.regularization_)
            raise ConfigurationError(
                f"error bars come from regularization 'bayesian', and this network was trained with {training}: "
                "fit it with regularization='bayesian'."
            )

    def _shaped(self, values: np.ndarray) -> np.ndarray:
        return values[:, 0] if self._flat else values

    def _recipe(self) -> Recipe:
        """With `output_weights` "auto" is "early-stopping", because Bayesian regularisation refuses them."""
        recipe = super()._recipe()
        weighted = self.output_weights is not None and self.regularization == "auto"
        return replace(recipe, regularization="early-stopping") if weighted else recipe

    def _plan(self, recipe: Recipe, X: np.ndarray, Y: np.ndarray) -> Plan:
        """With trainer "lm" regularization "auto" is "bayesian" under the same conditions as with trainer "auto"."""
        if recipe.trainer == "lm" and recipe.regularization == "auto":
            plan = super()._plan(replace(recipe, trainer="auto"), X, Y)
            if not plan.regularizer.holds_out and plan.rows is None:
                return plan
        return super()._plan(recipe, X, Y)

    @property
    def _target_scaling(self) -> Scaling:
        return self.y_scaling_

    def _set_attributes(self, outcome: Outcome) -> None:
        bayesian = outcome.bayesian
        if bayesian is None:
            return
        self.ensemble_, self.noise_std_ = bayesian.ensemble, bayesian.noise_std
        self.log_evidence_, self.effective_parameters_ = bayesian.log_evidence, bayesian.gamma
        constant = self.y_scaling_.low == self.y_scaling_.high
        if constant.any():
            warnings.warn(
                f"{self._target_names[np.argmax(constant)]} holds one value only, which does not show how much new "
                "measurements scatter, so the error bars are nearly 0: add rows with other values.",
                UserWarning,
                stacklevel=4,  # the line that calls fit
            )

    def schema(self) -> "Schema":
        """The columns and the scaling, for a model file."""
        from deltarule.data.schema import Schema

        check_is_fitted(self)
        targets = self.y_scaling_.to_columns(self._target_names)
        return Schema("table", "regression", self._input_columns(), targets, None, self._target_names)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _check_data(self, X: Any, y: Any, sample_weight: Any, first: bool) -> tuple[np.ndarray, np.ndarray, Any]:
        """Check X (N, n_1), Y (N, k) and the weights; set or compare the attributes of the targets."""
        names, missing = target_names(y), _missing(y)
        if missing is not None:  # as further columns, because rows of weight 0 may be dropped
            y = np.concatenate([np.where(missing, 0.0, np.asarray(y, np.float64)), missing], axis=1)
        X, y, weight = check_training_rows(self, X, y, sample_weight, first, y_numeric=True)
        y = np.asarray(y, np.float64)
        if missing is not None:
            y, missing = np.split(y, 2, axis=1)
            y = np.where(missing, np.nan, y)
        Y = y[:, None] if y.ndim == 1 else y
        if first:
            self._flat, self.n_outputs_ = y.ndim == 1, Y.shape[1]
            self._target_names = names or ("y",) if self._flat else names or tuple(f"y{j}" for j in range(Y.shape[1]))
        elif Y.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y has {Y.shape[1]} targets, and the network was trained on {self.n_outputs_}: give as many."
            )
        return X, Y, weight

    def _extend_ranges(self, X: np.ndarray, Y: np.ndarray) -> None:
        self.x_scaling_, self.y_scaling_ = self.x_scaling_.extend_range(X), self.y_scaling_.extend_range(Y)

    def _fit_scalings(self, rows: WeightedRows) -> None:
        cost = get_cost(self.cost)
        cost.check_targets("y", rows.Y)
        self.x_scaling_ = self._fit_input_scaling(rows.X, rows.weight)
        fit = Scaling.fit if cost.shifts_targets else Scaling.fit_by_mean
        self.y_scaling_ = fit(rows.Y, rows.weight)
        if self.output_weights is not None:
            self.y_scaling_ = self.y_scaling_.weight_columns(self._check_output_weights())

    def _check_output_weights(self) -> np.ndarray:
        """The weights of the targets, (k,), with a mean of 1."""
        weight = np.asarray(self.output_weights, np.float64)
        if weight.shape != (self.n_outputs_,) or not np.isfinite(weight).all() or weight.min() <= 0:
            raise ConfigurationError(
                f"output_weights is {self.output_weights!r}: give a number above 0 for each of the {self.n_outputs_} "
                "targets."
            )
        if not get_cost(self.cost).is_square or self.regularization == "bayesian":
            raise ConfigurationError(
                f"output_weights need the quadratic cost and another regularization than 'bayesian', which estimates "
                f"the noise of each target itself, and here are cost {self.cost!r} and regularization "
                f"{self.regularization!r}: leave output_weights out, or change these."
            )
        return weight / weight.mean()


def _missing(y: Any) -> np.ndarray | None:
    """Which of several targets are NaN, (N, k); None if there is one target or none is NaN."""
    try:
        missing = np.isnan(np.asarray(y, np.float64))
    except (TypeError, ValueError):  # scikit-learn's own checks report it better
        return None
    if missing.ndim != 2 or missing.shape[1] == 1 or not missing.any():
        return None
    if missing.all(axis=1).any():
        raise DataError(f"row {int(missing.all(axis=1).argmax())} of y has no target at all: leave such rows out.")
    if missing.all(axis=0).any():
        raise DataError(f"target {int(missing.all(axis=0).argmax())} of y is NaN in every row: leave it out.")
    return missing
