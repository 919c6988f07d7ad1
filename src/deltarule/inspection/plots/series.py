"""Figures of a time series: a run with its error band and the measurements, and the correlations of errors."""

from typing import TYPE_CHECKING

import numpy as np

from deltarule.inspection.correlations import Correlations
from deltarule.inspection.plots.style import COLOURS, GREY, INK, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE = (7.0, 3.4)
BAND = 1.96  # standard deviations


def run_with_band(
    at: np.ndarray,
    run: np.ndarray,
    std: np.ndarray | None = None,
    measured: np.ndarray | None = None,
    *,
    xlabel: str = "step",
    ylabel: str = "",
    axes: "Axes | None" = None,
) -> "Figure":
    """Plot a run (T,) at the times (T,), with `std` its 95 % band, and the measurements."""
    with drawing(axes, WIDE) as (figure, axes):
        if measured is not None:
            axes.plot(at, measured, color=INK, linewidth=1.0, label="measured")
        axes.plot(at, run, color=COLOURS[0], linewidth=1.4, label="model")
        if std is not None:
            ends = run - BAND * std, run + BAND * std
            axes.fill_between(at, *ends, color=COLOURS[0], alpha=0.18, linewidth=0, label="95 % band")
        axes.set(xlabel=xlabel, ylabel=ylabel)
        axes.margins(x=0)
        axes.legend(fontsize=8, frameon=False, ncols=3, loc="upper left", bbox_to_anchor=(0, 1.12))
    return figure


def correlogram(
    lags: np.ndarray, values: np.ndarray, bound: float, *, ylabel: str = "correlation", axes: "Axes | None" = None
) -> "Figure":
    """Plot a line for each lag, and the band that contains 95 % of correlations by chance."""
    with drawing(axes, WIDE) as (figure, axes):
        axes.axhspan(-bound, bound, color=GREY, alpha=0.25, linewidth=0)
        axes.vlines(lags, 0, values, color=COLOURS[1], linewidth=2)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set(xlabel="lag", ylabel=ylabel)
    return figure


def correlograms(correlations: Correlations, inputs: tuple[str, ...] = ()) -> "list[tuple[str, Figure]]":
    """Plot the correlations of the errors with earlier errors and with each input; return names and figures."""
    return [
        (name, correlogram(lags, values, correlations.bound, ylabel=f"correlation with {name}"))
        for name, lags, values in correlations.by_name(inputs)
    ]
