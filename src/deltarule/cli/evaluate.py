"""`deltarule evaluate`: measure how good a model is on rows with known targets."""

import time

from deltarule.cli.clock import STARTED
from deltarule.cli.model import evaluation_rows, read_model, read_rows, show_extrapolation, training_data_notes
from deltarule.cli.screen import make_panel, print_json, show_notes, suggest
from deltarule.cli.shared_options import RowsOptions
from deltarule.errors import format_number
from deltarule.models.formatting import format_percent


def evaluate(options: RowsOptions) -> None:
    """Measure how good MODEL is on SOURCE: on the test images of digits and mnist, on all rows of a table.

    The names that `--json` gives to the scores begin with `test_`, also where SOURCE is a table: there they are the
    scores of all its rows, whether the model was trained on them or not.
    """
    from deltarule.models.metrics import class_lines, describe_scores, measure, with_prefix

    trained = read_model(options.model)
    rows = read_rows(trained, options)
    X, Y = evaluation_rows(trained, rows)
    outside = show_extrapolation(trained, rows)
    scores = measure(trained.net, trained.params, trained.schema, X, Y)
    cost = float(trained.net.cost_and_gradient(trained.params, X, Y)[0])
    bars, targets = trained.error_bars, trained.schema.target_names
    coverage = {} if bars is None else dict(zip(targets, bars.coverage(X, Y).tolist(), strict=True))
    result = [describe_scores(scores), *(f"{name} {words}" for name, words in class_lines(scores).items())]
    result += [
        f"the 95 % intervals contain {format_percent(part)} of the values of {name}" for name, part in coverage.items()
    ]
    part = "rows" if rows.test_rows is None else "test images"
    show_notes(training_data_notes(trained, rows))
    facts = [
        ("model", str(options.model)),
        ("data", f"{rows.name}: {len(X):,} {part}"),
        (f"{trained.net.cost.name} cost", format_number(cost)),
        ("result", "\n".join(result)),
    ]
    options.console.print(make_panel("deltarule evaluate", facts, best="result"))
    suggest(options, "report", *options.arguments())
    if options.as_json:
        print_json(
            options.json_fields
            | {
                "rows": len(X),
                **with_prefix("test", scores),
                "test_cost": cost,
                "rows_outside_training_range": outside,
                **({"interval_coverage": coverage} if coverage else {}),
                "seconds": round(time.perf_counter() - STARTED, 3),
            }
        )
