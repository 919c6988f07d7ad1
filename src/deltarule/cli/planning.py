"""The plan for what the user chose, and how long it may take: said before a training of more than a minute.

The time is that of `deltarule.engine.choice.estimate`, a model by shapes and settings: nothing is timed, and the same
command says the same everywhere.
"""

import shlex
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from deltarule.cli.choices import Choices
from deltarule.cli.options import parse_hidden
from deltarule.cli.screen import duration
from deltarule.errors import ConfigurationError, counted

if TYPE_CHECKING:
    from deltarule.data import DataSet, LoadedData
    from deltarule.models.plan import Plan
    from deltarule.models.recipe import Recipe

LONG = 60.0  # seconds worth a word
SOONER = 0.5  # of the time: what another choice must save to be named
LARGER_BATCH = 100
MANY_VALUES, MOST_INPUTS = 50, 0.5  # inputs of one column, and their share of all, from which it is the reason


def recipe_of(choices: Choices) -> "Recipe":
    """What the choices say of the network and its training."""
    from deltarule.models.recipe import Recipe

    given = {field.name: getattr(choices, field.name, None) for field in fields(Recipe)}
    known: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if choices.hidden is not None:
        known["hidden"] = parse_hidden(choices.hidden)
    return Recipe(**known)


def make_plan(choices: Choices, data: "LoadedData", searching: bool = False) -> "Plan":
    """The plan of a training, or of a trial of a search."""
    from deltarule.models import planning
    from deltarule.models.problem import Problem

    return planning.make_plan(recipe_of(choices), Problem.of(data, searching))


def long_training(choices: Choices, plan: "Plan", data: "DataSet") -> list[str]:
    """A sentence if all the epochs would take more than a minute, with what would be quicker."""
    seconds = expected_seconds(choices, plan, data)
    if seconds <= LONG or choices.time_limit is not None:
        return []
    size = f"{counted(len(data.train), 'example')}, {counted(data.schema.input_width, 'input')}"
    starts = f" from {counted(plan.restarts, 'start')}" if plan.restarts > 1 else ""
    size += f", {counted(plan.epochs, 'epoch')}{starts}"
    said = f"this training may take up to about {duration(seconds)} ({size})"
    for words, quicker in _alternatives(choices, plan, len(data.train)):
        other = expected_seconds(quicker, make_plan(quicker, data), data)
        if other <= SOONER * seconds:
            return [f"{said}; with {words} it is about {duration(other)}{_widest(data)}"]
    return [f"{said}; --time-limit {LONG:g} ends it after a minute and keeps the best network so far{_widest(data)}"]


def expected_seconds(choices: Choices, plan: "Plan", data: "DataSet") -> float:
    """Seconds of all epochs of all starts on the engine that will train, one core."""
    from deltarule.engine import jax_is_installed
    from deltarule.engine.choice import estimate, needs_jax

    shape = (len(data.train), data.schema.input_width)
    found = estimate(plan.net, plan.trainer, shape, plan.epochs * plan.restarts)
    engine = choices.engine or "auto"
    if engine == "auto":
        engine = found.engine if jax_is_installed() else "numpy"
        engine = engine if needs_jax(plan.trainer, choices.devices) is None else "jax"
    return found.on(engine)


def _alternatives(choices: Choices, plan: "Plan", count: int) -> list[tuple[str, Choices]]:
    """Options that make a training quicker, in words and filled in, the likeliest first."""
    from deltarule.models.trainers import check_options

    if "eta" in plan.takes:
        small = plan.settings.batch_size is not None and plan.settings.batch_size < LARGER_BATCH <= count
        if not small or choices.batch_size is not None or "batch_size" not in plan.takes:
            return []
        return [(f"--batch-size {LARGER_BATCH}", replace(choices, batch_size=LARGER_BATCH))]
    try:
        check_options(choices, "adam")
    except ConfigurationError:
        return []
    return [("--trainer adam", replace(choices, trainer="adam"))]


def _widest(data: "DataSet") -> str:
    """The column of categories that makes most of the inputs, if there is one."""
    column = max(data.schema.inputs, key=lambda column: column.width)
    many = column.width >= max(MANY_VALUES, MOST_INPUTS * data.schema.input_width)
    if data.schema.image_shape or not many:
        return ""
    few = f"leave it out with {shlex.join(['--drop', column.name])}, or group its values"
    return f"; the column {column.name!r} alone makes {column.width} inputs: {few}"
