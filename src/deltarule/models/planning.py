"""From what a user says to a plan: our defaults for this kind of problem, the network, the trainer, the penalty."""

from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np

from deltarule.checks import require_count
from deltarule.errors import ConfigurationError
from deltarule.models.candidates import Candidate, affordable, get_effort
from deltarule.models.noise_scale import STARTS, huber_of, penalty_of
from deltarule.models.plan import Plan, sizes_of
from deltarule.models.problem import Problem
from deltarule.models.recipe import Recipe
from deltarule.models.regularization import Way, get_way
from deltarule.models.trainers import TRAINERS, check_options, special
from deltarule.network.cost import Cost
from deltarule.network.costs import get_cost
from deltarule.network.layers import Dense, Dropout, Layer
from deltarule.network.network import Network
from deltarule.network.side_by_side import can_be_identity
from deltarule.network.stacks import load_stack, with_reshapes
from deltarule.trainers.automatic import exact_steps_are_cheap
from deltarule.trainers.base import Trainer
from deltarule.trainers.bayesian.steps import KINDS, step_positions
from deltarule.trainers.bayesian.trainer import has_evidence, has_gaussian_noise

OUTPUT_ACTIVATION = {"quadratic": "sigmoid", "cross-entropy": "sigmoid", "log-likelihood": "softmax"}  # of classes
SMALLER = (10,)  # a candidate whose exact steps are cheap on tables of twice the columns
LEAST_DRAWN = 2_000  # rows at least that are drawn at random where exact steps on all of them are too dear
IMAGE_EPOCHS = 30
STREAMED_EPOCHS = 10  # passes over a folder


def make_plan(recipe: Recipe, problem: Problem) -> Plan:
    """Fill in the defaults and build the network and the trainer.

    Raises:
        ConfigurationError: an option does not go with the problem, or two do not go together.
    """
    for name in ("epochs", "patience", "restarts", "batch_size"):
        if getattr(recipe, name) is not None:
            require_count(name, getattr(recipe, name))
    cost, rows = _cost(recipe, problem), None
    if (drawn := _affordable_rows(recipe, problem, cost)) < problem.count:
        problem, rows = replace(problem, count=drawn), drawn
    trainer, regularization = _settled(recipe, problem, cost)
    way, by_name = get_way(regularization), isinstance(trainer, str)
    net = _network(recipe, problem, cost, trainer if way.holds_out else None)
    l2 = _penalty(way, cost, problem) if recipe.l2 is None and by_name else recipe.l2
    if by_name:
        row = TRAINERS[trainer]
        settings = _settings(recipe, problem, trainer, l2)
        name, built = trainer, row.build(settings)
    else:
        built = _with_penalty(trainer, l2)
        row = TRAINERS["adam" if is_first_order(built) else "lm"]
        settings = replace(recipe, batch_size=getattr(built, "batch_size", None), l2=getattr(built, "l2", None))
        name = type(built).__name__
    passes = STREAMED_EPOCHS if problem.streamed else IMAGE_EPOCHS
    by_noise = by_name and recipe.l2 is None and l2 not in (None, way.l2)
    effort = get_effort(recipe.effort or "default")
    choosing = regularization == "bayesian" and problem.in_memory_table and is_choosing(recipe)
    starts = effort.starts if regularization == "bayesian" else way.restarts
    plan = Plan(
        net=net,
        sizes=sizes_of(net, problem.inputs),
        trainer=built,
        trainer_name=name,
        settings=settings,
        epochs=recipe.epochs or (row.epochs if problem.in_memory_table or not row.first_order else passes),
        monitor=_monitor(recipe, problem),
        regularization=regularization,
        validated=way.holds_out or (recipe.patience is not None and not way.chooses_penalty),
        patience=recipe.patience or (row.patience if way.stops_early and not problem.searching else None),
        restarts=recipe.restarts or (STARTS if by_noise and trainer == "lm" else starts),
        streamed=problem.streamed,
        effort=recipe.effort or "default",
        rows=rows,
    )
    return replace(plan, candidates=_candidates(plan, problem)) if choosing else plan


def is_choosing(recipe: Recipe) -> bool:
    """Whether the network is ours to choose among several."""
    named = recipe.hidden is not None or recipe.restarts is not None
    return not named and get_effort(recipe.effort or "default").most > 0


