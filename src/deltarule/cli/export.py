"""`deltarule export`: a trained model in another language, its scaling included."""

from dataclasses import MISSING, dataclass
from pathlib import Path
from pkgutil import resolve_name

from deltarule.cli.options import check_given, one_of, option
from deltarule.cli.reading import OfModel, require_writable
from deltarule.cli.screen import emit_json
from deltarule.errors import pluralized

HOW = {
    "onnx": "Input X: raw rows, (N, {columns}). Run it with any ONNX runtime.",
    "c": "cc -std=c99 -O2 -c {file}, and call {name}_predict(row, out): the head of the file says how.",
    "python": "import {name}; {name}.predict(X): it needs NumPy and nothing else.",
    "octave": "In its folder, Octave or MATLAB: {name}(X); help {name} says what the columns are.",
    "matlab": "In its folder, Octave or MATLAB: {name}(X); help {name} says what the columns are.",
    "javascript": 'const {name} = require("./{file}"); {name}.predict(row): in Node.js or a page, without packages.',
    "st": "Import {file} into the PLC's project, declare an instance of {name}: the head of the file says how.",
}
SERIES = "cc -std=c99 -O2 -c {file}, and call {name}_measure, {name}_step or {name}_simulate, as their comments say."


@dataclass(frozen=True, kw_only=True)
class Exporting(OfModel):
    """What is written, and where."""

    to: str = option("c, st (a PLC), javascript, python, octave, matlab or onnx.", "LANGUAGE", default=MISSING)
    out: Path | None = option("The file to write.", "FILE", otherwise="the model's name, in this folder")
    precision: str = option(
        "Of every number in the file.",
        "double|float",
        default="double",
        check=one_of(lambda: resolve_name("deltarule.export:PRECISIONS")),
    )
    error_bars: bool = option("With c: also the standard deviation of a new measurement.", default=False)


def export(asked: Exporting) -> None:
    """Write a trained model in another language, C99 or a PLC's for example: raw rows in, units or classes out."""
    from deltarule.export import LANGUAGES, export_model, require_language
    from deltarule.export.program import program_of
    from deltarule.export.source import identifier

    check_given(asked)
    model = asked.model
    program = program_of(model)
    to = require_language("--to", asked.to, program)
    path = require_writable("--out", asked.out or Path(identifier(model.stem) + LANGUAGES[to].suffix), model)
    export_model(model if asked.error_bars else program, path, to, asked.precision, asked.error_bars)
    name, size = identifier(path.stem), path.stat().st_size
    if asked.as_json:
        emit_json(
            {
                "model": str(model),
                "to": to,
                "precision": asked.precision,
                "out": str(path),
                "name": name,
                "columns": [column.name for column in program.columns],
                "outputs": [column.name for column in program.targets] or list(program.classes or ()),
                "bytes": size,
            }
        )
        return
    asked.line(f"{model} is in {path}, {pluralized(size, 'byte')}, {asked.precision} precision.")
    how = HOW[to] if program.recursion is None else SERIES
    asked.line(how.format(columns=len(program.columns), file=path, name=name), "bold")
