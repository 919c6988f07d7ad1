"""What the two estimators share: their parameters, a fit of checked rows, further batches, and the outputs."""

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
from deltarule.data.table_checks import too_few_rows
from deltarule.engine.choice import choose_engine
from deltarule.engine.randomness import as_path
from deltarule.inspection import plots
from deltarule.models.callbacks import HAS_CALLBACKS, train_with_callbacks
from deltarule.models.candidates import get_effort
from deltarule.models.fitting import fit
from deltarule.models.inputs import Column, TableInputs, inputs_of
from deltarule.models.model import Model
from deltarule.models.outcome import Outcome
from deltarule.models.plan import Plan
from deltarule.models.planning import is_first_order, make_plan
from deltarule.models.problem import Problem
from deltarule.models.recipe import Recipe
from deltarule.models.scaling import Scaling
from deltarule.models.trainers import TRAINERS
from deltarule.models.weighted_rows import WeightedRows, hold_out
from deltarule.network.examples import checked_rows, require_finite
from deltarule.network.missing_targets import for_targets
from deltarule.network.network import Network
from deltarule.trainers.base import Trainer
from deltarule.training.loop import Course
from deltarule.training.train import NO_RULES, starting_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes


OF_RECIPE = ("activation", "trainer", "regularization", "l2", "eta", "batch_size", "epochs", "restarts")
OF_POSTERIOR = ("ensemble_", "log_evidence_", "effective_parameters_", "noise_std_")  # what only "bayesian" leaves


