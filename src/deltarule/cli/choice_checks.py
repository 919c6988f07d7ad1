"""The options of `deltarule train` checked one by one and together, before any data are read."""

from pathlib import Path
from typing import Any

from deltarule.cli.choices import IMAGES, NUMBERS, Choices
from deltarule.cli.options import parse_hidden, require_writable
from deltarule.cli.trainers import TRAINERS

LARGEST_SEED = 2**32 - 1  # as of `deltarule.engine.randomness`
RECORDS = ("learning_speed", "training_score")  # as in `deltarule.training.monitoring`
TABLE_OPTIONS = ("sep", "decimal", "na", "drop", "category", "weights", "missing")  # only tables have them
MISSING = ("refuse", "drop", "impute")
TASKS = ("classification", "regression")
MONITORS = ("accuracy", "cost")


def check_choices(choices: Choices) -> None:
    """Check every option that can be checked without the data.

    Raises:
        ConfigurationError: an option lies outside its domain or does not go with another.
    """
    from deltarule.checks import require_choice, require_count, require_number
    from deltarule.data.expansion import check_kinds
    from deltarule.data.splitting import SPLITS
    from deltarule.engine import ENGINES
    from deltarule.network.activations import ACTIVATIONS
    from deltarule.network.costs import COSTS
    from deltarule.network.initializers import INITIALIZERS

    if choices.hidden is not None:
        parse_hidden(choices.hidden)
    if choices.stack is not None:
        _check_stack(choices)
    trainable = tuple(name for name, sigma in ACTIVATIONS.items() if sigma.trainable and sigma.elementwise)
    for name, value, known in (
        ("--activation", choices.activation, trainable),
        ("--cost", choices.cost, tuple(COSTS)),
        ("--trainer", choices.trainer, tuple(TRAINERS)),
        ("--task", choices.task, TASKS),
        ("--missing", choices.missing, MISSING),
        ("--split", choices.split, SPLITS),
        ("--init", choices.init, tuple(INITIALIZERS)),
        ("--monitor", choices.monitor, MONITORS),
        ("--engine", choices.engine, ("auto", *ENGINES)),
    ):
        if value is not None:
            require_choice(name, value, known)
    for name, value, bounds in (
        ("--eta", choices.eta, {"above": 0}),
        ("--l2", choices.l2, {"least": 0}),
        ("--l1", choices.l1, {"least": 0}),
        ("--max-norm", choices.max_norm, {"above": 0}),
        ("--dropout", choices.dropout, {"least": 0, "below": 1}),
        ("--momentum", choices.momentum, {"least": 0, "below": 1}),
        ("--time-limit", choices.time_limit, {"above": 0}),
    ):
        if value is not None:
            require_number(name, value, **bounds)
    for name, value in (
        ("--batch-size", choices.batch_size),
        ("--epochs", choices.epochs),
        ("--patience", choices.patience),
        ("--halve-after", choices.halve_after),
        ("--checkpoint-every", choices.checkpoint_every),
    ):
        if value is not None:
            require_count(name, value)
    _check_devices(choices)
    _check_checkpoints(choices)
    if choices.expand is not None:
        check_kinds("--expand", choices.expand)
    for name in choices.recorded or ():
        require_choice("--record", name, RECORDS)
    require_count("--seed", choices.seed, least=0)
    _check_seed_and_epochs(choices)
    _check_source(choices)
    if choices.trainer is not None:
        check_trainer_options(choices, choices.trainer)
    require_writable("--out", choices.model)


def _check_seed_and_epochs(choices: Choices) -> None:
    """Both are 32-bit numbers inside."""
    from deltarule.errors import ConfigurationError

    for name, value, largest in (
        ("--seed", choices.seed, LARGEST_SEED),
        ("--epochs", choices.epochs, 2**31 - 1),
        ("--patience", choices.patience, 2**31 - 1),
        ("--halve-after", choices.halve_after, 2**31 - 1),
        ("--batch-size", choices.batch_size, 2**31 - 1),
    ):
        if value is not None and value > largest:
            raise ConfigurationError(f"{name} must be at most {largest}, and is {value}: give a smaller number")


def _check_stack(choices: Choices) -> None:
    """The stack can be read, and nothing else says what the hidden layers are."""
    from deltarule.errors import ConfigurationError
    from deltarule.network.stacks import stack

    for name, value in (
        ("--hidden", choices.hidden),
        ("--activation", choices.activation),
        ("--dropout", choices.dropout),
    ):
        if value is not None:
            raise ConfigurationError(
                f"{name} is {value}, but --model {choices.stack} says what the hidden layers are: leave one of them out"
            )
    try:
        stack(choices.stack or "")
    except ConfigurationError as error:
        raise ConfigurationError(f"--model: {error}") from None


