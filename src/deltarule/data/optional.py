"""Packages that only some sources need: pandas, scikit-learn, pooch, platformdirs, pyarrow.

They are imported inside the functions that use them, so that `import deltarule.data` costs nothing and a
network trained on plain arrays needs none of them.
"""

import importlib
from types import ModuleType
from typing import Any

from deltarule.errors import ConfigurationError, how_to_install

# pandas may not be installed, and annotates frame[name] as "Series | DataFrame", of which a type checker can
# make nothing; these two names tell the reader what stands there.
Series = Any
Frame = Any


def require(module: str, purpose: str = "a table", extra: str = "cli") -> ModuleType:
    """Import an optional module, such as "sklearn.datasets", of an extra of deltarule; `purpose` is what needs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ConfigurationError(
            f"{purpose} needs the package {package!r}, which cannot be imported here ({error}): {how_to_install(extra)}"
        ) from error
