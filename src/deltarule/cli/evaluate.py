"""`deltarule evaluate`: how good the network is on rows whose targets are known."""

import time
from typing import TYPE_CHECKING

from deltarule.cli.clock import STARTED
from deltarule.cli.options import AsJson, DataDir, Decimal, DropMissing, ModelFile, Na, Sep, Source
from deltarule.cli.screen import console_for, emit_json, show_notes
from deltarule.models.words import number, share

if TYPE_CHECKING:
    from deltarule.models.model import Model


def evaluate(
    model: ModelFile,
    source: Source,
    data_dir: DataDir = None,
    drop_missing: DropMissing = False,
    sep: Sep = None,
    decimal: Decimal = None,
    na: Na = None,
    as_json: AsJson = False,
) -> None:
    """Measure the network on SOURCE: for digits and mnist on the test part, for a table on all its rows."""
    from deltarule.cli.model import Reading, known_rows, read_model, read_rows, seen_before, show_extrapolation
    from deltarule.models.metrics import class_lines, in_words, measure, named

    trained = read_model(model)
    rows = read_rows(trained, Reading(source, data_dir, drop_missing, sep, decimal, na))
    X, Y = known_rows(trained, rows)
    outside = show_extrapolation(trained, rows)
    assert trained.schema is not None
    scores = measure(trained.net, trained.params, trained.schema, X, Y)
    cost = float(trained.net.cost_and_gradient(trained.params, X, Y)[0])
    held = None if trained.error_bars is None else trained.error_bars.coverage(X, Y).tolist()
    names = trained.schema.target_names
    result = [in_words(scores), *(f"{name} {words}" for name, words in class_lines(scores).items())]
    result += [] if held is None else [_held(names, held)]
    part = "rows" if rows.test_rows is None else "rows held out for the test"
    show_notes(seen_before(trained, rows))
    console_for(as_json).print(_panel(trained, f"{rows.name}: {len(X):,} {part}", cost, "\n".join(result)))
    if as_json:
        emit_json(
            {
                "model": str(model),
                "source": source,
                "rows": len(X),
                **named("test", scores),
                "test_cost": cost,
                "rows_outside_training_range": outside,
                **({} if held is None else {"interval_coverage": dict(zip(names, held, strict=True))}),
                "seconds": round(time.perf_counter() - STARTED, 3),
            }
        )


def _held(names: tuple[str, ...], held: list[float]) -> str:
    """How much of the rows the error bars cover."""
    return "\n".join(f"95 % intervals hold {share(part)} of {name}" for name, part in zip(names, held, strict=True))


def _panel(model: "Model", rows: str, cost: float, scores: str):
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in (
        ("model", str(model.path)),
        ("data", rows),
        (f"{model.net.cost.name} cost", number(cost)),
        ("result", scores),
    ):
        table.add_row(name, Text(value, style="bold green" if name == "result" else "", overflow="fold"))
    return Panel(table, title="deltarule evaluate", title_align="left", expand=False)
