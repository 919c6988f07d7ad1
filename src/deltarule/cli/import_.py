"""`deltarule import`: save a network that MATLAB trained as a model file."""

from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any

import deltarule as dr
from deltarule.cli.options import option
from deltarule.cli.screen import print_json, suggest
from deltarule.cli.shared_options import OutputOptions, require_writable
from deltarule.errors import pluralized


@dataclass(frozen=True, kw_only=True)
class ImportOptions(OutputOptions):
    """The options of `deltarule import`."""

    source: Path = option(
        "A .m file that MATLAB's genFunction wrote, or a .mat file with the network's IW, LW and b.",
        "FILE",
        default=MISSING,
        positional=True,
    )
    out: Path | None = option("The file to write.", "MODEL.safetensors", default_text="FILE's name, in this folder")
    inputs: str | None = option("Names of the input columns, with commas between.", "NAMES", default_text="x1,x2,...")
    targets: str | None = option("Names of the outputs, with commas between.", "NAMES", default_text="y or y1,y2,...")
    classes: str | None = option("Labels of softmax outputs, with commas between.", "NAMES", default_text="1,2,...")


def import_(options: ImportOptions) -> None:
    """Read a network that MATLAB trained, with its scaling, and save it as a model that gives the same numbers."""
    path = require_writable("--out", options.out or Path(f"{options.source.stem}.safetensors"), options.source)
    texts = {"inputs": options.inputs, "targets": options.targets, "classes": options.classes}
    names = {what: None if text is None else [name.strip() for name in text.split(",")] for what, text in texts.items()}
    model = dr.from_matlab(options.source, **names)
    schema: Any = model.schema
    model.save(path)
    layers = [[str(layer.n), layer.activation] for layer in model.net.layers]  # pyright: ignore[reportAttributeAccessIssue]
    if options.as_json:
        files = {"source": str(options.source), "out": str(path), "layers": layers}
        print_json(files | {"inputs": list(schema.input_names), "outputs": list(schema.output_names)})
        return
    shape = ", ".join([pluralized(schema.input_width, "input"), *(f"{n} {name} neurons" for n, name in layers)])
    options.print_line(f"{options.source} is saved as {path}: {shape}. It computes the same numbers as in MATLAB.")
    before = f"To predict a table with the columns {', '.join(schema.input_names)}:"
    suggest(options, "predict", path, "TABLE.csv", before=before)
