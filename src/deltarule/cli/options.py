"""Options as data: an option is one field of a dataclass, and Typer, the checks, the record and `search` read it there.

    eta: float | None = option("The learning rate.", otherwise="the trainer's", check=number(above=0), vary="log")

is `--eta NUMBER` of every command that has a parameter annotated with the dataclass, see `with_options`.
"""

import inspect
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

import typer

from deltarule.errors import ConfigurationError

Check = Callable[[str, Any], object]
ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="A file that `deltarule train` wrote.")]
TABLE_FILE = "a table (.csv, .tsv, .txt, .xlsx or .parquet)"
Source = Annotated[str, typer.Argument(metavar="SOURCE", help=f"digits, mnist, or {TABLE_FILE}.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON line to standard output instead.")]
EVERY_SOURCE = ("images", "table", "folder")


@dataclass(frozen=True)
class Option:
    """What is known of an option besides the name, type and default of its field.

    Args:
        help: what `--help` says of it.
        metavar: what stands for its value there; NUMBER or NAME by default.
        otherwise: what holds where it is not given.
        name: on the command line, where it is not the field's.
        check: called with "--name" and the value; raises a ConfigurationError where the value is outside the domain.
        vary: how `deltarule search --vary` reads it: ranges drawn "log", "even" or "whole", or "names" and "sizes",
            which have no ranges; None where it cannot be varied.
        search: whether `deltarule search` takes it; as a text, what holds there where it is not given.
        sources: the kinds of source that it goes with.
        recorded: whether the model file keeps it.
        positional: whether it is an argument, which is typed without its name.
    """

    help: str
    metavar: str | None = None
    otherwise: str | None = None
    name: str | None = None
    check: Check | None = None
    vary: str | None = None
    search: bool | str = True
    sources: tuple[str, ...] = EVERY_SOURCE
    recorded: bool = True
    positional: bool = False


def option(help: str, metavar: str | None = None, *, default: Any = None, **facts: Any) -> Any:  # noqa: A002
    """A field that is an option; `facts` are the other arguments of `Option`."""
    return field(default=default, metadata={"option": Option(help, metavar, **facts)})


@cache
def options_of(kind: type) -> dict[str, Option]:
    """The options of a dataclass by the names of its fields, its own before those that it inherits."""
    found = sorted(fields(kind), key=lambda one: one.name not in kind.__annotations__)
    return {one.name: one.metadata["option"] for one in found if "option" in one.metadata}


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


REAL: Any = {"parser": _reader(float, "number", "0.5"), "metavar": "NUMBER"}
WHOLE: Any = {"parser": _reader(int, "whole number", "10"), "metavar": "NUMBER"}
PARSED: dict[Any, Any] = {float: REAL, int: WHOLE, str: {"metavar": "NAME"}}


def with_options(function: Callable[..., None]) -> Callable[..., None]:
    """The function as Typer reads a command: for a parameter that is a dataclass of options, its options instead."""
    shown: list[inspect.Parameter] = []
    parts: dict[str, tuple[Any, list[str]]] = {}
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        kind = parameter.annotation
        if is_dataclass(kind):
            own = [_parameter(kind, name, function.__name__) for name in options_of(kind)]
            own = [one for one in own if one is not None]
            parts[parameter.name] = kind, [one.name for one in own]
            shown += own
        else:
            shown.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    def command(**values: Any) -> None:
        for part, (kind, names) in parts.items():
            own = {name: values.pop(name) for name in names}
            values[part] = kind(**{name: tuple(v) or None if isinstance(v, list) else v for name, v in own.items()})
        function(**values)

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__signature__ = inspect.Signature(shown)  # pyright: ignore[reportFunctionMemberAccess]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
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
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=Annotated[read_as, shown]
    )


def parse_hidden(text: str, name: str = "--hidden") -> tuple[int, ...]:
    """The sizes of the hidden layers in "30" or "30,20"."""
    sizes = [size.strip() for size in text.split(",")]
    if not all(size.isascii() and size.isdecimal() and 0 < int(size) <= 1_000_000 for size in sizes):
        raise ConfigurationError(
            f"{name} must be whole numbers of at least 1, and is {text!r}: give such as 30 or 30,20"
        )
    return tuple(map(int, sizes))


def parse_lags(text: str, name: str = "--lags") -> int | list[int] | str:
    """The lags in "8", which means 1 to 8, in "1,2,7", or "auto".

    Raises:
        ConfigurationError: it is none of these.
    """
    words = [word.strip() for word in text.split(",")]
    if words == ["auto"]:
        return "auto"
    if not all(word.isascii() and word.isdecimal() and 0 < int(word) <= 10_000 for word in words):
        raise ConfigurationError(
            f"{name} must be a number of steps, a list of them or auto, and is {text!r}: give such as 8 or 1,2,7"
        )
    lags = [int(word) for word in words]
    return lags[0] if len(lags) == 1 else lags


def require_writable(name: str, path: Path) -> Path:
    """The path, if a file can be written there; asked before the work, not after it."""
    reason, cure = None, "give another place"
    if path.is_dir():
        reason, cure = "which is a folder", "give the name of a file in it"
    elif not path.parent.is_dir():
        reason, cure = f"but there is no folder {str(path.parent)!r}", "make it first, or give another place"
    else:
        try:
            with tempfile.TemporaryFile(dir=path.parent):
                return path
        except OSError as error:
            reason = f"but its folder cannot be written ({error.strerror})"
    raise ConfigurationError(f"{name} is {str(path)!r}, {reason}: {cure}")


def require_other(name: str, path: Path, *read: Path | str | None) -> Path:
    """`require_writable`, and the path is none of the files that are read."""
    for other in read:
        if other is not None and path.resolve() == Path(other).resolve():
            raise ConfigurationError(f"{name} is {str(path)!r}, which is read here too: give another name")
    return require_writable(name, path)
