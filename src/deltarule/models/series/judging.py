"""What is to be said of a time-series model: its errors by horizon beside persistence and a linear model, its bands."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.data.lagged import Segment, find_segments, lag_table, spaced_windows
from deltarule.models.series.committee import Committee, rms
from deltarule.models.series.feedback import Feedback
from deltarule.models.series.narx import PLACES, NARXRegressor
from deltarule.models.series.uncertainty import sensitivity
from deltarule.network.layers import Dense
from deltarule.network.network import Network

NOMINAL = 1.96  # standard deviations of the 95 % band
RIDGE = 1e-6  # of the linear model, beside columns of variance 1


@dataclass(frozen=True, eq=False)
class Judged:
    """Root mean square errors of 1, 2, .. H steps ahead on a stretch that was not fitted, (H, k) in the outputs' units.

    Args:
        model: of the model.
        linear: of a linear ARX model with the same lags, fitted one step ahead.
        persistence: of the last measured output for all steps to come.
        covered: the share of the measurements that lie in the 95 % band, by steps ahead, (H, k).
        free_run: of the model's free run of the whole stretch, (k,), None where it is unstable or a value is missing.
        spread: the standard deviation of the outputs there, (k,).
    """

    model: np.ndarray
    linear: np.ndarray
    persistence: np.ndarray
    covered: np.ndarray
    free_run: np.ndarray | None
    spread: np.ndarray

    def record(self) -> dict[str, Any]:
        """For the JSON line and the model file; of one output flat."""
        by = {"model": self.model, "linear_arx": self.linear, "persistence": self.persistence}
        found = {f"test_rmse_{name}": _flat(values[-1]) for name, values in by.items()}
        found |= {"test_rmse_by_horizon": _flat(self.model), "test_coverage": float(np.mean(self.covered))}
        return found | {"test_rmse_free_run": None if self.free_run is None else _flat(self.free_run)}


def judged(model: NARXRegressor, fitted: tuple[Any, Any], test: tuple[Any, Any], steps: int) -> Judged:
    """The model, trained on `fitted`, on `test`, (U, y) each, 1 to `steps` steps ahead."""
    records = [model.scaled(*record)[0] for record in (fitted, test)]
    D, scale = model.max_lag_, model.y_scaling_.std
    parts = find_segments(*records[1], model.committee_.lags)
    pieces = spaced_windows(parts, model.committee_.lags, steps, PLACES)
    linear = linear_model(model.committee_, find_segments(*records[0], model.committee_.lags))
    stay = np.where(pieces.measured > 0, pieces.Y[:, D - 1 : D] - pieces.Y[:, D:], 0.0)
    own = model.committee_.errors(pieces)
    ours, theirs, last = (scale * rms(e, pieces) for e in (own, linear.errors(pieces), stay))
    runs = model.committee_.free_run(pieces.U, pieces.Y[:, :D])
    std = np.sqrt(sensitivity(model.committee_, pieces.U, runs).variance(model.noise_))
    inside = (np.abs(own) <= NOMINAL * std) * pieces.measured
    covered = inside.sum(axis=0) / np.maximum(pieces.measured.sum(axis=0), 1)
    spread = scale * np.nanstd(records[1].Y, axis=0)
    return Judged(ours, theirs, last, covered, _free_run(model, records[1]), spread)


def linear_model(like: Committee, parts: list[Segment]) -> Committee:
    """A linear ARX model with the same lags, by least squares one step ahead."""
    X, Y = lag_table(parts, like.lags)
    A = np.column_stack([X, np.ones(len(X))])
    found = np.linalg.solve(A.T @ A + RIDGE * len(A) * np.eye(A.shape[1]), A.T @ Y).T
    net = Network([Dense(like.outputs, "linear")])
    model = Feedback(net, like.lags, like.model.inputs, np.zeros((like.outputs, X.shape[1])))
    return Committee.of(model, [[{"W": found[:, :-1], "b": found[:, -1]}]], [1.0])


def _free_run(model: NARXRegressor, record: Segment) -> np.ndarray | None:
    whole, D = find_segments(*record, model.committee_.lags), model.max_lag_
    if len(whole) != 1:
        return None
    run = model.committee_.free_run(whole[0].U[None], whole[0].Y[None, :D])[0]
    if not model.committee_.model.within(run).all():
        return None
    error = model.committee_.mean(run)[D:] - whole[0].Y[D:]
    return model.y_scaling_.std * np.sqrt(np.nanmean(error**2, axis=0))


def _flat(values: np.ndarray) -> Any:
    return (values[..., 0] if values.shape[-1] == 1 else values).tolist()


def verdict(model: NARXRegressor, found: Judged, outside: float) -> tuple[dict[str, str], list[str]]:
    """What to say, a few words for each subject, and warnings, a sentence each."""
    H = len(found.model)
    own, line, stay = (
        float(np.sqrt(np.mean((e[-1] / found.spread) ** 2))) for e in (found.model, found.linear, found.persistence)
    )
    ahead = "one step ahead" if H == 1 else f"{H} steps ahead"
    best = ", which did best on what was held out" if model.training == "auto" else ""
    lines = {
        "quality": f"{ahead} its error is {own:.3g} of the outputs' spread; of a linear model with the same "
        f"lags {line:.3g}, of the last measured value {stay:.3g}",
        "free run": "it is unstable, or values are missing, on the test stretch"
        if found.free_run is None
        else f"over the whole test stretch its error is {', '.join(f'{e:.4g}' for e in found.free_run)} (rms)",
        "lags": _lags(model),
        "training": f"in {model.training_.replace('-', ' ')}{best}",
        "error bars": f"the 95 % bands hold {100 * float(np.mean(found.covered)):.0f} % of the test measurements",
        "residuals": f"{100 * outside:.0f} % of their correlations lie outside the 95 % band; by chance 5 % do",
    }
    warnings = []
    if stay <= own:
        warnings.append(
            f"{ahead} the last measured value predicts as well: the network has learnt nothing that helps there"
        )
    if line <= own:
        warnings.append(
            f"{ahead} a linear model with the same lags is as good (error {line:.3g} against {own:.3g}): use that"
        )
    if outside > 0.2:
        warnings.append(
            "the errors one step ahead are far from white: more lags, or an input that is missing, may help"
        )
    return lines, warnings


def _lags(model: NARXRegressor) -> str:
    def words(name: str, lags: tuple[int, ...]) -> str:
        in_a_row = len(lags) > 1 and lags == tuple(range(1, len(lags) + 1))
        return f"{name} {f'1 to {max(lags)}' if in_a_row else ', '.join(map(str, lags))}"

    every = {"outputs": model.output_lags_, "inputs": model.input_lags_}
    return "; ".join(words(name, lags) for name, lags in every.items() if lags) + " steps back"
