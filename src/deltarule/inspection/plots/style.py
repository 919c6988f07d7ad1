"""The style of every figure, and saving that gives the same bytes for the same numbers."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.optional import require
from deltarule.errors import ConfigurationError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Distinct for people who confuse red and green, and in print by their lightness.
COLOURS = ("#c4452f", "#3b76c4", "#2f8f6b", "#d99a1c", "#7b5aa6", "#8a8f98", "#c2559d")
GREY = "#8a8f98"
INK = "#2b2f36"
DOTS_PER_INCH = 150
SUFFIXES = (".png", ".svg")

STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",  # it comes with matplotlib, so every machine has it
    "font.size": 10,
    "grid.alpha": 0.25,
    "lines.linewidth": 1.8,
    "savefig.dpi": DOTS_PER_INCH,
    "svg.fonttype": "path",
    "svg.hashsalt": "deltarule",  # without it the names of an SVG's elements are random
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@contextmanager
def styled() -> Iterator[None]:
    """Apply matplotlib's defaults and this style over them, whatever the user's own settings are.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    mpl = require("matplotlib", "a picture", "plot")
    with mpl.rc_context():
        mpl.rcdefaults()
        for name, value in STYLE.items():
            mpl.rcParams[name] = value
        yield


def panels(
    rows: int = 1, columns: int = 1, size: tuple[float, float] = (7.0, 4.2), **options: Any
) -> tuple["Figure", list["Axes"]]:
    """Make a figure of rows x columns axes, `size` inches; return it and its axes, row by row.

    The functions of this package draw in such axes; `options` go to `Figure.subplots`, such as sharey=True.
    """
    with styled():
        from matplotlib.figure import Figure

        figure = Figure(figsize=size, layout="constrained")
        axes = np.ravel(figure.subplots(rows, columns, **options))
    return figure, list(axes)


@contextmanager
def drawing(axes: "Axes | None", size: tuple[float, float]) -> Iterator[tuple["Figure", "Axes"]]:
    """Yield the figure and axes to draw in, styled: those of the caller, or new ones."""
    with styled():
        if axes is None:
            figure, (axes,) = panels(size=size)
        else:
            from matplotlib.figure import Figure

            figure = axes.get_figure(root=True)
            assert isinstance(figure, Figure)
        yield figure, axes


def pyplot_axes(axes: "Axes | None", size: tuple[float, float] = (5.6, 4.2)) -> "Axes":
    """Return the caller's axes, or those of a new pyplot figure, which a notebook shows."""
    if axes is not None:
        return axes
    with styled():
        return require("matplotlib.pyplot", "a picture", "plot").subplots(figsize=size, layout="constrained")[1]


def save(figure: "Figure", path: str | Path) -> Path:
    """Write the figure as .png or .svg; the same figure gives the same bytes, with the same matplotlib.

    Raises:
        ConfigurationError: the file's name has another ending.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigurationError(
            f"a figure is saved as .png or .svg, and the file is {path.name!r}: choose one of these endings."
        )
    # Without the date in an SVG and the version in a PNG, the bytes are the same every day and on every machine.
    metadata: dict[str, Any] = {"Date": None, "Creator": None} if suffix == ".svg" else {"Software": None}
    with styled():
        # Drawing moves the axes to their layout, from which a second drawing would start: draw a copy.
        pickle.loads(pickle.dumps(figure)).savefig(path, metadata=metadata)
    return path
