"""The options of `deltarule train` checked one by one and together, before any data are read."""

from collections.abc import Iterator

from deltarule.cli.choices import Choices
from deltarule.cli.options import check_given, given, said
from deltarule.cli.reading import require_writable
from deltarule.errors import ConfigurationError

LEAVE_OUT = "leave it out"
ONE_OF_THEM = "leave one of them out"
OF_SERIES = (
    "source", "target", "time", "lags", "horizon", "resample", "hidden", "activation", "l2", "seed", "drop", "na",
    "sep", "decimal", "out",
)  # fmt: skip
# Why an option does not go with a source of this kind.
WITHOUT = {
    "images": "{} has a target and parts of its own and is no table",
    "table": "{} is a table",
    "folder": "the examples of the folder {} are read in pieces, which goes without it",
}


def check_choices(choices: Choices) -> None:
    """Check every option that can be checked without the data."""
    from deltarule.models.trainers import check_options

    check_given(choices)
    named = {name for name, _, _ in given(choices)}
    for name, reason, cure in _contradictions(choices):
        if name in named:
            raise ConfigurationError(f"{said(choices, name)}, but {reason}: {cure}")
    if choices.devices is not None or choices.coordinator is not None:
        from deltarule.engine import require_jax

        require_jax()
    choices.table_options  # noqa: B018, which checks them
    if choices.trainer is not None:
        check_options(choices, choices.trainer)
    require_writable("--out", choices.model, None if choices.kind == "images" else choices.source)


def _contradictions(choices: Choices) -> Iterator[tuple[str, str, str]]:
    """Field, reason and cure of what must not be given, as the other options are."""
    from deltarule.models.planning import is_regression_cost
    from deltarule.models.trainers import TRAINERS

    kind = choices.kind
    for name, known, _ in given(choices):
        if kind not in known.sources:
            yield name, WITHOUT[kind].format(choices.source), LEAVE_OUT
    if choices.stack is not None:
        for name in ("hidden", "activation", "dropout"):
            yield name, f"--model {choices.stack} says what the hidden layers are", ONE_OF_THEM
    if choices.coordinator is None:
        for name in ("processes", "process_id"):
            yield name, "there is no --coordinator", "give HOST:PORT of process 0, or leave it out"
    elif choices.devices != "all":
        yield "devices", "with --coordinator every device of every process takes part", LEAVE_OUT
    if choices.engine == "numpy":
        for name in ("devices", "coordinator"):
            yield name, "that is for the JAX engine, and --engine is numpy", ONE_OF_THEM
    if choices.checkpoint is None and choices.resume is None:
        yield "checkpoint_every", "there is no folder to write to", "give --checkpoint FOLDER, or leave it out"
    if choices.missing == "refuse":
        yield "drop_missing", "--missing is refuse", ONE_OF_THEM
    if choices.is_series:
        for name, _, _ in given(choices):
            if name not in OF_SERIES:
                yield name, "--time and --lags make the rows steps of a time series, which goes without it", LEAVE_OUT
    else:
        for name in ("horizon", "resample"):
            yield name, "the rows are no time series without --time or --lags", "give one of them, or leave it out"
    if kind == "images" and choices.cost is not None and is_regression_cost(choices.cost):
        yield "cost", f"that is for numbers, and {choices.source} is a classification", LEAVE_OUT
    if kind == "folder":
        reason = WITHOUT[kind].format(choices.source)
        if choices.monitor == "accuracy":
            yield "monitor", reason, LEAVE_OUT
        if choices.trainer == "lm":
            yield "batch_size", reason, LEAVE_OUT
        if choices.trainer is not None and not TRAINERS[choices.trainer].streamed:
            able = ", ".join(name for name, row in TRAINERS.items() if row.streamed)
            yield "trainer", f"it needs all examples in memory, and {reason}", f"choose --trainer {able}"
