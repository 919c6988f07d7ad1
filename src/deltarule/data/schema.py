"""Encode raw rows as X and Y, and decode a network's outputs as targets in their units or as class labels.

A schema is measured once, on the training rows, and stored in the model file, so that new rows are encoded exactly as
the training rows were.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, Literal, get_args

import numpy as np

from deltarule.data.cells import as_objects, format_value
from deltarule.data.columns import CategoricalColumn, NumericColumn, Pixels, encode_columns, require_columns
from deltarule.data.labels import Label, check_classes, one_hot
from deltarule.data.optional import Frame, require
from deltarule.errors import DataError

Task = Literal["classification", "regression"]


@dataclass(frozen=True)
class Schema:
    """The columns and classes of a data set, which encode inputs and targets and decode outputs."""

    source: str  # "digits", "mnist" or "table"
    task: Task
    inputs: tuple[Any, ...]  # one `Pixels` for images; for a table its columns, in the file's order
    targets: tuple[NumericColumn, ...]  # the columns a regression fits, at least one; empty for classification
    classes: tuple[Label, ...] | None  # the sorted labels a classification tells apart, at least two
    target_names: tuple[str, ...]  # the target columns' names; for classification exactly one

    def __post_init__(self):
        pixels = sum(column.shape is not None for column in self.inputs)
        if not self.inputs or pixels != (0 if self.source == "table" else 1) or pixels not in (0, len(self.inputs)):
            found = f"the schema of source {self.source!r} has {len(self.inputs)} inputs, {pixels} of them pixels"
            raise DataError(f"{found}: a table has one or more columns, an image source one block of pixels")
        if self.task not in ("classification", "regression"):
            raise DataError(f"the schema's task is {self.task!r}: it must be classification or regression")
        if self.task == "classification":
            if self.targets or self.classes is None or len(self.target_names) != 1:
                raise DataError("the schema of a classification needs classes, one target name and no target columns")
            check_classes(self.classes)
        elif not self.targets or self.classes is not None:
            raise DataError("the schema of a regression needs target columns and no classes")
        elif self.target_names != tuple(column.name for column in self.targets):
            raise DataError(f"the schema's target names {self.target_names} are not those of its target columns")

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
        return self.inputs[0].shape

    @property
    def column_slices(self) -> list[tuple[Any, slice]]:
        """Each column with the slice of its network inputs."""
        ends = np.cumsum([column.width for column in self.inputs]).tolist()
        return [(column, slice(end - column.width, end)) for column, end in zip(self.inputs, ends, strict=True)]

    def encode_inputs(self, raw: np.ndarray | Frame, origin: str = "the data") -> np.ndarray:
        """Encode raw inputs as the network reads them, (N, n_1), float64 (float32 for MNIST).

        Args:
            raw: for a table, a DataFrame with the schema's input columns (others are ignored); for images,
                (N, count) or (N, *shape) raw pixels in 0..scale.
            origin: what the rows are called in errors, such as the file's name.

        Raises:
            DataError: a column is missing; a cell is missing, infinite, no number or an unseen category; an
                image has another shape. The message names the column, the first bad row and its value.
        """
        if self.image_shape is not None:
            return self.inputs[0].encode(np.asarray(raw), origin)
        return encode_columns(self.inputs, raw, origin)

    def encode_targets(self, raw: Any, origin: str = "the data", missing: bool = False) -> np.ndarray:
        """Encode raw targets, (N, k) float64: one-hot rows for classes, standardised columns for regression.

        Args:
            raw: a DataFrame with the target columns, or an array: (N,) labels, or (N,) or (N, k) numbers.
            origin: what the rows are called in errors.
            missing: whether empty cells of numbers become NaN instead of an error.

        Raises:
            DataError: a target is missing, not finite, no number, or no known class.
        """
        if self.classes is not None:
            where = f"{origin}: target {self.target_names[0]!r}"
            if not hasattr(raw, "columns"):
                return one_hot(np.asarray(raw).reshape(-1).tolist(), self.classes, where)
            column = require_columns(raw, self.target_names, origin)[self.target_names[0]]
            return one_hot(as_objects(column), self.classes, where, column.index)
        if not hasattr(raw, "columns"):
            values = np.asarray(raw)
            values = values[:, None] if values.ndim == 1 else values
            if values.ndim != 2 or values.shape[1] != len(self.targets):
                k = len(self.targets)
                raise DataError(f"{origin}: targets of shape {np.shape(raw)} do not fit the model: give (N, {k})")
            raw = require("pandas").DataFrame(values, columns=list(self.target_names))
        Y = np.full((len(raw), len(self.targets)), np.nan)
        for j, column in enumerate(self.targets):
            cells = require_columns(raw, (column.name,), origin)[column.name]
            present = cells.notna().to_numpy() if missing else np.ones(len(raw), bool)
            Y[present, j] = column.encode(cells[present], origin)[:, 0]
        return Y

    def decode(self, outputs: Any) -> np.ndarray:
        """Turn network outputs a^L, (N, k), into predictions.

        Returns:
            For regression (N, k) float64 in the targets' own units; for classification (N,) class labels,
            those of the largest outputs.

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
            return np.array(self.classes)[np.argmax(outputs, axis=1)]
        decoded = [column.decode(outputs[:, j].astype(np.float64)) for j, column in enumerate(self.targets)]
        return np.stack(decoded, axis=1)

    def scaled_by_mean(self, means: Sequence[float]) -> "Schema":
        """The same schema with the targets of a regression, at least 0, divided by `means` instead of standardised."""
        return replace(self, targets=tuple(map(NumericColumn.scaled_by_mean, self.targets, means)))

    def to_json(self) -> dict[str, Any]:
        """Describe the schema in JSON's types; `from_json` reads it back."""
        columns = {name: [column.to_json() for column in getattr(self, name)] for name in ("inputs", "targets")}
        classes = {"classes": None if self.classes is None else list(self.classes)}
        names = {"target_names": list(self.target_names)}
        return {"source": self.source, "task": self.task} | columns | classes | names

    @classmethod
    def from_json(cls, description: Any) -> "Schema":
        """Read what `to_json` wrote; anything else is a DataError."""
        if not isinstance(description, Mapping):
            raise DataError(f"the schema is {format_value(description)}, but must be an object with the entry 'source'")
        targets = [column_from_json(item) for item in read_list(description, "targets", Mapping)]
        if not all(column.is_number for column in targets):
            raise DataError("the schema's targets must all be of the kind numeric")
        classes = description.get("classes")
        return cls(
            source=read_entry(description, "source", str),
            task=read_entry(description, "task", str),
            inputs=tuple(column_from_json(item) for item in read_list(description, "inputs", Mapping)),
            targets=tuple(targets),
            classes=None if classes is None else tuple(read_list(description, "classes", str, float, bool)),
            target_names=tuple(read_list(description, "target_names", str)),
        )


