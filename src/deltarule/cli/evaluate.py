"""`deltarule evaluate`: how good the network is on rows whose targets are known."""

import time

from deltarule.cli.clock import STARTED
from deltarule.cli.model import known_rows, read_model, read_rows, seen_before, show_extrapolation
from deltarule.cli.reading import Rows
from deltarule.cli.screen import command, emit_json, panel_of, show_notes
from deltarule.models.formatting import format_number, format_percent


def evaluate(asked: Rows) -> None:
    """Measure the network on SOURCE: for digits and mnist on the test part, for a table on all its rows."""
    from deltarule.models.metrics import class_lines, describe_scores, measure, with_prefix

    trained = read_model(asked.model)
    rows = read_rows(trained, asked)
    X, Y = known_rows(trained, rows)
    outside = show_extrapolation(trained, rows)
    scores = measure(trained.net, trained.params, trained.schema, X, Y)
    cost = float(trained.net.cost_and_gradient(trained.params, X, Y)[0])
    bars = trained.error_bars
    held = {} if bars is None else dict(zip(trained.schema.target_names, bars.coverage(X, Y).tolist(), strict=True))
    result = [describe_scores(scores), *(f"{name} {words}" for name, words in class_lines(scores).items())]
    result += [f"95 % intervals hold {format_percent(part)} of {name}" for name, part in held.items()]
    part = "rows" if rows.test_rows is None else "rows held out for the test"
    show_notes(seen_before(trained, rows))
    facts = [
        ("model", str(asked.model)),
        ("data", f"{rows.name}: {len(X):,} {part}"),
        (f"{trained.net.cost.name} cost", format_number(cost)),
        ("result", "\n".join(result)),
    ]
    asked.console.print(panel_of("deltarule evaluate", facts, best="result"))
    asked.line(command("report", *asked.words()), "bold")
    if asked.as_json:
        emit_json(
            asked.facts
            | {
                "rows": len(X),
                **with_prefix("test", scores),
                "test_cost": cost,
                "rows_outside_training_range": outside,
                **({"interval_coverage": held} if held else {}),
                "seconds": round(time.perf_counter() - STARTED, 3),
            }
        )
