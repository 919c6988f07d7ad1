"""Figures of trainings and networks in one style: each function takes numbers and returns a matplotlib Figure.

    from deltarule.inspection import plots
    plots.save(plots.accuracy_curves(result.history), "accuracy.png")

Each takes a `title`, and most take `axes` to draw in; None makes a new figure. Nothing here opens a window or changes
matplotlib's global state. matplotlib comes with `pip install 'deltarule[plot]'`.
"""

from deltarule.inspection.plots.confusion import confusion_matrix
from deltarule.inspection.plots.curves import (
    accuracy_curves,
    cost_curves,
    curves,
    learning_speeds,
    name_ends,
    plot_costs,
)
from deltarule.inspection.plots.images import misclassified, weights_as_images
from deltarule.inspection.plots.regions import decision_regions
from deltarule.inspection.plots.series import correlogram, correlograms, run_with_band
from deltarule.inspection.plots.style import COLOURS, GREY, panels, save

__all__ = [
    "COLOURS",
    "GREY",
    "accuracy_curves",
    "confusion_matrix",
    "correlogram",
    "correlograms",
    "cost_curves",
    "curves",
    "decision_regions",
    "learning_speeds",
    "misclassified",
    "name_ends",
    "panels",
    "plot_costs",
    "run_with_band",
    "save",
    "weights_as_images",
]
