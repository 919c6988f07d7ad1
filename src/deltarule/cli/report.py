"""`deltarule report`: one self-contained HTML file about a trained model."""

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deltarule.cli.options import AsJson, ModelFile, require_other
from deltarule.cli.reading import Reading
from deltarule.cli.screen import console_for, emit_json, line, number, show_notes
from deltarule.errors import counted

if TYPE_CHECKING:
    from deltarule.cli.model import TrainedModel


def report(
    model: ModelFile,
    reading: Reading,
    source: Annotated[
        str | None, typer.Argument(metavar="[SOURCE]", help="Rows with known targets to show the predictions on.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="The file to write.", show_default="the model's name, here")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write one HTML file about MODEL: its card, how it trained, and with SOURCE its predictions, errors and inputs."""
    from deltarule.cli.model import read_model
    from deltarule.files.whole_file import write_whole
    from deltarule.inspection.report import html_report

    path = require_other("--out", out or Path(f"{model.stem}.html"), model, source)
    trained = read_model(model)
    evidence = None if source is None else _evidence(trained, source, reading)
    page = html_report(model.name, trained.schema, _card(trained, source), trained.training, evidence)
    write_whole(path, page.encode())
    if as_json:
        emit_json({"model": str(model), "source": source, "out": str(path), "bytes": path.stat().st_size})
        return
    size = counted(path.stat().st_size, "byte")
    line(console_for(as_json), f"The report on {model} is in {path}, {size}. Open it in a browser.")


def _evidence(model: "TrainedModel", source: str, reading: Reading) -> Any:
    """The model on the rows of the source; of images on those held out for the test."""
    import numpy as np

    from deltarule.cli.evaluate import _seen_before
    from deltarule.cli.model import read_rows, require_targets, show_extrapolation
    from deltarule.inspection.report import gather

    rows = read_rows(model, source, reading.data_dir, reading.drop_missing, reading.written)
    Y = require_targets(rows, model)
    test = slice(None) if rows.test_rows is None else np.isin(rows.rows, rows.test_rows)
    seen = _seen_before(model, rows)
    show_notes(seen)
    show_extrapolation(model, rows)
    name = rows.name if rows.test_rows is None else f"{rows.name}, held out for the test"
    name += ", perhaps with rows it was trained on" if seen else ""
    return gather(model.net, model.params, model.schema, rows.X[test], Y[test], name, model.error_bars)


def _card(model: "TrainedModel", source: str | None) -> dict[str, Any]:
    """The model's card: what it is, where it comes from, how to make it again."""
    training, net = model.training, model.net
    sizes = [model.schema.input_width, *(getattr(layer, "n", "") for layer in net.layers)]
    names = [getattr(layer, "activation", type(layer).__name__) for layer in net.layers]
    count = sum(int(array.size) for p in model.params for array in p.values())
    card: dict[str, Any] = {
        "Network": f"{'-'.join(str(size) for size in sizes if size != '')}, {', '.join(names)}; "
        f"{counted(count, 'parameter')}{_averaged(training)}",
        "Cost": net.cost.name,
        "Targets": ", ".join(model.schema.target_names),
        "Columns": ", ".join(column_names(model)),
    }
    examples = training.get("examples") or {}
    entries = {
        "Trained on": training.get("source"),
        "Examples": ", ".join(f"{number:,} {part}" for part, number in examples.items()) or None,
        "Trainer": training.get("trainer"),
        "Epochs": _epochs(training),
        "Stopped": training.get("message") or training.get("stop_reason"),
        "Noise": _noise(model),
        "Effective parameters": _effective_parameters(training),
        "Seed": training.get("seed"),
        "Command": _command(training),
        "Versions": ", ".join(f"{name} {version}" for name, version in (training.get("versions") or {}).items())
        or None,
        "Model's SHA-256": sha256(model.path.read_bytes()).hexdigest(),
    }
    card |= {name: value for name, value in entries.items() if value is not None}
    if source is not None and Path(source).is_file():
        card[f"{Path(source).name}'s SHA-256"] = sha256(Path(source).read_bytes()).hexdigest()
    return card


def column_names(model: "TrainedModel") -> list[str]:
    """The names of the raw columns; of images their shape."""
    shape = model.schema.image_shape
    if shape is not None:
        return [f"pixels {' x '.join(map(str, shape))}"]
    return [str(getattr(column, "name", "")) for column in model.schema.inputs]


def _epochs(training: dict[str, Any]) -> str | None:
    epochs, best = training.get("epochs"), training.get("best_epoch")
    if epochs is None:
        return None
    return f"{epochs}, the parameters are those of epoch {best}" if best else str(epochs)


def _noise(model: "TrainedModel") -> str | None:
    """The standard deviation of the noise, which Bayesian regularisation knows."""
    std = model.training.get("noise_std")
    if not isinstance(std, list) or len(std) != len(model.schema.target_names):
        return None
    named = zip(model.schema.target_names, std, strict=True)
    return ", ".join(f"{number(value, 3)} of {name}" for name, value in named)


def _averaged(training: dict[str, Any]) -> str:
    """Of a network of several starts, what each of them is."""
    network, n, starts = (training.get(name) for name in ("network_of_a_start", "parameters_of_a_start", "starts"))
    if network is None or n is None or starts is None or starts < 2:
        return ""
    return f": the average of {starts} networks {network}, of {counted(n, 'parameter')} each"


def _effective_parameters(training: dict[str, Any]) -> str | None:
    gamma, n, evidence = (
        training.get(name) for name in ("effective_parameters", "parameters_of_a_start", "log_evidence")
    )
    if gamma is None or n is None:
        return None
    return f"{gamma:.1f} of the {n:,} of one network; log evidence {number(evidence, 6)}"


def _command(training: dict[str, Any]) -> str | None:
    """`deltarule train` with the options that were given."""
    from deltarule.cli.choices import as_words
    from deltarule.cli.screen import command

    options = training.get("options")
    if not isinstance(options, dict) or "source" not in options:
        return None
    return command("train", options["source"], *as_words(options))
