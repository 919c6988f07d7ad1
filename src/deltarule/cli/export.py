"""`deltarule export`: a trained model in another language, its scaling included."""

from dataclasses import MISSING, dataclass
from pathlib import Path
from pkgutil import resolve_name

from deltarule.cli.options import check_values, one_of, option
from deltarule.cli.screen import print_json
from deltarule.cli.shared_options import ModelOptions, require_writable
from deltarule.errors import pluralized

USAGE = {
    "onnx": "Input X: raw rows, (N, {columns}). Run it with any ONNX runtime.",
    "c": "cc -std=c99 -O2 -c {file}, and call {name}_predict(row, out): the head of the file says how.",
    "python": "import {name}; {name}.predict(X): it needs NumPy and nothing else.",
    "octave": "In Octave or MATLAB, in the folder of the file: {name}(X); help {name} lists the columns of X.",
    "matlab": "In Octave or MATLAB, in the folder of the file: {name}(X); help {name} lists the columns of X.",
    "javascript": 'const {name} = require("./{file}"); {name}.predict(row): in Node.js or a page, without packages.',
    "st": "Import {file} into the PLC's project, declare an instance of {name}: the head of the file says how.",
}
SERIES_USAGE = "cc -std=c99 -O2 -c {file}, and call {name}_measure, {name}_step or {name}_simulate: see the comments."


@dataclass(frozen=True, kw_only=True)
class ExportOptions(ModelOptions):
    """The options of `deltarule export`."""

    to: str = option(
        "c, st (Structured Text for a PLC), javascript, python, octave, matlab or onnx.", "LANGUAGE", default=MISSING
    )
    out: Path | None = option("The file to write.", "FILE", default_text="the model's name, in this folder")
    precision: str = option(
        "The precision of all numbers in the file.",
        "double|float",
        default="double",
        check=one_of(lambda: resolve_name("deltarule.export:PRECISIONS")),
    )
    error_bars: bool = option("For c: also compute the standard deviation of a new measurement.", default=False)


def export(options: ExportOptions) -> None:
    """Write a trained model as source code or ONNX: it takes rows in the table's units and includes all scaling."""
    from deltarule.export import LANGUAGES, export_model, require_language
    from deltarule.export.languages import as_identifier
    from deltarule.export.program import build_program

    check_values(options)
    model = options.model
    program = build_program(model)
    to = require_language("--to", options.to, program)
    path = require_writable("--out", options.out or Path(as_identifier(model.stem) + LANGUAGES[to].suffix), model)
    export_model(model if options.error_bars else program, path, to, options.precision, options.error_bars)
    name, size = as_identifier(path.stem), path.stat().st_size
    if options.as_json:
        print_json(
            {
                "model": str(model),
                "to": to,
                "precision": options.precision,
                "out": str(path),
                "name": name,
                "columns": [column.name for column in program.columns],
                "outputs": [column.name for column in program.targets] or list(program.classes or ()),
                "bytes": size,
            }
        )
        return
    options.print_line(f"{model} is written to {path}, {pluralized(size, 'byte')}, {options.precision} precision.")
    usage = USAGE[to] if program.recursion is None else SERIES_USAGE
    options.print_line(usage.format(columns=len(program.columns), file=path, name=name), "bold")
