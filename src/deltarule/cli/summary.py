"""What `deltarule train` leaves behind: the panels for people, the JSON record, and what can be done next."""

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltarule.cli.choices import Choices
from deltarule.cli.failures import as_typed
from deltarule.cli.screen import command, panel_of

if TYPE_CHECKING:
    from deltarule.data import LoadedData
    from deltarule.models.model import Model

# What the JSON line takes from the record of the training.
NUMBERS = ("network", "parameters", "trainer_name", "eta", "epochs", "best_epoch", "stop_reason", "training_cost")
FOUND = (
    "effective_parameters", "network_of_a_start", "parameters_of_a_start", "log_evidence", "noise_std", "starts",
    "start_weights", "verdict", "warnings", "importance",
)  # fmt: skip
SHOWN = ("data", "network", "cost", "trainer", "engine", "stopped", "kept", "training cost", "validation", "test")


def origin_of(choices: Choices) -> dict[str, Any]:
    """What the model file keeps of the options."""
    return {
        "options": choices.record(),
        "seed": choices.seed,
        "split_seed": choices.seed,
        "drop_missing": choices.drop_missing,
    }


def json_record(choices: Choices, model: "Model", saved: bool, seconds: float) -> dict[str, Any]:
    """The one line of `--json`."""
    training = model.training
    numbers = {name.removesuffix("_name"): training[name] for name in NUMBERS}
    return {
        "source": choices.source,
        **numbers,
        "seed": choices.seed,
        **training["metrics"],
        "seconds": round(seconds, 3),
        "training_seconds": training["training_seconds"],
        "engine": training["engine"],
        "model": str(choices.model) if saved else None,
        **{name: training[name] for name in FOUND if name in training},
    }


def panel(model: "Model", record: dict[str, Any], title: str = "deltarule train", resumed: bool = False) -> Any:
    """The summary for people; of a resumed training the seconds count those of the calls before too."""
    from deltarule.models.card import card

    words = card(model) | {"stopped": why_stopped(model)}
    seconds = f"{record['training_seconds']:.1f}"
    training = f"training {seconds} with what was resumed" if resumed else f"{seconds} of them training"
    rows = [(name, words.get(name, "-")) for name in SHOWN]
    rows += [("seconds", f"{record['seconds']:.1f} ({training})"), ("saved", record["model"] or "not saved")]
    return panel_of(title, rows, best="test")


def verdict_panel(model: "Model") -> Any:
    """The verdict for people, None where there is none."""
    rows = () if model.verdict is None else model.verdict.rows()
    return panel_of("verdict", [(name, as_typed(words)) for name, words in rows]) if rows else None


def why_stopped(model: "Model") -> str:
    """Why the training ended, with the learning rate under its option's name."""
    sentence = model.training["stopped"]
    return re.sub(r"\beta\b", "--eta", sentence) if model.training["eta"] is not None else sentence


def next_commands(choices: Choices, data: "LoadedData") -> list[str]:
    """The commands that use the model on the rows it was trained on, to be pasted into a shell."""
    from deltarule.data.stream import parquet_files

    source: Path | str | None = choices.source
    if choices.streamed:
        source = min(parquet_files(Path(choices.source)), default=None)
    if source is None:  # arrays have no names of columns
        return []
    row = 0  # of a table the first row without a missing cell or target
    if not data.streamed and choices.kind != "images":
        whole: Any = data.with_complete_targets()  # pyright: ignore[reportAttributeAccessIssue]
        row = min(int(part.rows.min()) for part in (whole.train, whole.validation, whole.test))
    words = [choices.model, source, *choices.reading()]
    return [command("predict", *words), command("trace", *words, "--row", row)]


def farewell(choices: Choices, model: "Model", saved: bool) -> str:
    """What to say when a training was cut short: why, and what became of the network."""
    best = model.training["best_epoch"]
    if best > 0:
        fate = f"The network of epoch {best} is saved in {choices.model}."
    elif saved:
        fate = f"The network saved in {choices.model} is untrained, because no epoch was completed."
    else:
        fate = f"No epoch was completed, so {choices.model} stays as it was."
    place = choices.checkpoint or choices.resume
    if place is not None and model.training["stop_reason"] == "interrupted":
        fate += f" To go on, run the same command with {shlex.join(['--resume', str(place)])}."
    return f"{why_stopped(model)} {fate}"
