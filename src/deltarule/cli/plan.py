"""`deltarule plan`: how much memory and time `deltarule train` with the same options would need.

The plan times the steps of the network on random examples, see `deltarule.training.forecast`. The note that `train`
prints before a long training comes from `deltarule.engine.choice.estimate`, which depends on shapes and settings alone.
"""

import warnings
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import deltarule as dr
from deltarule import data
from deltarule.cli.loading import load_data
from deltarule.cli.options import given_options, option, to_arguments
from deltarule.cli.screen import format_duration, print_json, suggest, warnings_as_notes
from deltarule.cli.shared_options import OutputOptions, parse_devices, parse_hidden
from deltarule.cli.training_checks import check_training_options
from deltarule.cli.training_options import TrainingOptions
from deltarule.errors import ConfigurationError, pluralized

if TYPE_CHECKING:
    from deltarule.engine.choice import Estimate
    from deltarule.models.plan import Plan

FORMS = {None: "first-order steps", "cg": "matrix-free steps"}
LONG = 60.0  # seconds from which `train` announces its time


@dataclass(frozen=True, kw_only=True)
class PlanOptions(OutputOptions):
    """The options that only `deltarule plan` has."""

    on: str = option("For which numbers of devices like this one to estimate the time.", "P[,P]", default="1,2,4,8")


def plan(options: TrainingOptions, plan_options: PlanOptions) -> None:
    """Estimate what a training needs: memory, operations, and time on this machine and on more devices.

    The options are those of `deltarule train`. The time comes from short trial runs of the same network on fewer,
    random examples.
    """
    from deltarule import engine as engines
    from deltarule.engine.choice import choose_engine, estimate
    from deltarule.engine.machine import format_bytes as size
    from deltarule.models.candidates import affordable_epochs, get_effort
    from deltarule.training.forecast import forecast

    check_training_options(options)
    if options.is_series:
        raise ConfigurationError("--time and --lags make the rows a time series, for which there is no plan: train it")
    if options.is_streamed:
        raise ConfigurationError(
            f"{options.source} is a folder, whose examples stay on disk, and a plan is for examples in memory: give a "
            "table"
        )
    devices = parse_devices("--on", plan_options.on)
    data = load_data(options)
    planned = make_plan(options, data)
    plans = [planned.for_candidate(candidate) for candidate in planned.candidates] or [planned]
    rows = planned.rows or len(data.train)
    shape, epochs = (rows, planned.sizes[0]), plans[0].epochs * plans[0].restarts
    with warnings_as_notes():
        engine_option = options.engine or "auto"
        engine = choose_engine(engine_option, planned.net, planned.trainer, shape, epochs, options.devices)
    forecasts = [forecast(one.net, one.trainer, one.sizes[0], rows, engine=engine) for one in plans]
    effort = get_effort(planned.effort)
    epochs_of = [
        affordable_epochs(effort, rows, one.flops, epochs) if planned.candidates else epochs for one in forecasts
    ]
    several_devices = []
    if planned.candidates:  # which several devices do not train
        devices, instead = [1], pluralized(planned.restarts, "start")
        several_devices = [f"Several devices would train {instead} of one network: give --hidden to see their times."]
    times = {p: sum(n * one.seconds_on(p) for n, one in zip(epochs_of, forecasts, strict=True)) for p in devices}
    largest = max(forecasts, key=lambda one: one.memory.total)
    planned = replace(plans[forecasts.index(largest)], candidates=planned.candidates)
    memory, form = largest.memory, FORMS.get(largest.form, f"exact steps, {largest.form} form")
    examples = f"{pluralized(len(data.train), 'training example')} of {data.name}"
    of_several = f"the largest of {pluralized(len(plans), 'network')}: " if planned.candidates else ""
    lines = [
        f"{of_several}{planned.network}, {pluralized(largest.sizes.parameters, 'parameter')}, {examples}",
        f"{planned.description}: {form}, {pluralized(largest.steps, 'step')} an epoch, {largest.flops:.2g} operations "
        "an epoch",
        f"memory {size(memory.total)}: examples {size(memory.examples)}, matrices {size(memory.matrices)}, work "
        f"{size(memory.work)}",
        f"{engines.get(engine).device()}: {format_duration(largest.seconds)} an epoch, at most "
        f"{pluralized(planned.epochs, 'epoch')}",
        _engine_line(engine, estimate(planned.net, planned.trainer, shape, epochs), engine_option == "auto"),
        *(
            f"  {pluralized(p, 'device')}: {format_duration(seconds)} in all, {size(largest.memory_on(p).total)} each"
            for p, seconds in times.items()
        ),
        *several_devices,
        "Not included: stopping early, which shortens a training, validation and compilation."
        + " Devices are assumed to be connected by 10 Gbit/s." * (len(times) > 1),
    ]
    for line in lines:
        plan_options.print_line(line)
    arguments = to_arguments(TrainingOptions, {name: value for name, _, value in given_options(options)})
    suggest(plan_options, "train", options.source, *arguments, before="To train:")
    if plan_options.as_json:
        print_json(
            {
                "network": planned.sizes,
                "parameters": largest.sizes.parameters,
                "examples": largest.examples,
                "trainer": planned.trainer_name,
                "form": largest.form,
                "epochs": planned.epochs,
                "networks": len(plans),
                "starts": planned.restarts,
                "steps_per_epoch": largest.steps,
                "flops_per_epoch": largest.flops,
                "memory_bytes": memory.total,
                "seconds_per_epoch": largest.seconds,
                "bytes_sent_per_epoch": largest.traffic,
                "seconds": times,
                "engine": engine,
                "version": dr.__version__,
            }
        )


