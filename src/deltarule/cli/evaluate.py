"""`deltarule evaluate`: how good the network is on rows whose targets are known."""

import time

from deltarule.cli.choices import as_words
from deltarule.cli.clock import STARTED
from deltarule.cli.model import known_rows, read_model, read_rows, seen_before, show_extrapolation
from deltarule.cli.options import AsJson, ModelFile, Source
from deltarule.cli.reading import Reading
from deltarule.cli.screen import command, console_for, emit_json, line, panel_of, show_notes
from deltarule.models.words import number, share


def evaluate(model: ModelFile, source: Source, reading: Reading, as_json: AsJson = False) -> None:
    """Measure the network on SOURCE: for digits and mnist on the test part, for a table on all its rows."""
    from deltarule.models.metrics import class_lines, in_words, measure, named

    trained = read_model(model)
    rows = read_rows(trained, source, reading)
    X, Y = known_rows(trained, rows)
    outside = show_extrapolation(trained, rows)
    scores = measure(trained.net, trained.params, trained.schema, X, Y)
    cost = float(trained.net.cost_and_gradient(trained.params, X, Y)[0])
    held = None if trained.error_bars is None else trained.error_bars.coverage(X, Y).tolist()
    names = trained.schema.target_names
    result = [in_words(scores), *(f"{name} {words}" for name, words in class_lines(scores).items())]
    result += [] if held is None else [_held(names, held)]
    part = "rows" if rows.test_rows is None else "rows held out for the test"
    show_notes(seen_before(trained, rows))
    facts = [
        ("model", str(model)),
        ("data", f"{rows.name}: {len(X):,} {part}"),
        (f"{trained.net.cost.name} cost", number(cost)),
        ("result", "\n".join(result)),
    ]
    console = console_for(as_json)
    console.print(panel_of("deltarule evaluate", facts, best="result"))
    line(console, command("report", model, source, *as_words(reading)), "bold")
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
