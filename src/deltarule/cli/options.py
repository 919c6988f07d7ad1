"""Options as data: an option is one field of a dataclass, and Typer, the checks, the record and `search` read it there.

    eta: float | None = option("The learning rate.", default_text="the trainer's", check=number(above=0), vary="log")

is `--eta NUMBER` of every command that has a parameter annotated with the dataclass, see `with_options`.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from pathlib import Path
from pkgutil import resolve_name
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

import typer

Check = Callable[[str, Any], object]
EVERY_SOURCE = ("images", "table", "folder")


@dataclass(frozen=True)
class Option:
    """What is known of an option besides the name, type and default of its field."""

    help: str
    metavar: str | None = None  # the placeholder of its value in the help; NUMBER or NAME by default
    default_text: str | None = None  # describes the default in the help
    name: str | None = None  # on the command line, where it differs from the field's
    check: Check | None = None  # called with "--name" and the value; raises a ConfigurationError for a bad value
    # How `deltarule search --vary` reads it: ranges drawn "log", "even" or "whole", or "names" and "sizes", which have
    # no ranges; None where it cannot be varied.
    vary: str | None = None
    search: bool | str = True  # whether `deltarule search` takes it; a text describes its default there
    sources: tuple[str, ...] = EVERY_SOURCE  # the kinds of source that it applies to
    recorded: bool = True  # whether the model file keeps it
    positional: bool = False


def option(help: str, metavar: str | None = None, *, default: Any = None, **facts: Any) -> Any:  # noqa: A002
    """Make a dataclass field an option; it is required if `default` is `MISSING`. `facts` go to `Option`."""
    return field(default=default, metadata={"option": Option(help, metavar, **facts)})


@cache
def options_of(kind: type) -> dict[str, Option]:
    """The options of a dataclass by field name: positional ones first, then its own, then those it inherits."""
    every = {one.name: one.metadata["option"] for one in fields(kind) if "option" in one.metadata}
    order = {name: not opt.positional and 1 + (name not in kind.__annotations__) for name, opt in every.items()}
    return {name: every[name] for name in sorted(every, key=order.__getitem__)}


def flag(kind: type, name: str) -> str:
    """The field's name on the command line: "--batch-size"."""
    opt = options_of(kind).get(name)
    return f"--{((opt and opt.name) or name).replace('_', '-')}"


def given_options(options: Any) -> Iterator[tuple[str, Option, Any]]:
    """Field name, option and value of every option that the user gave."""
    for name, opt in options_of(type(options)).items():
        value = getattr(options, name)
        if value is not None and value is not False:
            yield name, opt, value


def with_value(options: Any, name: str) -> str:
    """The option with its value, to begin an error message: "--batch-size is 7", "--cost is 'huber'"."""
    value = getattr(options, name)
    if isinstance(value, tuple):
        value = ", ".join(value)
    words = "given" if value is True else repr(str(value)) if isinstance(value, str | Path) else value
    return f"{flag(type(options), name)} is {words}"


def check_values(options: Any) -> None:
    """Run the check of every option that the user gave on its value."""
    for name, opt, value in given_options(options):
        if opt.check is not None:
            opt.check(flag(type(options), name), value)


def to_arguments(kind: type, values: Mapping[str, Any]) -> list[str]:
    """The arguments that would set these fields of a dataclass; the source and a seed of 0 are left out."""
    arguments: list[str] = []
    for name, value in values.items():
        if name == "source" or (name == "seed" and value == 0):
            continue
        for one in value if isinstance(value, (list, tuple)) else (value,):
            arguments += [flag(kind, name)] if one is True else [flag(kind, name), str(one)]
    return arguments


def number(**bounds: float) -> Check:
    """A check of a number, with the bounds of `deltarule.checks.require_number`, imported late to keep help quick."""
    return lambda name, value: resolve_name("deltarule.checks:require_number")(name, value, **bounds)


def count(least: int = 1, most: int = 2**31 - 1) -> Check:
    """A check of a whole number."""
    return lambda name, value: resolve_name("deltarule.checks:require_count")(name, value, least, most)


def one_of(names: Iterable[str] | Callable[[], Iterable[str]]) -> Check:
    """A check that a value, or each of several, is one of these names; a function is called for them when needed."""

    def check(name: str, value: Any) -> None:
        allowed = tuple(names() if callable(names) else names)
        for one in value if isinstance(value, tuple) else (value,):
            resolve_name("deltarule.checks:require_choice")(name, one, allowed)

    return check


def _parser(kind: Any, what: str, example: str) -> Callable[[str], Any]:
    """A parser of a number from text; the option's own check then decides whether its value is allowed."""

    def parse(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            raise typer.BadParameter(f"{text!r} is not a {what}: give one, such as {example}") from None

    return parse


PARSERS: dict[Any, Any] = {
    float: {"parser": _parser(float, "number", "0.5"), "metavar": "NUMBER"},
    int: {"parser": _parser(int, "whole number", "10"), "metavar": "NUMBER"},
    str: {"metavar": "NAME"},
    bool: {"metavar": ""},  # a flag; Typer would print <bool>, as if it took a value
}


def with_options(function: Callable[..., None]) -> Callable[..., None]:
    """Replace each parameter of a command, a dataclass of options, by these options, so that Typer can read them."""
    parameters: dict[str, inspect.Parameter] = {}
    parts: dict[str, tuple[Any, list[str]]] = {}
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        kind = parameter.annotation
        taken = {name: _parameter(kind, name, function.__name__) for name in options_of(kind)}
        parameters |= {name: one for name, one in taken.items() if one is not None}
        parts[parameter.name] = kind, [name for name in taken if name in parameters]

    def command(**values: Any) -> None:
        def part(kind: Any, names: list[str]) -> Any:
            mine = {name: values[name] for name in names}
            return kind(**{name: tuple(v) or None if isinstance(v, list) else v for name, v in mine.items()})

        function(**{name: part(*one) for name, one in parts.items()})

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__signature__ = inspect.Signature(list(parameters.values()))  # pyright: ignore[reportFunctionMemberAccess]
    command.__annotations__ = {name: parameter.annotation for name, parameter in parameters.items()}
    return command


def _parameter(kind: Any, name: str, command: str) -> inspect.Parameter | None:
    """The field as a parameter with Typer's annotation; None where the command does not take it."""
    opt, described = options_of(kind)[name], kind.__dataclass_fields__[name]
    default_text = opt.default_text
    if command == "search":
        if not opt.search:
            return None
        default_text = opt.search if isinstance(opt.search, str) else default_text
    base = next(part for part in (get_args(described.type) or (described.type,)) if part is not NoneType)
    facts = PARSERS.get(str if get_origin(base) is tuple else base, {}) | {"help": opt.help}
    facts |= {} if opt.metavar is None else {"metavar": opt.metavar}
    facts |= {} if default_text is None else {"show_default": default_text}
    typer_type = typer.Argument(**facts) if opt.positional else typer.Option(flag(kind, name), **facts)
    read_as = list[str] | None if get_origin(base) is tuple else described.type
    default = inspect.Parameter.empty if described.default is MISSING else described.default
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[read_as, typer_type]
    )
