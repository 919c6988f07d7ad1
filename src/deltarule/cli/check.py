"""`deltarule check`: backpropagation against central differences, tensor by tensor."""

from typing import TYPE_CHECKING, Any

import typer

from deltarule.cli.options import AsJson, DataDir, Decimal, DropMissing, ModelFile, Na, Sep, Source
from deltarule.cli.screen import console_for, emit_json, line
from deltarule.errors import counted

if TYPE_CHECKING:
    from deltarule.cli.model import TrainedModel
    from deltarule.inspection.gradient_check import GradientCheck
    from deltarule.network.backprop import Params

LARGEST_ERROR = 1e-6  # of a right gradient in float64 it is about 1e-8
MOST_ROWS = 100
DIRECTIONS = 9


def check(
    model: ModelFile,
    source: Source,
    data_dir: DataDir = None,
    drop_missing: DropMissing = False,
    sep: Sep = None,
    decimal: Decimal = None,
    na: Na = None,
    as_json: AsJson = False,
) -> None:
    """Check the gradient, layer by layer: backpropagation against (C(p + h v) - C(p - h v)) / 2h, in float64.

    On the first 100 rows of SOURCE. The exit code is 1 if a relative error is above 1e-6.
    """
    from deltarule.cli.model import read_model, read_rows, require_targets

    trained = read_model(model)
    rows = read_rows(trained, source, data_dir, drop_missing, (sep, decimal, na))
    Y = require_targets(rows, trained)[:MOST_ROWS]
    checks, moved = _median_checks(trained, trained.params, rows.X[:MOST_ROWS], Y), False
    if not _passed(checks):
        checks, moved = _median_checks(trained, _moved(trained.params), rows.X[:MOST_ROWS], Y), True
    passed = _passed(checks)
    console = console_for(as_json)
    if moved:
        line(
            console,
            "At the network's parameters the two differ, as they do at a minimum, where ∇C vanishes; moved by 10 %:",
        )
    line(
        console,
        f"∇C·v on {counted(len(Y), 'row')} of {rows.name}, along the median of {DIRECTIONS} random directions v",
    )
    console.print(_table(checks, trained.params))
    verdict = "the gradient is right." if passed else "the gradient is WRONG."
    worst = max(tensor.error for tensor in checks)
    line(console, f"The largest relative error is {worst:.1e}, the limit {LARGEST_ERROR:.0e}: {verdict}", "bold")
    if as_json:
        emit_json(_record(str(model), source, len(Y), checks, moved))
    if not passed:
        raise typer.Exit(1)


def _passed(checks: list["GradientCheck"]) -> bool:
    return all(tensor.error <= LARGEST_ERROR for tensor in checks)


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


def _median_checks(model: "TrainedModel", params: "Params", X: Any, Y: Any) -> list["GradientCheck"]:
    """For each tensor the check whose error is the median over the directions.

    A wrong derivative shows along almost every random direction. A kink of relu within h of an example, or a
    direction that stands across the gradient, where the relative error means nothing, spoils only a few.
    """
    from deltarule.inspection.gradient_check import check_gradient_by_layer

    found = [check_gradient_by_layer(model.net, params, X, Y, directions=1, seed=seed) for seed in range(DIRECTIONS)]
    return [
        sorted(of_tensor, key=lambda tensor: tensor.error)[DIRECTIONS // 2] for of_tensor in zip(*found, strict=True)
    ]


def _record(model: str, source: str, rows: int, checks: list["GradientCheck"], moved: bool) -> dict[str, Any]:
    """The one line of `--json`."""
    return {
        "model": model,
        "source": source,
        "rows": rows,
        "passed": _passed(checks),
        "moved": moved,
        "largest_error": max(tensor.error for tensor in checks),
        "limit": LARGEST_ERROR,
        "tensors": [
            {
                "layer": tensor.layer + 2,
                "name": tensor.name,
                "backpropagation": tensor.backpropagation,
                "difference": tensor.difference,
                "error": tensor.error,
                "passed": tensor.error <= LARGEST_ERROR,
            }
            for tensor in checks
        ],
    }


def _table(checks: list["GradientCheck"], params: Any) -> Any:
    """One row for each tensor."""
    from rich.table import Table

    table = Table()
    for name in ("gradient", "shape", "backpropagation", "difference", "error", "verdict"):
        table.add_column(name, justify="left" if name in ("gradient", "verdict") else "right", no_wrap=True)
    for tensor in checks:
        right = tensor.error <= LARGEST_ERROR
        table.add_row(
            f"dC/d{tensor.name}^{tensor.layer + 2}",
            " × ".join(map(str, params[tensor.layer][tensor.name].shape)),
            f"{tensor.backpropagation:.8e}",
            f"{tensor.difference:.8e}",
            f"{tensor.error:.1e}",
            "right" if right else "WRONG",
            style="" if right else "bold red",
        )
    return table
