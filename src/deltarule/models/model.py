"""`Model`: a trained network that takes rows in raw units and answers in units or classes; `load_model`."""

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
from deltarule.models.series.stored import from_content, is_series
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
        schema: the columns, the scaling and the classes; None if the file holds the network alone, whose inputs and
            outputs are then not scaled.
        training: the record of the training, {} if there is none.
        error_bars: the posteriors of the networks of a Bayesian training, or None.
        examples: the encoded rows of the training by part ("training", "validation", "test"), for the report and the
            plots; they are not saved in the file.
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
        """Predict the targets in their own units, (N,), or (N, k) if there are several; or the class labels, (N,).

        Args:
            rows: in raw units: a DataFrame with the model's columns in any order, or an array (N, columns) with the
                columns in their order; of images the pixels, (N, count) or (N, *shape).

        Raises:
            DataError: a column is missing, or a cell is missing, not a number or an unknown category.
        """
        return _flat(decode_outputs(self, self._encode(rows)))

    def predict_interval(self, rows: Any, coverage: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """The lower and the upper ends between which a new measurement lies with probability `coverage`.

        mean ± t std with Student's t (BR5), in the targets' units and the shape of `predict`; asymmetric if the
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
        low, high = prediction_interval(self, self._encode(rows), coverage)
        return _flat(low), _flat(high)

    def calibrate(self, rows: Any, targets: Any = None) -> "Model":
        """The same regression with error bars: the posterior around its unchanged weights, from measured rows.

        For a network that another program trained, or that was trained without error bars; see
        `deltarule.trainers.bayesian.at_weights`. The rows may be the training rows or others of their kind.

        Args:
            rows: as in `predict`; a DataFrame holds the targets too.
            targets: in their own units, (N,) or (N, k), if `rows` is an array.

        Raises:
            ConfigurationError: the model classifies, its outputs are not linear, its cost is not quadratic, or it is
                too large.
            DataError: as in `predict`, or there are no targets.
        """
        from deltarule.trainers.bayesian.at_weights import posterior_at

        if self.schema is None or self.schema.classes is not None:
            raise ConfigurationError(f"{self!r} is not a regression with known columns: train one by fit_table")
        return replace(self, error_bars=posterior_at(self.net, self.params, *known_rows(self, rows, targets)))

    def predict_proba(self, rows: Any) -> np.ndarray:
        """The probability of each class, (N, k), in the order of `schema.classes`, which is sorted; rows sum to 1.

        Raises:
            ConfigurationError: the model is a regression.
            DataError: as in `predict`.
        """
        classes = self.net.cost.for_classes if self.schema is None else self.schema.classes is not None
        if not classes:
            raise ConfigurationError(f"{self!r} is a regression and has no classes: call predict")
        return probabilities(np.asarray(self.net(self.params, self._encode(rows))))

    def summary(self) -> str:
        """Lines that say what the network is, how it was trained and how good it is, and the verdict."""
        return "\n".join(f"{name}: {words}" for name, words in self._summary_rows())

    def report(self, path: str | os.PathLike | None = None) -> str:
        """The report, one self-contained HTML page, which is also written to `path`; a notebook shows it inline.

        Raises:
            OSError: the file cannot be written.
        """
        from deltarule.files.atomic_write import write_atomically
        from deltarule.models.card import render_report

        page = Page(render_report(self))
        if path is not None:
            write_atomically(Path(path), page.encode())
        return page

    @property
    def verdict(self) -> Verdict | None:
        """The assessment made after training: how good, how noisy, which columns matter, and reasons for doubt."""
        return Verdict.from_record(self.training)

    def save(self, path: str | os.PathLike) -> None:
        """Write the model to a file, completely or not at all; `deltarule.load_model` reads it.

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

    def _encode(self, rows: Any) -> np.ndarray:
        """Encode and scale rows as the network's inputs, (N, n_1)."""
        if self.schema is None:
            return np.asarray(rows, np.float64)
        from deltarule.data.table import encode_rows

        return encode_rows(self.schema, rows, missing_value_options(self))

    def _summary_rows(self) -> list[tuple[str, str]]:
        from deltarule.models.card import card

        return [*card(self).items(), *(() if self.verdict is None else self.verdict.rows())]

    def __repr__(self) -> str:
        from deltarule.models.card import headline

        return f"<Model: {headline(self)}>"

    def _repr_html_(self) -> str:
        return html_table(self._summary_rows())


def decode_outputs(model: Model, X: np.ndarray) -> np.ndarray:
    """Predict targets in their units, (N, k), or labels, (N,), from encoded rows (N, n_1)."""
    outputs = np.asarray(model.net(model.params, X))
    if model.schema is not None:
        return model.schema.decode(outputs)
    return outputs.argmax(axis=1) if model.net.cost.for_classes else outputs


def prediction_std(model: Model, X: np.ndarray) -> np.ndarray:
    """The standard deviation of a new measurement at encoded rows, in the targets' units, (N, k)."""
    assert model.error_bars is not None
    scales = np.ones(1) if model.schema is None else np.array([column.std for column in model.schema.targets])
    return model.error_bars.predict(X).std * scales


def prediction_interval(model: Model, X: np.ndarray, coverage: float) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the intervals for new measurements at encoded rows, in the targets' units, (N, k) each."""
    assert model.error_bars is not None
    low, high = model.error_bars.interval(X, coverage)
    return (low, high) if model.schema is None else (model.schema.decode(low), model.schema.decode(high))


def missing_value_options(model: Model) -> TableOptions:
    """The options for reading a table in which the same texts mark missing values as in the training table."""
    options = model.training.get("options")
    texts = options.get("na") if isinstance(options, dict) else None
    return TableOptions(na=tuple(map(str, texts if isinstance(texts, list | tuple) else ())))


def _flat(values: np.ndarray) -> np.ndarray:
    """Turn a single column into a vector."""
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def load_model(path: str | os.PathLike) -> "Model | NARXRegressor":
    """Load the model from a file that `deltarule train`, `Model.save`, an estimator's `save` or `deltarule.save` wrote.

    A time-series model is returned as a fitted `NARXRegressor`.

    Raises:
        ModelFileError: the file is missing, damaged, of a newer format, or contradicts itself.
    """
    content = model_file.load_model(path)
    if is_series(content.schema):
        from deltarule.models.series.narx import NARXRegressor

        return from_content(Path(path), content, NARXRegressor)
    net, params, input_shape = content.net, content.params, content.net.input_shape(content.params)
    try:
        schema = None if content.schema is None else Schema.from_json(content.schema)
        if schema is not None and (input_shape, net.outputs) != ((schema.input_width,), schema.output_width):
            inputs = "any size" if input_shape is None else " x ".join(map(str, input_shape))
            raise DataError(
                f"its network has inputs of {inputs} and {net.outputs} outputs, its schema {schema.input_width} and "
                f"{schema.output_width}"
            )
        bars = None if content.error_bars is None else from_tensors(net, content.error_bars)
    except (DataError, ModelFileError) as error:
        raise ModelFileError(f"{path} contradicts itself ({error}): train or copy it again") from None
    training = content.training if isinstance(content.training, dict) else {}
    return Model(net, params, schema, training, bars, path=Path(path))
