"""`NARXRegressor`: a network that continues time series, as a scikit-learn estimator."""

import os
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from deltarule.checks import require_choice, require_count, require_number
from deltarule.data.lagged import Segment, find_segments, spaced_windows
from deltarule.errors import DataError, ModelFileError, ShapeError, UnstableError
from deltarule.files import model_file
from deltarule.inspection.correlations import Correlations, correlations
from deltarule.models.scaling import Scaling
from deltarule.models.series import stored
from deltarule.models.series.choice import Choice, lags_to_try
from deltarule.models.series.committee import Committee, rms
from deltarule.models.series.records import (
    each_record,
    inputs_of,
    is_list,
    names_of,
    records_of,
    require_known,
    start_of,
    tail_of,
)
from deltarule.models.series.uncertainty import measured_noise, sensitivity

TRAININGS = ("auto", "open-loop", "closed-loop")
PLACES = 60  # of a record, from which free runs are made to measure errors by horizon
OWN_HORIZON = 20  # of a series without inputs
NOISE_STEPS = 30  # the longest horizon at which the noise behind error bars is measured


class NARXRegressor(RegressorMixin, BaseEstimator):
    """y_t = f(y_{t-1}, .., y_{t-a}, u_{t-1}, .., u_{t-b}), f a network (NARX); without inputs it is a NAR network.

    It predicts one step ahead from measured outputs, simulates from inputs alone, and forecasts with error bars. Inputs
    and outputs are standardised inside.

    Args:
        input_lags: which lags of the inputs the network sees: a number b for 1..b, a list such as [0, 1, 5], or "auto",
            which tries 1..b for b of 1, 2, 4 and 8 and keeps the one that does best on the stretch held out.
        output_lags: those of the outputs likewise, each at least 1; 0 for none, a time-delay network.
        hidden: the sizes of the hidden layers; () is a linear model.
        training: "open-loop" fits one step ahead, with Bayesian regularisation; "closed-loop" goes on from there on the
            error of free runs, which is what simulation and long forecasts need; "auto" trains both ways and keeps the
            one whose free run does better on the stretch held out.
        activation: of the hidden layers, a name in `deltarule.network.activations.ACTIVATIONS`.
        l2: the penalty on weights in closed loop, beside squared errors of standardised outputs; None tries several.
        horizon: the longest free run that matters, in steps: closed-loop training and its choices look no further. None
            runs whole records, and without inputs 20 steps.
        members: how many networks are trained in closed loop, each with another equal part of every record held out,
            which chooses its step and penalty; the model is their mean, weighed by 1 over squared held-out errors.
            With 1 the last third is held out.
        restarts: from how many first weights each of them is trained; all of these are in the mean.
        random_state: of the first weights; an int, or a RandomState.

    Attributes:
        input_lags_, output_lags_: the lags in use, as tuples.
        max_lag_: the longest of them: the steps that a prediction needs before it.
        training_: "open-loop" or "closed-loop".
        l2_: the penalty of each member, None in open loop.
        validation_error_: the root mean square error of the free runs of what the members held out, in the outputs'
            unit (of several outputs in standard deviations); with training="open-loop" that one step ahead.
        committee_: the members side by side, in scaled units.
        noise_: the variances behind the error bars, see `deltarule.models.series.uncertainty`.
        names_: of the inputs and of the outputs, as the model file and its exports have them.
        record_: what the command line keeps of the training, {} otherwise.
        n_features_in_, n_outputs_: how many inputs and outputs a step has.

    Time steps are taken as even. NaN is a missing value: steps that need it are left out in open loop; in closed loop a
    run goes through missing outputs, and missing inputs end a stretch.
    """

    committee_: Committee

    def __init__(
        self,
        input_lags: int | Sequence[int] | str = "auto",
        output_lags: int | Sequence[int] | str = "auto",
        hidden: int | tuple[int, ...] = (10,),
        training: str = "auto",
        activation: str = "tanh",
        l2: float | None = None,
        horizon: int | None = None,
        members: int = 3,
        restarts: int = 2,
        random_state: Any = None,
    ):
        self.input_lags = input_lags
        self.output_lags = output_lags
        self.hidden = hidden
        self.training = training
        self.activation = activation
        self.l2 = l2
        self.horizon = horizon
        self.members = members
        self.restarts = restarts
        self.random_state = random_state

    def fit(self, U: Any, y: Any) -> Self:
        """Train on one record or on several.

        Args:
            U: inputs, (T, inputs), or (T,) for one; None for none; a list with one for each record.
            y: outputs, (T,) or (T, outputs); a list with one for each record.

        Raises:
            DataError: not numbers, infinite, or too few steps for the lags.
            ShapeError: U and y have different lengths.
            ConfigurationError: an option outside its range.
        """
        records = records_of(U, y)
        self.n_features_in_, self.n_outputs_ = (array.shape[1] for array in records[0])
        self._flat = np.ndim(y[0] if is_list(y) else y) == 1
        self.names_ = names_of(U, y, self.n_features_in_, self.n_outputs_)
        self.x_scaling_, self.y_scaling_ = _measured("U", records), _measured("Y", records)
        scaled = [self._scaled(*record) for record in records]
        chosen = self._choice(max(len(record.Y) for record in records)).best(scaled)
        self.committee_, self.training_ = chosen.committee, chosen.how
        self.output_lags_, self.input_lags_ = chosen.lags.outputs, chosen.lags.inputs
        self.max_lag_ = chosen.lags.max_lag
        self.l2_ = [member.l2 for member in chosen.members] if chosen.how == "closed-loop" else None
        self.validation_error_ = chosen.error * (float(self.y_scaling_.std[0]) if self.n_outputs_ == 1 else 1.0)
        self.noise_ = measured_noise(chosen.unseen(NOISE_STEPS, PLACES))
        self._tail = next(tail for one in reversed(scaled) if (tail := tail_of(one, chosen.lags)) is not None)
        self.record_: dict[str, Any] = {}
        return self

    def predict(self, U: Any, y: Any) -> Any:
        """One step ahead from the measured outputs, in the shape of y; NaN where a value that it needs is not known.

        Args:
            U: inputs, as for `fit`.
            y: the measured outputs, as for `fit`; a list of records gives a list.
        """
        check_is_fitted(self)
        found = []
        for record in self.scaled(U, y):
            ahead = np.full(record.Y.shape, np.nan)
            if len(record.Y) > self.max_lag_:
                ahead[self.max_lag_ :] = self.y_scaling_.decode(self.committee_.step(record))
            found.append(self._shaped(ahead))
        return found if is_list(y) else found[0]

    def simulate(self, U: Any, y_start: Any = None, steps: int | None = None) -> Any:
        """The free run: only the outputs of the first `max_lag_` steps are given, and it is fed its own from there.

        Args:
            U: inputs, (T, inputs); None where there are none; a list with one for each record.
            y_start: the outputs of the first `max_lag_` steps, (max_lag_,) or (max_lag_, outputs); what is longer is
                cut. A list with one for each record. A time-delay network, which has no output lags, needs none.
            steps: T, for a model without inputs; None is the length of y_start.

        Returns:
            (T,) or (T, outputs), which begins with y_start, or with NaN where there is none; of several records a list.

        Raises:
            UnstableError: the run leaves everything that was measured.
            DataError: y_start is too short, or a value is missing.
        """
        check_is_fitted(self)
        if is_list(U) or is_list(y_start):
            return [self.simulate(*one, steps) for one in each_record(U, y_start)]
        start = start_of(y_start, self.n_outputs_, self.committee_.lags)
        inputs = inputs_of(U, len(start) if steps is None else steps, self.n_features_in_)
        if len(inputs) <= self.max_lag_:
            return self._shaped(start[: len(inputs)])
        part = self._scaled(inputs, start[: self.max_lag_])
        run = self.y_scaling_.decode(self.committee_.mean(self._runs(part.U, part.Y)))
        run[: self.max_lag_] = start[: self.max_lag_]
        return self._shaped(run)

    def forecast(self, steps: int, U_future: Any = None, return_std: bool = False) -> Any:
        """What comes after the end of the last record that was fitted and is as long as the lags.

        Args:
            steps: how many.
            U_future: the inputs of these steps, (steps, inputs), where the model has inputs.
            return_std: also the standard deviation of a new measurement at each step: shocks and errors of measurement,
                as the record shows them, carried along the free run.

        Returns:
            (steps,) or (steps, outputs); with return_std two of them.
        """
        check_is_fitted(self)
        steps = require_count("steps", steps)
        future = inputs_of(U_future, steps, self.n_features_in_)
        if len(future) < steps:
            raise DataError(f"U_future has {len(future)} steps: give the inputs of the {steps} steps to forecast.")
        U = np.concatenate([self._tail.U, self.x_scaling_.encode(future[:steps])])
        runs = self._runs(U, self._tail.Y)
        run = self.committee_.mean(runs)[-steps:]
        ahead = self._shaped(self.y_scaling_.decode(run))
        if not return_std:
            return ahead
        variance = sensitivity(self.committee_, U[None], runs[None]).variance(self.noise_)[0, -steps:]
        # No forecast is worse than what is known without one: that the output stays in its range, which has variance 1.
        variance = np.minimum(variance, 1 + run**2 + self.noise_.measurement)
        return ahead, self._shaped(self.y_scaling_.std * np.sqrt(variance))

    def follow(self, U: Any, y: Any) -> Self:
        """The same model, which forecasts from the end of this record, in place of the one that was fitted.

        Raises:
            DataError: nowhere are the steps known that a run begins with.
        """
        tail = tail_of(self.scaled(U, y)[-1], self.committee_.lags)
        if tail is None:
            raise DataError(f"y has no {self.max_lag_} known steps in a row to go on from: give a longer record.")
        followed = copy(self)
        followed._tail = tail
        return followed

    def scaled(self, U: Any, y: Any) -> list[Segment]:
        """Records in scaled units, with as many inputs and outputs as those of `fit`."""
        check_is_fitted(self)
        records = records_of(U, y)
        for name, found, known in zip("Uy", records[0], (self.n_features_in_, self.n_outputs_), strict=True):
            if found.shape[1] != known:
                raise ShapeError(f"{name} has {found.shape[1]} columns, and the model was trained on {known}.")
        return [self._scaled(*record) for record in records]

    def errors_by_horizon(self, U: Any, y: Any, steps: int = 50) -> np.ndarray:
        """The root mean square error 1, 2, .. steps ahead, (steps,) or (steps, outputs), over free runs of a record."""
        check_is_fitted(self)
        parts = [part for record in self.scaled(U, y) for part in find_segments(*record, self.committee_.lags)]
        if not parts:
            raise DataError(f"y has no {self.max_lag_ + 1} known steps in a row: give a longer record.")
        pieces = spaced_windows(parts, self.committee_.lags, steps, PLACES)
        return self._shaped(self.y_scaling_.std * rms(self.committee_.errors(pieces), pieces))

    def correlations(self, U: Any, y: Any, longest: int = 20) -> list[Correlations]:
        """Of each output: its errors one step ahead with themselves and with the inputs, and their 95 % band."""
        if is_list(y):
            raise DataError("y holds several records: give one, correlations of each are its own.")
        (record,) = self.scaled(U, y)
        errors = record.Y[self.max_lag_ :] - self.committee_.step(record)
        return [correlations(error, record.U[self.max_lag_ :], longest) for error in errors.T]

    def score(self, U: Any, y: Any) -> float:  # pyright: ignore[reportIncompatibleMethodOverride]
        """R² one step ahead, over the steps that can be predicted; of several outputs the mean."""
        from sklearn.metrics import r2_score

        several = is_list(y)
        actual, predicted = (
            np.concatenate(of if several else [of]).reshape(-1, self.n_outputs_) for of in (y, self.predict(U, y))
        )
        pairs = [np.stack(pair) for pair in zip(actual.T, predicted.T, strict=True)]
        return float(np.mean([r2_score(*pair[:, np.isfinite(pair).all(axis=0)]) for pair in pairs]))

    def save(self, path: str | os.PathLike) -> None:
        """Write the fitted model to a model file, for `deltarule.load_model` and the command line.

        Raises:
            ModelFileError: the file cannot be written.
        """
        net, params, schema, training, arrays = self.content()
        model_file.save(path, net, params, schema=schema, training=training, error_bars=arrays)

    def content(self) -> model_file.Content:
        """What the model file holds."""
        check_is_fitted(self)
        return stored.content(self)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """The model in a file that `save` wrote.

        Raises:
            ModelFileError: the file cannot be read, or holds no time-series model.
        """
        content = model_file.load_model(path)
        if not stored.is_series(content.schema):
            raise ModelFileError(f"{path} holds no time-series model: read it with deltarule.load_model.")
        return stored.restored(Path(path), content, cls)

    def _choice(self, steps: int) -> Choice:
        """What is given and what is to be chosen, for records of at most so many steps."""
        require_choice("training", self.training, TRAININGS)
        sizes: Any = (self.hidden,) if isinstance(self.hidden, int | np.integer) else tuple(self.hidden)
        seeds = check_random_state(self.random_state).randint(2**31 - 1, size=require_count("restarts", self.restarts))
        own = None if self.n_features_in_ else OWN_HORIZON  # without inputs a run forgets where it began
        return Choice(
            lags=lags_to_try(self.input_lags, self.output_lags, self.n_features_in_, steps),
            hidden=sizes,
            activation=self.activation,
            inputs=self.n_features_in_,
            outputs=self.n_outputs_,
            training=self.training,
            l2=None if self.l2 is None else require_number("l2", self.l2, least=0),
            horizon=own if self.horizon is None else require_count("horizon", self.horizon),
            members=require_count("members", self.members),
            seeds=seeds.tolist(),
        )

    def _scaled(self, U: np.ndarray, Y: np.ndarray) -> Segment:
        return Segment(self.x_scaling_.encode(U), self.y_scaling_.encode(Y))

    def _runs(self, U: np.ndarray, start: np.ndarray) -> np.ndarray:
        """The members' free runs in scaled units, (T, M k); a DataError or an UnstableError where there is none."""
        require_known(U, start, self.committee_.lags)
        runs = self.committee_.free_run(U[None], start[None])[0]
        within = self.committee_.model.within(runs)
        if not within.all():
            step = self.max_lag_ + int(within.argmin())
            raise UnstableError(
                f"the free run leaves everything that was measured in step {step}: fit with "
                "training='closed-loop', with other lags or with a larger l2."
            )
        return runs

    def _shaped(self, values: np.ndarray) -> np.ndarray:
        return values[:, 0] if self._flat else values


def _measured(name: str, records: Sequence[Segment]) -> Scaling:
    """The scaling of the inputs U or the outputs Y of all records together."""
    values = np.concatenate([getattr(record, name) for record in records])
    empty = np.isnan(values).all(axis=0)
    if empty.any():
        raise DataError(f"column {int(empty.argmax())} of {'y' if name == 'Y' else name} holds no value: leave it out.")
    return Scaling.fit(values, np.ones(len(values)))
