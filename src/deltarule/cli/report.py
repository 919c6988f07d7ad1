"""`deltarule report`: one self-contained HTML file about a trained model."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltarule.cli.choices import Choices
from deltarule.cli.loading import read_data
from deltarule.cli.model import is_series, known_rows, read_model, read_rows, seen_before, show_extrapolation
from deltarule.cli.options import as_words, option, options_of
from deltarule.cli.reading import Rows, require_writable
from deltarule.cli.screen import command, emit_json, show_notes
from deltarule.cli.series import read_for
from deltarule.errors import DeltaruleError, counted

if TYPE_CHECKING:
    from deltarule.cli.model import TrainedModel
    from deltarule.data import RawRows


@dataclass(frozen=True, kw_only=True)
class Reporting(Rows):
    """What the page is about, and where it goes."""

    source: str | None = option(  # pyright: ignore[reportIncompatibleVariableOverride]
        "Rows with known targets to show the predictions on.", "[SOURCE]", positional=True
    )
    out: Path | None = option("The file to write.", "FILE.html", otherwise="the model's name, here")


def report(asked: Reporting) -> None:
    """Write one HTML file about MODEL: its card, how it trained, and with SOURCE its predictions, errors and inputs."""
    from deltarule.files.whole_file import write_whole
    from deltarule.models.card import render_report

    path = require_writable("--out", asked.out or Path(f"{asked.model.stem}.html"), asked.model, asked.source)
    trained: Any = read_model(asked.model, series=True)
    if is_series(trained):
        from deltarule.models.series.report import series_report

        record = None if asked.source is None else read_for(trained, asked).arrays
        made_of = _made_of(trained.record_, asked.source)
        page = series_report(asked.model.name, trained, made_of, record, asked.source or "")
    else:
        evidence = None if asked.source is None else _evidence(trained, asked)
        page = render_report(trained, evidence, _made_of(trained.training, asked.source))
    write_whole(path, page.encode())
    if asked.as_json:
        emit_json(asked.facts | {"out": str(path), "bytes": path.stat().st_size})
        return
    size = counted(path.stat().st_size, "byte")
    asked.line(f"The report on {asked.model} is in {path}, {size}. Open it in a browser. For use elsewhere:")
    asked.line(command("export", asked.model, "--to", "c"), "bold")


def _evidence(model: "TrainedModel", asked: Reporting) -> Any:
    """The model on the rows of the source; of images on those held out for the test."""
    from deltarule.models.card import gather_evidence

    rows = read_rows(model, asked)
    X, Y = known_rows(model, rows)
    parts = _parts(model, asked.source, rows)
    seen = seen_before(model, rows) if parts is None else []
    show_notes(seen)
    show_extrapolation(model, rows)
    numbers = rows.rows if rows.test_rows is None else None
    name = rows.name if rows.test_rows is None else f"{rows.name}, held out for the test"
    return gather_evidence(
        model, X, Y, name + (", perhaps with rows it was trained on" if seen else ""), parts, numbers
    )


def _parts(model: "TrainedModel", source: str | None, rows: "RawRows") -> Any:
    """The part of the training data that each row was, (N,) names; None where this is not the table that trained.

    It is that table if the split, made again, gives training rows that measure as the model's did, to the last bit.
    """
    import numpy as np

    options = model.training.get("options")
    if rows.test_rows is not None or not isinstance(options, dict) or not set(options) <= set(options_of(Choices)):
        return None
    given: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in options.items()}
    try:
        loaded = read_data(Choices(**{**given, "source": source}))
    except (DeltaruleError, TypeError, ValueError):  # another table, or options of another version
        return None
    if loaded.schema != model.schema:
        return None
    parts = np.full(len(rows.rows), "", dtype="U10")
    for name, part in loaded.parts.items():
        parts[np.isin(rows.rows, part.rows)] = name
    return parts


def _made_of(training: dict[str, Any], source: str | None) -> dict[str, str]:
    """`deltarule train` with the options that were given, and the digest of the source."""
    options, found = training.get("options"), {}
    if isinstance(options, dict) and "source" in options and set(options) <= set(options_of(Choices)):
        found["Command"] = command("train", options["source"], *as_words(Choices, options))
    if source is not None and Path(source).is_file():
        found[f"{Path(source).name}'s SHA-256"] = sha256(Path(source).read_bytes()).hexdigest()
    return found
