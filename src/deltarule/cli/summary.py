"""What `deltarule train` leaves behind: the panel for people, the JSON record, and the record in the model file."""

import platform
import re
import shlex
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltarule.cli.choices import Choices
from deltarule.cli.metrics import in_words, measure, named
from deltarule.cli.screen import command, finite, number, panel_of
from deltarule.cli.trainers import TRAINERS
from deltarule.data import DataSet
from deltarule.data.stream import parquet_files
from deltarule.errors import counted

if TYPE_CHECKING:
    from deltarule.cli.outcome import Known
    from deltarule.cli.plan import Plan
    from deltarule.data import LoadedData
    from deltarule.training.train import TrainingResult

Scores = dict[str, dict[str, Any]]
ENGINES = {"numpy": "NumPy", "jax": "JAX"}  # as they are written


def score(plan: "Plan", data: "LoadedData", result: "TrainingResult") -> Scores:
    """The metrics of the validation and of the test part, and of a table's training part if it is in memory."""
    parts = {"validation": data.validation, "test": data.test}
    if data.schema.image_shape is None and isinstance(data, DataSet):
        parts = {"training": data.with_all_targets().train} | parts
    return {
        part: measure(plan.net, result.params, data.schema, examples.X, examples.Y) for part, examples in parts.items()
    }


def why_stopped(plan: "Plan", result: "TrainingResult") -> str:
    """Why the training ended, with the learning rate under its option's name."""
    name = plan.trainer.learning_rate_name
    sentence = result.message.removesuffix(result.remark).rstrip()
    if name is not None and f"--{name}" in TRAINERS[plan.trainer_name].takes:
        sentence = re.sub(rf"\b{name}\b", f"--{name}", sentence)
    return sentence[0].upper() + sentence[1:]


def parameter_count(result: "TrainingResult") -> int:
    """n, the number of weights and biases."""
    return sum(int(array.size) for layer in result.params for array in layer.values())


def best_cost(plan: "Plan", result: "TrainingResult") -> float | None:
    """The training cost of the epoch that the parameters come from."""
    costs = result.history.get("cost")
    if costs is None or result.best_epoch == 0:
        return None
    # Without validation the epoch that begins with the parameters has recorded their cost.
    place = result.best_epoch - 1 if plan.validated else min(result.best_epoch, len(costs) - 1)
    return float(costs[place])


def json_record(
    choices: Choices, plan: "Plan", result: "TrainingResult", scores: Scores, saved: bool, seconds: float
) -> dict[str, Any]:
    """The one line of `--json`."""
    return {
        "source": choices.source,
        "network": list(plan.sizes),
        "parameters": parameter_count(result),
        "trainer": plan.trainer_name,
        "eta": plan.settings.eta,
        "seed": choices.seed,
        "epochs": result.epochs,
        "best_epoch": result.best_epoch,
        "stop_reason": result.stop_reason,
        "training_cost": best_cost(plan, result),
        **_all_named(scores),
        "seconds": round(seconds, 3),
        "training_seconds": round(result.seconds, 3),
        "engine": result.engine,
        "model": str(choices.model) if saved else None,
    }


def training_record(
    choices: Choices, data: "LoadedData", plan: "Plan", result: "TrainingResult", scores: Scores
) -> dict[str, Any]:
    """What the model file keeps of the training, in JSON's types."""
    import deltarule

    return finite(
        {
            "source": data.name,
            "options": choices.record(),
            "seed": choices.seed,
            "split_seed": choices.seed,
            "drop_missing": choices.drop_missing,
            "examples": {part: len(getattr(data, part)) for part in ("train", "validation", "test")},
            "trainer": plan.description,
            "epochs": result.epochs,
            "best_epoch": result.best_epoch,
            "stop_reason": result.stop_reason,
            "message": result.message,
            "metrics": _all_named(scores),
            "history": result.history,
            "engine": result.engine,
            "versions": {
                "deltarule": deltarule.__version__,
                result.engine: version(result.engine),
                "python": platform.python_version(),
            },
        }
    )


