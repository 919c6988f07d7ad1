"""Load the source of a training, in memory or as a folder on disk, and divide it among devices and processes."""

from collections.abc import Callable
from functools import partial
from typing import Any

from deltarule import data
from deltarule.cli.screen import show_download, show_notes
from deltarule.cli.training_options import TrainingOptions
from deltarule.errors import ConfigurationError


def is_main_process(options: TrainingOptions) -> bool:
    """Whether this process is the one that shows, scores and saves."""
    if options.coordinator is None:
        return True
    from deltarule.engine import processes

    return processes.is_leader()


def load_data(options: TrainingOptions) -> "data.DataSet":
    """Load the source into memory, expand its training images with `--expand`, and show the notes about it."""
    from deltarule.data.expansion import expand_training_part

    loaded = read_data(options)
    if options.expand is not None:
        loaded = expand_training_part(loaded, options.expand, options.seed)
    if is_main_process(options):
        show_notes(loaded.notes)
    return loaded


def read_data(options: TrainingOptions) -> "data.DataSet":
    """Load the source into memory, split into its three parts."""
    return data.load(
        options.source,
        data_dir=options.folders,
        split=options.split,
        drop_missing=options.drop_missing,
        options=options.table_options,
        progress=show_download,
        **_targets(options),
    )


def load_streamed(options: TrainingOptions) -> "data.StreamedData":
    """Open the folder: all processes together measure its columns in one pass; held-out rows are kept in memory."""
    from deltarule.cli.progress import ExperimentProgress

    load = partial(data.load_folder, options.source, group=process_group(options), **_targets(options))
    if not is_main_process(options):
        return load()
    with ExperimentProgress(options.source) as progress:
        loaded = load(progress=partial(progress.show, "one pass to measure the columns"))
    show_notes(loaded.notes)
    return loaded


def _targets(options: TrainingOptions) -> dict[str, Any]:
    from deltarule.models.planning import target_options

    return {"target": options.target, "seed": options.seed, **target_options(options.cost, options.task)}


def process_group(options: TrainingOptions) -> Any:
    """The processes that measure a folder together, None for one process."""
    if options.coordinator is None:
        return None
    import jax

    from deltarule.data.folder import ProcessGroup
    from deltarule.engine.processes import gather_bytes

    return ProcessGroup(jax.process_index(), jax.process_count(), gather_bytes)


def choose_devices(options: TrainingOptions) -> tuple[list[Any] | None, Callable[..., tuple[Any, ...]]]:
    """Return the devices to train on, None for one, and a function that takes this process's share of arrays."""
    if options.devices is None and options.coordinator is None:
        return None, lambda *arrays: arrays
    import jax

    from deltarule.engine.processes import own_share

    devices = jax.devices()
    count = len(devices) if options.devices in (None, "all") else int(options.devices)
    if count > len(devices):
        raise ConfigurationError(
            f"--devices is {count}, but JAX sees {len(devices)} here: give at most {len(devices)}, or let a CPU act as "
            f"several devices with XLA_FLAGS=--xla_force_host_platform_device_count={count}"
        )
    return devices[:count], own_share
