"""Packages that only some sources need: pandas, scikit-learn, pooch, platformdirs, pyarrow.

They are imported inside the functions that use them, so that `import deltarule.data` is quick and a network trained on
plain arrays needs none of them.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from deltarule.errors import ConfigurationError, DataError, DeltaruleError, how_to_install

# For the reader: pandas may not be installed, and its own annotation of frame[name] is of no use to a type checker.
Series = Any
Frame = Any


def require(module: str, purpose: str = "a table", extra: str = "cli") -> ModuleType:
    """Import an optional module, such as "sklearn.datasets"; the error names what needs it and the extra to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ConfigurationError(
            f"{purpose} needs the package {package!r}, which cannot be imported here ({error}): {how_to_install(extra)}"
        ) from error


@contextmanager
def reading(what: object, kind: str, advice: str, *exceptions: type[Exception]) -> Iterator[None]:
    """Turn a library's exceptions about a damaged file, raised in the `with` block, into a DataError."""
    try:
        yield
    except exceptions as error:
        if isinstance(error, DeltaruleError) or (isinstance(error, OSError) and OSError not in exceptions):
            raise
        reason = " ".join(str(error).split()).rstrip(".")
        raise DataError(f"{what} cannot be read as {kind} ({reason}): {advice}") from None
