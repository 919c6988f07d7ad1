"""A trained network that takes rows as people have them, and answers in their units or classes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.checks import require_number
from deltarule.data.dataset import Examples
from deltarule.data.labels import probabilities
from deltarule.data.schema import Schema
from deltarule.data.table_options import TableOptions
from deltarule.errors import ConfigurationError, DataError, ModelFileError
from deltarule.files import model_file
from deltarule.models.plotting import Plots, known_rows
from deltarule.models.series.stored import is_series, restored
from deltarule.models.verdict import Verdict, html_table
from deltarule.network.backprop import Params
from deltarule.network.network import Network
from deltarule.trainers.bayesian import BayesianEnsemble
from deltarule.trainers.bayesian.stored import as_tensors, from_tensors

if TYPE_CHECKING:
    from deltarule.models.series.narx import NARXRegressor


class Page(str):
    """An HTML page, a plain text that a notebook shows in a frame."""

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{escape(self)}" width="100%" height="900" style="border: 0"></iframe>'


@dataclass(frozen=True, eq=False, repr=False)
class Model(Plots):
    """A trained network with its columns, its scaling, the record of its training and its error bars.

    Args:
        net: the network.
        params: its parameters.
        schema: the columns, the scaling and the classes; None of a file that holds the network alone, which takes and
            gives numbers as they are.
        training: the record of the training, {} where there is none.
        error_bars: the starts of a Bayesian training as posteriors, or None.
        examples: the encoded rows that it was trained with, by part ("training", "validation", "test"), for the report
            and the pictures; a file does not keep them.
        path: the file that it was read from, or None.
    """

    net: Network
    params: Params
    schema: Schema | None
    training: dict[str, Any] = field(default_factory=dict)
    error_bars: BayesianEnsemble | None = None
    examples: Mapping[str, Examples] = field(default_factory=dict)
    path: Path | None = None

    def predict(self, rows: Any) -> np.ndarray:
        """The targets in their own units, (N,), or (N, k) of several; of a classification the labels, (N,).

        Args:
            rows: of a table a DataFrame with the model's columns, by name and in any order; or an array (N, columns)
                in their order. Of images (N, count) or (N, *shape) raw pixels. All in raw units.

        Raises:
            DataError: a column is missing, or a cell is missing, no number or no known category.
        """
        return _flat(answers(self, self._encoded(rows)))

    def predict_interval(self, rows: Any, coverage: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """The lower and the upper ends between which a new measurement lies with probability `coverage`.

        mean ± t std with Student's t (BR5), in the targets' units, shaped like `predict`; not symmetrical where the
        networks were fitted to the logarithm of the target.

        Raises:
            ConfigurationError: the model has no error bars, or `coverage` is not between 0 and 1.
            DataError: as `predict`.
        """
        require_number("coverage", coverage, above=0, below=1)
        if self.error_bars is None:
            raise ConfigurationError(
                f"{self!r} has no error bars: train a regression with trainer='bayesian', which has them"
            )
        low, high = interval(self, self._encoded(rows), coverage)
        return _flat(low), _flat(high)

    def calibrate(self, rows: Any, targets: Any = None) -> "Model":
        """The same regression with error bars: the posterior around its weights as they are, from measured rows.

        For a network that came from elsewhere or was trained without error bars; see
        `deltarule.trainers.bayesian.at_weights`. The rows may be those that it was trained on, or others of their kind.

        Args:
            rows: as in `predict`; of a DataFrame also the targets are read.
            targets: in their own units, (N,) or (N, k), where `rows` holds none.

        Raises:
            ConfigurationError: the model classifies, has no linear outputs and quadratic cost, or is too large.
            DataError: as `predict`, or there are no targets.
        """
        from deltarule.trainers.bayesian.at_weights import posterior_at

        if self.schema is None or self.schema.classes is not None:
            raise ConfigurationError(f"{self!r} is no regression of known columns: only those have error bars")
        return replace(self, error_bars=posterior_at(self.net, self.params, *known_rows(self, rows, targets)))

    def predict_proba(self, rows: Any) -> np.ndarray:
        """The probability of each class, (N, k), in the order of `schema.classes`, which is sorted; rows sum to 1.

        Raises:
            ConfigurationError: the model is a regression.
            DataError: as `predict`.
        """
        classes = self.net.cost.for_classes if self.schema is None else self.schema.classes is not None
        if not classes:
            raise ConfigurationError(f"{self!r} is a regression and has no classes: call predict")
        return probabilities(np.asarray(self.net(self.params, self._encoded(rows))))

    def summary(self) -> str:
        """What the network is, how it was trained, how good it is, and the verdict, in lines."""
        return "\n".join(f"{name}: {words}" for name, words in self._rows())

    def report(self, path: str | os.PathLike | None = None) -> str:
        """The report, one self-contained HTML page, also written to `path` if it is given; a notebook shows it inline.

        Raises:
            OSError: the file cannot be written.
        """
        from deltarule.files.atomic_write import write_atomically
        from deltarule.models.card import report_of

        page = Page(report_of(self))
        if path is not None:
            write_atomically(Path(path), page.encode())
        return page

    @property
    def verdict(self) -> Verdict | None:
        """What training said of the network: how good, how noisy, which columns matter, and what to beware of."""
        return Verdict.from_record(self.training)

    def save(self, path: str | os.PathLike) -> None:
        """Write the model to a file, whole or not at all; `deltarule.load_model` reads it.

        Raises:
            ModelFileError: the file cannot be written.
        """
        model_file.save(
            path,
            self.net,
            self.params,
            schema=None if self.schema is None else self.schema.to_json(),
            training=self.training or None,
            error_bars=None if self.error_bars is None else as_tensors(self.error_bars),
        )

    def _encoded(self, rows: Any) -> np.ndarray:
        """Rows as the network reads them, (N, n_1)."""
        if self.schema is None:
            return np.asarray(rows, np.float64)
        from deltarule.data.table import encode_rows

        return encode_rows(self.schema, rows, reading(self))

    def _rows(self) -> list[tuple[str, str]]:
        from deltarule.models.card import card

        return [*card(self).items(), *(() if self.verdict is None else self.verdict.rows())]

    def __repr__(self) -> str:
        from deltarule.models.card import headline

        return f"<Model: {headline(self)}>"

    def _repr_html_(self) -> str:
        return html_table(self._rows())


def answers(model: Model, X: np.ndarray) -> np.ndarray:
    """Targets in their units, (N, k), or labels, (N,), of encoded rows (N, n_1)."""
    outputs = np.asarray(model.net(model.params, X))
    if model.schema is not None:
        return model.schema.decode(outputs)
    return outputs.argmax(axis=1) if model.net.cost.for_classes else outputs


def spread(model: Model, X: np.ndarray) -> np.ndarray:
    """The standard deviation of a new measurement at encoded rows, in the targets' units, (N, k)."""
    assert model.error_bars is not None
    scales = np.ones(1) if model.schema is None else np.array([column.std for column in model.schema.targets])
    return model.error_bars.predict(X).std * scales


