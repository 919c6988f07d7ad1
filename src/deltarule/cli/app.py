"""The commands of `deltarule` and their help. Commands import what they need when they run, so that help is quick.

`--help` shows the most important options of a command on one screen, `--help-all` all of them.
"""

import io
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from deltarule.cli.check import check
from deltarule.cli.evaluate import evaluate
from deltarule.cli.export import export
from deltarule.cli.failures import flush_output, report_errors
from deltarule.cli.import_ import import_
from deltarule.cli.options import with_options
from deltarule.cli.plan import plan
from deltarule.cli.play import play
from deltarule.cli.predict import predict
from deltarule.cli.report import report
from deltarule.cli.reproduce import reproduce
from deltarule.cli.search import search
from deltarule.cli.trace import trace
from deltarule.cli.train import train

ALL = "--help-all"
# The parameters that `--help` shows; the other commands have few options and show all of them.
BRIEF_HELP = {
    "train": "target hidden trainer cost epochs missing seed checkpoint out as_json",
    "plan": "target hidden trainer cost epochs devices as_json",
    "search": "target vary method trials hidden trainer epochs seed out as_json",
}


class BriefCommand(TyperCommand):
    """A command whose help is one screen."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; `--help-all` prints the whole help and exits."""
        if ALL in args:
            ctx.meta[ALL] = True
            typer.echo(self.get_help(ctx), color=ctx.color)
            ctx.exit()
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, and how many options it hides."""
        shown = "" if ctx.meta.get(ALL) else BRIEF_HELP.get(self.name or "", "")
        options = [one for one in self.get_params(ctx) if one.param_type_name == "option" and one.name != "help"]
        hidden: list[Any] = [one for one in options if shown and one.name not in shown.split()]
        for parameter in hidden:
            parameter.hidden = True
        if hidden:
            self.epilog = f"{ALL} shows {len(hidden)} more options."
        super().format_help(ctx, formatter)
        self.epilog = None
        for parameter in hidden:
            parameter.hidden = False


class Commands(TyperGroup):
    """The group of commands, inside the error boundary."""

    def invoke(self, ctx):
        """Run the command; a failure becomes one sentence and an exit code."""
        with report_errors():
            return super().invoke(ctx)


app = typer.Typer(
    name="deltarule",
    cls=Commands,
    help="Train feed-forward networks by hand-written backpropagation, and look inside them.\n\n"
    "`deltarule train` trains on handwritten digits that come with it, in a few seconds; `deltarule train FILE "
    "--target COLUMN` trains on a table of yours.",
    epilog="Exit codes: 0 success, 1 the gradient check failed, 2 bad input or a training that diverged, 3 another "
    "process of the training was lost, 130 interrupted.",
    add_completion=True,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _unwrapped(docstring: str | None) -> str:
    """A docstring with each paragraph on one line, because Typer keeps the line ends of all but the first."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in (docstring or "").split("\n\n"))


for command in (train, predict, evaluate, report, export, import_, play, search, plan, trace, check, reproduce):
    app.command(command.__name__.rstrip("_"), cls=BriefCommand, help=_unwrapped(command.__doc__))(with_options(command))


def _print_version(asked: bool) -> None:
    if asked:
        import deltarule

        typer.echo(f"deltarule {deltarule.__version__}")
        raise typer.Exit


@app.callback()
def deltarule_command(
    version: Annotated[
        bool,
        typer.Option(
            "--version", metavar="", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Take the options of `deltarule` itself."""


def run(arguments: list[str]) -> int:
    """Run the command line and return the exit code instead of leaving the process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without ∇ shows "?" instead
            stream.reconfigure(errors="replace")
    try:
        app(arguments, prog_name="deltarule")
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 0 if leaving.code is None else 1
    else:
        code = 0
    return flush_output(code)
