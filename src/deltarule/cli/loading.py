"""The source of a training, in memory or as a folder on disk, and its division among devices and processes."""

from collections.abc import Callable
from functools import partial
from typing import Any

from deltarule import data
from deltarule.cli.choices import Choices
from deltarule.cli.screen import show_download, show_notes
from deltarule.errors import ConfigurationError


def leads(choices: Choices) -> bool:
    """Whether this process shows, scores and saves."""
    if choices.coordinator is None:
        return True
    from deltarule.engine import processes

    return processes.leads()


def load_data(choices: Choices) -> "data.DataSet":
    """The source in memory, its training images expanded if asked; the notes about it are shown."""
    from deltarule.data.expansion import expand_training_part

    loaded = read_data(choices)
    if choices.expand is not None:
        loaded = expand_training_part(loaded, choices.expand, choices.seed)
    if leads(choices):
        show_notes(loaded.notes)
    return loaded


def read_data(choices: Choices) -> "data.DataSet":
    """The source in memory, in its three parts."""
    return data.load(
        choices.source,
        data_dir=choices.folders,
        split=choices.split,
        drop_missing=choices.drop_missing,
        options=choices.table_options,
        progress=show_download,
        **_targets(choices),
    )


def load_streamed(choices: Choices) -> "data.StreamedData":
    """The folder, measured in one pass by all processes together, with its held-out rows in memory."""
    from deltarule.cli.progress import ExperimentProgress

    load = partial(data.load_folder, choices.source, among=among(choices), **_targets(choices))
    if not leads(choices):
        return load()
    with ExperimentProgress(choices.source) as progress:
        loaded = load(progress=partial(progress.tell, "one pass to measure the columns"))
    show_notes(loaded.notes)
    return loaded


def _targets(choices: Choices) -> dict[str, Any]:
    from deltarule.models.planning import target_options

    return {"target": choices.target, "seed": choices.seed, **target_options(choices.cost, choices.task)}


def among(choices: Choices) -> Any:
    """The processes that measure a folder together."""
    if choices.coordinator is None:
        return None
    import jax

    from deltarule.data.folder import Among
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
