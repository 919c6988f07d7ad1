"""`deltarule trace`: every number of one example's forward and backward pass, with the equation that gave it."""

from dataclasses import MISSING, dataclass
from typing import TYPE_CHECKING, Any

from deltarule.cli.model import read_model, read_rows, require_targets
from deltarule.cli.options import option
from deltarule.cli.reading import Rows
from deltarule.cli.screen import command, emit_json
from deltarule.errors import ConfigurationError

if TYPE_CHECKING:
    from deltarule.cli.model import TrainedModel
    from deltarule.data import RawRows
    from deltarule.network.tracing import Trace


@dataclass(frozen=True, kw_only=True)
class OneRow(Rows):
    """Which example is traced, and how much of it is shown."""

    row: int = option("The row of the source, counted from 0.", "I", default=MISSING)
    full: bool = option("Print every number of large arrays too.", default=False)


def trace(asked: OneRow) -> None:
    """Follow one example through the network and back: a, z, sigma'(z), delta, dW and db of every layer.

    Each table carries its formula and the number of the equation: (1)-(4) forward, (BP1)-(BP4) backward.
    """
    from deltarule.cli.trace_tables import print_trace

    trained = read_model(asked.model)
    rows = read_rows(trained, asked)
    Y = require_targets(rows, trained)
    place = _place(rows, asked.row)
    traced = trained.net.trace(trained.params, rows.X[place], Y[place])
    answers = _answers(trained, rows, place, traced)
    if asked.as_json:
        emit_json(asked.facts | {"row": asked.row} | _record(trained, answers, traced))
        return
    print_trace(trained, f"row {asked.row} of {rows.name}", answers, traced, asked.full)
    asked.line(command("check", *asked.words()), "bold")


def _place(rows: "RawRows", row: int) -> int:
    """Where the source's row stands among the rows that were read."""
    import numpy as np

    found = np.flatnonzero(rows.rows == row)
    if len(found):
        return int(found[0])
    last = int(rows.rows[-1])
    if 0 <= row <= last:
        raise ConfigurationError(f"--row is {row}, but that row of {rows.name} has missing cells: choose another one")
    raise ConfigurationError(f"--row is {row}, but the rows of {rows.name} go from 0 to {last}: choose one of them")


def _answers(model: "TrainedModel", rows: "RawRows", place: int, traced: "Trace") -> tuple[Any, Any]:
    """The target and the prediction of the example, in class names or in the targets' units."""
    import numpy as np

    assert rows.targets is not None
    predicted = model.schema.decode(np.asarray(traced.layers[-1].a)[None])
    return np.asarray(rows.targets[place]).tolist(), predicted[0].tolist()


def _record(model: "TrainedModel", answers: tuple[Any, Any], traced: "Trace") -> dict[str, Any]:
    """The one line of `--json`: every array as nested lists."""
    from deltarule.network.tracing import equations

    layers = []
    for i, (layer, numbers) in enumerate(zip(model.net.layers, traced.layers, strict=True)):
        layers.append(
            {
                "layer": i + 2,
                "kind": type(layer).__name__,
                "activation": getattr(layer, "activation", None),
                "equations": equations(model.net, i),
                **model.params[i],
                **{name: value for name, value in numbers._asdict().items() if name != "gradients"},
                "dW": None,
                "db": None,
                **{f"d{name}": gradient for name, gradient in numbers.gradients.items()},
            }
        )
    return {
        "target": answers[0],
        "prediction": answers[1],
        "cost_name": model.net.cost.name,
        "cost": traced.cost,
        "x": traced.x,
        "y": traced.y,
        "layers": layers,
    }
