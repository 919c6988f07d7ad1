"""What turns raw rows into X and Y, and a network's outputs back into units or class labels.

A schema is measured once, on the training rows, and travels in the model file: whoever loads the model
encodes new rows exactly as the training rows were.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from deltarule.data.cells import as_objects, shown
from deltarule.data.columns import CategoricalColumn, NumericColumn
from deltarule.data.labels import Label, check_classes, most_active, one_hot
from deltarule.data.named_columns import encode_columns, find_columns
from deltarule.data.optional import Frame, require
from deltarule.data.pixels import Pixels
from deltarule.data.schema_json import column_from_json, entry, list_of
from deltarule.errors import DataError

Task = Literal["classification", "regression"]


@dataclass(frozen=True)
class Schema:
    """The inputs and targets of a data set, with all that encoding and decoding them takes.

    Args:
        source: "digits", "mnist" or "table".
        task: "classification" or "regression".
        inputs: one `Pixels` for images; for a table its numeric and categorical columns, in the file's order.
        targets: the columns a regression fits, at least one; empty for classification.
        classes: the sorted labels a classification tells apart, at least two; None for regression.
        target_names: the target columns' names; for classification exactly one.

    Raises:
        DataError: the parts contradict each other.
    """

    source: str
    task: str
    inputs: tuple[NumericColumn | CategoricalColumn | Pixels, ...]
    targets: tuple[NumericColumn, ...]
    classes: tuple[Label, ...] | None
    target_names: tuple[str, ...]

    def __post_init__(self):
        """Check that source, task, inputs, targets and classes agree."""
        if self.source not in ("digits", "mnist", "table"):
            raise DataError(f"the schema's source is {self.source!r}: it must be digits, mnist or table")
        pixels = sum(isinstance(column, Pixels) for column in self.inputs)
        if not self.inputs or pixels != (0 if self.source == "table" else len(self.inputs)) or pixels > 1:
            raise DataError(
                f"the schema of source {self.source!r} has {len(self.inputs)} inputs, {pixels} of them "
                "pixels: a table has one or more columns, an image source exactly one block of pixels"
            )
        if self.task == "classification":
            if self.targets or self.classes is None or len(self.target_names) != 1:
                raise DataError("the schema of a classification needs classes, one target name and no target columns")
            check_classes(self.classes)
        elif self.task == "regression":
            if not self.targets or self.classes is not None:
                raise DataError("the schema of a regression needs target columns and no classes")
            if self.target_names != tuple(column.name for column in self.targets):
                raise DataError(f"the schema's target names {self.target_names} are not those of its target columns")
        else:
            raise DataError(f"the schema's task is {self.task!r}: it must be classification or regression")

    @property
    def input_width(self) -> int:
        """n_1, the number of network inputs."""
        return sum(column.width for column in self.inputs)

    @property
    def output_width(self) -> int:
        """k, the number of network outputs: one per class, or one per regression target."""
        return len(self.targets) if self.classes is None else len(self.classes)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The name of each network input, (n_1,)."""
        return tuple(name for column in self.inputs for name in column.input_names)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The name of each network output, (k,): a class label or a target column."""
        return self.target_names if self.classes is None else tuple(str(label) for label in self.classes)

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """The shape of one input image, (h, w) or (h, w, c); None for a table."""
        return self.inputs[0].shape if isinstance(self.inputs[0], Pixels) else None

    def encode_inputs(self, raw: np.ndarray | Frame, origin: str = "the data") -> np.ndarray:
        """Encode raw inputs as the network reads them.

        Args:
            raw: for a table, a DataFrame with the schema's input columns (others are ignored); for images,
                (N, count) or (N, *shape) raw pixels in 0..scale.
            origin: what the rows are called in errors, such as the file's name.

        Returns:
            X, (N, n_1), float64 (float32 for MNIST).

        Raises:
            DataError: a column is missing; a cell is missing, infinite, no number or an unseen category; an
                image has another shape. The sentence names the column, the first bad row and its value.
        """
        if isinstance(self.inputs[0], Pixels):
            return self.inputs[0].encode(np.asarray(raw), origin)
        columns = [column for column in self.inputs if not isinstance(column, Pixels)]
        return encode_columns(columns, raw, origin)

    def encode_targets(self, raw: Any, origin: str = "the data", missing: bool = False) -> np.ndarray:
        """Encode raw targets: one-hot rows for classes, standardised columns for regression.

        Args:
            raw: a DataFrame with the target columns, or an array: (N,) labels, or (N,) or (N, k) numbers.
            origin: what the rows are called in errors.
            missing: whether empty cells of numbers become NaN, rather than an error.

        Returns:
            Y, (N, k) float64.

        Raises:
            DataError: a target is missing, not finite, no number, or no known class.
        """
        pandas_like = hasattr(raw, "columns")
        if self.classes is not None:
            name = self.target_names[0]
            where = f"{origin}: target {name!r}"
            if not pandas_like:
                return one_hot(np.asarray(raw).reshape(-1).tolist(), self.classes, where)
            column = find_columns(raw, self.target_names, origin)[name]
            return one_hot(as_objects(column), self.classes, where, column.index)
        if not pandas_like:
            values = np.asarray(raw)
            values = values[:, None] if values.ndim == 1 else values
            if values.ndim != 2 or values.shape[1] != len(self.targets):
                raise DataError(
                    f"{origin}: targets of shape {np.shape(raw)} do not fit the model, which has "
                    f"{len(self.targets)} targets: give an array (N, {len(self.targets)})"
                )
            raw = require("pandas", "a table").DataFrame(values, columns=list(self.target_names))
        if not missing:
            return encode_columns(self.targets, raw, origin)
        Y = np.full((len(raw), len(self.targets)), np.nan)
        for j, column in enumerate(self.targets):
            known = raw[column.name].notna().to_numpy()
            Y[known, j] = encode_columns((column,), raw[known], origin)[:, 0]
        return Y

    def decode(self, outputs: Any) -> np.ndarray:
        """Turn network outputs into predictions.

        Args:
            outputs: a^L, (N, k), finite.

        Returns:
            For regression (N, k) float64 in the targets' own units; for classification (N,) class labels,
            each that of the most active output.

        Raises:
            DataError: the outputs have another shape or are not finite.
        """
        outputs = np.asarray(outputs)
        if outputs.ndim != 2 or outputs.shape[1] != self.output_width:
            raise DataError(f"the outputs have the shape {outputs.shape}, but must be (N, {self.output_width})")
        if not np.isfinite(outputs).all():
            row = int(np.argmin(np.isfinite(outputs).all(axis=1)))
            raise DataError(f"the outputs of row {row} are {outputs[row]}, not finite: the network has diverged")
        if self.classes is not None:
            return most_active(outputs, self.classes)
        decoded = [column.decode(outputs[:, j].astype(np.float64)) for j, column in enumerate(self.targets)]
        return np.stack(decoded, axis=1)

    def by_mean(self, means: Sequence[float]) -> "Schema":
        """The same schema, the targets of a regression divided by these means instead of standardised.

        Raises:
            DataError: a target has values below 0.
        """
        columns = zip(self.targets, means, strict=False)
        return replace(self, targets=tuple(column.by_mean(mean) for column, mean in columns))

    def to_json(self) -> dict[str, Any]:
        """Describe the schema in JSON's types; `from_json` reads it back equal."""
        return {
            "source": self.source,
            "task": self.task,
            "inputs": [column.to_json() for column in self.inputs],
            "targets": [column.to_json() for column in self.targets],
            "classes": None if self.classes is None else list(self.classes),
            "target_names": list(self.target_names),
        }

    @classmethod
    def from_json(cls, description: Any) -> "Schema":
        """Read what `to_json` wrote.

        Raises:
            DataError: an entry is missing, of a wrong type, or outside its domain.
        """
        if not isinstance(description, Mapping):
            raise DataError(f"the schema is {shown(description)}, but must be an object with the entry 'source'")
        targets = [column_from_json(item) for item in list_of(description, "targets", Mapping)]
        if not all(isinstance(column, NumericColumn) for column in targets):
            raise DataError("the schema's targets must all be of the kind numeric")
        classes = description.get("classes")
        return cls(
            source=entry(description, "source", str),
            task=entry(description, "task", str),
            inputs=tuple(column_from_json(item) for item in list_of(description, "inputs", Mapping)),
            targets=tuple(column for column in targets if isinstance(column, NumericColumn)),
            classes=None if classes is None else tuple(list_of(description, "classes", (str, int, float))),
            target_names=tuple(list_of(description, "target_names", str)),
        )
