"""A folder as the source of `deltarule train`: read once to measure it, by all processes together, then streamed."""

from functools import partial
from typing import TYPE_CHECKING

from deltarule.cli.choices import Choices
from deltarule.cli.screen import show_notes

if TYPE_CHECKING:
    from deltarule.data import StreamedData


def load_streamed(choices: Choices, shown: bool) -> "StreamedData":
    """The folder measured in one pass, with its held-out rows in memory.

    Args:
        choices: of the user.
        shown: whether this process shows how far the pass is, and the notes.
    """
    from deltarule.cli.division import among
    from deltarule.cli.progress import ExperimentProgress
    from deltarule.data import load_folder

    load = partial(
        load_folder,
        choices.source,
        target=choices.target,
        task=choices.task_or_regression,
        seed=choices.seed,
        by_mean=choices.cost == "poisson",
        among=among(choices),
    )
    if not shown:
        return load()
    with ExperimentProgress(choices.source) as progress:
        data = load(progress=partial(progress.tell, "one pass to measure the columns"))
    show_notes(data.notes)
    return data
