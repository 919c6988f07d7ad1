"""`deltarule export`: a trained model in another language, its scaling included."""

from pathlib import Path
from typing import Annotated

import typer

from deltarule.cli.options import AsJson, ModelFile, require_other
from deltarule.cli.screen import console_for, emit_json, line
from deltarule.errors import counted

HOW = {
    "onnx": "Input X: raw rows, (N, {columns}). Run it with any ONNX runtime.",
    "c": "cc -std=c99 -O2 -c {file}, and call {name}_predict(row, out): the head of the file says how.",
    "python": "import {name}; {name}.predict(X): it needs NumPy and nothing else.",
    "octave": "In its folder, Octave or MATLAB: {name}(X); help {name} says what the columns are.",
}
SERIES = "cc -std=c99 -O2 -c {file}, and call {name}_measure, {name}_step or {name}_simulate, as their comments say."
HOW["matlab"] = HOW["octave"]
HOW["javascript"] = 'const {name} = require("./{file}"); {name}.predict(row): in Node.js or a page, without packages.'
HOW["st"] = "Import {file} into the PLC's project, declare an instance of {name}: the head of the file says how."


def export(
    model: ModelFile,
    to: Annotated[
        str, typer.Option("--to", metavar="LANGUAGE", help="c, st (a PLC), javascript, python, octave, matlab or onnx.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The file to write.", show_default="the model's name, in this folder"),
    ] = None,
    precision: Annotated[str, typer.Option(metavar="double|float", help="Of every number in the file.")] = "double",
    error_bars: Annotated[
        bool, typer.Option("--error-bars", help="With c: also the standard deviation of a new measurement.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a trained model in another language, C99 or a PLC's for example: raw rows in, units or classes out."""
    from deltarule.checks import require_choice
    from deltarule.export import LANGUAGES, PRECISIONS, export_model, require_language
    from deltarule.export.source import identifier
    from deltarule.export.program import program_of

    require_choice("--precision", precision, PRECISIONS)
    program = program_of(model)
    to = require_language("--to", to, program)
    path = out or Path(identifier(model.stem) + LANGUAGES[to].suffix)
    require_other("--out", path, model)
    export_model(model if error_bars else program, path, to, precision, error_bars)
    name = identifier(path.stem)
    if as_json:
        emit_json(
            {
                "model": str(model),
                "to": to,
                "precision": precision,
                "out": str(path),
                "name": name,
                "columns": [column.name for column in program.columns],
                "outputs": [column.name for column in program.targets] or list(program.classes or ()),
                "bytes": path.stat().st_size,
            }
        )
        return
    console = console_for(as_json)
    line(console, f"{model} is in {path}, {counted(path.stat().st_size, 'byte')}, {precision} precision.")
    how = HOW[to] if program.recursion is None else SERIES
    line(console, how.format(columns=len(program.columns), file=path, name=name), "bold")