def _candidates(plan: Plan, problem: Problem) -> tuple[Candidate, ...]:
    """The networks that the effort has room for; where values cannot pass a layer, those of one hidden layer."""
    X = np.asarray(problem.X, np.float64)
    steps = {kind: len(step_positions(X, kind)) for kind in KINDS if len(X)}
    inputs = {None: problem.inputs} | {kind: X.shape[1] + n for kind, n in steps.items() if n}
    passing = can_be_identity(plan.net.layers[0].activation)  # pyright: ignore[reportAttributeAccessIssue]

    def operations(candidate: Candidate) -> float:
        net = plan.of(candidate).net
        if (not passing and (candidate.steps or len(candidate.hidden) != 1)) or candidate.steps not in inputs:
            return np.inf
        try:
            return plan.trainer.epoch_flops(net.sizes((inputs[candidate.steps],)), problem.count)
        except ConfigurationError:  # its matrices do not fit the memory
            return np.inf

    effort = get_effort(plan.effort)
    order = effort.order if has_gaussian_noise(plan.net) else effort.order_of_classes
    return affordable(effort, order, problem.count, operations)


def reading_of_targets(cost: str | Cost | None, task: str | None) -> dict[str, Any]:
    """How targets are read for a cost: as numbers where it is for numbers alone, divided by their mean if it asks so.

    These are `task` and `divide_by_mean` of `deltarule.data.load`.
    """
    if cost is None:
        return {"task": task, "divide_by_mean": False}
    numbers = "regression" if is_for_numbers(cost) else None
    return {"task": task or numbers, "divide_by_mean": not get_cost(cost).shifts_targets}


def is_for_numbers(cost: str | Cost) -> bool:
    """Whether no classification has this cost."""
    return get_cost(cost).name not in OUTPUT_ACTIVATION


def is_first_order(trainer: Any) -> bool:
    """Whether the trainer takes one small batch after another, so that new examples can go on where the last ended."""
    if isinstance(trainer, str):
        return trainer in TRAINERS and TRAINERS[trainer].first_order
    return trainer.first_order


def _settled(recipe: Recipe, problem: Problem, cost: Cost) -> tuple[Any, str | None]:
    """The trainer, a name or an object, and the name of the way to regularise.

    Where exact steps are cheap the evidence sets the penalties, unless an option asks for something else; a regression
    by a cost that has no evidence but knows its noise takes them by the noise. A classifier that has to stop early does
    so long before a minimum, and there Adam's small steps find the better place than Levenberg-Marquardt's.
    """
    trainer, regularization = recipe.trainer, recipe.regularization
    trainer = None if isinstance(trainer, str) and trainer == "auto" else trainer
    _check_trainer(recipe, trainer)
    if trainer == "bayesian" or regularization == "bayesian":
        _check_bayesian(recipe, problem, trainer, cost)
        return "bayesian", "bayesian"
    exact = _leaves_trainer_open(recipe, problem) and cost.has_residual
    if exact:
        net, exact = _network(recipe, problem, cost), _is_exact(recipe, problem, cost, problem.count)
        if exact and regularization == "auto" and recipe.l2 is None and recipe.monitor is None:
            if has_evidence(net):
                return "bayesian", "bayesian"
            if cost.noise_variance(1.0) is not None:
                return "lm", "l2"
    if regularization is None and recipe.l2:
        raise ConfigurationError(f"l2 is {recipe.l2!r} and regularization is None: choose regularization='l2'.")
    if regularization == "auto":
        regularization = "early-stopping" if problem.in_memory_table else "best-epoch"
    if trainer is None:
        trainer = "lm" if exact and problem.task == "regression" else problem.defaults.trainer
        trainer = trainer if set(special(recipe)) <= set(TRAINERS[trainer].takes) else "sgd"
        check_options(recipe, trainer)
    return trainer, regularization


def _leaves_trainer_open(recipe: Recipe, problem: Problem) -> bool:
    """Whether nothing that is given asks for a trainer."""
    auto = recipe.trainer is None or (isinstance(recipe.trainer, str) and recipe.trainer == "auto")
    free = auto and recipe.stack is None and set(special(recipe)) <= {"l2"}
    return free and problem.in_memory_table and not problem.searching


