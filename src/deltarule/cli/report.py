"""`deltarule report`: one self-contained HTML file about a trained model."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltarule.cli.loading import read_data
from deltarule.cli.model import (
    evaluation_rows,
    is_series,
    read_model,
    read_rows,
    show_extrapolation,
    training_data_notes,
)
from deltarule.cli.options import option, options_of, to_arguments
from deltarule.cli.screen import command_line, print_json, show_notes, suggest
from deltarule.cli.series import read_series_for
from deltarule.cli.shared_options import RowsOptions, require_writable
from deltarule.cli.training_options import TrainingOptions
from deltarule.errors import DeltaruleError, pluralized

if TYPE_CHECKING:
    from deltarule.cli.model import TrainedModel
    from deltarule.data import RawRows


@dataclass(frozen=True, kw_only=True)
class ReportOptions(RowsOptions):
    """The options of `deltarule report`."""

    source: str | None = option(  # pyright: ignore[reportIncompatibleVariableOverride]
        "Rows with known targets, on which the report shows predictions and errors.", "[SOURCE]", positional=True
    )
    out: Path | None = option("The file to write.", "FILE.html", default_text="the model's name, in this folder")


def report(options: ReportOptions) -> None:
    """Write a report on MODEL, one HTML file: what it is and how it trained; with SOURCE also how well it predicts."""
    from deltarule.files.atomic_write import write_atomically
    from deltarule.models.card import render_report

    path = require_writable("--out", options.out or Path(f"{options.model.stem}.html"), options.model, options.source)
    trained: Any = read_model(options.model, series=True)
    if is_series(trained):
        from deltarule.models.series.report import series_report

        record = None if options.source is None else read_series_for(trained, options).arrays
        origin = _origin(trained.record_, options.source)
        page = series_report(options.model.name, trained, origin, record, options.source or "")
    else:
        evidence = None if options.source is None else _evidence(trained, options)
        page = render_report(trained, evidence, _origin(trained.training, options.source))
    write_atomically(path, page.encode())
    if options.as_json:
        print_json(options.json_fields | {"out": str(path), "bytes": path.stat().st_size})
        return
    size = pluralized(path.stat().st_size, "byte")
    options.print_line(f"The report is written to {path}, {size}. Open it in a browser.")
    suggest(options, "export", options.model, "--to", "c", before="To use the model in another program:")


def _evidence(model: "TrainedModel", options: ReportOptions) -> Any:
    import numpy as np

    from deltarule.models.card import gather_evidence

    rows = read_rows(model, options)
    X, Y = evaluation_rows(model, rows)
    is_images = rows.test_rows is not None
    parts = np.full(len(Y), "test") if is_images else _parts(model, options.source, rows)
    notes = training_data_notes(model, rows) if parts is None else []
    show_notes(notes)
    show_extrapolation(model, rows)
    name = rows.name + (", perhaps with rows it was trained on" if notes else "")
    return gather_evidence(model, X, Y, name, parts, None if is_images else rows.rows)


def _parts(model: "TrainedModel", source: str | None, rows: "RawRows") -> Any:
    """The part of the training data to which each row belonged, (N,) names; None if another table trained the model.

    It is the same table if splitting it again gives training rows with the same statistics as the model's schema, to
    the last bit.
    """
    import numpy as np

    recorded = _recorded_options(model.training)
    if recorded is None:
        return None
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in recorded.items()}
    try:
        loaded = read_data(TrainingOptions(**{**values, "source": source}))
    except (DeltaruleError, TypeError, ValueError):  # another table, or options of another version
        return None
    if loaded.schema != model.schema:
        return None
    parts = np.full(len(rows.rows), "", dtype="U10")
    for name, part in loaded.parts.items():
        parts[np.isin(rows.rows, part.rows)] = name
    return parts


def _recorded_options(training: dict[str, Any]) -> dict[str, Any] | None:
    """The options that the model file recorded, None if it has none that this version understands."""
    recorded = training.get("options")
    known = isinstance(recorded, dict) and set(recorded) <= set(options_of(TrainingOptions))
    return recorded if known else None


def _origin(training: dict[str, Any], source: str | None) -> dict[str, str]:
    """Lines of the card: the command that trained the model, and the digest of the source."""
    lines, recorded = {}, _recorded_options(training) or {}
    if "source" in recorded:
        lines["Command"] = command_line("train", recorded["source"], *to_arguments(TrainingOptions, recorded))
    if source is not None and Path(source).is_file():
        lines[f"{Path(source).name}'s SHA-256"] = sha256(Path(source).read_bytes()).hexdigest()
    return lines