def interval(model: Model, X: np.ndarray, coverage: float) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the intervals of new measurements at encoded rows, in the targets' units, (N, k) each."""
    assert model.error_bars is not None
    low, high = model.error_bars.interval(X, coverage)
    return (low, high) if model.schema is None else (model.schema.decode(low), model.schema.decode(high))


def reading(model: Model) -> TableOptions:
    """What stood for a missing value in the training table, which does so in others."""
    options = model.training.get("options")
    marks = options.get("na") if isinstance(options, dict) else None
    return TableOptions(na=tuple(map(str, marks if isinstance(marks, list | tuple) else ())))


def _flat(values: np.ndarray) -> np.ndarray:
    """Of one target a plain vector."""
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def load_model(path: str | os.PathLike) -> "Model | NARXRegressor":
    """The model in a file that `deltarule train`, `Model.save`, an estimator's `save` or `deltarule.save` wrote.

    Of a time series it is the fitted `NARXRegressor`.

    Raises:
        ModelFileError: the file is missing, damaged, of a newer format, or contradicts itself.
    """
    content = model_file.load_model(path)
    if is_series(content.schema):
        from deltarule.models.series.narx import NARXRegressor

        return restored(Path(path), content, NARXRegressor)
    net, params, taken = content.net, content.params, content.net.input_shape(content.params)
    try:
        schema = None if content.schema is None else Schema.from_json(content.schema)
        if schema is not None and (taken, net.outputs) != ((schema.input_width,), schema.output_width):
            inputs = "any size" if taken is None else " x ".join(map(str, taken))
            raise DataError(
                f"its network has inputs of {inputs} and {net.outputs} outputs, its schema {schema.input_width} and "
                f"{schema.output_width}"
            )
        bars = None if content.error_bars is None else from_tensors(net, content.error_bars)
    except (DataError, ModelFileError) as error:
        raise ModelFileError(f"{path} contradicts itself ({error}): train or copy it again") from None
    training = content.training if isinstance(content.training, dict) else {}
    return Model(net, params, schema, training, bars, path=Path(path))