def panel(
    data: "LoadedData",
    plan: "Plan",
    result: "TrainingResult",
    scores: Scores,
    record: dict[str, Any],
    title: str = "deltarule train",
    resumed: bool = False,
    known: "Known | None" = None,
) -> Any:
    """The summary for people; of a resumed training, `result` counts the seconds of the calls before too.

    `known` is what Bayesian regularisation knows of its starts, whose average the network is.
    """
    sizes = (
        f"{len(data.train):,} training, {len(data.validation):,} validation, {counted(len(data.test), 'test example')}"
    )
    seconds = f"{record['training_seconds']:.1f}"
    training = f"training {seconds} with what was resumed" if resumed else f"{seconds} of them training"
    rows = [
        ("data", f"{data.name}: {sizes}"),
        ("network", _network(plan, record["parameters"], known)),
        ("cost", plan.net.cost.in_words("standard deviations")),
        ("trainer", plan.description),
        ("engine", ENGINES[result.engine]),
        ("stopped", why_stopped(plan, result)),
        ("kept", _kept(plan, result)),
        ("training cost", number(record["training_cost"])),
        ("validation", in_words(scores["validation"])),
        ("test", in_words(scores["test"])),
        ("seconds", f"{record['seconds']:.1f} ({training})"),
        ("saved", record["model"] or "not saved"),
    ]
    return panel_of(title, rows, best="test")


def _all_named(scores: Scores) -> dict[str, Any]:
    """The scores of all parts."""
    return {name: value for part, found in scores.items() for name, value in named(part, found).items()}


def _kept(plan: "Plan", result: "TrainingResult") -> str:
    """Where the parameters come from."""
    if not result.best_epoch:
        return "the start"
    if plan.validated:
        return f"epoch {result.best_epoch}, the best on the validation part"
    if plan.trainer.judged_by is None:
        return f"epoch {result.best_epoch}, the last"
    return f"epoch {result.best_epoch}, that of the largest evidence"


def _network(plan: "Plan", parameters: int, known: "Known | None") -> str:
    """The layers and the number of parameters; of several starts, those of each and of the average that is saved."""
    if known is None or len(known.ensemble.members) == 1:
        return f"{plan.network}, {counted(parameters, 'parameter')}"
    return (
        f"the average of {len(known.ensemble.members)} networks {known.network}, of "
        f"{counted(known.parameters, 'parameter')} each; it is saved as one network "
        f"{'-'.join(map(str, plan.sizes))}, {counted(parameters, 'parameter')}"
    )


def next_commands(choices: Choices, data: "LoadedData") -> list[str]:
    """The commands that use the model on the rows it was trained on, to be pasted into a shell."""
    source: Path | str | None = choices.source
    if choices.streamed:
        source = min(parquet_files(Path(choices.source)), default=None)
    if source is None:  # arrays have no names of columns
        return []
    row = 0  # of a table the first row without a missing cell or target
    if isinstance(data, DataSet) and choices.kind != "images":
        whole = data.with_all_targets()
        row = min(int(part.rows.min()) for part in (whole.train, whole.validation, whole.test))
    words = [choices.model, source, *choices.reading()]
    return [command("predict", *words), command("trace", *words, "--row", row)]


def farewell(choices: Choices, plan: "Plan", result: "TrainingResult", saved: bool) -> str:
    """What to say when a training was cut short: why, and what became of the network."""
    if result.best_epoch > 0:
        fate = f"The network of epoch {result.best_epoch} is saved in {choices.model}."
    elif saved:
        fate = f"The network saved in {choices.model} is untrained, because no epoch was completed."
    else:
        fate = f"No epoch was completed, so {choices.model} stays as it was."
    place = choices.checkpoint or choices.resume
    if place is not None and result.stop_reason == "interrupted":
        fate += f" To go on, run the same command with {shlex.join(['--resume', str(place)])}."
    return f"{why_stopped(plan, result)} {fate}"


def warn(sentence: str) -> None:
    """Write a sentence to standard error."""
    print(sentence, file=sys.stderr)
