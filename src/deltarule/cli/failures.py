"""The error boundary: every failure becomes one sentence on standard error and an exit code, never a traceback."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import typer

from deltarule.cli.options import flag, options_of
from deltarule.cli.training_options import TrainingOptions
from deltarule.errors import DeltaruleError, ProcessError, how_to_install

BAD_INPUT, LOST_PROCESS, INTERRUPTED, BROKEN_PIPE = 2, 3, 130, 1
UsageError: Any = typer.BadParameter.__base__  # Typer does not export it by name

# The library's errors name its arguments; on the command line each is an option.
_NAMES = [name for name, opt in options_of(TrainingOptions).items() if not opt.positional]
NAMES = "|".join(sorted(_NAMES, key=len, reverse=True))
_option = partial(flag, TrainingOptions)
FLAG_PATTERNS = (
    (r"drop_missing=True \(--drop-missing\)", "--drop-missing"),
    (rf"(?<![-\w'])({NAMES})=(?:'([^']*)'|([\d.e+-]*\d))", lambda m: f"{_option(m[1])} {m[2] or m[3]}"),
    (rf"(?<![-\w'])({NAMES}) (is (?=['\d(-]|None)|must be )", lambda m: f"{_option(m[1])} {m[2]}"),
    (rf"\b(takes no|smaller|name one|give|with) ({NAMES})(?= than| to |[:,]|$)", lambda m: f"{m[1]} {_option(m[2])}"),
    (r"\b(use|with) task (regression|classification)\b", r"\1 --task \2"),
    (r"\bleave resume out\b", "leave --resume out"),
    (r"\bwrote with checkpoint\b", "wrote with --checkpoint"),
    (r"^nesterov is", "--nesterov is"),
    (r"^error_bars is True", "--error-bars is given"),
)


def with_flags(sentence: str) -> str:
    """Put the sentence on one line, with the options of the command line in place of the library's arguments.

    >>> with_flags("task is 'x': give classification or regression")
    "--task is 'x': give classification or regression"
    """
    for pattern, replacement in FLAG_PATTERNS:
        sentence = re.sub(pattern, replacement, sentence)
    return " ".join(sentence.split())


@contextmanager
def report_errors() -> Iterator[None]:
    """Turn a failure inside into a sentence on standard error and `typer.Exit`; a bug of deltarule passes through."""
    try:
        yield
    except ProcessError as error:
        print(f"Error: {with_flags(str(error))}", file=sys.stderr, flush=True)
        os._exit(LOST_PROCESS)  # an orderly exit would wait for the lost process
    except DeltaruleError as error:
        _fail(with_flags(str(error)))
    except UsageError as error:
        message = " ".join(error.format_message().split())
        command = error.ctx.command_path if error.ctx else "deltarule"
        _fail(message if ": give" in message else f"{message.rstrip('.')}: see `{command} --help`")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("deltarule"):
            raise
        _fail(f"this command needs the package {error.name!r}, which is not installed: {how_to_install('cli')}")
    except BrokenPipeError:
        _discard_output()
        raise typer.Exit(BROKEN_PIPE) from None
    except OSError as error:
        place = "" if error.filename is None else f"{error.filename}: "
        _fail(f"{place}{error.strerror or error}: check the path and try again")
    except (MemoryError, RuntimeError, ValueError) as error:  # JAX raises the last two when an array does not fit
        if not isinstance(error, MemoryError) and "RESOURCE_EXHAUSTED" not in str(error):
            raise
        _fail("there is not enough memory for these data and this network: use fewer rows or neurons")
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None


def flush_output(code: int) -> int:
    """Flush standard output; return `code`, or the exit code of what went wrong."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return BROKEN_PIPE
    except OSError as error:
        print(f"Error: standard output cannot be written ({error.strerror}): redirect it elsewhere", file=sys.stderr)
        return BAD_INPUT
    return code


def _fail(sentence: str) -> None:
    print(f"Error: {sentence}", file=sys.stderr)
    raise typer.Exit(BAD_INPUT) from None


def _discard_output() -> None:
    """Send the rest of standard output to nowhere, so that Python's flush at exit does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
