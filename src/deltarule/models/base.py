"""`NetworkEstimator`, the base class of the scikit-learn estimators: parameters, training, further epochs, outputs."""

import os
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from deltarule import engine as engines
from deltarule import trees
from deltarule.arrays import is_key
from deltarule.checks import as_dtype, require_count, require_number
from deltarule.data.table_checks import few_rows_note
from deltarule.engine.choice import choose_engine
from deltarule.engine.randomness import as_path
from deltarule.inspection import plots
from deltarule.models.callbacks import HAS_CALLBACKS, train_with_callbacks
from deltarule.models.candidates import get_effort
from deltarule.models.fitting import fit
from deltarule.models.inputs import Column, TableInputs, check_inputs
from deltarule.models.model import Model
from deltarule.models.outcome import Outcome
from deltarule.models.plan import Plan
from deltarule.models.planning import is_first_order, make_plan
from deltarule.models.recipe import Problem, Recipe
from deltarule.models.scaling import Scaling
from deltarule.models.trainers import TRAINERS
from deltarule.models.weighted_rows import WeightedRows, hold_out
from deltarule.network.examples import checked_rows, require_finite
from deltarule.network.missing_targets import mask_missing_targets
from deltarule.network.network import Network
from deltarule.trainers.base import Trainer
from deltarule.training.loop import Course
from deltarule.training.train import NO_RULES, starting_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes


RECIPE_FIELDS = ("activation", "trainer", "regularization", "l2", "eta", "batch_size", "epochs", "restarts")
BAYESIAN_ATTRIBUTES = ("ensemble_", "log_evidence_", "effective_parameters_", "noise_std_")


