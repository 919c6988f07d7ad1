"""A model file and a source of rows for it, as `predict`, `evaluate`, `trace` and `check` read them."""

from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from deltarule.cli.screen import show_notes

if TYPE_CHECKING:
    from deltarule.data import RawRows, Schema, TableOptions
    from deltarule.network.backprop import Params
    from deltarule.network.network import Network
    from deltarule.trainers.bayesian import BayesianEnsemble


# How a table is written, by --sep, --decimal and --na.
Written = tuple[str | None, str | None, list[str] | None]


class TrainedModel(NamedTuple):
    """A model file with its schema, the record of its training, {} where it has none, and its error bars or None."""

    path: Path
    net: "Network"
    params: "Params"
    schema: "Schema"
    training: dict[str, Any]
    error_bars: "BayesianEnsemble | None" = None


def read_model(path: Path) -> TrainedModel:
    """Read a model file that the command line can use.

    Raises:
        ModelFileError: the file cannot be used, has no schema, or its schema does not fit its network.
    """
    from deltarule.data import Schema
    from deltarule.errors import DataError, ModelFileError
    from deltarule.files.model_file import load_model

    net, params, description, training, tensors = load_model(path)
    if description is None:
        raise ModelFileError(
            f"{path} has no schema, so its rows cannot be encoded: train it with deltarule train, or give "
            "deltarule.save a schema"
        )
    try:
        schema = Schema.from_json(description)
    except DataError as error:
        raise ModelFileError(f"{path} has a schema that cannot be used ({error}): train or copy it again") from None
    taken = net.input_shape(params)
    if (taken, net.outputs) != ((schema.input_width,), schema.output_width):
        found = "images of any size" if taken is None else f"{prod(taken)} inputs"
        raise ModelFileError(
            f"{path} contradicts itself: its network has {found} and {net.outputs} outputs, its schema "
            f"{schema.input_width} and {schema.output_width}: train or copy it again"
        )
    bars = None if tensors is None else _error_bars(path, net, tensors)
    return TrainedModel(path, net, params, schema, training if isinstance(training, dict) else {}, bars)


def _error_bars(path: Path, net: "Network", tensors: dict[str, Any]) -> "BayesianEnsemble":
    from deltarule.errors import ModelFileError
    from deltarule.trainers.bayesian.stored import from_tensors

    try:
        return from_tensors(net, tensors)
    except ModelFileError as error:
        raise ModelFileError(f"{path} contradicts itself: {error}") from None


def show_extrapolation(model: TrainedModel, rows: "RawRows") -> int | None:
    """How many rows lie outside the range of the training rows, None if it is not known; a note says so of any."""
    from deltarule.cli.screen import number
    from deltarule.data.extrapolation import MARGIN, extrapolation, has_ranges

    if not has_ranges(model.schema):
        return None
    found = extrapolation(model.schema, rows.X)
    if found is None:
        return 0
    count = f"{len(found.rows):,} of {len(rows.X):,} rows"
    verb = "lies" if len(found.rows) == 1 else "lie"
    show_notes(
        [
            f"{count} {verb} outside the range of the training rows by more than {100 * MARGIN:.0f} % of it, where the "
            f"predictions are guesses; the farthest is row {int(rows.rows[found.place])}, with "
            f"{number(found.value)} in {found.column!r}, which was trained on from {number(found.low)} to "
            f"{number(found.high)}"
        ]
    )
    return len(found.rows)


def read_rows(
    model: TrainedModel,
    source: str,
    data_dir: Path | None,
    drop_missing: bool,
    written: Written = (None, None, None),
    targets: bool = True,
) -> "RawRows":
    """Read the source's rows, encoded as the model's training rows were, and show the notes.

    What stood for a missing value in the training table does so here too, unless --na says otherwise.
    """
    from deltarule import data
    from deltarule.cli.options import data_folders
    from deltarule.cli.progress import DownloadProgress

    seed = model.training.get("split_seed", 0)
    with DownloadProgress() as progress:
        rows = data.load_raw(
            source,
            model.schema,
            data_dir=data_folders(data_dir),
            seed=seed if isinstance(seed, int) else 0,
            drop_missing=drop_missing,
            options=table_options(model, written),
            targets=targets,
            progress=progress,
        )
    show_notes(rows.notes)
    return rows


def table_options(model: TrainedModel, written: Written) -> "TableOptions":
    """How the rows for a model are written, by the options of a command and what the model was trained with."""
    from deltarule.data import TableOptions

    sep, decimal, na = written
    options = model.training.get("options")
    trained = options.get("na") if isinstance(options, dict) else None
    marks = na or (trained if isinstance(trained, list) else ())
    return TableOptions(sep=sep, decimal=decimal, na=tuple(map(str, marks)))


def require_targets(rows: "RawRows", model: TrainedModel) -> Any:
    """Y of the rows, (N, k).

    Raises:
        DataError: the source holds no targets.
    """
    from deltarule.errors import DataError

    if rows.Y is None:
        names = ", ".join(repr(name) for name in model.schema.target_names)
        raise DataError(f"{rows.name} has no values in the target column {names}: give a table that has them")
    return rows.Y
