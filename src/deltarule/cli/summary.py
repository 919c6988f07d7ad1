"""The results of `deltarule train`: panels for people, a JSON record, and the commands to run next."""

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltarule.cli.failures import with_flags
from deltarule.cli.screen import command_line, format_duration, make_panel
from deltarule.cli.training_options import TrainingOptions

if TYPE_CHECKING:
    from deltarule.data import LoadedData
    from deltarule.models.model import Model

# The fields that the JSON line takes from the record of the training, and those that it takes if they are there.
RECORDED = ("network", "parameters", "trainer_name", "eta", "epochs", "best_epoch", "stop_reason", "training_cost")
OPTIONAL = (
    "effective_parameters", "network_of_a_start", "parameters_of_a_start", "log_evidence", "noise_std", "starts",
    "start_weights", "networks_trained", "epochs_of_all", "verdict", "warnings", "importance",
)  # fmt: skip
PANEL = (
    "data",
    "network",
    "cost",
    "trainer",
    "engine",
    "networks",
    "stopped",
    "kept",
    "training cost",
    "validation",
    "test",
)


def training_origin(options: TrainingOptions) -> dict[str, Any]:
    """What the model file records of the options."""
    return {
        "options": options.record(),
        "seed": options.seed,
        "split_seed": options.seed,
        "drop_missing": options.drop_missing,
    }


def json_record(options: TrainingOptions, model: "Model", saved: bool, seconds: float) -> dict[str, Any]:
    """The record that `--json` prints."""
    training = model.training
    recorded = {name.removesuffix("_name"): training[name] for name in RECORDED}
    return {
        "source": options.source,
        **recorded,
        "seed": options.seed,
        **training["metrics"],
        "seconds": round(seconds, 3),
        "training_seconds": training["training_seconds"],
        "engine": training["engine"],
        "model": str(options.model) if saved else None,
        **{name: training[name] for name in OPTIONAL if name in training},
    }


def panel(model: "Model", record: dict[str, Any], title: str = "deltarule train", resumed: bool = False) -> Any:
    """The summary for people; the seconds of a resumed training include those of the runs before."""
    from deltarule.models.card import card

    words = card(model) | {"stopped": stop_sentence(model)}
    training = f"training {format_duration(record['training_seconds'])}{', earlier runs included' * resumed}"
    rows = [(name, words.get(name, "-")) for name in PANEL if name in words or name != "networks"]
    rows += [("time", f"{format_duration(record['seconds'])} ({training})"), ("saved", record["model"] or "not saved")]
    return make_panel(title, rows, best="test")


def verdict_panel(model: "Model") -> Any:
    """The verdict for people, None if the model has none."""
    rows = () if model.verdict is None else model.verdict.rows()
    return make_panel("verdict", [(name, with_flags(words)) for name, words in rows]) if rows else None


def stop_sentence(model: "Model") -> str:
    """Why the training ended, with the learning rate as --eta."""
    sentence = model.training["stopped"]
    return re.sub(r"\beta\b", "--eta", sentence) if model.training["eta"] is not None else sentence


def next_commands(options: TrainingOptions, data: "LoadedData") -> list[str]:
    """Commands that use the model on the rows that trained it, to paste into a shell."""
    from deltarule.data.stream import parquet_files

    source: Path | str | None = options.source
    if options.is_streamed:
        source = min(parquet_files(Path(options.source)), default=None)
    if source is None:  # a folder of arrays, which have no column names
        return []
    row = 0  # in a table, the first row without a missing cell or target
    if not data.streamed and options.kind != "images":
        whole: Any = data.with_complete_targets()  # pyright: ignore[reportAttributeAccessIssue]
        row = min(int(part.rows.min()) for part in (whole.train, whole.validation, whole.test))
    arguments = [options.model, source, *options.reading_arguments()]
    return [command_line("predict", *arguments), command_line("trace", *arguments, "--row", row)]


def interruption_message(options: TrainingOptions, model: "Model", saved: bool) -> str:
    """Explain why a training was cut short, and what was saved."""
    best = model.training["best_epoch"]
    if best > 0:
        result = f"The network of epoch {best} is saved in {options.model}."
    elif saved:
        result = f"The network saved in {options.model} is untrained, because no epoch was completed."
    else:
        result = f"No epoch was completed, so {options.model} stays as it was."
    folder = options.checkpoint or options.resume
    if folder is not None and model.training["stop_reason"] == "interrupted":
        result += f" To continue, run the same command with {shlex.join(['--resume', str(folder)])}."
    return f"{stop_sentence(model)} {result}"
