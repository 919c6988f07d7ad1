"""The plan for what the user chose."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from deltarule.cli.choices import Choices
from deltarule.cli.options import parse_hidden

if TYPE_CHECKING:
    from deltarule.data import LoadedData
    from deltarule.models.plan import Plan
    from deltarule.models.recipe import Recipe


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
