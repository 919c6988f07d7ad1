"""What `deltarule search` varies: --vary NAME=VALUES as typed, checked, and as the space of the library's search.

The names are those of the options of `Choices` that say how they are varied.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from deltarule.cli.choice_checks import check_choices
from deltarule.cli.choices import Choices
from deltarule.cli.options import as_words, options_of, typed
from deltarule.errors import ConfigurationError

if TYPE_CHECKING:
    from deltarule.models.plan import Plan
    from deltarule.tuning import Range, Space

# The fields of `Choices` that vary by their names as typed: "batch-size": "batch_size".
VARIED = {typed(Choices, name).removeprefix("--"): name for name, known in options_of(Choices).items() if known.vary}


def parse_variations(texts: list[str], choices: Choices) -> "Space":
    """The space of "eta=0.01:10" and "hidden=30,100,30x20", by the fields of `Choices`; every value is checked."""
    space: dict[str, Any] = {}
    for text in texts:
        name, _, values = text.partition("=")
        name, values = name.strip().removeprefix("--"), values.strip()
        if name not in VARIED or not values:
            raise ConfigurationError(
                f"--vary is {text!r}: give NAME=LOW:HIGH or NAME=VALUE,VALUE, such as eta=0.01:10 or hidden=30,100; "
                f"the names are {', '.join(VARIED)}"
            )
        field = VARIED[name]
        if field in space:
            raise ConfigurationError(f"--vary names {name!r} twice: give all its values at once")
        if getattr(choices, field) is not None:
            raise ConfigurationError(f"--vary names {name!r}, and --{name} fixes it: leave one of them out")
        try:
            space[field] = _entry(field, values)
        except ValueError as error:  # what float and int raise, and a ConfigurationError is one
            raise ConfigurationError(f"--vary is {text!r} ({error}): give such as 0.1,0.5") from None
    trainers = ends(space.get("trainer", [choices.trainer]))
    for field, entry in space.items():  # every value of a list and both ends of a range, as if given by itself
        for value in ends(entry):
            for trainer in trainers if field != "trainer" else [value]:
                check_choices(replace(choices, **{"trainer": trainer, field: value}))
    return space


def _entry(field: str, text: str) -> "list[Any] | Range":
    """The values or the range after the equals sign; 30x20 is the --hidden 30,20 of a training."""
    from deltarule.tuning import Range

    how = options_of(Choices)[field].vary
    low, colon, high = text.partition(":")
    if not colon:
        values = [value.strip().replace("x", ",") if how == "sizes" else value.strip() for value in text.split(",")]
        read = {"whole": int, "log": float, "even": float}.get(how or "", str)
        return [read(value) for value in values]
    if how in ("names", "sizes"):
        raise ConfigurationError("it has no range, so give values with commas between")
    return Range(float(low), float(high), log=how != "even", whole=how == "whole")


def ends(entry: Any) -> list[Any]:
    """The values of a list, or the two ends of a range."""
    return entry if isinstance(entry, list) else [entry.at(0), entry.at(1)]


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
    return as_words(Choices, {name: value for name, value in choices.record().items() if name != "out"})