COLUMN_KINDS: dict[str, Any] = {kind.kind: kind for kind in (NumericColumn, CategoricalColumn, Pixels)}


def column_from_json(item: Mapping[str, Any]) -> Any:
    """Read what a column's `to_json` wrote; anything else is a DataError."""
    kind = COLUMN_KINDS.get(read_entry(item, "kind", str))
    if kind is None:
        raise DataError(f"the schema has a column of the kind {item['kind']!r}: it must be {', '.join(COLUMN_KINDS)}")
    values: dict[str, Any] = {}
    for field in fields(kind):
        first, *others = get_args(field.type) or (field.type,)  # tuple[int, ...] is a list; float | None may be absent
        if field.name in item or field.default is MISSING:
            is_list, name = Ellipsis in others, field.name
            values[name] = tuple(read_list(item, name, first)) if is_list else read_entry(item, name, first)
    return kind(**values)


def read_entry(description: Mapping[str, Any], key: str, kind: Any) -> Any:
    """An entry of a JSON object that has the type `kind`, else a DataError; a number is finite, and no bool."""
    value: Any = description.get(key)
    if not _has_type(value, kind):
        rule = f"it must be a {'finite number' if kind is float else kind.__name__}"
        raise DataError(f"the schema's entry {key!r} holds {format_value(value)}, and {rule}: the file is damaged")
    return float(value) if kind is float else value


def read_list(description: Mapping[str, Any], key: str, *kinds: Any) -> list[Any]:
    """An entry of a JSON object that is a list of items of these types, else a DataError."""
    items = read_entry(description, key, list)
    for item in items:
        if not any(_has_type(item, kind) for kind in kinds):
            raise DataError(f"the schema's entry {key!r} holds {format_value(item)}, which cannot stand there")
    return items


def _has_type(value: Any, kind: Any) -> bool:
    if isinstance(value, bool) or kind is not float:
        return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max
