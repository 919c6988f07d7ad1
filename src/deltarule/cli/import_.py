"""`deltarule import`: a network that MATLAB trained, as a model file."""

from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any

import deltarule as dr
from deltarule.cli.options import option
from deltarule.cli.reading import Screen, require_writable
from deltarule.cli.screen import command, emit_json
from deltarule.errors import pluralized


@dataclass(frozen=True, kw_only=True)
class Importing(Screen):
    """What is read, what its columns are called, and where it goes."""

    source: Path = option(
        "A file that genFunction wrote (.m), or a .mat file.", "FILE", default=MISSING, positional=True
    )
    out: Path | None = option("The file to write.", "MODEL.safetensors", otherwise="FILE's name, in this folder")
    inputs: str | None = option("Names of the input columns, with commas between.", "NAMES", otherwise="x1,x2,...")
    targets: str | None = option("Names of the outputs, with commas between.", "NAMES", otherwise="y or y1,y2,...")
    classes: str | None = option("Labels of softmax outputs, with commas between.", "NAMES", otherwise="1,2,...")


def import_(asked: Importing) -> None:
    """Read a network that MATLAB trained, its scaling included, and save it as a model: the same numbers here."""
    path = require_writable("--out", asked.out or Path(f"{asked.source.stem}.safetensors"), asked.source)
    given = {"inputs": asked.inputs, "targets": asked.targets, "classes": asked.classes}
    names = {what: None if text is None else [name.strip() for name in text.split(",")] for what, text in given.items()}
    model = dr.from_matlab(asked.source, **names)
    schema: Any = model.schema
    model.save(path)
    layers = [[str(layer.n), layer.activation] for layer in model.net.layers]  # pyright: ignore[reportAttributeAccessIssue]
    if asked.as_json:
        files = {"source": str(asked.source), "out": str(path), "layers": layers}
        emit_json(files | {"inputs": list(schema.input_names), "outputs": list(schema.output_names)})
        return
    words = ", ".join([pluralized(schema.input_width, "input"), *map(" ".join, layers)])
    asked.line(f"{asked.source} is in {path}: {words}. It gives MATLAB's numbers.")
    asked.line(f"Predictions of a table with the columns {', '.join(schema.input_names)}:")
    asked.line(command("predict", path, "TABLE.csv"), "bold")
