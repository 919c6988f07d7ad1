"""`deltarule check`: backpropagation against central differences, tensor by tensor."""

from typing import TYPE_CHECKING, Any

import typer

from deltarule.cli.model import read_model, read_rows, require_targets
from deltarule.cli.reading import Rows
from deltarule.cli.screen import command, emit_json, table_of
from deltarule.errors import pluralized

if TYPE_CHECKING:
    from deltarule.network.backprop import Params
    from deltarule.network.network import Network

LARGEST_ERROR = 1e-6  # of a right gradient in float64 it is about 1e-8
MOST_ROWS = 100
DIRECTIONS = 9


def check(asked: Rows) -> None:
    """Check the gradient, layer by layer: backpropagation against (C(p + h v) - C(p - h v)) / 2h, in float64.

    On the first 100 rows of SOURCE. The exit code is 1 if a relative error is above 1e-6.
    """
    trained = read_model(asked.model)
    rows = read_rows(trained, asked)
    X, Y = rows.X[:MOST_ROWS], require_targets(rows, trained)[:MOST_ROWS]
    tensors, moved = _median_checks(trained.net, trained.params, X, Y), False
    if not all(tensor["passed"] for tensor in tensors):
        tensors, moved = _median_checks(trained.net, _moved(trained.params), X, Y), True
    passed, worst = all(tensor["passed"] for tensor in tensors), max(tensor["error"] for tensor in tensors)
    if moved:
        asked.line(
            "At the network's parameters the two differ, as they do at a minimum, where ∇C vanishes; moved by 10 %:"
        )
    asked.line(
        f"∇C·v on {pluralized(len(Y), 'row')} of {rows.name}, along the median of {DIRECTIONS} random directions v"
    )
    asked.console.print(_table(tensors))
    verdict = "the gradient is right." if passed else "the gradient is WRONG."
    asked.line(f"The largest relative error is {worst:.1e}, the limit {LARGEST_ERROR:.0e}: {verdict}", "bold")
    if passed:
        asked.line(command("evaluate", *asked.words()), "bold")
    if asked.as_json:
        facts = asked.facts | {"rows": len(Y), "passed": passed, "moved": moved}
        emit_json(facts | {"largest_error": worst, "limit": LARGEST_ERROR, "tensors": tensors})
    if not passed:
        raise typer.Exit(1)


def _moved(params: "Params") -> "Params":
    """The parameters moved by random numbers of a tenth of each tensor's size (root mean square; at least 0.01).

    At a minimum ∇C is 0, so what truncation leaves of the difference quotient is all there is, and no relative error
    can be small. Away from it a right gradient passes, and a wrong one fails as it did before.
    """
    import numpy as np

    generator = np.random.default_rng(0)

    def move(tensor: Any) -> Any:
        values = np.asarray(tensor, np.float64)
        size = max(0.1 * float(np.sqrt(np.mean(values**2))), 0.01)
        return values + size * generator.standard_normal(values.shape)

    return [{name: move(tensor) for name, tensor in layer.items()} for layer in params]


def _median_checks(net: "Network", params: "Params", X: Any, Y: Any) -> list[dict[str, Any]]:
    """For each tensor the check whose error is the median over the directions.

    A wrong derivative shows along almost every random direction. A kink of relu within h of an example, or a
    direction that stands across the gradient, where the relative error means nothing, spoils only a few.
    """
    from deltarule.inspection.gradient_check import check_gradient_by_layer

    found = [check_gradient_by_layer(net, params, X, Y, directions=1, seed=seed) for seed in range(DIRECTIONS)]
    medians = [sorted(tensor, key=lambda one: one.error)[DIRECTIONS // 2] for tensor in zip(*found, strict=True)]
    return [
        one._asdict()
        | {"layer": one.layer + 2, "shape": params[one.layer][one.name].shape, "passed": one.error <= LARGEST_ERROR}
        for one in medians
    ]


def _table(tensors: list[dict[str, Any]]) -> Any:
    """One row for each tensor."""
    table = table_of(
        "gradient", "shape", "backpropagation", "difference", "error", "verdict", left=("gradient", "verdict")
    )
    for tensor in tensors:
        table.add_row(
            f"dC/d{tensor['name']}^{tensor['layer']}",
            " × ".join(map(str, tensor["shape"])),
            f"{tensor['backpropagation']:.8e}",
            f"{tensor['difference']:.8e}",
            f"{tensor['error']:.1e}",
            "right" if tensor["passed"] else "WRONG",
            style="" if tensor["passed"] else "bold red",
        )
    return table
