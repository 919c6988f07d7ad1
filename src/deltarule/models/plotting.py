"""Plots of a model by matplotlib: scikit-learn's Displays, and our own where it has none.

The estimators are scikit-learn estimators, so its Displays draw them by `from_estimator`.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.data.labels import probabilities
from deltarule.data.optional import require
from deltarule.errors import ConfigurationError, DataError
from deltarule.inspection import plots
from deltarule.inspection.plots.style import pyplot_axes, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Plots:
    """The `plot_*` methods of a model. Each returns the axes that it draws in; without `ax` it makes new ones.

    `rows` are as in `predict`; a DataFrame holds the targets too, for an array give them as `targets`, in their units
    or as labels. Without `rows` the test rows are taken, if the model was trained in this process.
    """

    def plot_predictions(
        self, rows: Any = None, targets: Any = None, *, target: str | None = None, ax: "Axes | None" = None
    ) -> "Axes":
        """Plot the targets of a regression over the predictions: `sklearn.metrics.PredictionErrorDisplay`.

        Args:
            rows: the rows, or None.
            targets: their targets, if `rows` is an array.
            target: the name of the target to plot; None is the first.
            ax: where to draw.

        Raises:
            ConfigurationError: the model is a classification, or has no such target.
            DataError: there are no rows, or no targets.
        """
        return _plot_errors(self, rows, targets, target, ax, "actual_vs_predicted")

    def plot_residuals(
        self, rows: Any = None, targets: Any = None, *, target: str | None = None, ax: "Axes | None" = None
    ) -> "Axes":
        """Plot targets minus predictions over the predictions: `sklearn.metrics.PredictionErrorDisplay`.

        Arguments and errors are those of `plot_predictions`.
        """
        return _plot_errors(self, rows, targets, target, ax, "residual_vs_predicted")

    def plot_confusion(self, rows: Any = None, targets: Any = None, *, ax: "Axes | None" = None) -> "Axes":
        """Plot how often each class was taken for which: `sklearn.metrics.ConfusionMatrixDisplay`.

        Raises:
            ConfigurationError: the model is a regression.
            DataError: there are no rows, or no targets.
        """
        p, actual, classes = _classify(self, rows, targets)
        with styled():
            ax = pyplot_axes(ax)
            _metrics().ConfusionMatrixDisplay.from_predictions(
                actual, p.argmax(axis=1), labels=range(len(classes)), display_labels=classes, ax=ax, cmap="Blues",
                colorbar=False,
            )  # fmt: skip
            ax.grid(visible=False)
        return ax

    def plot_roc(self, rows: Any = None, targets: Any = None, *, ax: "Axes | None" = None) -> "Axes":
        """Plot the ROC curve of each class against the others, with its area: `sklearn.metrics.RocCurveDisplay`.

        With two classes only that of the second. Errors are those of `plot_confusion`.
        """
        p, actual, classes = _classify(self, rows, targets)
        shown = [1] if len(classes) == 2 else range(len(classes))
        with styled():
            ax = pyplot_axes(ax)
            for j in shown:
                _metrics().RocCurveDisplay.from_predictions(
                    actual == j, p[:, j], name=str(classes[j]), ax=ax, plot_chance_level=j == shown[-1]
                )
            ax.set(xlabel="share of other rows taken for the class", ylabel="share of the class found")
        return ax

    def plot_calibration(self: Any, rows: Any = None, targets: Any = None, *, ax: "Axes | None" = None) -> "Axes":
        """Plot how reliable the probabilities or the error bars are.

        For a classification: the share of rows classified correctly over the probability of the predicted class, by
        `sklearn.calibration.CalibrationDisplay`. For a regression: the share of rows whose first target lies in its
        interval over the coverage that the interval should have.

        Raises:
            ConfigurationError: the model is a regression without error bars.
            DataError: there are no rows, or no targets.
        """
        from deltarule.inspection.report.pictures import coverage_curve

        if self.schema is not None and self.schema.classes is not None:
            p, actual, _ = _classify(self, rows, targets)
            display = require("sklearn.calibration", "a plot of calibration", "sklearn").CalibrationDisplay
            with styled():
                ax = pyplot_axes(ax)
                right = p.argmax(axis=1) == actual
                display.from_predictions(right, p.max(axis=1), ax=ax, name="predicted class")
                ax.set(xlabel="probability of the predicted class", ylabel="share that was right")
            return ax
        if self.error_bars is None:
            raise ConfigurationError(f"{self!r} has no error bars: train with trainer='bayesian', or call calibrate")
        X, Y = known_rows(self, rows, targets)
        nominal, actual = coverage_curve(self.error_bars.probability(X, Y)[:, 0])
        ax, lines = pyplot_axes(ax), {"ideal": nominal, "measured": actual}
        plots.curves(lines, x=nominal, xlabel="coverage of the interval", ylabel="share of rows inside", axes=ax)
        return ax

    def plot_dependence(
        self: Any, column: str, rows: Any = None, *, target: str | None = None, ax: "Axes | None" = None
    ) -> "Axes":
        """Plot the mean prediction over the values of one column, with the 95 % band of new measurements if known.

        Args:
            column: its name.
            rows: the rows over which the prediction is averaged, as in `predict`; None takes the test rows.
            target: the name of the target or the class; None is the first, or of two classes the second.
            ax: where to draw.

        Raises:
            ConfigurationError: there is no such column, target or class.
            DataError: there are no rows.
        """
        from deltarule.inspection.report.evidence import partial_dependence

        X = _encode(self, rows)
        if self.schema is None:
            raise ConfigurationError(f"{self!r} has no columns: train a model with deltarule.fit_table.")
        _index_of([str(getattr(each, "name", "")) for each in self.schema.inputs], column, "column")
        names = list(map(str, self.schema.output_names))
        j = _index_of(names, target) if target is not None else int(len(names) == 2 and self.schema.classes is not None)
        curve = partial_dependence(self.net, self.params, self.schema, X, column, self.error_bars)
        means, colour = curve.means[:, j], plots.COLOURS[1]
        low, high = (means, means) if curve.band is None else curve.band[:, :, j]
        with styled():
            ax = pyplot_axes(ax)
            if isinstance(curve.values[0], str):
                ax.errorbar(curve.values, means, yerr=[means - low, high - means], fmt="o", capsize=4, color=colour)
            else:
                ax.plot(curve.values, means, color=colour)
                ax.fill_between(curve.values, low, high, color=colour, alpha=0.18, linewidth=0)
            ax.set(xlabel=column, ylabel=names[j])
        return ax

    def plot_costs(self: Any, *, ax: "Axes | None" = None) -> "Axes":
        """Plot the costs over the epochs of the training.

        Raises:
            DataError: the model's record has no history.
        """
        return plots.plot_costs(self.training.get("history") or {}, ax)


def _plot_errors(model: Any, rows: Any, targets: Any, target: str | None, ax: "Axes | None", kind: str) -> "Axes":
    """scikit-learn's plot of the errors of one target."""
    if model.schema is None or model.schema.classes is not None:
        raise ConfigurationError(f"{model!r} is not a regression with known columns: call plot_confusion.")
    j = 0 if target is None else _index_of(list(model.schema.target_names), target)
    X, Y = known_rows(model, rows, targets)
    predicted, actual = model.schema.decode(model.net(model.params, X))[:, j], model.schema.decode(Y)[:, j]
    with styled():
        ax = pyplot_axes(ax)
        _metrics().PredictionErrorDisplay.from_predictions(actual, predicted, kind=kind, subsample=None, ax=ax)
        name, shown = model.schema.target_names[j], kind.startswith("actual")
        ax.set(xlabel=f"{name}, predicted", ylabel=f"{name}, actual" if shown else "actual - predicted")
    return ax


