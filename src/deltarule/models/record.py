"""What a model file keeps of a training, in JSON's types."""

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from deltarule import trees
from deltarule.models.metrics import Scores, measure, named
from deltarule.models.outcome import Outcome
from deltarule.models.plan import Plan
from deltarule.models.words import finite
from deltarule.network.backprop import Params
from deltarule.network.network import Network
from deltarule.training.session import TrainingResult

if TYPE_CHECKING:
    from deltarule.data import LoadedData

PARTS = ("train", "validation", "test")


def score(net: Network, params: Params, data: "LoadedData") -> Scores:
    """The metrics of the validation and of the test part, and of a table's training part if it is in memory."""
    parts = {"validation": data.validation, "test": data.test}
    if data.schema.image_shape is None and not data.streamed:
        parts = {"training": data.with_complete_targets().train} | parts  # pyright: ignore[reportAttributeAccessIssue]
    return {part: measure(net, params, data.schema, examples.X, examples.Y) for part, examples in parts.items()}


def training_record(outcome: Outcome, data: "LoadedData", scores: Scores) -> dict[str, Any]:
    """The record, but for what the caller knows: the options and the seed."""
    import deltarule

    plan, result, bayesian = outcome.plan, outcome.result, outcome.known or outcome.pool
    return finite(
        {
            "source": data.name,
            "notes": data.notes,
            "examples": {part: len(getattr(data, part)) for part in PARTS},
            "network": plan.sizes,
            "parameters": trees.size(result.params),
            "trainer": plan.description,
            "trainer_name": plan.trainer_name,
            "eta": plan.settings.eta,
            "epochs": result.epochs,
            "best_epoch": result.best_epoch,
            "kept": _kept(plan, result),
            "stop_reason": result.stop_reason,
            "message": result.message,
            "stopped": _why_stopped(result),
            "training_cost": _best_cost(plan, result),
            "metrics": {name: value for part, found in scores.items() for name, value in named(part, found).items()},
            "training_seconds": round(result.seconds, 3),
            "history": result.history,
            "engine": result.engine,
            "versions": {
                "deltarule": deltarule.__version__,
                result.engine: version(result.engine),
                "python": platform.python_version(),
            },
            **({} if bayesian is None else bayesian.record()),
            **({} if outcome.calibration is None else {"calibration": outcome.calibration._asdict()}),
        }
    )


def _why_stopped(result: TrainingResult) -> str:
    """The sentence, without what the verdict says in its own words."""
    sentence = result.message.removesuffix(result.remark).rstrip()
    return sentence[0].upper() + sentence[1:]


def _best_cost(plan: Plan, result: TrainingResult) -> float | None:
    """The training cost of the epoch that the parameters come from."""
    costs = result.history.get("cost")
    if costs is None or result.best_epoch == 0:
        return None
    # Without validation the epoch that begins with the parameters has recorded their cost.
    place = result.best_epoch - 1 if plan.validated else min(result.best_epoch, len(costs) - 1)
    return float(costs[place])


def _kept(plan: Plan, result: TrainingResult) -> str:
    if not result.best_epoch:
        return "the start"
    if plan.validated:
        return f"epoch {result.best_epoch}, the best on the validation part"
    if plan.trainer.selects_by is None:
        return f"epoch {result.best_epoch}, the last"
    return f"epoch {result.best_epoch}, that of the largest evidence"
