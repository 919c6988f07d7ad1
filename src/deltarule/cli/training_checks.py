"""Checks of the options of `deltarule train`, one by one and together, before any data are read."""

from collections.abc import Iterator

from deltarule.cli.options import check_values, given_options, with_value
from deltarule.cli.shared_options import require_writable
from deltarule.cli.training_options import TrainingOptions
from deltarule.errors import ConfigurationError

LEAVE_OUT = "leave it out"
ONE_OF_THEM = "leave one of them out"
OF_SERIES = (
    "source", "target", "time", "lags", "horizon", "resample", "hidden", "activation", "l2", "seed", "drop", "na",
    "sep", "decimal", "out",
)  # fmt: skip
# Why an option does not apply to a source of this kind.
NOT_FOR = {
    "images": "{} is a set of images with a target and a test part of its own, and that is for tables",
    "table": "{} is a table, and that is for images",
    "folder": "that is not possible for the folder {}, whose examples are read in pieces",
}


def check_training_options(options: TrainingOptions) -> None:
    """Check every option that can be checked without the data."""
    from deltarule.models.trainers import check_options

    check_values(options)
    named = {name for name, _, _ in given_options(options)}
    for name, reason, cure in _contradictions(options):
        if name in named:
            raise ConfigurationError(f"{with_value(options, name)}, but {reason}: {cure}")
    if options.devices is not None or options.coordinator is not None:
        from deltarule.engine import require_jax

        require_jax()
    options.table_options  # noqa: B018, which checks them
    if options.trainer is not None:
        check_options(options, options.trainer)
    require_writable("--out", options.model, None if options.kind == "images" else options.source)


def _contradictions(options: TrainingOptions) -> Iterator[tuple[str, str, str]]:
    """Field name, reason and cure of every option that the other options rule out."""
    from deltarule.models.planning import is_regression_cost
    from deltarule.models.trainers import TRAINERS

    kind = options.kind
    not_for_kind = NOT_FOR[kind].format(options.source)
    for name, opt, _ in given_options(options):
        if kind not in opt.sources:
            yield name, not_for_kind, LEAVE_OUT
    if options.stack is not None:
        for name in ("hidden", "activation", "dropout"):
            yield name, f"--model {options.stack} defines the hidden layers", ONE_OF_THEM
    if options.coordinator is None:
        for name in ("processes", "process_id"):
            yield name, "there is no --coordinator", "give HOST:PORT of process 0, or leave it out"
    elif options.devices != "all":
        yield "devices", "with --coordinator every device of every process takes part", LEAVE_OUT
    if options.engine == "numpy":
        for name in ("devices", "coordinator"):
            yield name, "that is for the JAX engine, and --engine is numpy", ONE_OF_THEM
    if options.checkpoint is None and options.resume is None:
        yield "checkpoint_every", "there is no folder for checkpoints", "give --checkpoint FOLDER, or leave it out"
    if options.missing == "refuse":
        yield "drop_missing", "--missing is refuse", ONE_OF_THEM
    if options.is_series:
        for name, _, _ in given_options(options):
            if name not in OF_SERIES:
                yield name, "that is not for a time series, which --time and --lags ask for", LEAVE_OUT
    else:
        for name in ("horizon", "resample"):
            yield name, "that is for a time series", "give --time or --lags too, or leave it out"
    if kind == "images" and options.cost is not None and is_regression_cost(options.cost):
        yield "cost", f"that is for numbers, and {options.source} is a classification", LEAVE_OUT
    if kind == "folder":
        if options.monitor == "accuracy":
            yield "monitor", not_for_kind, LEAVE_OUT
        if options.trainer == "lm":
            yield "batch_size", not_for_kind, LEAVE_OUT
        if options.trainer is not None and not TRAINERS[options.trainer].streamed:
            able = ", ".join(name for name, row in TRAINERS.items() if row.streamed)
            reason = f"it needs all examples in memory, and those of the folder {options.source} are read in pieces"
            yield "trainer", reason, f"choose --trainer {able}"
