"""`deltarule trace`: every number of one example's forward and backward pass, with its equation."""

from dataclasses import MISSING, dataclass
from typing import TYPE_CHECKING, Any

from deltarule.cli.model import read_model, read_rows, require_targets
from deltarule.cli.options import option
from deltarule.cli.screen import print_json, suggest
from deltarule.cli.shared_options import RowsOptions
from deltarule.errors import ConfigurationError

if TYPE_CHECKING:
    from deltarule.cli.model import TrainedModel
    from deltarule.data import RawRows
    from deltarule.network.tracing import Trace


@dataclass(frozen=True, kw_only=True)
class TraceOptions(RowsOptions):
    """The options of `deltarule trace`."""

    row: int = option("The number of the row of SOURCE, from 0.", "I", default=MISSING)
    full: bool = option("Print large arrays in full.", default=False)


def trace(options: TraceOptions) -> None:
    """Follow one example through the network and back: z, a, sigma'(z), delta, dW and db of every layer.

    Each table stands under the equations that give its numbers, (1) to (4) and (BP1) to (BP4) of docs/mathematics.md.
    """
    from deltarule.cli.trace_tables import print_trace

    trained = read_model(options.model)
    rows = read_rows(trained, options)
    Y = require_targets(rows, trained)
    i = _position(rows, options.row)
    traced = trained.net.trace(trained.params, rows.X[i], Y[i])
    answer = _target_and_prediction(trained, rows, i, traced)
    if options.as_json:
        print_json(options.json_fields | {"row": options.row} | _record(trained, answer, traced))
        return
    print_trace(trained, f"row {options.row} of {rows.name}", answer, traced, options.full)
    suggest(options, "check", *options.arguments())


def _position(rows: "RawRows", row: int) -> int:
    """The position of a row of the source among the rows that were read."""
    import numpy as np

    positions = np.flatnonzero(rows.rows == row)
    if len(positions):
        return int(positions[0])
    last = int(rows.rows[-1])
    if 0 <= row <= last:
        raise ConfigurationError(f"--row is {row}, but that row of {rows.name} has missing cells: choose another one")
    raise ConfigurationError(f"--row is {row}, but the rows of {rows.name} go from 0 to {last}: choose one of them")


def _target_and_prediction(model: "TrainedModel", rows: "RawRows", i: int, traced: "Trace") -> tuple[Any, Any]:
    """The target and the prediction of the example, as class names or in the targets' units."""
    import numpy as np

    assert rows.targets is not None
    predicted = model.schema.decode(np.asarray(traced.layers[-1].a)[None])
    return np.asarray(rows.targets[i]).tolist(), predicted[0].tolist()


def _record(model: "TrainedModel", answer: tuple[Any, Any], traced: "Trace") -> dict[str, Any]:
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
        "target": answer[0],
        "prediction": answer[1],
        "cost_name": model.net.cost.name,
        "cost": traced.cost,
        "x": traced.x,
        "y": traced.y,
        "layers": layers,
    }
