"""`NARXRegressor`: a network that predicts time series, as a scikit-learn estimator."""

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
from deltarule.models.series.committee import Committee, rms_by_horizon
from deltarule.models.series.records import (
    check_inputs,
    check_start,
    column_names,
    find_tail,
    has_several,
    pair_records,
    records_of,
    require_known,
    require_tail,
)
from deltarule.models.series.selection import Selection, candidate_lags
from deltarule.models.series.uncertainty import fit_noise, sensitivity

TRAININGS = ("auto", "open-loop", "closed-loop")
PLACES = 60  # of a record, at which free runs start to measure errors by horizon
HORIZON_WITHOUT_INPUTS = 20
NOISE_STEPS = 30  # the longest horizon at which the noise of error bars is measured


class NARXRegressor(RegressorMixin, BaseEstimator):
    """y_t = f(y_{t-1}, .., y_{t-a}, u_{t-1}, .., u_{t-b}), f a network (NARX); without inputs it is a NAR network.

    It predicts one step ahead from measured outputs, simulates from inputs alone, and forecasts with error bars. It
    standardises inputs and outputs itself.

    Args:
        input_lags: which lags of the inputs the network sees: a number b for 1..b, a list such as [0, 1, 5], or "auto",
            which tries 1..b for b = 1, 2, 4 and 8 and keeps the one that does best on held-out segments.
        output_lags: the lags of the outputs likewise, each at least 1; 0 for none, which gives a time-delay network.
        hidden: the sizes of the hidden layers; () is a linear model.
        training: "open-loop" fits one step ahead, with Bayesian regularisation; "closed-loop" continues on the error of
            free runs, which simulation and long forecasts need; "auto" trains both ways and keeps the one whose free
            runs do better on held-out segments.
        activation: of the hidden layers, a name in `deltarule.network.activations.ACTIVATIONS`.
        l2: the penalty on weights in closed loop, for squared errors of standardised outputs; None tries several.
        horizon: the longest free run in steps that closed-loop training and its choices use. None runs whole records,
            and without inputs 20 steps.
        members: how many networks are trained in closed loop. Each holds out another equal part of every record, which
            chooses its step and penalty; the model is their mean, weighted by 1 / squared held-out error. With 1 member
            the last third is held out.
        restarts: from how many random initial weights each member is trained; all of them are in the mean.
        random_state: of the initial weights; an int, or a RandomState.

    Attributes:
        input_lags_, output_lags_: the lags in use, as tuples.
        max_lag_: the longest lag: a prediction needs so many steps before it.
        training_: "open-loop" or "closed-loop".
        l2_: the penalty of each member, None in open loop.
        validation_error_: the root mean square error of free runs of held-out segments, in the outputs' unit (in
            standard deviations if there are several); with training="open-loop" of predictions one step ahead.
        committee_: the members side by side, in scaled units.
        noise_: the variances for the error bars, see `deltarule.models.series.uncertainty`.
        names_: of the inputs and of the outputs, for the model file and exports.
        record_: the record of the training by the command line, else {}.
        n_features_in_, n_outputs_: the number of inputs and of outputs.

    Time steps must be equal. NaN is a missing value: steps that need it are left out in open loop; in closed loop a run
    continues through missing outputs, and a missing input ends a segment.
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
            U: inputs, (T, inputs), or (T,) for one; None for none; or a list with an array for each record.
            y: outputs, (T,) or (T, outputs); or a list with an array for each record.

        Raises:
            DataError: values are not numbers or are infinite, or there are too few steps for the lags.
            ShapeError: U and y have different lengths.
            ConfigurationError: an option lies outside its domain.
        """
        records = records_of(U, y)
        self.n_features_in_, self.n_outputs_ = (array.shape[1] for array in records[0])
        self._flat = np.ndim(y[0] if has_several(y) else y) == 1
        self.names_ = column_names(U, y, self.n_features_in_, self.n_outputs_)
        self.x_scaling_, self.y_scaling_ = _fit_scaling("U", records), _fit_scaling("Y", records)
        scaled = [self._scale(*record) for record in records]
        selected = self._selection(max(len(record.Y) for record in records)).select(scaled)
        lags = selected.lags
        self.committee_, self.training_ = selected.committee, selected.training
        self.output_lags_, self.input_lags_, self.max_lag_ = lags.outputs, lags.inputs, lags.max_lag
        self.l2_ = [member.l2 for member in selected.members] if selected.training == "closed-loop" else None
        self.validation_error_ = selected.error * (float(self.y_scaling_.std[0]) if self.n_outputs_ == 1 else 1.0)
        self.noise_ = fit_noise(selected.held_out_windows(NOISE_STEPS, PLACES))
        tails = (find_tail(record, lags) for record in reversed(scaled))
        self._tail = next((tail for tail in tails if tail is not None), None)
        self.record_: dict[str, Any] = {}
        return self

    def predict(self, U: Any, y: Any) -> Any:
        """Predict one step ahead from measured outputs, in the shape of y; NaN at steps that need a missing value.

        Args:
            U: inputs, as for `fit`.
            y: the measured outputs, as for `fit`; a list of records gives a list.
        """
        check_is_fitted(self)
        predictions = []
        for record in self.scale(U, y):
            ahead = np.full(record.Y.shape, np.nan)
            if len(record.Y) > self.max_lag_:
                ahead[self.max_lag_ :] = self.y_scaling_.decode(self.committee_.step(record))
            predictions.append(self._shaped(ahead))
        return predictions if has_several(y) else predictions[0]

    def simulate(self, U: Any, y_start: Any = None, steps: int | None = None) -> Any:
        """The free run, which is given only the outputs of the first `max_lag_` steps and is fed its own from there.

        Args:
            U: inputs, (T, inputs); None for a model without inputs; or a list with an array for each record.
            y_start: the outputs of the first `max_lag_` steps, (max_lag_,) or (max_lag_, outputs), of which later ones
                are ignored; or a list with an array for each record. A time-delay network, which has no output lags,
                needs none.
            steps: T, for a model without inputs; None is the length of y_start.

        Returns:
            (T,) or (T, outputs), beginning with y_start, or with NaN if there is none; a list for several records.

        Raises:
            UnstableError: the run leaves the range of everything measured.
            DataError: y_start is too short, or a value is missing.
        """
        check_is_fitted(self)
        if has_several(U) or has_several(y_start):
            return [self.simulate(*record, steps) for record in pair_records(U, y_start)]
        start = check_start(y_start, self.n_outputs_, self.committee_.lags)
        inputs = check_inputs(U, len(start) if steps is None else steps, self.n_features_in_)
        if len(inputs) <= self.max_lag_:
            return self._shaped(start[: len(inputs)])
        scaled = self._scale(inputs, start[: self.max_lag_])
        run = self.y_scaling_.decode(self.committee_.mean(self._free_runs(scaled.U, scaled.Y)))
        run[: self.max_lag_] = start[: self.max_lag_]
        return self._shaped(run)

    def forecast(self, steps: int, U_future: Any = None, return_std: bool = False) -> Any:
        """Forecast the steps after the end of the last fitted record that is as long as the lags.

        Args:
            steps: how many steps.
            U_future: the inputs of these steps, (steps, inputs), if the model has inputs.
            return_std: also return the standard deviation of a new measurement at each step, from shocks and
                measurement errors as the record shows them, propagated along the free run.

        Returns:
            (steps,) or (steps, outputs); with return_std two of them.

        Raises:
            DataError: U_future is too short, or the record ends with missing values.
        """
        check_is_fitted(self)
        tail = require_tail(self._tail, self.committee_.lags)
        steps = require_count("steps", steps)
        future = check_inputs(U_future, steps, self.n_features_in_)
        if len(future) < steps:
            raise DataError(f"U_future has {len(future)} steps: give the inputs of the {steps} steps to forecast.")
        U = np.concatenate([tail.U, self.x_scaling_.encode(future[:steps])])
        runs = self._free_runs(U, tail.Y)
        run = self.committee_.mean(runs)[-steps:]
        ahead = self._shaped(self.y_scaling_.decode(run))
        if not return_std:
            return ahead
        variance = sensitivity(self.committee_, U[None], runs[None]).variance(self.noise_)[0, -steps:]
        # Without a forecast it is still known that the output keeps its mean and variance, which are 0 and 1.
        variance = np.minimum(variance, 1 + run**2 + self.noise_.measurement)
        return ahead, self._shaped(self.y_scaling_.std * np.sqrt(variance))

    def follow(self, U: Any, y: Any) -> Self:
        """The same model, which forecasts from the end of this record instead of the one that was fitted.

        Raises:
            DataError: no consecutive known steps are enough to start a run.
        """
        lags = self.committee_.lags
        tail = require_tail(find_tail(self.scale(U, y)[-1], lags), lags)
        followed = copy(self)
        followed._tail = tail
        return followed

    def scale(self, U: Any, y: Any) -> list[Segment]:
        """Check and scale records, which must have as many inputs and outputs as those of `fit`."""
        check_is_fitted(self)
        records = records_of(U, y)
        for name, array, columns in zip("Uy", records[0], (self.n_features_in_, self.n_outputs_), strict=True):
            if array.shape[1] != columns:
                raise ShapeError(
                    f"{name} has {array.shape[1]} columns, and the model was trained on {columns}: give the same."
                )
        return [self._scale(*record) for record in records]

    def errors_by_horizon(self, U: Any, y: Any, steps: int = 50) -> np.ndarray:
        """The root mean square error 1, 2, .. steps ahead, (steps,) or (steps, outputs), over free runs of a record."""
        check_is_fitted(self)
        lags = self.committee_.lags
        segments = [segment for record in self.scale(U, y) for segment in find_segments(*record, lags)]
        if not segments:
            raise DataError(f"y has no {self.max_lag_ + 1} known steps in a row: give a longer record.")
        windows = spaced_windows(segments, lags, steps, PLACES)
        return self._shaped(self.y_scaling_.std * rms_by_horizon(self.committee_.errors(windows), windows))

    def correlations(self, U: Any, y: Any, longest: int = 20) -> list[Correlations]:
        """For each output the correlations of its errors one step ahead with themselves and with the inputs."""
        if has_several(y):
            raise DataError(f"y holds {len(y)} records: give one, for the correlations of each differ.")
        (record,) = self.scale(U, y)
        errors = record.Y[self.max_lag_ :] - self.committee_.step(record)
        return [correlations(error, record.U[self.max_lag_ :], longest) for error in errors.T]

    def score(self, U: Any, y: Any) -> float:  # pyright: ignore[reportIncompatibleMethodOverride]
        """R² one step ahead, over the steps that can be predicted; the mean over several outputs."""
        from sklearn.metrics import r2_score

        several = has_several(y)
        actual, predicted = (
            np.concatenate(values if several else [values]).reshape(-1, self.n_outputs_)
            for values in (y, self.predict(U, y))
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
        """The content of the model file."""
        check_is_fitted(self)
        return stored.to_content(self)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """Load a model from a file that `save` wrote.

        Raises:
            ModelFileError: the file cannot be read, or holds no time-series model.
        """
        content = model_file.load_model(path)
        if not stored.is_series(content.schema):
            raise ModelFileError(f"{path} holds no time-series model: read it with deltarule.load_model.")
        return stored.from_content(Path(path), content, cls)

    def _selection(self, steps: int) -> Selection:
        """The checked arguments and the lags to try, for records of at most `steps` steps."""
        require_choice("training", self.training, TRAININGS)
        sizes: Any = (self.hidden,) if isinstance(self.hidden, int | np.integer) else tuple(self.hidden)
        seeds = check_random_state(self.random_state).randint(2**31 - 1, size=require_count("restarts", self.restarts))
        horizon = None if self.n_features_in_ else HORIZON_WITHOUT_INPUTS  # such runs soon forget their start
        return Selection(
            lags=candidate_lags(self.input_lags, self.output_lags, self.n_features_in_, steps),
            hidden=sizes,
            activation=self.activation,
            inputs=self.n_features_in_,
            outputs=self.n_outputs_,
            training=self.training,
            l2=None if self.l2 is None else require_number("l2", self.l2, least=0),
            horizon=horizon if self.horizon is None else require_count("horizon", self.horizon),
            members=require_count("members", self.members),
            seeds=seeds.tolist(),
        )

    def _scale(self, U: np.ndarray, Y: np.ndarray) -> Segment:
        return Segment(self.x_scaling_.encode(U), self.y_scaling_.encode(Y))

    def _free_runs(self, U: np.ndarray, start: np.ndarray) -> np.ndarray:
        """The members' free runs in scaled units, (T, M k).

        Raises:
            DataError: a value that the runs need is missing.
            UnstableError: a run leaves the range of everything measured.
        """
        require_known(U, start, self.committee_.lags)
        runs = self.committee_.free_run(U[None], start[None])[0]
        stable = self.committee_.model.is_stable(runs)
        if not stable.all():
            step = self.max_lag_ + int(stable.argmin())
            raise UnstableError(
                f"the free run leaves the range of everything measured at step {step}: fit with "
                "training='closed-loop', with other lags or with a larger l2."
            )
        return runs

    def _shaped(self, values: np.ndarray) -> np.ndarray:
        return values[:, 0] if self._flat else values


def _fit_scaling(name: str, records: Sequence[Segment]) -> Scaling:
    """Measure the scaling of the inputs U or the outputs Y of all records together."""
    values = np.concatenate([getattr(record, name) for record in records])
    empty = np.isnan(values).all(axis=0)
    if empty.any():
        raise DataError(f"column {int(empty.argmax())} of {'y' if name == 'Y' else name} holds no value: leave it out.")
    return Scaling.fit(values, np.ones(len(values)))
