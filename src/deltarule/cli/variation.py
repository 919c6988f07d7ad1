"""What `deltarule search` varies: --vary NAME=VALUES as typed, checked, and as the space of the library's search."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from deltarule.cli.choice_checks import check_choices
from deltarule.cli.choices import Choices, as_words

if TYPE_CHECKING:
    from deltarule.models.plan import Plan
    from deltarule.tuning import Range, Space


@dataclass(frozen=True)
class Variable:
    """A hyper-parameter that --vary can name.

    Args:
        field: of `Choices`.
        read: a value from its text.
        range: how a range of it is drawn, "log", "even" or "whole"; None if it has no ranges.
    """

    field: str
    read: Callable[[str], Any]
    range: str | None = None


def _sizes(text: str) -> str:
    """Hidden layers: 30x20 for the --hidden 30,20 of a training, because commas part values here."""
    return text.replace("x", ",")


VARIABLES: dict[str, Variable] = {
    "eta": Variable("eta", float, "log"),
    "batch-size": Variable("batch_size", int, "whole"),
    "l2": Variable("l2", float, "log"),
    "l1": Variable("l1", float, "log"),
    "max-norm": Variable("max_norm", float, "log"),
    "dropout": Variable("dropout", float, "even"),
    "momentum": Variable("momentum", float, "even"),
    "init": Variable("init", str),
    "hidden": Variable("hidden", _sizes),
    "activation": Variable("activation", str),
    "cost": Variable("cost", str),
    "trainer": Variable("trainer", str),
}


def parse_variations(texts: list[str], choices: Choices) -> "Space":
    """The space of "eta=0.01:10" and "hidden=30,100,30x20", by the fields of `Choices`; every value is checked.

    Raises:
        ConfigurationError: a name is not known, stands twice or is fixed as well, or a value lies outside its domain.
    """
    from deltarule.errors import ConfigurationError

    space: dict[str, Any] = {}
    for text in texts:
        name, equals, given = text.partition("=")
        name = name.strip().removeprefix("--")
        if name not in VARIABLES or not equals or not given.strip():
            raise ConfigurationError(
                f"--vary is {text!r}: give NAME=LOW:HIGH or NAME=VALUE,VALUE, such as eta=0.01:10 or hidden=30,100; "
                f"the names are {', '.join(VARIABLES)}"
            )
        variable = VARIABLES[name]
        if variable.field in space:
            raise ConfigurationError(f"--vary names {name!r} twice: give all its values at once")
        if getattr(choices, variable.field) is not None:
            raise ConfigurationError(f"--vary names {name!r}, and --{name} fixes it: leave one of them out")
        space[variable.field] = _entry(name, variable, given.strip(), text)
    _check_ends(space, choices)
    return space


def _entry(name: str, variable: Variable, given: str, text: str) -> "list[Any] | Range":
    """The values or the range after the equals sign."""
    from deltarule.errors import ConfigurationError
    from deltarule.tuning import Range

    low, colon, high = given.partition(":")
    try:
        if not colon:
            return [variable.read(value.strip()) for value in given.split(",")]
        if variable.range is None:
            raise ConfigurationError(f"--vary is {text!r}, but {name} has no range: give values with commas between")
        return Range(float(low), float(high), log=variable.range != "even", whole=variable.range == "whole")
    except ConfigurationError as error:
        if str(error).startswith("--vary"):
            raise
        raise ConfigurationError(f"--vary is {text!r}: {error}") from None
    except ValueError:
        raise ConfigurationError(f"--vary is {text!r}, whose values are not numbers: give such as 0.1,0.5") from None


def _check_ends(space: "Space", choices: Choices) -> None:
    """Check every value of a list, and both ends of a range, as if it had been given by itself."""
    trainers = space.get("trainer", [choices.trainer])
    for field, entry in space.items():
        values = entry if isinstance(entry, list) else [entry.at(0), entry.at(1)]  # pyright: ignore[reportAttributeAccessIssue]
        for value in values:
            for trainer in trainers if field != "trainer" and isinstance(trainers, list) else [choices.trainer]:
                check_choices(replace(choices, **{"trainer": trainer, field: value}))


def default_space(plan: "Plan", choices: Choices) -> "Space":
    """Where the user names nothing to vary: eta from a hundredth to ten times its default, and l2 ([N] ch. 3's two)."""
    from deltarule.tuning import Range

    space: dict[str, Any] = {}
    if plan.settings.eta is not None and choices.eta is None:
        space["eta"] = Range(plan.settings.eta / 100, plan.settings.eta * 10)
    if choices.l2 is None:
        space["l2"] = Range(1e-3, 10)
    return space


def as_options(choices: Choices) -> list[str]:
    """The options of `deltarule train` that give these choices, but for where the model goes."""
    return as_words({name: value for name, value in choices.record().items() if name != "out"})
