"""What the two estimators share: their parameters, a fit of checked rows, further batches, and the outputs."""

import os
import warnings
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from deltarule import trees
from deltarule.checks import require_count, require_number
from deltarule.errors import ConfigurationError
from deltarule.models import incremental
from deltarule.models.content import Weighted, hold_out
from deltarule.models.inputs import inputs_of
from deltarule.models.regularization import Problem, Way, get_way
from deltarule.models.scaling import Scaling
from deltarule.models.trainer_names import NAMED, Chosen, choose, is_first_order
from deltarule.models.watching import HAS_CALLBACKS, watched
from deltarule.network.cost import Cost
from deltarule.network.layers import Dense
from deltarule.network.network import Network
from deltarule.trainers.base import Trainer
from deltarule.training.session import TrainingResult

if TYPE_CHECKING:
    from deltarule.data.columns import NumericColumn
    from deltarule.data.schema import Schema
    from deltarule.models.table_inputs import Column, TableInputs


class NetworkEstimator(BaseEstimator):
    """The common half of `NetworkRegressor` and `NetworkClassifier`: parameters, training and outputs."""

    _output: str  # the activation of the output layer
    n_features_in_: int
    x_scaling_: Scaling
    params_: Any
    _table: "TableInputs | None" = None  # the columns of a DataFrame that is not all numbers

    def __init__(
        self,
        hidden: int | tuple[int, ...] = (20,),
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
        engine: str = "auto",
        warm_start: bool = False,
        verbose: bool | int = False,
        random_state: Any = None,
    ):
        self.hidden = hidden
        self.activation = activation
        self.trainer = trainer
        self.regularization = regularization
        self.l2 = l2
        self.eta = eta
        self.batch_size = batch_size
        self.epochs = epochs
        self.max_fail = max_fail
        self.validation_fraction = validation_fraction
        self.restarts = restarts
        self.engine = engine
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Say which trainers have `partial_fit`, where this one has not: Python calls this for what is missing."""
            if name == "partial_fit":
                able = ", ".join(repr(each) for each in NAMED if is_first_order(each))
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
        from deltarule.files.model_file import save

        schema, training = self.schema().to_json(), self._training_record()
        save(path, self.net_, self.params_, schema=schema, training=training, error_bars=self._error_bars())

    def schema(self) -> "Schema":
        """The columns, the scaling and the classes, as a model file holds them.

        Raises:
            NotFittedError: before `fit`.
        """
        raise NotImplementedError

    def _network(self, outputs: int, cost: Cost) -> Network:
        sizes: Any = (self.hidden,) if isinstance(self.hidden, Integral) else self.hidden
        if isinstance(sizes, str) or not hasattr(sizes, "__iter__"):
            raise ConfigurationError(
                f"hidden must hold the sizes of the hidden layers, and is {self.hidden!r}: give (20,), for example."
            )
        return Network([*(Dense(n, self.activation) for n in sizes), Dense(outputs, self._output)], cost)

    @property
    def _is_fresh(self) -> bool:
        """Whether `fit` begins anew, or goes on from the parameters, the columns and the scaling that there are."""
        return not (self.warm_start and hasattr(self, "params_"))

    def _measured_inputs(self, X: np.ndarray, weight: np.ndarray) -> Scaling:
        """The scaling of plain rows; ones and zeros that stand for categories stay what they are."""
        measured = Scaling.measured(X, weight)
        return measured if self._table is None else self._table.scaling(measured)

    def _train(self, rows: Weighted, cost: Cost, classes: np.ndarray | None = None) -> Weighted | None:
        """Train on scaled rows and set the fitted attributes; the rows that were held out, if any.

        Args:
            rows: X and Y as the network reads them.
            cost: of the network.
            classes: the class of each row, by number, for a split within classes.
        """
        share = require_number("validation_fraction", self.validation_fraction, above=0, below=1)
        self.net_ = self._network(rows.Y.shape[1], cost)
        name = self._automatic_way(len(rows.X)) if self.regularization == "auto" else self.regularization
        way = get_way(name)
        self._check_way(name)
        random = check_random_state(self.random_state)
        seed = int(random.randint(2**31 - 1))
        training, validation = hold_out(rows, share, seed, classes) if way.holds_out else (rows, None)
        training, validation = self._weighed(training), validation and self._weighed(validation)
        is_name = isinstance(self.trainer, str)
        chosen = self._choose(
            len(training.X), self._penalty(way, training.Y) if self.l2 is None and is_name else self.l2
        )
        problem = Problem(
            net=self.net_,
            trainer=chosen.trainer,
            training=training,
            validation=validation,
            epochs=self._count("epochs", chosen.epochs),
            max_fail=self._count("max_fail", way.max_fail or chosen.max_fail),
            restarts=self._count("restarts", self._starts(way)),
            engine=self.engine,
            seed=seed,
            start=None if self._is_fresh else self._last_params(),
        )
        result = watched(self, problem.epochs, lambda looking: way.train(replace(problem, callbacks=looking)))
        if result.stop_reason == "diverged":
            warnings.warn(result.message, ConvergenceWarning, stacklevel=3)
        self.params_ = _as_numpy(result.params)
        self.history_ = result.history
        self.loss_curve_ = result.history["cost"].tolist()
        self.n_iter_ = result.epochs
        self.best_iter_ = result.best_epoch
        self.stop_reason_ = result.stop_reason
        self.trainer_ = chosen.name
        self.engine_ = result.engine
        self.regularization_ = name
        self._going_on = None
        self._trained(result, training)
        return validation

    def _automatic_way(self, count: int) -> str:
        """The regularisation that "auto" takes for that many rows."""
        return "early-stopping"

    def _penalty(self, way: Way, Y: np.ndarray) -> float | None:
        """The l2 for these targets where none is given."""
        return way.l2

    def _starts(self, way: Way) -> int:
        """How many starts to train where no number is given."""
        return way.restarts

    def _weighed(self, rows: Weighted) -> Weighted:
        """The rows with the weights that they train and validate with."""
        return rows

    def _last_params(self) -> Any:
        """Where `warm_start` goes on."""
        return self.params_

    def _trained(self, result: TrainingResult, rows: Weighted) -> None:
        """What else an estimator keeps of its training."""

    def _check_way(self, name: str | None) -> None:
        """Refuse numbers that the way to regularise would ignore."""
        if name is None and self.l2:
            raise ConfigurationError(f"l2 is {self.l2!r} and regularization is None: choose regularization='l2'.")
        if not get_way(name).chooses_penalty:
            return
        if self.trainer not in ("auto", "lm"):
            raise ConfigurationError(
                f"regularization {name!r} trains by Levenberg-Marquardt, and trainer is {self.trainer!r}: leave "
                "trainer out, or choose regularization='early-stopping'."
            )
        for other in ("l2", "eta", "batch_size"):
            if getattr(self, other) is not None:
                raise ConfigurationError(
                    f"{other} is {getattr(self, other)!r}, and regularization {name!r} has no use for it: leave it "
                    "out, or choose another regularization."
                )

    def _count(self, name: str, default: int) -> int:
        """A whole number that the user may leave out."""
        given = getattr(self, name)
        return default if given is None else require_count(name, given)

    def _choose(self, count: int, l2: float | None) -> Chosen:
        return choose(self.trainer, self.net_, len(self.x_scaling_.mean), count, self.eta, self.batch_size, l2)

    def _train_further(self, X: np.ndarray, Y: np.ndarray, weight: np.ndarray | None) -> None:
        """One epoch over a batch of scaled rows, from where the last one ended."""
        random = check_random_state(self.random_state)
        chosen = self._choose(len(X), self.l2)
        params = getattr(self, "params_", None)
        if params is None:
            self.loss_curve_, self.n_iter_, self._going_on = [], 0, None
        seed = int(random.randint(2**31 - 1))
        further = incremental.go_on(
            self.net_, chosen.trainer, self._going_on, params, (X, Y, weight), seed, self.n_iter_, self.engine
        )
        self._going_on = further.state
        self.params_ = _as_numpy(further.state.params)
        self.loss_curve_ = [*self.loss_curve_, further.cost]
        self.history_ = {"cost": np.array(self.loss_curve_)}
        self.n_iter_ += 1
        self.best_iter_ = self.n_iter_
        self.stop_reason_ = "epochs"
        self.trainer_ = chosen.name
        self.engine_ = further.engine

    def _outputs(self, X: Any) -> np.ndarray:
        """a^L of raw rows, (N, k) float64."""
        check_is_fitted(self)
        return self.net_(self.params_, self.x_scaling_.encode(inputs_of(self, X)))

    def _input_columns(self) -> "tuple[Column, ...]":
        """The inputs as a model file describes them."""
        check_is_fitted(self)
        if self._table is not None:
            return self._table.scaled(self.x_scaling_)
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)])
        return _columns([str(name) for name in names], self.x_scaling_)

    def _error_bars(self) -> dict[str, np.ndarray] | None:
        """The arrays behind the error bars, for the model file."""
        return None

    def _training_record(self) -> dict[str, Any]:
        return {"estimator": type(self).__name__, "epochs": self.n_iter_, "stop_reason": self.stop_reason_}


def _columns(names: list[str], scaling: Scaling) -> "tuple[NumericColumn, ...]":
    """A schema's columns with these names, scalings and ranges."""
    from deltarule.data.columns import NumericColumn

    numbers = zip(names, *(entry.tolist() for entry in scaling), strict=True)
    return tuple(NumericColumn(*column) for column in numbers)


def _as_numpy(params: Any) -> Any:
    """The parameters as float64 arrays of NumPy: they pickle everywhere, and predict to 16 digits."""
    return trees.mapped(lambda p: np.asarray(p, np.float64), params)
