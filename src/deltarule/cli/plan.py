"""`deltarule plan`: what `deltarule train` with the same options would take, said before anything is trained.

The time that `train` itself announces is that of `deltarule.engine.choice.estimate`, a model by shapes and settings:
nothing is timed, and the same command says the same everywhere.
"""

import warnings
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import deltarule as dr
from deltarule import data
from deltarule.cli.choice_checks import check_choices
from deltarule.cli.choices import Choices
from deltarule.cli.loading import load_data
from deltarule.cli.options import as_words, given, option
from deltarule.cli.reading import Screen, parse_devices, parse_hidden
from deltarule.cli.screen import command, duration, emit_json, warnings_as_notes
from deltarule.errors import ConfigurationError, counted

if TYPE_CHECKING:
    from deltarule.engine.choice import Estimate
    from deltarule.models.plan import Plan

FORMS = {None: "first-order steps", "cg": "matrix-free steps"}
LONG = 60.0  # seconds worth a word


@dataclass(frozen=True, kw_only=True)
class Machines(Screen):
    """What the time is estimated for."""

    on: str = option("Numbers of devices like this one to estimate the time for.", "P[,P]", default="1,2,4,8")


def plan(choices: Choices, machines: Machines) -> None:
    """Say what a training would take: the form of its steps, memory, operations, and time on this machine and on more.

    The options are those of `deltarule train`. The time comes from short trial runs of the same network on fewer,
    random examples.
    """
    from deltarule import engine as engines
    from deltarule.engine.choice import choose_engine, estimate
    from deltarule.engine.machine import in_units as size
    from deltarule.models.candidates import affordable_epochs, get_effort
    from deltarule.training.forecast import forecast

    check_choices(choices)
    if choices.is_series:
        raise ConfigurationError("--time and --lags make the rows a time series, for which there is no plan: train it")
    if choices.streamed:
        raise ConfigurationError(
            f"{choices.source} is a folder, whose examples stay on disk, and a plan is for examples in memory: give a "
            "table"
        )
    devices = parse_devices("--on", machines.on)
    data = load_data(choices)
    planned = make_plan(choices, data)
    plans = [planned.for_candidate(candidate) for candidate in planned.candidates] or [planned]
    rows = planned.rows or len(data.train)
    shape, epochs = (rows, planned.sizes[0]), plans[0].epochs * plans[0].restarts
    with warnings_as_notes():
        asked = choices.engine or "auto"
        engine = choose_engine(asked, planned.net, planned.trainer, shape, epochs, choices.devices)
    every = [forecast(one.net, one.trainer, one.sizes[0], rows, engine=engine) for one in plans]
    effort = get_effort(planned.effort)
    each = [affordable_epochs(effort, rows, one.flops, epochs) if planned.candidates else epochs for one in every]
    times = {p: sum(n * one.on(p) for n, one in zip(each, every, strict=True)) for p in devices}
    found = max(every, key=lambda one: one.memory.total)
    planned = replace(plans[every.index(found)], candidates=planned.candidates)
    memory, form = found.memory, FORMS.get(found.form, f"exact steps, {found.form} form")
    examples = f"{counted(len(data.train), 'training example')} of {data.name}"
    of_several = f"the largest of {counted(len(every), 'network')}: " if planned.candidates else ""
    lines = [
        f"{of_several}{planned.network}, {counted(found.sizes.parameters, 'parameter')}, {examples}",
        f"{planned.description}: {form}, {found.steps:,} an epoch, {found.flops:.2g} operations",
        f"memory {size(memory.total)}: examples {size(memory.examples)}, matrices {size(memory.matrices)}, work "
        f"{size(memory.work)}",
        f"{engines.get(engine).device()}: {duration(found.seconds)} an epoch, {counted(planned.epochs, 'epoch')} at "
        "most",
        _why(engine, estimate(planned.net, planned.trainer, shape, epochs), asked == "auto"),
        *(
            f"  {counted(p, 'device')}: {duration(seconds)} in all, {size(found.memory_on(p).total)} on each"
            for p, seconds in times.items()
        ),
        "Stopping early, validation and compilation are not in these times; between devices 10 Gbit/s.",
    ]
    for words in lines:
        machines.line(words)
    machines.line(command("train", choices.source, *as_words(Choices, {n: v for n, _, v in given(choices)})), "bold")
    if machines.as_json:
        emit_json(
            {
                "network": planned.sizes,
                "parameters": found.sizes.parameters,
                "examples": found.examples,
                "trainer": planned.trainer_name,
                "form": found.form,
                "epochs": planned.epochs,
                "networks": len(every),
                "starts": planned.restarts,
                "steps_per_epoch": found.steps,
                "flops_per_epoch": found.flops,
                "memory_bytes": memory.total,
                "seconds_per_epoch": found.seconds,
                "bytes_sent_per_epoch": found.sent,
                "seconds": times,
                "engine": engine,
                "version": dr.__version__,
            }
        )


def _why(engine: str, chosen: "Estimate", auto: bool) -> str:
    """The engine, and why it: what the model of "auto" says of both."""
    asked = "" if auto else ", as --engine says"
    if chosen.jax == float("inf"):
        reason = "steps with curvature are LAPACK's, which compiling does not help"
        return f"engine {engine}: {reason}" if auto else f"engine {engine}{asked}; auto takes numpy: {reason}"
    return f"engine {engine}{asked}: expected {duration(chosen.numpy)} by NumPy, {duration(chosen.jax)} by JAX"


def make_plan(choices: Choices, data: "data.LoadedData", searching: bool = False) -> "Plan":
    """The plan of a training, or of a trial of a search."""
    from deltarule.models import planning
    from deltarule.models.problem import Problem
    from deltarule.models.recipe import Recipe

    options = {field.name: getattr(choices, field.name, None) for field in fields(Recipe)}
    known: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    if choices.hidden is not None:
        known["hidden"] = parse_hidden("--hidden", choices.hidden)
    return planning.make_plan(Recipe(**known), Problem.of(data, searching))


def long_training(choices: Choices, plan: "Plan", data: "data.DataSet") -> list[str]:
    """A sentence if all epochs of all starts, on one core of the engine that will train, would take over a minute."""
    from deltarule.engine.choice import choose_engine, estimate

    rows = plan.rows or len(data.train)
    work = plan.net, plan.trainer, (rows, data.schema.input_width), plan.epochs * plan.restarts
    with warnings.catch_warnings(action="ignore"):  # the training itself warns that JAX is missed
        engine = choose_engine(choices.engine or "auto", *work, choices.devices)
    seconds = estimate(*work).on(engine)
    if seconds <= LONG or choices.time_limit is not None:
        return []
    size = f"{counted(rows, 'example')}, {counted(data.schema.input_width, 'input')}"
    size += f", {counted(plan.epochs, 'epoch')}"
    size += f" from {counted(plan.restarts, 'start')}" if plan.restarts > 1 else ""
    quicker = "a larger --batch-size" if "eta" in plan.options else "--trainer adam"
    return [
        f"this training may take up to about {duration(seconds)} ({size}); {quicker} may be quicker, and --time-limit "
        f"{LONG:g} ends it after a minute and keeps the best network so far"
    ]
