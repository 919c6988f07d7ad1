"""What a training records on request each epoch, over all training examples: one row of the table for each quantity."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from deltarule import engine
from deltarule.arrays import Array
from deltarule.engine.rows import Rows, sum_over_blocks
from deltarule.engine.turn import Record
from deltarule.errors import ConfigurationError
from deltarule.network import backprop
from deltarule.network.backprop import Params
from deltarule.network.evaluation import evaluate, evaluation_block

if TYPE_CHECKING:
    from deltarule.network.network import Network

Monitor = Callable[["Network", Params, Rows], Record]


def learning_speed(net: "Network", params: Params, rows: Rows) -> Array:
    """‖dC/db^l‖ of every layer that has biases, input side first: how fast layer l learns ([N] ch. 5).

    dC/db^l is the mean of delta^l over the examples (BP3), so the norm is that of the whole gradient's part, not a
    mean of norms. Regularisation does not touch biases, and Dropout is the identity here, so neither enters.
    """
    return engine.of(rows.x).call(_learning_speed, params, rows, net=net)


def _learning_speed(params: Params, rows: Rows, *, net: "Network") -> Array:

    def bias_gradients(x: Array, y: Array, weight: Array) -> list[Array]:
        _, grads = backprop.cost_and_gradient(net, params, x, y, weight)
        pairs = zip(net.layers, grads, strict=True)
        return [dp[name] for layer, dp in pairs for name in dp if layer.role(name) == "bias"]

    sums = sum_over_blocks(rows, evaluation_block(net, rows), bias_gradients)
    xp = rows.x.__array_namespace__()
    return xp.stack([xp.linalg.norm(db) for db in sums]) / rows.mask.sum()


def training_score(net: "Network", params: Params, rows: Rows) -> Record:
    """The cost without regularisation and the accuracy, as for the validation data, so that the two compare."""
    score = evaluate(net, params, rows)
    return {"training_cost": score.cost, "training_accuracy": score.accuracy}


# What `record=` may name. Speeds are of the parameters that an epoch begins with, scores of those it ends with.
AT_THE_START: dict[str, Monitor] = {
    "learning_speed": lambda net, params, rows: {"learning_speed": learning_speed(net, params, rows)}
}
AT_THE_END: dict[str, Monitor] = {"training_score": training_score}


def check_record(record: Iterable[str]) -> tuple[str, ...]:
    """The names of what to record, each once, in the order of the tables.

    Raises:
        ConfigurationError: a name is in neither table.
    """
    try:
        names = (record,) if isinstance(record, str) else tuple(record)
    except TypeError:
        raise ConfigurationError(f"record is {record!r}: give a list of names, such as ['learning_speed'].") from None
    known = (*AT_THE_START, *AT_THE_END)
    for name in names:
        if name not in known:
            raise ConfigurationError(f"record names {name!r}, which is not known: choose among {', '.join(known)}.")
    return tuple(name for name in known if name in names)


def observe(table: dict[str, Monitor], names: tuple[str, ...], net: "Network", params: Params, rows: Rows) -> Record:
    """The quantities of this table that were asked for."""
    record: Record = {}
    for name in names:
        if name in table:
            record |= table[name](net, params, rows)
    return record