def _classify(model: Any, rows: Any, targets: Any) -> tuple[np.ndarray, np.ndarray, tuple[Any, ...]]:
    """The probabilities (N, k), the true class of each row by number, (N,), and the classes."""
    if model.schema is None or model.schema.classes is None:
        raise ConfigurationError(f"{model!r} does not classify: call plot_predictions.")
    X, Y = known_rows(model, rows, targets)
    return probabilities(np.asarray(model.net(model.params, X))), Y.argmax(axis=1), tuple(model.schema.classes)


def known_rows(model: Any, rows: Any, targets: Any) -> tuple[np.ndarray, np.ndarray]:
    """Encode and scale rows and their targets; None takes the test rows."""
    X = _encode(model, rows)
    if rows is None:
        return X, model.examples["test"].Y
    if targets is None and not hasattr(rows, "columns"):
        raise DataError("rows is an array, which holds no targets: give targets too, or a DataFrame with both.")
    return X, model.schema.encode_targets(rows if targets is None else targets)


def _encode(model: Any, rows: Any) -> np.ndarray:
    if rows is not None:
        return model._encode(rows)
    if not len(model.examples.get("test", ())):
        raise DataError("rows is None, and the model holds no test rows: give a DataFrame with its columns and target.")
    return model.examples["test"].X


def _index_of(names: list[str], name: str, what: str = "target") -> int:
    if name not in names:
        raise ConfigurationError(f"there is no {what} {name!r}: choose one of {', '.join(names)}.")
    return names.index(name)


def _metrics() -> Any:
    return require("sklearn.metrics", "this plot", "sklearn")
