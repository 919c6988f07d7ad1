"""`deltarule plan`: what `deltarule train` with the same options would take, said before anything is trained."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from deltarule.cli.choice_checks import check_choices
from deltarule.cli.choices import Choices
from deltarule.cli.options import AsJson, DataDir, Decimal, DropMissing, Na, Sep
from deltarule.cli.screen import console_for, duration, emit_json, line, warnings_as_notes
from deltarule.cli.train import load_data
from deltarule.cli.training_options import (
    L2,
    Activation,
    BatchSize,
    Category,
    Cost,
    Drop,
    Engine,
    Epochs,
    Hidden,
    Missing,
    Model,
    Seed,
    Target,
    Task,
    Trainer,
    TrainingSource,
)
from deltarule.errors import counted

if TYPE_CHECKING:
    from deltarule.engine.choice import Estimate
    from deltarule.training.forecast import Forecast

On = Annotated[
    str, typer.Option("--on", metavar="P[,P]", help="Numbers of devices like this one to estimate the time for.")
]


def plan(
    source: TrainingSource = "digits",
    target: Target = None,
    task: Task = None,
    hidden: Hidden = None,
    model: Model = None,
    activation: Activation = None,
    cost: Cost = None,
    trainer: Trainer = None,
    batch_size: BatchSize = None,
    epochs: Epochs = None,
    l2: L2 = None,
    engine: Engine = None,
    seed: Seed = 0,
    data_dir: DataDir = None,
    drop_missing: DropMissing = False,
    sep: Sep = None,
    decimal: Decimal = None,
    na: Na = None,
    drop: Drop = None,
    category: Category = None,
    missing: Missing = None,
    on: On = "1,2,4,8",
    as_json: AsJson = False,
) -> None:
    """Say what a training would take: the form of its steps, memory, operations, and time on this machine and on more.

    The time comes from short trial runs of the same network on fewer, random examples.
    """
    choices = Choices.from_options(locals())
    import deltarule as dr
    from deltarule import engine as engines
    from deltarule.cli.planning import make_plan
    from deltarule.engine.choice import choose_engine, estimate
    from deltarule.errors import ConfigurationError
    from deltarule.training.forecast import forecast

    check_choices(choices)
    if choices.streamed:
        raise ConfigurationError(
            f"{source} is a folder, whose examples stay on disk, and a plan is for examples in memory: give a table"
        )
    devices = _counts(on)
    data = load_data(choices)
    planned = make_plan(choices, data)
    shape, epochs = (len(data.train), planned.sizes[0]), planned.epochs * planned.restarts
    with warnings_as_notes():
        engine = choose_engine(choices.engine or "auto", planned.net, planned.trainer, shape, epochs, None)
    chosen = estimate(planned.net, planned.trainer, shape, epochs)
    found = forecast(planned.net, planned.trainer, planned.sizes[0], len(data.train), engine=engine)
    times = {p: planned.epochs * planned.restarts * found.on(p) for p in devices}
    record = _record(planned, found, times) | {"engine": engine}
    console = console_for(as_json)
    form = {None: "first-order steps", "cg": "matrix-free steps"}.get(found.form, f"exact steps, {found.form} form")
    examples = f"{counted(len(data.train), 'training example')} of {data.name}"
    line(console, f"{planned.network}, {counted(found.sizes.parameters, 'parameter')}, {examples}")
    line(console, f"{planned.description}: {form}, {found.steps:,} an epoch, {found.flops:.2g} operations")
    memory = found.memory
    line(
        console,
        f"memory {_bytes(memory.total)}: examples {_bytes(memory.examples)}, matrices {_bytes(memory.matrices)}, "
        f"work {_bytes(memory.work)}",
    )
    device = engines.get(engine).device()
    line(console, f"{device}: {duration(found.seconds)} an epoch, {counted(planned.epochs, 'epoch')} at most")
    line(console, _why(engine, chosen, choices.engine in (None, "auto")))
    for p, seconds in times.items():
        each = _bytes(found.memory_on(p).total)
        line(console, f"  {counted(p, 'device')}: {duration(seconds)} in all, {each} on each")
    line(console, "Stopping early, validation and compilation are not in these times; between devices 10 Gbit/s.")
    if as_json:
        emit_json(record | {"version": dr.__version__})


def _why(engine: str, chosen: "Estimate", auto: bool) -> str:
    """The engine, and why it: what the model of "auto" says of both."""
    asked = "" if auto else ", as --engine says"
    if chosen.jax == float("inf"):
        reason = "steps with curvature are LAPACK's, which compiling does not help"
        return f"engine {engine}: {reason}" if auto else f"engine {engine}{asked}; auto takes numpy: {reason}"
    return f"engine {engine}{asked}: expected {duration(chosen.numpy)} by NumPy, {duration(chosen.jax)} by JAX"


def _counts(text: str) -> list[int]:
    """The numbers in "1,2,4"."""
    from deltarule.errors import ConfigurationError

    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdecimal() and 0 < int(word) <= 2**20 for word in words):
        raise ConfigurationError(f"--on must be whole numbers of at least 1, and is {text!r}: give such as 1,8,64")
    return [int(word) for word in words]


def _record(planned: Any, found: "Forecast", times: dict[int, float]) -> dict[str, Any]:
    """In JSON's types."""
    return {
        "network": list(planned.sizes),
        "parameters": found.sizes.parameters,
        "examples": found.sizes.examples,
        "trainer": planned.trainer_name,
        "form": found.form,
        "epochs": planned.epochs,
        "starts": planned.restarts,
        "steps_per_epoch": found.steps,
        "flops_per_epoch": found.flops,
        "memory_bytes": found.memory.total,
        "seconds_per_epoch": found.seconds,
        "bytes_sent_per_epoch": found.sent,
        "seconds": {str(p): seconds for p, seconds in times.items()},
    }


def _bytes(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:,.3g} TiB"
