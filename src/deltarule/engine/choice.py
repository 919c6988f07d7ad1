"""Which engine a training takes: a model of what each would take, by shapes and settings alone.

The same call so takes the same engine wherever it runs, and gives the same bits; "auto" does not look at the machine.
"""

from typing import TYPE_CHECKING, Any

from deltarule.engine import ENGINES
from deltarule.errors import ConfigurationError

if TYPE_CHECKING:
    from deltarule.network import Network


def choose_engine(engine: str, net: "Network", trainer: Any, shape: tuple[int, ...], epochs: int, devices: Any) -> str:
    """The name of the engine."""
    if engine not in ("auto", *ENGINES):
        raise ConfigurationError(f"engine must be one of auto, {', '.join(ENGINES)}, and is {engine!r}: choose one.")
    if engine != "auto":
        return engine
    return "jax" if devices is not None or getattr(getattr(trainer, "rule", None), "update", None) else "numpy"
