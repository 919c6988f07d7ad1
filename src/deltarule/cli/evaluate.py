"""`deltarule evaluate`: how good the network is on rows whose targets are known."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from deltarule.cli.clock import STARTED
from deltarule.cli.options import AsJson, DataDir, Decimal, DropMissing, ModelFile, Na, Sep, Source
from deltarule.cli.screen import console_for, emit_json, number, share, show_notes

if TYPE_CHECKING:
    from deltarule.cli.model import TrainedModel
    from deltarule.data import RawRows


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
    import numpy as np

    from deltarule.cli.metrics import class_lines, in_words, measure, named
    from deltarule.cli.model import read_model, read_rows, require_targets, show_extrapolation

    trained = read_model(model)
    rows = read_rows(trained, source, data_dir, drop_missing, (sep, decimal, na))
    Y = require_targets(rows, trained)
    test = slice(None) if rows.test_rows is None else np.isin(rows.rows, rows.test_rows)
    outside = show_extrapolation(trained, rows)
    X, Y = rows.X[test], Y[test]
    scores = measure(trained.net, trained.params, trained.schema, X, Y)
    cost = float(trained.net.cost_and_gradient(trained.params, X, Y)[0])
    held = None if trained.error_bars is None else trained.error_bars.coverage(X, Y).tolist()
    names = trained.schema.target_names
    result = [in_words(scores), *(f"{name} {words}" for name, words in class_lines(scores).items())]
    result += [] if held is None else [_held(names, held)]
    part = "rows" if rows.test_rows is None else "rows held out for the test"
    show_notes(_seen_before(trained, rows))
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


def _seen_before(model: "TrainedModel", rows: "RawRows") -> list[str]:
    """A note where the table may be the one the network was trained on, and so says too much good."""
    if rows.test_rows is not None or model.training.get("source") != rows.name:
        return []
    return [
        f"{rows.name} has the name of the table that {model.path.name} was trained on; if it is that table, its "
        "training rows make the network look better than it is, and `deltarule train` has shown the test metric"
    ]


def _panel(model: "TrainedModel", rows: str, cost: float, scores: str):
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in (
        ("model", str(Path(model.path))),
        ("data", rows),
        (f"{model.net.cost.name} cost", number(cost)),
        ("result", scores),
    ):
        table.add_row(name, Text(value, style="bold green" if name == "result" else "", overflow="fold"))
    return Panel(table, title="deltarule evaluate", title_align="left", expand=False)
