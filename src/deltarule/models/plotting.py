"""The pictures of a model by matplotlib: scikit-learn's Displays where it has them, ours where it has none.

The estimators are scikit-learn's own kind, so its Displays draw them by `from_estimator`.
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
    """The `plot_*` methods of a model; each returns the axes that it has drawn in, which are new where `ax` is None.

    `rows` are as in `predict`, and of a DataFrame the targets are read too; else they are `targets`, in their units or
    labels. None takes the rows held out for the test, where the model was trained in this process.
    """

    def plot_predictions(
        self, rows: Any = None, targets: Any = None, *, target: str | None = None, ax: "Axes | None" = None
    ) -> "Axes":
        """Predictions against targets, of a regression: `sklearn.metrics.PredictionErrorDisplay`.

        Args:
            rows: the rows, or None.
            targets: theirs.
            target: which one, by name; None is the first.
            ax: where to draw.

        Raises:
            ConfigurationError: the model is a classification, or has no such target.
            DataError: there are no rows, or no targets.
        """
        return _errors(self, rows, targets, target, ax, "actual_vs_predicted")

    def plot_residuals(
        self, rows: Any = None, targets: Any = None, *, target: str | None = None, ax: "Axes | None" = None
    ) -> "Axes":
        """Targets minus predictions over predictions: `sklearn.metrics.PredictionErrorDisplay`.

        Arguments and errors as `plot_predictions`.
        """
        return _errors(self, rows, targets, target, ax, "residual_vs_predicted")

    def plot_confusion(self, rows: Any = None, targets: Any = None, *, ax: "Axes | None" = None) -> "Axes":
        """How often each class was taken for which: `sklearn.metrics.ConfusionMatrixDisplay`.

        Raises:
            ConfigurationError: the model is a regression.
            DataError: there are no rows, or no targets.
        """
        p, actual, classes = _classified(self, rows, targets)
        with styled():
            ax = pyplot_axes(ax)
            _metrics().ConfusionMatrixDisplay.from_predictions(
                actual, p.argmax(axis=1), labels=range(len(classes)), display_labels=classes, ax=ax, cmap="Blues",
                colorbar=False,
            )  # fmt: skip
            ax.grid(visible=False)
        return ax

    def plot_roc(self, rows: Any = None, targets: Any = None, *, ax: "Axes | None" = None) -> "Axes":
        """The ROC curve of each class against the others, with its area: `sklearn.metrics.RocCurveDisplay`.

        Of two classes that of the second. Errors as `plot_confusion`.
        """
        p, actual, classes = _classified(self, rows, targets)
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
        """Whether the model is as sure as it is right.

        Of a classification the share of right rows over the probability of the predicted class, by
        `sklearn.calibration.CalibrationDisplay`; of a regression the share of its first target's rows that lie in
        their interval over the coverage that it should have.

        Raises:
            ConfigurationError: a regression without error bars.
            DataError: there are no rows, or no targets.
        """
        from deltarule.inspection.report.pictures import coverage_curve

        if self.schema is not None and self.schema.classes is not None:
            p, actual, _ = _classified(self, rows, targets)
            display = require("sklearn.calibration", "a picture of calibration", "sklearn").CalibrationDisplay
            with styled():
                ax = pyplot_axes(ax)
                right = p.argmax(axis=1) == actual
                display.from_predictions(right, p.max(axis=1), ax=ax, name="predicted class")
                ax.set(xlabel="probability of the predicted class", ylabel="share that was right")
            return ax
        if self.error_bars is None:
            raise ConfigurationError(f"{self!r} has no error bars: train with trainer='bayesian', or call calibrate")
        X, Y = known_rows(self, rows, targets)
        nominal, found = coverage_curve(self.error_bars.probability(X, Y)[:, 0])
        ax, lines = pyplot_axes(ax), {"as it should be": nominal, "found": found}
        plots.curves(lines, x=nominal, xlabel="coverage of the interval", ylabel="share of rows inside", axes=ax)
        return ax

    def plot_dependence(
        self: Any, column: str, rows: Any = None, *, target: str | None = None, ax: "Axes | None" = None
    ) -> "Axes":
        """The mean prediction over the values of one column, with error bars the 95 % band of new measurements.

        Args:
            column: its name.
            rows: whose other columns are kept as they are, as in `predict`; None takes those held out for the test.
            target: which one, or which class, by name; None is the first, of two classes the second.
            ax: where to draw.

        Raises:
            ConfigurationError: there is no such column, target or class.
            DataError: there are no rows.
        """
        from deltarule.inspection.report.evidence import partial_dependence

        X = _encoded(self, rows)
        if self.schema is None:
            raise ConfigurationError(f"{self!r} has no columns.")
        _place([str(getattr(one, "name", "")) for one in self.schema.inputs], column, "column")
        names = list(map(str, self.schema.output_names))
        j = _place(names, target) if target is not None else int(len(names) == 2 and self.schema.classes is not None)
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
        """The costs over the epochs of the training.

        Raises:
            DataError: the model's record has no history.
        """
        return plots.plot_costs(self.training.get("history") or {}, ax)


def _errors(model: Any, rows: Any, targets: Any, target: str | None, ax: "Axes | None", kind: str) -> "Axes":
    """scikit-learn's picture of the errors of one target."""
    if model.schema is None or model.schema.classes is not None:
        raise ConfigurationError(f"{model!r} is no regression of known columns: call plot_confusion.")
    j = 0 if target is None else _place(list(model.schema.target_names), target)
    X, Y = known_rows(model, rows, targets)
    predicted, actual = model.schema.decode(model.net(model.params, X))[:, j], model.schema.decode(Y)[:, j]
    with styled():
        ax = pyplot_axes(ax)
        _metrics().PredictionErrorDisplay.from_predictions(actual, predicted, kind=kind, subsample=None, ax=ax)
        name, shown = model.schema.target_names[j], kind.startswith("actual")
        ax.set(xlabel=f"{name}, predicted", ylabel=f"{name}, actual" if shown else "actual - predicted")
    return ax


def _classified(model: Any, rows: Any, targets: Any) -> tuple[np.ndarray, np.ndarray, tuple[Any, ...]]:
    """Probabilities (N, k), the number of the class of each row, (N,), and the classes."""
    if model.schema is None or model.schema.classes is None:
        raise ConfigurationError(f"{model!r} does not classify: call plot_predictions.")
    X, Y = known_rows(model, rows, targets)
    return probabilities(np.asarray(model.net(model.params, X))), Y.argmax(axis=1), tuple(model.schema.classes)


def known_rows(model: Any, rows: Any, targets: Any) -> tuple[np.ndarray, np.ndarray]:
    """Rows and their targets as the network reads them; of None those held out for the test."""
    X = _encoded(model, rows)
    if rows is None:
        return X, model.examples["test"].Y
    if targets is None and not hasattr(rows, "columns"):
        raise DataError("rows is an array and holds no targets: give them as targets, or a DataFrame with both.")
    return X, model.schema.encode_targets(rows if targets is None else targets)


def _encoded(model: Any, rows: Any) -> np.ndarray:
    if rows is not None:
        return model._encoded(rows)
    if not len(model.examples.get("test", ())):
        raise DataError("the model has no rows at hand: give some, a DataFrame with its columns and its target.")
    return model.examples["test"].X


def _place(names: list[str], name: str, what: str = "target") -> int:
    if name not in names:
        raise ConfigurationError(f"there is no {what} {name!r}: choose one of {', '.join(names)}.")
    return names.index(name)


def _metrics() -> Any:
    return require("sklearn.metrics", "this picture", "sklearn")