def _is_exact(recipe: Recipe, problem: Problem, cost: Cost, count: int) -> bool:
    """Whether exact steps on so many rows are cheap, of the network or perhaps of a smaller candidate."""
    net, shape = _network(recipe, problem, cost), (count, problem.inputs)
    if exact_steps_are_cheap(net, shape):
        return True
    smaller = is_choosing(recipe) and has_gaussian_noise(net)
    return smaller and exact_steps_are_cheap(_network(replace(recipe, hidden=SMALLER), problem, cost), shape)


def _affordable_rows(recipe: Recipe, problem: Problem, cost: Cost) -> int:
    """The rows to train on: all, or of a regression whose network is ours to choose so many that exact steps are cheap.

    Measured, networks that see a third of the rows by exact steps predict better than one that sees them all by Adam.
    """
    count = problem.count
    ours = _leaves_trainer_open(recipe, problem) and is_choosing(recipe) and recipe.regularization == "auto"
    ours = ours and recipe.l2 is None and recipe.monitor is None
    drawn = count if ours and has_gaussian_noise(_network(recipe, problem, cost)) else 0
    while drawn >= LEAST_DRAWN and not _is_exact(recipe, problem, cost, drawn):
        drawn //= 2
    return drawn if drawn >= LEAST_DRAWN else count


def _check_trainer(recipe: Recipe, trainer: Any) -> None:
    """Refuse a trainer that is not known, and options that it does not take."""
    if trainer is None:
        return
    if isinstance(trainer, str) and trainer in TRAINERS:
        check_options(recipe, trainer)
    elif not isinstance(trainer, Trainer):
        raise ConfigurationError(
            f"trainer is {trainer!r}: give one of auto, {', '.join(TRAINERS)}, or a trainer such as "
            "deltarule.LevenbergMarquardt()."
        )
    elif trainer.selects_by is not None:
        raise ConfigurationError(f"trainer is {trainer!r}: give its name, trainer='bayesian', and its patience there.")
    for name, value in special(recipe).items():
        if name != "l2" and not isinstance(trainer, str):
            raise ConfigurationError(
                f"{name} is {value!r}, but the trainer is an object with a {name} of its own: set it there."
            )


def _with_penalty(trainer: Any, l2: float | None) -> Any:
    """A trainer that the user built, with this l2 if it has none."""
    if l2 is None:
        return trainer
    if trainer.l2 is not None:
        raise ConfigurationError(
            f"l2 is {l2!r}, but the trainer has an l2 of its own, {trainer.l2:g}: give one of the two."
        )
    return replace(trainer, l2=l2)


def _check_bayesian(recipe: Recipe, problem: Problem, trainer: Any, cost: Cost) -> None:
    """Refuse what sets the penalty otherwise or needs validation rows, and problems without Gaussian noise."""
    given = "trainer='bayesian'" if trainer == "bayesian" else "regularization='bayesian'"
    if problem.images is not None:
        raise ConfigurationError(f"{given} is for tables, and {problem.name} are images: choose another trainer")
    if not has_evidence(Network([Dense(problem.outputs, _output_activation(cost, problem))], cost)):
        raise ConfigurationError(
            f"{given} takes the noise as Gaussian, as the quadratic cost does, or the cost of classes, and cost is "
            f"{cost.name!r}: leave one of the two out"
        )
    if problem.searching:
        raise ConfigurationError(
            f"{given} sets its penalties by the evidence, and a search judges by the validation part: use deltarule "
            "train, or choose another trainer"
        )
    refused = {**special(recipe), "monitor": recipe.monitor}
    if trainer not in (None, "lm", "bayesian"):
        refused["trainer"] = trainer
    for name, value in refused.items():
        if value is not None:
            raise ConfigurationError(
                f"{name} is {value!r}, and {given}, which trains by Levenberg-Marquardt and judges by the evidence, "
                "has no use for it: leave one of the two out."
            )


def _penalty(way: Way, cost: Cost, problem: Problem) -> float | None:
    """The l2 where none is given: on all rows the one for the noise that the cost supposes, if it does."""
    if way.l2 is None or way.holds_out or problem.task != "regression":
        return way.l2
    known = penalty_of(cost, problem.scales, problem.Y)
    return way.l2 if known is None else known


