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
HOW["matlab"] = HOW["octave"]


def export(
    model: ModelFile,
    to: Annotated[str, typer.Option("--to", metavar="LANGUAGE", help="onnx, c, python, octave or matlab.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The file to write.", show_default="the model's name, in this folder"),
    ] = None,
    precision: Annotated[str, typer.Option(metavar="double|float", help="Of every number in the file.")] = "double",
    as_json: AsJson = False,
) -> None:
    """Write a trained model as ONNX, C99, Python, Octave or MATLAB: raw rows in, units or classes out."""
    from deltarule.checks import require_choice
    from deltarule.export import LANGUAGES, PRECISIONS, export_model
    from deltarule.export.literals import identifier
    from deltarule.export.program import program_of

    require_choice("--to", to, tuple(LANGUAGES))
    require_choice("--precision", precision, PRECISIONS)
    path = out or Path(identifier(model.stem) + LANGUAGES[to].suffix)
    require_other("--out", path, model)
    program = program_of(model)
    export_model(program, path, to, precision)
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
    line(console, HOW[to].format(columns=len(program.columns), file=path, name=name), "bold")
