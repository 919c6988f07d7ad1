"""Options as data: an option is one field of a dataclass, and Typer, the checks, the record and `search` read it there.

    eta: float | None = option("The learning rate.", otherwise="the trainer's", check=number(above=0), vary="log")

is `--eta NUMBER` of every command that has a parameter annotated with the dataclass, see `with_options`.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

import typer

Check = Callable[[str, Any], object]
EVERY_SOURCE = ("images", "table", "folder")


@dataclass(frozen=True)
class Option:
    """What is known of an option besides the name, type and default of its field."""

    help: str  # what `--help` says of it
    metavar: str | None = None  # what stands for its value there; NUMBER or NAME by default
    otherwise: str | None = None  # what holds where it is not given
    name: str | None = None  # on the command line, where it is not the field's
    check: Check | None = None  # called with "--name" and the value; raises a ConfigurationError of a bad one
    # How `deltarule search --vary` reads it: ranges drawn "log", "even" or "whole", or "names" and "sizes", which have
    # no ranges; None where it cannot be varied.
    vary: str | None = None
    search: bool | str = True  # whether `deltarule search` takes it; as a text, what holds there where it is not given
    sources: tuple[str, ...] = EVERY_SOURCE  # the kinds of source that it goes with
    recorded: bool = True  # whether the model file keeps it
    positional: bool = False  # whether it is an argument, which is typed without its name


def option(help: str, metavar: str | None = None, *, default: Any = None, **facts: Any) -> Any:  # noqa: A002
    """A field that is an option, `MISSING` as default one that must be given; `facts` go to `Option`."""
    return field(default=default, metadata={"option": Option(help, metavar, **facts)})


@cache
def options_of(kind: type) -> dict[str, Option]:
    """The options of a dataclass by the names of its fields: arguments, its own options, those that it inherits."""
    found = {one.name: one.metadata["option"] for one in fields(kind) if "option" in one.metadata}
    order = {name: not known.positional and 1 + (name not in kind.__annotations__) for name, known in found.items()}
    return {name: found[name] for name in sorted(found, key=order.__getitem__)}


def typed(kind: type, name: str) -> str:
    """The field's name on the command line: "--batch-size"."""
    known = options_of(kind).get(name)
    return f"--{((known and known.name) or name).replace('_', '-')}"


def given(options: Any) -> Iterator[tuple[str, Option, Any]]:
    """Field, option and value of what the user gave."""
    for name, known in options_of(type(options)).items():
        value = getattr(options, name)
        if value is not None and value is not False:
            yield name, known, value


def said(options: Any, name: str) -> str:
    """The option with its value, as sentences about bad input begin: "--batch-size is 7", "--cost is 'huber'"."""
    value = getattr(options, name)
    if isinstance(value, tuple):
        value = ", ".join(value)
    words = "given" if value is True else repr(str(value)) if isinstance(value, str | Path) else value
    return f"{typed(type(options), name)} is {words}"


def check_given(options: Any) -> None:
    """Hold every option that is given against its own check."""
    for name, known, value in given(options):
        if known.check is not None:
            known.check(typed(type(options), name), value)


def as_words(kind: type, values: Mapping[str, Any]) -> list[str]:
    """Options of a dataclass by the names of its fields as words of a command line, without source and a seed of 0."""
    words: list[str] = []
    for name, value in values.items():
        if name == "source" or (name == "seed" and value == 0):
            continue
        for one in value if isinstance(value, (list, tuple)) else (value,):
            words += [typed(kind, name)] if one is True else [typed(kind, name), str(one)]
    return words


def number(**bounds: float) -> Check:
    """A check of a number, with the bounds of `deltarule.checks.require_number`."""
    return lambda name, value: _checks().require_number(name, value, **bounds)


def count(least: int = 1, most: int = 2**31 - 1) -> Check:
    """A check of a whole number."""
    return lambda name, value: _checks().require_count(name, value, least, most)


def one_of(names: Iterable[str] | Callable[[], Iterable[str]]) -> Check:
    """A check of a name, or of each of several; a function of no arguments gives the names when they are needed."""

    def check(name: str, value: Any) -> None:
        known = tuple(names() if callable(names) else names)
        for one in value if isinstance(value, tuple) else (value,):
            _checks().require_choice(name, one, known)

    return check


def _checks() -> Any:
    from deltarule import checks  # which imports NumPy: help comes sooner without

    return checks


def _reader(kind: Any, what: str, example: str) -> Callable[[str], Any]:
    """What reads a number as it is typed; whether it lies in its domain is asked later."""

    def read(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            raise typer.BadParameter(f"{text!r} is not a {what}: give one, such as {example}") from None

    return read


PARSED: dict[Any, Any] = {
    float: {"parser": _reader(float, "number", "0.5"), "metavar": "NUMBER"},
    int: {"parser": _reader(int, "whole number", "10"), "metavar": "NUMBER"},
    str: {"metavar": "NAME"},
}


def with_options(function: Callable[..., None]) -> Callable[..., None]:
    """The function as Typer reads a command: for each parameter, a dataclass of options, its options instead."""
    shown: dict[str, inspect.Parameter] = {}
    parts: dict[str, tuple[Any, list[str]]] = {}
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        kind = parameter.annotation
        own = {name: _parameter(kind, name, function.__name__) for name in options_of(kind)}
        shown |= {name: one for name, one in own.items() if one is not None}
        parts[parameter.name] = kind, [name for name in own if name in shown]

    def command(**values: Any) -> None:
        def part(kind: Any, names: list[str]) -> Any:
            own = {name: values[name] for name in names}
            return kind(**{name: tuple(v) or None if isinstance(v, list) else v for name, v in own.items()})

        function(**{name: part(*one) for name, one in parts.items()})

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__signature__ = inspect.Signature(list(shown.values()))  # pyright: ignore[reportFunctionMemberAccess]
    command.__annotations__ = {name: parameter.annotation for name, parameter in shown.items()}
    return command


def _parameter(kind: Any, name: str, command: str) -> inspect.Parameter | None:
    """The field as a parameter with Typer's annotation; None where the command does not take it."""
    known, one = options_of(kind)[name], kind.__dataclass_fields__[name]
    otherwise = known.otherwise
    if command == "search":
        if not known.search:
            return None
        otherwise = known.search if isinstance(known.search, str) else otherwise
    base = next(part for part in (get_args(one.type) or (one.type,)) if part is not NoneType)
    facts = PARSED.get(str if get_origin(base) is tuple else base, {}) | {"help": known.help}
    facts |= {} if known.metavar is None else {"metavar": known.metavar}
    facts |= {} if otherwise is None else {"show_default": otherwise}
    shown = typer.Argument(**facts) if known.positional else typer.Option(typed(kind, name), **facts)
    read_as = list[str] | None if get_origin(base) is tuple else one.type
    default = inspect.Parameter.empty if one.default is MISSING else one.default
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[read_as, shown]
    )
