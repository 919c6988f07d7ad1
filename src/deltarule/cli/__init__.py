"""The command line. This is the only part of deltarule that prints or reads the environment.

Bad input raises a `DeltaruleError` wherever it is found; `failures` turns it into one sentence and an exit code.
"""

import sys
from collections.abc import Sequence

from deltarule.cli import clock  # noqa: F401 - its seconds count from here
from deltarule.errors import how_to_install


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `deltarule` with these arguments, by default the process's own, and return its exit code.

    0: done; 1: a check failed, or the reader of a pipe went away; 2: bad input; 3: another process was
    lost; 130: interrupted by Ctrl-C.
    """
    try:
        from deltarule.cli.app import run
    except ModuleNotFoundError as error:
        print(
            f"Error: the command line needs the package {error.name!r}, which is missing: {how_to_install('cli')}",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return run(sys.argv[1:] if arguments is None else list(arguments))
