"""Help on one screen: `--help` shows the options of a command that matter, `--help-all` every one."""

from typing import Any

import typer
from typer.core import TyperCommand

ALL = "--help-all"
# By the names of their parameters; commands that are not here have few options, and show them all.
THAT_MATTER = {
    "train": "target hidden trainer cost epochs missing seed checkpoint out as_json",
    "plan": "target hidden trainer cost epochs devices as_json",
    "search": "target vary method trials hidden trainer epochs seed out as_json",
}


class Brief(TyperCommand):
    """A command whose help is one screen."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what was typed; `--help-all` ends in the whole help."""
        if ALL in args:
            ctx.meta[ALL] = True
            typer.echo(self.get_help(ctx), color=ctx.color)
            ctx.exit()
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, and how many options it leaves out."""
        left_out = [] if ctx.meta.get(ALL) else self._left_out(ctx)
        if left_out:
            self.epilog = f"{ALL} shows {len(left_out)} more options, those among them that are only named above."
        for parameter in left_out:
            parameter.hidden = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self.epilog = None
            for parameter in left_out:
                parameter.hidden = False

    def _left_out(self, ctx: Any) -> list[Any]:
        matter = THAT_MATTER.get(self.name or "", "").split()
        options = [one for one in self.get_params(ctx) if one.param_type_name == "option" and one.name != "help"]
        return [one for one in options if matter and one.name not in matter]
