"""Evaluate a time-series model on a segment it has not seen, beside persistence and a linear model; its verdict."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.data.cells import split_unit
from deltarule.data.lagged import Segment, find_segments, lag_table, spaced_windows
from deltarule.errors import format_number
from deltarule.models.series.committee import Committee, rms_by_horizon
from deltarule.models.series.feedback import Feedback
from deltarule.models.series.narx import PLACES, NARXRegressor
from deltarule.models.series.uncertainty import sensitivity
from deltarule.network.layers import Dense
from deltarule.network.network import Network

NOMINAL = 1.96  # standard deviations of the 95 % band
LEAST_COVERAGE = 0.85  # of the test measurements: if the 95 % bands hold fewer, they are too narrow
RIDGE = 1e-6  # of the linear model, for columns of variance 1


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Root mean square errors of 1, 2, .. H steps ahead on a test segment, (H, k) in the outputs' units.

    Args:
        model: of the model.
        linear: of a linear ARX model with the same lags, fitted one step ahead.
        persistence: of predicting the last measured output for all later steps.
        coverage: the share of the measurements that lie in the 95 % band, by steps ahead, (H, k).
        free_run: of the model's free run of the whole segment, (k,); None if it is unstable or a value is missing.
        spread: the standard deviation of the outputs in the segment, (k,).
    """

    model: np.ndarray
    linear: np.ndarray
    persistence: np.ndarray
    coverage: np.ndarray
    free_run: np.ndarray | None
    spread: np.ndarray

    def record(self) -> dict[str, Any]:
        """The entries for the JSON line and the model file; plain numbers if there is one output."""
        last = {"model": self.model, "linear_arx": self.linear, "persistence": self.persistence}
        record = {f"test_rmse_{name}": _flat(values[-1]) for name, values in last.items()}
        record |= {"test_rmse_by_horizon": _flat(self.model), "test_coverage": float(np.mean(self.coverage))}
        return record | {"test_rmse_free_run": None if self.free_run is None else _flat(self.free_run)}


def evaluate(model: NARXRegressor, fitted: tuple[Any, Any], test: tuple[Any, Any], steps: int) -> Evaluation:
    """Evaluate a model that was trained on `fitted` on `test`, (U, y) each, 1 to `steps` steps ahead."""
    training_record, test_record = (model.scale(*record)[0] for record in (fitted, test))
    committee, D, scale = model.committee_, model.max_lag_, model.y_scaling_.std
    windows = spaced_windows(find_segments(*test_record, committee.lags), committee.lags, steps, PLACES)
    linear = fit_linear_model(committee, find_segments(*training_record, committee.lags))
    of_persistence = np.where(windows.measured > 0, windows.Y[:, D - 1 : D] - windows.Y[:, D:], 0.0)
    of_model = committee.errors(windows)
    errors = of_model, linear.errors(windows), of_persistence
    runs = committee.free_run(windows.U, windows.Y[:, :D])
    std = np.sqrt(sensitivity(committee, windows.U, runs).variance(model.noise_))
    inside = (np.abs(of_model) <= NOMINAL * std) * windows.measured
    coverage = inside.sum(axis=0) / np.maximum(windows.measured.sum(axis=0), 1)
    return Evaluation(
        *(scale * rms_by_horizon(e, windows) for e in errors),  # pyright: ignore[reportCallIssue]
        coverage=coverage,
        free_run=_free_run_error(model, test_record),
        spread=scale * np.nanstd(test_record.Y, axis=0),
    )


def fit_linear_model(committee: Committee, segments: list[Segment]) -> Committee:
    """A linear ARX model with the committee's lags, by least squares one step ahead."""
    X, Y = lag_table(segments, committee.lags)
    A = np.column_stack([X, np.ones(len(X))])
    coefficients = np.linalg.solve(A.T @ A + RIDGE * len(A) * np.eye(A.shape[1]), A.T @ Y).T
    net = Network([Dense(committee.outputs, "linear")])
    model = Feedback(net, committee.lags, committee.model.inputs, np.zeros((committee.outputs, X.shape[1])))
    return Committee.of(model, [[{"W": coefficients[:, :-1], "b": coefficients[:, -1]}]], [1.0])


