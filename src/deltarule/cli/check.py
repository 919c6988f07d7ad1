"""`deltarule check`: backpropagation against central differences, tensor by tensor."""

from typing import TYPE_CHECKING, Any

import typer

from deltarule.cli.model import read_model, read_rows, require_targets
from deltarule.cli.screen import make_table, print_json, suggest
from deltarule.cli.shared_options import RowsOptions
from deltarule.errors import pluralized

if TYPE_CHECKING:
    from deltarule.network.backprop import Params
    from deltarule.network.network import Network

LARGEST_ERROR = 1e-6  # a right gradient in float64 has about 1e-8
MOST_ROWS = 100
DIRECTIONS = 9


def check(options: RowsOptions) -> None:
    """Check the gradient of each layer: backpropagation against central differences of the cost.

    Both give ∇C·v, the slope of the cost along a random direction v, on the first 100 rows of SOURCE in float64;
    central differences by (C(p + h v) - C(p - h v)) / 2h. If a relative error is above 1e-6, the exit code is 1.
    """
    trained = read_model(options.model)
    rows = read_rows(trained, options)
    X, Y = rows.X[:MOST_ROWS], require_targets(rows, trained)[:MOST_ROWS]
    tensors, moved = _median_checks(trained.net, trained.params, X, Y), False
    if not all(tensor["passed"] for tensor in tensors):
        tensors, moved = _median_checks(trained.net, _moved(trained.params), X, Y), True
    passed, worst = all(tensor["passed"] for tensor in tensors), max(tensor["error"] for tensor in tensors)
    if moved:
        options.print_line(
            "At the network's own parameters the two differ, as they do near a minimum, where ∇C is about 0. So the "
            "check is repeated with parameters moved at random by 10 %:"
        )
    options.print_line(
        f"∇C·v, the slope of the cost along a random direction v, on {pluralized(len(Y), 'row')} of {rows.name} "
        f"(the median of {DIRECTIONS} directions):"
    )
    options.console.print(_table(tensors))
    verdict = "the gradient is right." if passed else "the gradient is WRONG."
    options.print_line(f"The largest relative error is {worst:.1e} ({LARGEST_ERROR:.0e} is allowed): {verdict}", "bold")
    if passed:
        suggest(options, "evaluate", *options.arguments())
    if options.as_json:
        record = options.json_fields | {"rows": len(Y), "passed": passed, "moved": moved}
        print_json(record | {"largest_error": worst, "limit": LARGEST_ERROR, "tensors": tensors})
    if not passed:
        raise typer.Exit(1)


def _moved(params: "Params") -> "Params":
    """Multiply every parameter by 1 + 0.1 times a standard normal number.

    At a minimum ∇C is 0 and the truncation error of the difference quotient is all that is left, so no relative error
    is small. Away from it a right gradient passes, and a wrong one still fails.
    """
    import numpy as np

    generator = np.random.default_rng(0)
    return [
        {name: np.asarray(t, np.float64) * (1 + 0.1 * generator.standard_normal(np.shape(t))) for name, t in p.items()}
        for p in params
    ]


def _median_checks(net: "Network", params: "Params", X: Any, Y: Any) -> list[dict[str, Any]]:
    """Return for each tensor the check with the median error over all directions.

    A wrong derivative shows along almost every random direction. A kink of relu within h of an example spoils only a
    few, and so does a direction across the gradient, whose relative error means nothing.
    """
    from deltarule.inspection.gradient_check import check_gradient_by_layer

    checks = [check_gradient_by_layer(net, params, X, Y, directions=1, seed=seed) for seed in range(DIRECTIONS)]
    medians = [sorted(tensor, key=lambda one: one.error)[DIRECTIONS // 2] for tensor in zip(*checks, strict=True)]
    return [
        one._asdict()
        | {"layer": one.layer + 2, "shape": params[one.layer][one.name].shape, "passed": one.error <= LARGEST_ERROR}
        for one in medians
    ]


def _table(tensors: list[dict[str, Any]]) -> Any:
    table = make_table("tensor", "shape", "backpropagation", "differences", "error", "", left=("tensor", ""))
    for tensor in tensors:
        table.add_row(
            f"dC/d{tensor['name']}^{tensor['layer']}",
            " × ".join(map(str, tensor["shape"])),
            f"{tensor['backpropagation']:.7e}",
            f"{tensor['difference']:.7e}",
            f"{tensor['error']:.1e}",
            "right" if tensor["passed"] else "WRONG",
            style="" if tensor["passed"] else "bold red",
        )
    return table