class NetworkEstimator(BaseEstimator):
    """The common half of `NetworkRegressor` and `NetworkClassifier`: parameters, training and outputs."""

    _task: str  # "regression", "classification" or "labels"
    _target_scaling = Scaling.of_columns(())  # how the targets of a regression were scaled
    net_: Network
    x_scaling_: Scaling
    _table: TableInputs | None = None  # the columns of a DataFrame that is not all numbers
    _single: tuple[Network, Any] | None = None  # where `warm_start` goes on; None begins with fresh parameters

    def __getattr__(self, name: str) -> Any:
        """Say which trainers have `partial_fit`, where this one has not: Python calls this for what is missing."""
        if name == "partial_fit":
            able = ", ".join(repr(each) for each in TRAINERS if is_first_order(each))
            raise AttributeError(
                f"partial_fit goes on from where the last call ended, which trainer={self.trainer!r} cannot: "
                f"choose one of {able}, or a GradientDescent."
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @available_if(lambda self: HAS_CALLBACKS)
    def set_callbacks(self, *callbacks: Any) -> Self:
        """Let scikit-learn's callbacks, such as `sklearn.callback.ProgressBar`, look on while `fit` trains.

        One that returns True after an epoch ends the training there.
        """
        from sklearn.callback import CallbackSupportMixin

        CallbackSupportMixin.set_callbacks(self, *callbacks)  # pyright: ignore[reportArgumentType]
        return self

    def save(self, path: str | os.PathLike) -> None:
        """Write the fitted network and its scaling to a model file, for `deltarule predict`, `evaluate` and `export`.

        The columns are called by their names at fit, or x0, x1, ...; the target by its name, or y. Of a DataFrame with
        categories the file holds them, so that `deltarule predict` reads a table with the same columns.

        Raises:
            NotFittedError: before `fit`.
            ModelFileError: the file cannot be written.
        """
        schema = self.schema()
        training = {"estimator": type(self).__name__, "epochs": self.n_iter_, "stop_reason": self.stop_reason_}
        Model(self.net_, self.params_, schema, training, getattr(self, "ensemble_", None)).save(path)

    def plot_costs(self, *, ax: "Axes | None" = None) -> "Axes":
        """The costs over the epochs of the training; scikit-learn's Displays draw the rest, by `from_estimator`.

        Raises:
            NotFittedError: before `fit`.
        """
        check_is_fitted(self)
        return plots.plot_costs(self.history_, ax)

    @property
    def _is_fresh(self) -> bool:
        """Whether `fit` begins anew, or goes on from the parameters, the columns and the scaling that there are."""
        return not (self.warm_start and hasattr(self, "params_"))

    def _measured_inputs(self, X: np.ndarray, weight: np.ndarray) -> Scaling:
        """The scaling of plain rows; ones and zeros that stand for categories stay what they are."""
        measured = Scaling.measured(X, weight)
        return measured if self._table is None else self._table.scaling(measured)

    def _train(self, rows: WeightedRows, classes: np.ndarray | None = None) -> None:
        """Train on scaled rows and set the fitted attributes; `classes`, by number, are split each by itself."""
        share = require_number("validation_fraction", self.validation_fraction, above=0, below=1)
        plan = self._plan(self._recipe(), rows.X, rows.Y)
        random = check_random_state(self.random_state)
        seed = int(random.randint(2**31 - 1))
        parts = hold_out(rows, share, seed, classes) if plan.regularizer.holds_out else (rows, None)
        training, validation = (part and self._weighed(part).as_examples() for part in parts)
        assert training is not None
        for note in too_few_rows(round(float(parts[0].weight.sum()))):  # copies count
            warnings.warn(f"{note}.", UserWarning, stacklevel=3)
        plan = plan.limit_batch_size(len(training))

        def train(callbacks: Any) -> Any:
            start = None if self._is_fresh or self._single is None else self._single[1]
            how = {"seed": seed, "params": start, "dtype": plan.trainer.dtype, "engine": self.engine}
            return fit(plan, training, validation, self._target_scaling, callbacks=callbacks, **how)

        outcome = train_with_callbacks(self, plan.max_epochs, train)
        result = outcome.result
        if result.stop_reason == "diverged":
            warnings.warn(result.message, ConvergenceWarning, stacklevel=3)
        self._forget()
        self.net_, self.params_ = outcome.plan.net, _as_numpy(result.params)
        single = outcome.network_to_continue()
        self._single = None if single is None else (single[0], _as_numpy(single[1]))
        self.history_ = result.history
        self.loss_curve_ = result.history["cost"].tolist()
        self.n_iter_ = result.epochs
        self.best_iter_ = result.best_epoch
        self.stop_reason_ = result.stop_reason
        self.trainer_ = "lm" if plan.regularizer.sets_penalty else plan.trainer_name
        self.engine_ = result.engine
        self.regularization_ = plan.regularization
        self.networks_ = outcome.selection()
        self._going_on = None
        self._trained(outcome)

    def _recipe(self) -> Recipe:
        """What the parameters say of the network and its training."""
        for name in ("epochs", "max_fail", "restarts"):
            if getattr(self, name) is not None:
                require_count(name, getattr(self, name))
        get_effort(self.effort)
        hidden = self.hidden
        if hidden is None and not self._is_fresh and self._single is not None:
            hidden = tuple(layer.n for layer in self._single[0].layers[:-1])  # pyright: ignore[reportAttributeAccessIssue]
        same = {name: getattr(self, name) for name in OF_RECIPE}
        effort = "quick" if self.warm_start else self.effort
        return Recipe(hidden=hidden, cost=getattr(self, "cost", None), patience=self.max_fail, effort=effort, **same)

    def _plan(self, recipe: Recipe, X: np.ndarray, Y: np.ndarray) -> Plan:
        """The plan for scaled rows."""
        problem = Problem(
            "y", self._task, X.shape[1], Y.shape[1], len(X), X, Y, self._target_scaling.std, shifted=False
        )
        return make_plan(recipe, problem)

    def _weighed(self, rows: WeightedRows) -> WeightedRows:
        """The rows with the weights that they train and validate with."""
        return rows

    def _forget(self) -> None:
        """Remove what a training before this one knew of parameters that are no longer those."""
        for name in OF_POSTERIOR:
            self.__dict__.pop(name, None)
        self.networks_ = None

    def _trained(self, outcome: Outcome) -> None:
        """What else an estimator keeps of its training."""

    def _train_further(self, X: np.ndarray, Y: np.ndarray, weight: np.ndarray | None) -> None:
        """One epoch over a batch of scaled rows, from where the last one ended."""
        random = check_random_state(self.random_state)
        recipe = replace(self._recipe(), regularization=None if self.l2 is None else "l2")
        recipe = replace(recipe, cost=self.net_.cost) if hasattr(self, "net_") else recipe
        plan = self._plan(recipe, X, Y).limit_batch_size(len(X))
        params = getattr(self, "params_", None)
        if params is not None and self._going_on is None:  # after `fit`, whose network may be several side by side
            self.net_, params = self._single or (plan.net, None)
        self.net_ = self.net_ if hasattr(self, "net_") else plan.net
        if params is None:
            self.loss_curve_, self.n_iter_, self._going_on = [], 0, None
        seed = int(random.randint(2**31 - 1))
        self._going_on, cost, self.engine_ = go_on(
            self.net_, plan.trainer, self._going_on, params, (X, Y, weight), seed, self.n_iter_, self.engine
        )
        self._forget()
        self.params_ = _as_numpy(self._going_on.params)
        self._single = self.net_, self.params_
        self.loss_curve_ = [*self.loss_curve_, cost]
        self.history_ = {"cost": np.array(self.loss_curve_)}
        self.n_iter_ += 1
        self.best_iter_ = self.n_iter_
        self.stop_reason_ = "epochs"
        self.trainer_ = plan.trainer_name

    def _outputs(self, X: Any) -> np.ndarray:
        """a^L of raw rows, (N, k) float64."""
        check_is_fitted(self)
        return self.net_(self.params_, self.x_scaling_.encode(inputs_of(self, X)))

    def _input_columns(self) -> tuple[Column, ...]:
        """The inputs as a model file describes them."""
        check_is_fitted(self)
        if self._table is not None:
            return self._table.scaled(self.x_scaling_)
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)])
        return self.x_scaling_.columns([str(name) for name in names])


