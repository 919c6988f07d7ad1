"""How a training is divided among devices and processes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from deltarule.cli.choices import Choices
from deltarule.errors import ConfigurationError

if TYPE_CHECKING:
    from deltarule.data.first_pass import Among


def leads(choices: Choices) -> bool:
    """Whether this process shows, scores and saves."""
    if choices.coordinator is None:
        return True
    from deltarule.engine import processes

    return processes.leads()


def among(choices: Choices) -> "Among":
    """The processes that measure a folder together."""
    from deltarule.data.first_pass import Among

    if choices.coordinator is None:
        return Among()
    import jax

    from deltarule.engine.processes import everyones

    return Among(jax.process_index(), jax.process_count(), everyones)


def division(choices: Choices) -> tuple[list[Any] | None, Callable[..., tuple[Any, ...]]]:
    """The devices to train on, None for one, and what takes this process's share of arrays."""
    if choices.devices is None and choices.coordinator is None:
        return None, lambda *arrays: arrays
    import jax

    from deltarule.engine.processes import own_share

    devices = jax.devices()
    count = len(devices) if choices.devices in (None, "all") else int(choices.devices)
    if count > len(devices):
        raise ConfigurationError(
            f"--devices is {count}, but JAX sees {len(devices)} here: give at most {len(devices)}, or have a CPU count "
            f"as several with XLA_FLAGS=--xla_force_host_platform_device_count={count}"
        )
    return devices[:count], own_share
