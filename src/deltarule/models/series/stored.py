"""Convert a fitted `NARXRegressor` to the content of a model file, and back."""

from pathlib import Path
from typing import Any

from deltarule.data.lagged import Lags, Segment
from deltarule.data.schema import column_from_json, read_entry, read_list
from deltarule.errors import DataError, ModelFileError
from deltarule.files import model_file
from deltarule.models.scaling import Scaling
from deltarule.models.series.committee import Committee
from deltarule.models.series.feedback import Feedback
from deltarule.models.series.uncertainty import Noise

SOURCE = "series"


def to_content(fitted: Any) -> model_file.Content:
    """The content of the model file of a fitted `NARXRegressor`."""
    committee, (inputs, targets) = fitted.committee_, fitted.names_
    schema = {
        "source": SOURCE,
        "output_lags": list(fitted.output_lags_),
        "input_lags": list(fitted.input_lags_),
        "inputs": [column.to_json() for column in fitted.x_scaling_.to_columns(inputs)],
        "targets": [column.to_json() for column in fitted.y_scaling_.to_columns(targets)],
        "flat": fitted._flat,
        "training": fitted.training_,
        "validation_error": fitted.validation_error_,
    }
    arrays = {
        "line": committee.model.line,
        "weights": committee.weights,
        "shocks": fitted.noise_.shocks,
        "measurement": fitted.noise_.measurement,
    }
    if fitted._tail is not None:
        arrays |= {"tail_U": fitted._tail.U, "tail_Y": fitted._tail.Y}
    return model_file.Content(committee.model.net, committee.params, schema, fitted.record_ or None, arrays)


def is_series(schema: Any) -> bool:
    """Whether the schema of a model file belongs to a time-series model."""
    return isinstance(schema, dict) and schema.get("source") == SOURCE


def from_content(path: Path, content: model_file.Content, kind: Any) -> Any:
    """The fitted model from the content of a file; `kind` is the class `NARXRegressor`.

    Raises:
        ModelFileError: it contradicts itself.
    """
    schema, arrays = content.schema or {}, content.error_bars or {}
    try:
        lags = Lags(tuple(read_list(schema, "output_lags", int)), tuple(read_list(schema, "input_lags", int)))
        inputs, targets = (
            [column_from_json(item) for item in read_list(schema, name, dict)] for name in ("inputs", "targets")
        )
        model = Feedback(content.net, lags, len(inputs), arrays["line"])
        if content.net.input_shape(content.params) != (model.width,):
            raise DataError(f"its lags give {model.width} inputs, and its network takes another number")
        fitted = kind(input_lags=list(lags.inputs), output_lags=list(lags.outputs))
        fitted.committee_ = Committee(model, content.params, arrays["weights"])
        fitted.noise_ = Noise(arrays["shocks"], arrays["measurement"])
        fitted._tail = Segment(arrays["tail_U"], arrays["tail_Y"]) if "tail_U" in arrays else None
        fitted.x_scaling_, fitted.y_scaling_ = Scaling.from_columns(inputs), Scaling.from_columns(targets)
        fitted.names_ = tuple(column.name for column in inputs), tuple(column.name for column in targets)
        fitted._flat, fitted.training_ = read_entry(schema, "flat", bool), read_entry(schema, "training", str)
        fitted.validation_error_ = read_entry(schema, "validation_error", float)
    except (DataError, KeyError, AttributeError, TypeError) as error:
        raise ModelFileError(f"{path} describes no time-series model ({error}): train or copy it again.") from None
    fitted.n_features_in_, fitted.n_outputs_ = len(inputs), len(targets)
    fitted.output_lags_, fitted.input_lags_, fitted.max_lag_ = lags.outputs, lags.inputs, lags.max_lag
    fitted.record_ = content.training if isinstance(content.training, dict) else {}
    return fitted
