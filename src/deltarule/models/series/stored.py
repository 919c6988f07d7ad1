"""A time-series model as a model file: the committee's network, its lags and scaling, and the end of its record."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from deltarule.data.columns import NumericColumn
from deltarule.data.lagged import Lags, Stretch
from deltarule.data.schema import column_from_json, entry, list_of
from deltarule.errors import DataError, ModelFileError
from deltarule.files import model_file
from deltarule.models.scaling import Scaling
from deltarule.models.series.committee import Committee
from deltarule.models.series.feedback import Feedback
from deltarule.models.series.uncertainty import Noise

if TYPE_CHECKING:
    from deltarule.models.series.narx import NARXRegressor

SOURCE = "series"
Estimator = TypeVar("Estimator", bound="NARXRegressor")


def content(fitted: "NARXRegressor") -> model_file.Content:
    """What a fitted model's file holds."""
    committee, names = fitted.committee_, fitted._names
    schema = {
        "source": SOURCE,
        "output_lags": list(fitted.output_lags_),
        "input_lags": list(fitted.input_lags_),
        "inputs": _columns(names[0], fitted.x_scaling_),
        "targets": _columns(names[1], fitted.y_scaling_),
        "flat": fitted._flat,
        "training": fitted.training_,
        "validation_error": fitted.validation_error_,
    }
    arrays = {
        "line": committee.model.line,
        "weights": committee.weights,
        "shocks": fitted.noise_.shocks,
        "measurement": fitted.noise_.measurement,
        "tail_U": fitted._tail.U,
        "tail_Y": fitted._tail.Y,
    }
    return model_file.Content(committee.model.net, committee.params, schema, fitted.record_ or None, arrays)


def is_series(schema: Any) -> bool:
    """Whether a model file's schema is that of a time series."""
    return isinstance(schema, dict) and schema.get("source") == SOURCE


def load(path: str | os.PathLike, kind: type[Estimator]) -> Estimator:
    """The model in a file that a fitted one's `save` wrote.

    Raises:
        ModelFileError: the file cannot be read, holds no time series, or contradicts itself.
    """
    content = model_file.load_model(path)
    if not is_series(content.schema):
        raise ModelFileError(f"{path} holds no time-series model: read it with deltarule.load_model.")
    return restored(Path(path), content, kind)


def restored(path: Path, content: model_file.Content, kind: type[Estimator]) -> Estimator:
    """The fitted model that a file's content describes.

    Raises:
        ModelFileError: it contradicts itself.
    """
    schema, arrays, net = content.schema or {}, content.error_bars or {}, content.net
    try:
        lags = Lags(tuple(list_of(schema, "output_lags", int)), tuple(list_of(schema, "input_lags", int)))
        inputs, targets = (
            [column_from_json(item) for item in list_of(schema, name, dict)] for name in ("inputs", "targets")
        )
        m, k, M = len(inputs), len(targets), len(arrays["weights"])
        width, D = M * k * len(lags.outputs) + m * len(lags.inputs), lags.longest
        shapes = {
            "line": (M * k, width),
            "weights": (M,),
            "shocks": (k,),
            "measurement": (k,),
            "tail_U": (len(arrays["tail_U"]), m),
            "tail_Y": (D, k),
        }
        wrong = [name for name, shape in shapes.items() if arrays[name].shape != shape]
        fits = net.input_shape(content.params) == (width,) and net.outputs == M * k and len(arrays["tail_U"]) >= D
        if wrong or not fits:
            raise DataError(f"its lags, its network and its arrays {wrong} do not fit each other")
        model = Feedback(net, lags, m, arrays["line"])
        fitted = kind(input_lags=list(lags.inputs), output_lags=list(lags.outputs))
        fitted.committee_ = Committee(model, content.params, arrays["weights"])
        fitted.noise_ = Noise(arrays["shocks"], arrays["measurement"])
        fitted._tail = Stretch(arrays["tail_U"], arrays["tail_Y"])
        fitted.x_scaling_, fitted.y_scaling_ = _scaling(inputs), _scaling(targets)
        fitted._names = tuple(column.name for column in inputs), tuple(column.name for column in targets)
        fitted._flat, fitted.training_ = entry(schema, "flat", bool), entry(schema, "training", str)
        fitted.validation_error_ = entry(schema, "validation_error", float)
    except (DataError, KeyError, AttributeError, TypeError) as error:
        raise ModelFileError(f"{path} describes no time-series model ({error}): train or copy it again.") from None
    fitted.n_features_in_, fitted.n_outputs_ = m, k
    fitted.output_lags_, fitted.input_lags_, fitted.max_lag_ = lags.outputs, lags.inputs, D
    fitted.record_ = content.training if isinstance(content.training, dict) else {}
    return fitted


def _columns(names: tuple[str, ...], scaling: Scaling) -> list[dict[str, Any]]:
    numbers = zip(names, *(entry.tolist() for entry in scaling), strict=True)
    return [NumericColumn(*column).to_json() for column in numbers]


def _scaling(columns: Any) -> Scaling:
    return Scaling(*(np.array([getattr(c, name) for c in columns], float) for name in ("mean", "std", "low", "high")))
