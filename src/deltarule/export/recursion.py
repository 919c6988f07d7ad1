"""How the outputs of a NARX network come back as its inputs, for the languages that write it down."""

from dataclasses import replace
from typing import Any, NamedTuple

from deltarule.data.columns import RawColumn


class Recursion(NamedTuple):
    """How one step follows the other.

    Attributes:
        outputs: the output lags.
        inputs: the input lags.
        width: m, how many inputs a step has.
        changes: whether what the stages give is added to the outputs of one step before.
        weights: of the members, whose outputs lie one after the other, in the mean that is the model's output.
    """

    outputs: tuple[int, ...]
    inputs: tuple[int, ...]
    width: int
    changes: bool
    weights: tuple[float, ...]


def recursive_columns(content: Any) -> tuple[tuple[RawColumn, ...], tuple[RawColumn, ...], Recursion]:
    """The columns of the lags, what the stages give, and how steps follow, from the content of a model file."""
    schema, arrays = content.schema, content.error_bars
    inputs, targets = (
        [RawColumn(c["name"], c["mean"], c["std"]) for c in schema[side]] for side in ("inputs", "targets")
    )
    each = [target for _ in arrays["weights"] for target in targets]
    columns = [replace(c, name=f"{c.name}, {lag} before") for lag in schema["output_lags"] for c in each]
    columns += [replace(c, name=f"{c.name}, {lag} before") for lag in schema["input_lags"] for c in inputs]
    changes = bool(arrays["line"].any())  # B is either nothing or y_{t-1}
    moved = tuple(replace(c, mean=0.0) if changes else c for c in each)
    lags = (tuple(schema["output_lags"]), tuple(schema["input_lags"]), len(inputs))
    return tuple(columns), moved, Recursion(*lags, changes, tuple(arrays["weights"].tolist()))
