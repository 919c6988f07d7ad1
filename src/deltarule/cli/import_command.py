"""`deltarule import`: a network that MATLAB trained, as a model file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import deltarule as dr
from deltarule.cli.options import AsJson, require_other
from deltarule.cli.screen import command, console_for, emit_json, line
from deltarule.errors import counted

if TYPE_CHECKING:
    from deltarule.network.network import Network


def import_(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A file that genFunction wrote (.m), or a .mat file.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL.safetensors", help="The file to write.", show_default="FILE's name, in this folder"
        ),
    ] = None,
    inputs: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES", help="Names of the input columns, with commas between.", show_default="x1,x2,..."
        ),
    ] = None,
    targets: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Names of the outputs, with commas between.", show_default="y or y1,y2,..."),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Labels of softmax outputs, with commas between.", show_default="1,2,..."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read a network that MATLAB trained, its scaling included, and save it as a model: the same numbers here."""
    path = out or Path(f"{source.stem}.safetensors")
    require_other("--out", path, source)
    names = {"inputs": _names(inputs), "targets": _names(targets), "classes": _names(classes)}
    model = dr.from_matlab(source, **names)
    schema = model.schema
    assert schema is not None
    model.save(path)
    if as_json:
        emit_json(
            {
                "source": str(source),
                "out": str(path),
                "layers": [stage.split() for stage in _layers(model.net)],
                "inputs": list(schema.input_names),
                "outputs": list(schema.output_names),
            }
        )
        return
    console = console_for(as_json)
    layers = ", ".join(_layers(model.net))
    line(
        console, f"{source} is in {path}: {counted(schema.input_width, 'input')}, {layers}. It gives MATLAB's numbers."
    )
    line(console, f"Predictions of a table with the columns {', '.join(schema.input_names)}:")
    line(console, command("predict", path, "TABLE.csv"), "bold")


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]


def _layers(net: "Network") -> list[str]:
    """The neurons and the activation of each layer, "8 tanh"."""
    return [f"{layer.n} {layer.activation}" for layer in net.layers]  # pyright: ignore[reportAttributeAccessIssue]