def _check_devices(choices: Choices) -> None:
    """--devices is a count or "all"; the other two options need --coordinator, which wants every device.

    JAX is needed for all of them.
    """
    from deltarule.engine import require_jax
    from deltarule.errors import ConfigurationError

    words = choices.devices
    if words is not None and words != "all" and not (words.isascii() and words.isdecimal() and int(words) > 0):
        raise ConfigurationError(f"--devices must be 'all' or a whole number of at least 1, and is {words!r}")
    if choices.coordinator is None:
        for name, value in (("--processes", choices.processes), ("--process-id", choices.process_id)):
            if value is not None:
                raise ConfigurationError(
                    f"{name} is {value}, but there is no --coordinator: give HOST:PORT of process 0, or leave it out"
                )
    elif words not in (None, "all"):
        raise ConfigurationError(
            f"--devices is {words!r}, but with --coordinator every device of every process takes part: leave it out"
        )
    for name, value in (("--devices", words), ("--coordinator", choices.coordinator)):
        if value is not None:
            if choices.engine == "numpy":
                raise ConfigurationError(
                    f"--engine is numpy, but {name} is {value}, which is for the JAX engine: leave one of them out"
                )
            require_jax()


def _check_checkpoints(choices: Choices) -> None:
    """How often needs a where."""
    from deltarule.errors import ConfigurationError

    if choices.checkpoint_every is not None and choices.checkpoint is None and choices.resume is None:
        raise ConfigurationError(
            f"--checkpoint-every is {choices.checkpoint_every}, but there is no folder to write to: "
            "give --checkpoint FOLDER, or leave it out"
        )


def _check_source(choices: Choices) -> None:
    """A table needs a target; digits and MNIST have theirs."""
    from deltarule.errors import ConfigurationError

    if choices.source in IMAGES:
        if choices.target is not None:
            raise ConfigurationError(
                f"--target is {', '.join(choices.target)!r}, but {choices.source} has its own target, the digit: leave "
                "it out"
            )
        if choices.cost in NUMBERS:
            raise ConfigurationError(
                f"--cost is {choices.cost!r}, which is for numbers, and {choices.source} is a classification: leave it "
                "out"
            )
        if choices.task == "regression":
            raise ConfigurationError(f"--task is 'regression', but {choices.source} is a classification: leave it out")
        if choices.split is not None:
            raise ConfigurationError(
                f"--split is {choices.split!r}, but {choices.source} has its own parts: leave it out"
            )
        for name in TABLE_OPTIONS:
            if getattr(choices, name) is not None:
                raise ConfigurationError(f"--{name} is for tables, and {choices.source} is none: leave it out")
        return
    if choices.expand is not None:
        raise ConfigurationError(
            f"--expand is {', '.join(choices.expand)}, but {choices.source} is a table: leave it out"
        )
    if choices.streamed:
        _check_streamed(choices)
    if choices.missing == "refuse" and choices.drop_missing:
        raise ConfigurationError("--missing is refuse, but --drop-missing leaves rows out: leave one of them out")
    choices.table_options  # noqa: B018, which checks them
    if choices.target is not None and not all(name.strip() for name in choices.target):
        raise ConfigurationError("--target is empty: name the column of the table to learn")
    if choices.out is not None and choices.out.resolve() == Path(choices.source).resolve():
        raise ConfigurationError(f"--out is {str(choices.out)!r}, the table itself: give another name for the model")


def _check_streamed(choices: Choices) -> None:
    """Refuse what takes all examples in memory, where they stay on disk."""
    from deltarule.errors import ConfigurationError

    refused = {
        "--data-dir": choices.data_dir,
        "--record": choices.recorded and ", ".join(choices.recorded),
        "--drop-missing": choices.drop_missing or None,
        "--split": choices.split,
        **{f"--{name}": getattr(choices, name) for name in TABLE_OPTIONS},
        "--monitor": "accuracy" if choices.monitor == "accuracy" else None,
        "--batch-size": choices.batch_size if choices.trainer == "lm" else None,
    }
    for name, value in refused.items():
        if value is not None:
            given = "given" if value is True else value
            raise ConfigurationError(
                f"{name} is {given}, but the examples of the folder {choices.source} are read in pieces, which goes "
                "without it: leave it out, or train on one table"
            )
    if choices.trainer is not None and not TRAINERS[choices.trainer].streamed:
        able = ", ".join(name for name, row in TRAINERS.items() if row.streamed)
        raise ConfigurationError(
            f"--trainer {choices.trainer} needs all examples in memory, and those of the folder {choices.source} stay "
            f"on disk: choose --trainer {able}"
        )


def trainer_options(choices: Choices) -> dict[str, Any]:
    """The options that not every trainer takes, None where the user left them out."""
    return {
        "--eta": choices.eta,
        "--batch-size": choices.batch_size,
        "--momentum": choices.momentum,
        "--l2": choices.l2,
        "--l1": choices.l1,
        "--max-norm": choices.max_norm,
        "--dropout": choices.dropout,
        "--halve-after": choices.halve_after,
    }


def check_trainer_options(choices: Choices, trainer: str) -> None:
    """Refuse an option that this trainer does not understand, rather than ignore it."""
    from deltarule.errors import ConfigurationError

    for name, value in trainer_options(choices).items():
        if value is not None and name not in TRAINERS[trainer].takes:
            others = ", ".join(other for other, choice in TRAINERS.items() if name in choice.takes)
            raise ConfigurationError(
                f"{name} is {value}, but --trainer {trainer} takes no {name}: "
                f"leave it out, or choose --trainer {others}"
            )
    if choices.nesterov and choices.momentum is None and TRAINERS[trainer].momentum is None:
        raise ConfigurationError(
            f"--nesterov is a kind of momentum, and --trainer {trainer} has none here: "
            "give --momentum 0.9 with sgd or gd, choose --trainer momentum, or leave it out"
        )
