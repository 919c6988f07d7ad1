"""The source of a training: images or a table in memory, or a folder whose examples stay on disk."""

from functools import partial
from typing import TYPE_CHECKING, Any

from deltarule import data
from deltarule.cli.choices import Choices
from deltarule.cli.division import among, leads
from deltarule.cli.screen import show_notes

if TYPE_CHECKING:
    from deltarule.data import DataSet, StreamedData


def load_data(choices: Choices) -> "DataSet":
    """The source in memory, its training images expanded if asked; the notes about it are shown."""
    from deltarule.data.expansion import expand_training_part

    loaded = read_data(choices)
    if choices.expand is not None:
        loaded = expand_training_part(loaded, choices.expand, choices.seed)
    if leads(choices):
        show_notes(loaded.notes)
    return loaded


def read_data(choices: Choices) -> "DataSet":
    """The source in memory, in its three parts."""
    from deltarule.cli.progress import DownloadProgress

    with DownloadProgress() as progress:
        return data.load(
            choices.source,
            data_dir=choices.folders,
            split=choices.split,
            drop_missing=choices.drop_missing,
            options=choices.table_options,
            progress=progress,
            **_common(choices),
        )


def load_streamed(choices: Choices) -> "StreamedData":
    """The folder, measured in one pass by all processes together, with its held-out rows in memory."""
    from deltarule.cli.progress import ExperimentProgress
    from deltarule.data import load_folder

    load = partial(load_folder, choices.source, among=among(choices), **_common(choices))
    if not leads(choices):
        return load()
    with ExperimentProgress(choices.source) as progress:
        data = load(progress=partial(progress.tell, "one pass to measure the columns"))
    show_notes(data.notes)
    return data


def _common(choices: Choices) -> dict[str, Any]:
    from deltarule.models.planning import reading_of_targets

    return {
        "target": choices.target,
        "seed": choices.seed,
        **reading_of_targets(choices.cost, choices.task),
    }
