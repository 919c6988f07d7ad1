"""`deltarule report`: one self-contained HTML file about a trained model."""

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deltarule.cli.options import AsJson, DataDir, Decimal, DropMissing, ModelFile, Na, Sep, require_writable
from deltarule.cli.screen import command, console_for, emit_json, line, show_notes
from deltarule.errors import counted

if TYPE_CHECKING:
    from deltarule.cli.model import Reading
    from deltarule.models.model import Model


def report(
    model: ModelFile,
    source: Annotated[
        str | None, typer.Argument(metavar="[SOURCE]", help="Rows with known targets to show the predictions on.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="The file to write.", show_default="the model's name, here")
    ] = None,
    data_dir: DataDir = None,
    drop_missing: DropMissing = False,
    sep: Sep = None,
    decimal: Decimal = None,
    na: Na = None,
    as_json: AsJson = False,
) -> None:
    """Write one HTML file about MODEL: its card, how it trained, and with SOURCE its predictions, errors and inputs."""
    from deltarule.cli.model import Reading, read_model
    from deltarule.errors import ConfigurationError
    from deltarule.files.whole_file import write_whole
    from deltarule.models.card import report_of

    path = out or Path(f"{model.stem}.html")
    if path.resolve() in (model.resolve(), Path(source or model).resolve()):
        raise ConfigurationError(f"--out is {str(path)!r}, which is read for the report: give another name")
    require_writable("--out", path)
    trained = read_model(model)
    evidence = None
    if source is not None:
        evidence = _evidence(trained, Reading(source, data_dir, drop_missing, sep, decimal, na))
    write_whole(path, report_of(trained, evidence, _made_of(trained, source)).encode())
    if as_json:
        emit_json({"model": str(model), "source": source, "out": str(path), "bytes": path.stat().st_size})
        return
    size = counted(path.stat().st_size, "byte")
    line(console_for(as_json), f"The report on {model} is in {path}, {size}. Open it in a browser.")


def _evidence(model: "Model", reading: "Reading") -> Any:
    """The model on the rows of the source; of images on those held out for the test."""
    from deltarule.cli.model import known_rows, read_rows, seen_before, show_extrapolation
    from deltarule.models.card import evidence_of

    rows = read_rows(model, reading)
    X, Y = known_rows(model, rows)
    seen = seen_before(model, rows)
    show_notes(seen)
    show_extrapolation(model, rows)
    name = rows.name if rows.test_rows is None else f"{rows.name}, held out for the test"
    return evidence_of(model, X, Y, name + (", perhaps with rows it was trained on" if seen else ""))


def _made_of(model: "Model", source: str | None) -> dict[str, str]:
    """`deltarule train` with the options that were given, and the digest of the source."""
    from deltarule.cli.choices import as_words

    options, found = model.training.get("options"), {}
    if isinstance(options, dict) and "source" in options:
        found["command"] = command("train", options["source"], *as_words(options))
    if source is not None and Path(source).is_file():
        found[f"{Path(source).name}'s SHA-256"] = sha256(Path(source).read_bytes()).hexdigest()
    return found