def _as_numpy(params: Any) -> Any:
    """The parameters as float64 arrays of NumPy: they pickle everywhere, and predict to 16 digits."""
    return trees.mapped(lambda p: np.asarray(p, np.float64), params)


def go_on(
    net: Network,
    trainer: Trainer,
    state: Any,
    params: Any,
    examples: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    seed: int,
    epoch: int,
    engine: str = "auto",
) -> tuple[Any, float, str]:
    """One epoch of the trainer: its state as NumPy arrays, the mean cost over its batches, the engine.

    Args:
        net: to train.
        trainer: any whose epoch is a pass over the examples.
        state: what the last call left, or None.
        params: where to start if there is no state; None draws fresh ones.
        examples: X (N, n_1), Y (N, k) and weights (N,) or None.
        seed: of fresh parameters and of the order of the examples.
        epoch: the number of epochs before this one.
        engine: as in `train`.
    """
    X, Y, weights = examples
    dtype = as_dtype(trainer.dtype)
    X, net = require_finite("X", X, dtype), for_targets(net, Y)
    E = engines.get(choose_engine(engine, net, trainer, X.shape, 1, None))
    with E.computing_in(dtype):
        (start,) = starting_points(E, net, trainer, params, seed, 1, X.shape[1:], dtype)
        rows = checked_rows(net, start, "X", X, Y, weights)
        trainer.check(net, len(X))
        course = Course(net, trainer, rows, None, as_path(seed), NO_RULES, "cost", ())
        with course.thread_limits():
            carry = course.start(start)
            carry = carry._replace(epoch=carry.epoch + epoch)  # which decides the order of the examples
            if state is not None:
                carry = carry._replace(state=trees.mapped(E.put, state))
            carry, records, outside = course.advance(carry, epoch + 1)
        if outside is not None:
            raise KeyboardInterrupt
        return trees.mapped(_leaf, carry.state), float(records["cost"][0]), E.name


def _leaf(leaf: Any) -> Any:
    """A leaf of a state as an array of NumPy; a key of JAX, which an Optax rule may hold, as it is."""
    return leaf if is_key(leaf) else np.asarray(leaf)