class NetworkEstimator(BaseEstimator):
    """The base class of `NetworkRegressor` and `NetworkClassifier`."""

    _task: str  # "regression", "classification" or "labels"
    _target_scaling = Scaling.from_columns(())  # of the targets of a regression
    net_: Network
    x_scaling_: Scaling
    _table: TableInputs | None = None  # the columns, if X was a DataFrame that is not all numbers
    _state: Any = None  # of the trainer after `partial_fit`; None after `fit`
    _warm: tuple[Network, Any] | None = None  # the network and parameters of a warm start; None starts anew

    def __getattr__(self, name: str) -> Any:
        """Raise the error for a missing attribute; for `partial_fit` it names the trainers that have it."""
        if name == "partial_fit":
            names = ", ".join(repr(each) for each in TRAINERS if is_first_order(each))
            raise AttributeError(
                f"partial_fit goes on from where the last call ended, which trainer={self.trainer!r} cannot: "
                f"choose one of {names}, or a GradientDescent."
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @available_if(lambda self: HAS_CALLBACKS)
    def set_callbacks(self, *callbacks: Any) -> Self:
        """Set scikit-learn's callbacks, such as `sklearn.callback.ProgressBar`, which `fit` calls after every epoch.

        One that returns True ends the training.
        """
        from sklearn.callback import CallbackSupportMixin

        CallbackSupportMixin.set_callbacks(self, *callbacks)  # pyright: ignore[reportArgumentType]
        return self

    def save(self, path: str | os.PathLike) -> None:
        """Write the fitted network and its scaling to a model file, for `deltarule predict`, `evaluate` and `export`.

        Columns and targets have the names that they had in `fit`, or else x0, x1, ... and y. The file holds the
        categories of a DataFrame, so that `deltarule predict` reads a table with the same columns.

        Raises:
            NotFittedError: before `fit`.
            ModelFileError: the file cannot be written.
        """
        schema = self.schema()
        training = {"estimator": type(self).__name__, "epochs": self.n_iter_, "stop_reason": self.stop_reason_}
        Model(self.net_, self.params_, schema, training, getattr(self, "ensemble_", None)).save(path)

    def plot_costs(self, *, ax: "Axes | None" = None) -> "Axes":
        """Plot the costs over the epochs; scikit-learn's Displays make other plots by `from_estimator`.

        Raises:
            NotFittedError: before `fit`.
        """
        check_is_fitted(self)
        return plots.plot_costs(self.history_, ax)

    @property
    def _is_fresh(self) -> bool:
        """Whether `fit` begins with fresh parameters, columns and scaling, rather than go on from the fitted ones."""
        return not (self.warm_start and hasattr(self, "params_"))

    def _fit_input_scaling(self, X: np.ndarray, weight: np.ndarray) -> Scaling:
        """Measure the scaling of the inputs; the one-hot encoding of categories is not scaled."""
        scaling = Scaling.fit(X, weight)
        return scaling if self._table is None else self._table.scale_numbers_only(scaling)

    def _train(self, rows: WeightedRows, classes: np.ndarray | None = None) -> None:
        """Train on scaled rows and set the fitted attributes; rows are held out from each class of `classes`, (N,)."""
        share = require_number("validation_fraction", self.validation_fraction, above=0, below=1)
        plan = self._plan(self._recipe(), rows.X, rows.Y)
        random = check_random_state(self.random_state)
        seed = int(random.randint(2**31 - 1))
        parts = hold_out(rows, share, seed, classes) if plan.regularizer.holds_out else (rows, None)
        training, validation = (part and self._apply_class_weight(part).as_examples() for part in parts)
        assert training is not None
        for note in few_rows_note(round(float(parts[0].weight.sum()))):  # duplicates count
            warnings.warn(f"{note}.", UserWarning, stacklevel=3)
        plan = plan.limit_batch_size(len(training))

        def train(callbacks: Any) -> Any:
            start = None if self._is_fresh or self._warm is None else self._warm[1]
            options = {"seed": seed, "params": start, "dtype": plan.trainer.dtype, "engine": self.engine}
            return fit(plan, training, validation, self._target_scaling, callbacks=callbacks, **options)

        outcome = train_with_callbacks(self, plan.max_epochs, train)
        result = outcome.result
        if result.stop_reason == "diverged":
            warnings.warn(result.message, ConvergenceWarning, stacklevel=3)
        self._delete_bayesian_attributes()
        self.net_, self.params_ = outcome.plan.net, _as_float64(result.params)
        warm = outcome.network_to_continue()
        self._warm = None if warm is None else (warm[0], _as_float64(warm[1]))
        self.history_ = result.history
        self.loss_curve_ = result.history["cost"].tolist()
        self.n_iter_ = result.epochs
        self.best_iter_ = result.best_epoch
        self.stop_reason_ = result.stop_reason
        self.trainer_ = "lm" if plan.regularizer.sets_penalty else plan.trainer_name
        self.engine_ = result.engine
        self.regularization_ = plan.regularization
        self.networks_ = outcome.selection()
        self._state = None
        self._set_attributes(outcome)

    def _recipe(self) -> Recipe:
        """The recipe that the estimator's parameters describe."""
        for name in ("epochs", "max_fail", "restarts"):
            if getattr(self, name) is not None:
                require_count(name, getattr(self, name))
        get_effort(self.effort)
        hidden = self.hidden
        if hidden is None and not self._is_fresh and self._warm is not None:
            hidden = tuple(layer.n for layer in self._warm[0].layers[:-1])  # pyright: ignore[reportAttributeAccessIssue]
        common = {name: getattr(self, name) for name in RECIPE_FIELDS}
        effort = "quick" if self.warm_start else self.effort
        return Recipe(hidden=hidden, cost=getattr(self, "cost", None), patience=self.max_fail, effort=effort, **common)

    def _plan(self, recipe: Recipe, X: np.ndarray, Y: np.ndarray) -> Plan:
        """The plan for scaled rows."""
        problem = Problem(
            "y", self._task, X.shape[1], Y.shape[1], len(X), X, Y, self._target_scaling.std, shifted=False
        )
        return make_plan(recipe, problem)

    def _apply_class_weight(self, rows: WeightedRows) -> WeightedRows:
        """The rows with the weights that training and validation use."""
        return rows

    def _delete_bayesian_attributes(self) -> None:
        """Delete attributes that describe the parameters of an earlier training."""
        for name in BAYESIAN_ATTRIBUTES:
            self.__dict__.pop(name, None)
        self.networks_ = None

    def _set_attributes(self, outcome: Outcome) -> None:
        """Set the fitted attributes that only this estimator has."""

    def _train_one_epoch(self, X: np.ndarray, Y: np.ndarray, weight: np.ndarray | None) -> None:
        """Train one more epoch on a batch of scaled rows, from where the last call ended."""
        random = check_random_state(self.random_state)
        recipe = replace(self._recipe(), regularization=None if self.l2 is None else "l2")
        recipe = replace(recipe, cost=self.net_.cost) if hasattr(self, "net_") else recipe
        plan = self._plan(recipe, X, Y).limit_batch_size(len(X))
        params = getattr(self, "params_", None)
        if params is not None and self._state is None:  # after `fit`, whose network may be an average of several
            self.net_, params = self._warm or (plan.net, None)
        self.net_ = self.net_ if hasattr(self, "net_") else plan.net
        if params is None:
            self.loss_curve_, self.n_iter_, self._state = [], 0, None
        seed = int(random.randint(2**31 - 1))
        self._state, cost, self.engine_ = train_one_epoch(
            self.net_, plan.trainer, self._state, params, (X, Y, weight), seed, self.n_iter_, self.engine
        )
        self._delete_bayesian_attributes()
        self.params_ = _as_float64(self._state.params)
        self._warm = self.net_, self.params_
        self.loss_curve_ = [*self.loss_curve_, cost]
        self.history_ = {"cost": np.array(self.loss_curve_)}
        self.n_iter_ += 1
        self.best_iter_ = self.n_iter_
        self.stop_reason_ = "epochs"
        self.trainer_ = plan.trainer_name

    def _outputs(self, X: Any) -> np.ndarray:
        """a^L for raw rows, (N, k) float64."""
        check_is_fitted(self)
        return self.net_(self.params_, self.x_scaling_.encode(check_inputs(self, X)))

    def _input_columns(self) -> tuple[Column, ...]:
        """The columns of the inputs for the schema of a model file."""
        check_is_fitted(self)
        if self._table is not None:
            return self._table.scaled_columns(self.x_scaling_)
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)])
        return self.x_scaling_.to_columns([str(name) for name in names])