def _engine_line(engine: str, expected: "Estimate", auto: bool) -> str:
    """The engine, and the estimates by which "auto" chooses it."""
    by_option = "" if auto else ", as --engine says"
    if expected.jax == float("inf"):
        reason = "compiling does not speed up steps with curvature, which LAPACK computes"
        return f"engine {engine}: {reason}" if auto else f"engine {engine}{by_option}; auto takes numpy: {reason}"
    times = f"expected {format_duration(expected.numpy)} by NumPy, {format_duration(expected.jax)} by JAX"
    return f"engine {engine}{by_option}: {times}"


def make_plan(options: TrainingOptions, data: "data.LoadedData", searching: bool = False) -> "Plan":
    """The plan of a training, or of a trial of a search."""
    from deltarule.models import planning
    from deltarule.models.recipe import Problem, Recipe

    values = {field.name: getattr(options, field.name, None) for field in fields(Recipe)}
    recipe: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    if options.hidden is not None:
        recipe["hidden"] = parse_hidden("--hidden", options.hidden)
    return planning.make_plan(Recipe(**recipe), Problem.of(data, searching))


def long_training_notes(options: TrainingOptions, plan: "Plan", data: "data.DataSet") -> list[str]:
    """A note if all epochs of all restarts are estimated to take over a minute."""
    from deltarule.engine.choice import choose_engine, estimate

    rows = plan.rows or len(data.train)
    work = plan.net, plan.trainer, (rows, data.schema.input_width), plan.epochs * plan.restarts
    with warnings.catch_warnings(action="ignore"):  # the training itself warns that JAX is missing
        engine = choose_engine(options.engine or "auto", *work, options.devices)
    seconds = estimate(*work).on(engine)
    if seconds <= LONG or options.time_limit is not None:
        return []
    size = f"{pluralized(rows, 'example')}, {pluralized(data.schema.input_width, 'input')}"
    size += f", {pluralized(plan.epochs, 'epoch')}"
    size += f" from {pluralized(plan.restarts, 'start')}" if plan.restarts > 1 else ""
    quicker = "a larger --batch-size" if "eta" in plan.options else "--trainer adam"
    return [
        f"this training may take up to about {format_duration(seconds)} ({size}); {quicker} may be quicker, and "
        f"--time-limit {LONG:g} ends it after a minute and keeps the best network so far"
    ]