def _free_run_error(model: NARXRegressor, record: Segment) -> np.ndarray | None:
    segments, D = find_segments(*record, model.committee_.lags), model.max_lag_
    if len(segments) != 1:
        return None
    (segment,) = segments
    run = model.committee_.free_run(segment.U[None], segment.Y[None, :D])[0]
    if not model.committee_.model.is_stable(run).all():
        return None
    error = model.committee_.mean(run)[D:] - segment.Y[D:]
    return model.y_scaling_.std * np.sqrt(np.nanmean(error**2, axis=0))


def _flat(values: np.ndarray) -> Any:
    return (values[..., 0] if values.shape[-1] == 1 else values).tolist()


def verdict(model: NARXRegressor, found: Evaluation, outside: float) -> tuple[dict[str, str], list[str]]:
    """The verdict: a few words for each subject, and warnings, a sentence each.

    `outside` is the share of the residuals' correlations that lie outside their 95 % band.
    """
    H = len(found.model)
    error, linear, persistence = (
        float(np.sqrt(np.mean((e[-1] / found.spread) ** 2))) for e in (found.model, found.linear, found.persistence)
    )
    ahead = "one step ahead" if H == 1 else f"{H} steps ahead"
    best = ", which did best on what was held out" if model.training == "auto" else ""
    lines = {
        "quality": f"{ahead} its error is {error:.3g} of the outputs' spread; of a linear model with the same "
        f"lags {linear:.3g}, of the last measured value {persistence:.3g}",
        "free run": "it is unstable, or values are missing, on the test stretch"
        if found.free_run is None
        else f"over the whole test stretch its error is {_in_units(model, found.free_run)} (root mean square)",
        "lags": _lags(model),
        "training": f"in {model.training_.replace('-', ' ')}{best}",
        "error bars": f"the 95 % bands hold {100 * float(np.mean(found.coverage)):.0f} % of the test measurements",
        "residuals": f"{100 * outside:.0f} % of their correlations lie outside the 95 % band; by chance 5 % do",
    }
    warnings = []
    held = float(np.mean(found.coverage))
    if held < LEAST_COVERAGE:
        warnings.append(
            f"the 95 % bands hold only {100 * held:.0f} % of the test measurements: they are too narrow there, because "
            "the test stretch differs from the rest, or an input or lags are missing"
        )
    if persistence <= error:
        warnings.append(
            f"{ahead} the last measured value predicts as well: the network has learnt nothing that helps there"
        )
    if linear <= error:
        warnings.append(
            f"{ahead} a linear model with the same lags is as good (error {linear:.3g} against {error:.3g}): use that"
        )
    if outside > 0.2:
        warnings.append(
            "the errors one step ahead are far from white: more lags, or an input that is missing, may help"
        )
    return lines, warnings


def _in_units(model: NARXRegressor, errors: np.ndarray) -> str:
    """The error of each output in its unit, (k,)."""
    units = [split_unit(name).unit or f"in the unit of {name}" for name in model.names_[1]]
    return ", ".join(f"{format_number(e)} {unit}" for e, unit in zip(errors, units, strict=True))


def _lags(model: NARXRegressor) -> str:
    def words(name: str, lags: tuple[int, ...]) -> str:
        in_a_row = len(lags) > 1 and lags == tuple(range(1, len(lags) + 1))
        return f"{name} {f'1 to {max(lags)}' if in_a_row else ', '.join(map(str, lags))}"

    every = {"outputs": model.output_lags_, "inputs": model.input_lags_}
    return "; ".join(words(name, lags) for name, lags in every.items() if lags) + " steps back"