def _as_float64(params: Any) -> Any:
    """The parameters as float64 NumPy arrays, which can be unpickled without JAX and predict to 16 digits."""
    return trees.map_leaves(lambda p: np.asarray(p, np.float64), params)


def train_one_epoch(
    net: Network,
    trainer: Trainer,
    state: Any,
    params: Any,
    examples: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    seed: int,
    epoch: int,
    engine: str = "auto",
) -> tuple[Any, float, str]:
    """Train one epoch; return the trainer's state as NumPy arrays, the mean cost over its batches and the engine.

    Args:
        net, trainer, engine: as in `train`.
        state: the state that the last call returned, or None.
        params: where to start without a state; None draws fresh parameters.
        examples: X (N, n_1), Y (N, k) and weights (N,) or None.
        seed: of fresh parameters and of the order of the examples.
        epoch: the number of epochs before this one.
    """
    X, Y, weights = examples
    dtype = as_dtype(trainer.dtype)
    X, net = require_finite("X", X, dtype), mask_missing_targets(net, Y)
    E = engines.get(choose_engine(engine, net, trainer, X.shape, 1, None))
    with E.computing_in(dtype):
        (start,) = starting_points(E, net, trainer, params, seed, 1, X.shape[1:], dtype)
        rows = checked_rows(net, start, "X", X, Y, weights)
        trainer.check(net, len(X))
        course = Course(net, trainer, rows, None, as_path(seed), NO_RULES, "cost", ())
        with course.thread_limits():
            carry = course.start(start)
            carry = carry._replace(epoch=carry.epoch + epoch)  # the epoch decides the order of the examples
            if state is not None:
                carry = carry._replace(state=trees.map_leaves(E.put, state))
            carry, records, outside = course.advance(carry, epoch + 1)
        if outside is not None:
            raise KeyboardInterrupt
        return trees.map_leaves(_leaf, carry.state), float(records["cost"][0]), E.name


def _leaf(leaf: Any) -> Any:
    """A leaf of a state as a NumPy array; a JAX random key, which an Optax rule may hold, stays unchanged."""
    return leaf if is_key(leaf) else np.asarray(leaf)