def _network(recipe: Recipe, problem: Problem, cost: Cost, trainer: Any = None) -> Network:
    """The stack that the user names, or Dense layers of the sizes that he or we choose, and the output layer.

    `trainer` is one that rows held out stop.
    """
    output = Dense(problem.outputs, _output_activation(cost, problem), recipe.init)
    if recipe.stack is not None:
        hidden = [
            replace(layer, initializer=recipe.init) if getattr(layer, "initializer", "") is None else layer  # pyright: ignore[reportArgumentType, reportCallIssue]
            for layer in with_reshapes(load_stack(recipe.stack), problem.image_shape or (problem.inputs,))
        ]
        return Network([*hidden, output], cost)
    defaults = problem.defaults
    if isinstance(trainer, str) and TRAINERS[trainer].hidden is not None:
        defaults = replace(defaults, hidden=TRAINERS[trainer].hidden, activation="tanh")
    activation = recipe.activation or defaults.activation
    layers: list[Layer] = []
    for n in defaults.hidden if recipe.hidden is None else _sizes(recipe.hidden):
        layers += [Dense(n, activation, recipe.init)] + ([Dropout(recipe.dropout)] if recipe.dropout else [])
    return Network([*layers, output], cost)


def _sizes(hidden: Any) -> Any:
    """The sizes of the hidden layers, of which one may be given by itself."""
    sizes = (hidden,) if isinstance(hidden, Integral) else hidden
    if isinstance(sizes, str) or not hasattr(sizes, "__iter__"):
        raise ConfigurationError(
            f"hidden must hold the sizes of the hidden layers, and is {hidden!r}: give (20,), for example."
        )
    return sizes


def _cost(recipe: Recipe, problem: Problem) -> Cost:
    """The cost by its name, where it goes with the problem; Huber's with a delta for its noise.

    Raises:
        ConfigurationError: the cost is for the other task, or needs targets that are scaled otherwise.
    """
    name = recipe.cost
    if name is None:
        stacked = recipe.stack is not None and problem.task == "classification"
        name = "log-likelihood" if stacked else problem.defaults.cost
    cost = get_cost(name)
    if problem.task != "regression":
        if is_for_numbers(cost):
            raise ConfigurationError(f"cost is {name!r}, but {problem.name} is a classification: leave it out")
        return cost
    if cost.for_classes:
        raise ConfigurationError(
            f"cost is {name!r}, but {problem.name} is a regression: leave it out, or choose cost='quadratic', "
            "cost='huber' or cost='poisson'"
        )
    if not cost.shifts_targets and problem.shifted:
        raise ConfigurationError(
            f"cost={name!r} divides the targets by their mean, and those of {problem.name} are standardised for "
            "another cost: load them for this one"
        )
    return huber_of(problem.X, problem.Y) if isinstance(name, str) and name == "huber" else cost


def _output_activation(cost: Cost, problem: Problem) -> str:
    """The output that belongs to the cost: linear or exponential for a regression, else sigmoid or softmax."""
    return (cost.natural_output or "linear") if problem.task == "regression" else OUTPUT_ACTIVATION[cost.name]


def _monitor(recipe: Recipe, problem: Problem) -> str:
    """What "best" means: the cost, but of images their accuracy, unless the user says something else."""
    if problem.task == "classification":
        return recipe.monitor or ("accuracy" if problem.images and not problem.streamed else "cost")
    if recipe.monitor == "accuracy":
        raise ConfigurationError(
            f"monitor is 'accuracy', but {problem.name} is a {problem.task}: leave it out, or choose monitor='cost'"
        )
    return "cost"


def _settings(recipe: Recipe, problem: Problem, name: str, l2: float | None) -> Recipe:
    """The recipe with the numbers of a trainer that has a name; our batch size yields to a small table."""
    row = TRAINERS[name]
    kind = "stack" if recipe.stack is not None else "images" if problem.images else problem.task
    return replace(
        recipe,
        eta=row.eta.get("classification" if kind == "labels" else kind) if recipe.eta is None else recipe.eta,
        batch_size=recipe.batch_size or (row.batch_size and min(row.batch_size, problem.count)),
        momentum=row.momentum if recipe.momentum is None else recipe.momentum,
        l2=l2 if "l2" in row.takes else None,
        patience=recipe.patience or row.patience,
    )
