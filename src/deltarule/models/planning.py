"""From a recipe to a plan: fill in the defaults of the problem and build the network, the trainer and the penalty."""

from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np

from deltarule.checks import require_count
from deltarule.errors import ConfigurationError
from deltarule.models.candidates import Candidate, affordable_candidates, get_effort
from deltarule.models.noise_scale import RESTARTS, huber_of, penalty_of
from deltarule.models.plan import Plan, sizes_of
from deltarule.models.recipe import Problem, Recipe, Regularizer, get_regularizer
from deltarule.models.trainers import TRAINERS, check_options, given_options
from deltarule.network.cost import Cost
from deltarule.network.costs import get_cost
from deltarule.network.layers import Dense, Dropout, Layer
from deltarule.network.network import Network
from deltarule.network.side_by_side import can_be_identity
from deltarule.network.stacks import load_stack, with_reshapes
from deltarule.trainers.base import Trainer
from deltarule.trainers.bayesian.steps import KINDS, step_positions
from deltarule.trainers.bayesian.trainer import exact_steps_are_cheap, has_evidence, has_gaussian_noise

CLASS_OUTPUTS = {"quadratic": "sigmoid", "cross-entropy": "sigmoid", "log-likelihood": "softmax"}  # by cost
SMALLER = (10,)  # a candidate whose exact steps are cheap on tables of twice the columns
MIN_DRAWN = 2_000  # at least so many rows are drawn at random if exact steps on all rows are too expensive
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
    trainer, regularization = _choose_trainer(recipe, problem, cost)
    regularizer, by_name = get_regularizer(regularization), isinstance(trainer, str)
    net = _network(recipe, problem, cost, trainer if regularizer.holds_out else None)
    l2 = _penalty(regularizer, cost, problem) if recipe.l2 is None and by_name else recipe.l2
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
    l2_from_noise = by_name and recipe.l2 is None and l2 not in (None, regularizer.l2)
    effort = get_effort(recipe.effort or "default")
    tries_several = regularization == "bayesian" and problem.in_memory_table and leaves_network_open(recipe)
    restarts = effort.restarts if regularization == "bayesian" else regularizer.restarts
    plan = Plan(
        net=net,
        sizes=sizes_of(net, problem.inputs),
        trainer=built,
        trainer_name=name,
        settings=settings,
        epochs=recipe.epochs or (row.epochs if problem.in_memory_table or not row.first_order else passes),
        monitor=_monitor(recipe, problem),
        regularization=regularization,
        validated=regularizer.holds_out or (recipe.patience is not None and not regularizer.sets_penalty),
        patience=recipe.patience or (row.patience if regularizer.stops_early and not problem.searching else None),
        restarts=recipe.restarts or (RESTARTS if l2_from_noise and trainer == "lm" else restarts),
        streamed=problem.streamed,
        effort=recipe.effort or "default",
        rows=rows,
    )
    return replace(plan, candidates=_candidates(plan, problem)) if tries_several else plan


def leaves_network_open(recipe: Recipe) -> bool:
    """Whether the user leaves it to us to try several networks."""
    described = recipe.hidden is not None or recipe.restarts is not None
    return not described and get_effort(recipe.effort or "default").max_candidates > 0


def _candidates(plan: Plan, problem: Problem) -> tuple[Candidate, ...]:
    """The networks that the budget pays for; of one depth only if the activation cannot pass values through a layer."""
    X = np.asarray(problem.X, np.float64)
    steps = {kind: len(step_positions(X, kind)) for kind in KINDS if len(X)}
    inputs = {None: problem.inputs} | {kind: X.shape[1] + n for kind, n in steps.items() if n}
    passes = can_be_identity(plan.net.layers[0].activation)  # pyright: ignore[reportAttributeAccessIssue]

    def operations(candidate: Candidate) -> float:
        net = plan.for_candidate(candidate).net
        if (not passes and (candidate.steps or len(candidate.hidden) != 1)) or candidate.steps not in inputs:
            return np.inf
        try:
            return plan.trainer.epoch_flops(net.sizes((inputs[candidate.steps],)), problem.count)
        except ConfigurationError:  # its matrices do not fit into memory
            return np.inf

    effort = get_effort(plan.effort)
    order = effort.order if has_gaussian_noise(plan.net) else effort.order_for_classes
    return affordable_candidates(effort, order, problem.count, operations)


def target_options(cost: str | Cost | None, task: str | None) -> dict[str, Any]:
    """The arguments `task` and `divide_by_mean` of `deltarule.data.load` for a cost.

    A cost for regressions alone reads targets as numbers, and some costs divide them by their mean.
    """
    if cost is None:
        return {"task": task, "divide_by_mean": False}
    numbers = "regression" if is_regression_cost(cost) else None
    return {"task": task or numbers, "divide_by_mean": not get_cost(cost).shifts_targets}


def is_regression_cost(cost: str | Cost) -> bool:
    """Whether the cost is for regressions alone."""
    return get_cost(cost).name not in CLASS_OUTPUTS


def is_first_order(trainer: Any) -> bool:
    """Whether the trainer, a name or an object, takes small batches, so that training can go on with new examples."""
    if isinstance(trainer, str):
        return trainer in TRAINERS and TRAINERS[trainer].first_order
    return trainer.first_order


def _choose_trainer(recipe: Recipe, problem: Problem, cost: Cost) -> tuple[Any, str | None]:
    """The trainer, a name or an object, and the name of the regularizer.

    If exact steps are cheap and no option contradicts it, the evidence sets the penalties; for a cost without evidence
    that knows its noise, the noise does. A classifier with early stopping ends long before a minimum, and there Adam's
    small steps lead to better parameters than Levenberg-Marquardt's.
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
        trainer = trainer if set(given_options(recipe)) <= set(TRAINERS[trainer].options) else "sgd"
        check_options(recipe, trainer)
    return trainer, regularization


def _leaves_trainer_open(recipe: Recipe, problem: Problem) -> bool:
    """Whether the user leaves the choice of the trainer to us, on a table in memory."""
    auto = recipe.trainer is None or (isinstance(recipe.trainer, str) and recipe.trainer == "auto")
    is_open = auto and recipe.stack is None and set(given_options(recipe)) <= {"l2"}
    return is_open and problem.in_memory_table and not problem.searching


def _is_exact(recipe: Recipe, problem: Problem, cost: Cost, count: int) -> bool:
    """Whether exact steps on `count` rows are cheap for the network, or for a smaller candidate if we may choose."""
    net, shape = _network(recipe, problem, cost), (count, problem.inputs)
    if exact_steps_are_cheap(net, shape):
        return True
    smaller = leaves_network_open(recipe) and has_gaussian_noise(net)
    return smaller and exact_steps_are_cheap(_network(replace(recipe, hidden=SMALLER), problem, cost), shape)


def _affordable_rows(recipe: Recipe, problem: Problem, cost: Cost) -> int:
    """How many rows to train on: all, or so many that exact steps are cheap, if we choose the network of a regression.

    Networks trained on a third of the rows by exact steps were measured to predict better than one trained on all by
    Adam.
    """
    count = problem.count
    is_open = _leaves_trainer_open(recipe, problem) and leaves_network_open(recipe) and recipe.regularization == "auto"
    is_open = is_open and recipe.l2 is None and recipe.monitor is None
    drawn = count if is_open and has_gaussian_noise(_network(recipe, problem, cost)) else 0
    while drawn >= MIN_DRAWN and not _is_exact(recipe, problem, cost, drawn):
        drawn //= 2
    return drawn if drawn >= MIN_DRAWN else count


def _check_trainer(recipe: Recipe, trainer: Any) -> None:
    """Refuse an unknown trainer, and options that the trainer does not take."""
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
    for name, value in given_options(recipe).items():
        if name != "l2" and not isinstance(trainer, str):
            raise ConfigurationError(
                f"{name} is {value!r}, but the trainer is an object with a {name} of its own: set it there."
            )


def _with_penalty(trainer: Any, l2: float | None) -> Any:
    """The trainer that the user built, with this l2 if it has none of its own."""
    if l2 is None:
        return trainer
    if trainer.l2 is not None:
        raise ConfigurationError(
            f"l2 is {l2!r}, but the trainer has an l2 of its own, {trainer.l2:g}: give one of the two."
        )
    return replace(trainer, l2=l2)


def _check_bayesian(recipe: Recipe, problem: Problem, trainer: Any, cost: Cost) -> None:
    """Refuse images, costs without evidence, searches, and options that set the penalty or need validation rows."""
    given = "trainer='bayesian'" if trainer == "bayesian" else "regularization='bayesian'"
    if problem.images is not None:
        raise ConfigurationError(f"{given} is for tables, and {problem.name} are images: choose another trainer")
    if not has_evidence(Network([Dense(problem.outputs, _output_activation(cost, problem))], cost)):
        raise ConfigurationError(
            f"{given} needs the quadratic cost of a regression or a classification's cost, and cost is {cost.name!r}: "
            "leave one of the two out"
        )
    if problem.searching:
        raise ConfigurationError(
            f"{given} sets its penalties by the evidence, and a search compares validation scores: use deltarule "
            "train, or choose another trainer"
        )
    refused = {**given_options(recipe), "monitor": recipe.monitor}
    if trainer not in (None, "lm", "bayesian"):
        refused["trainer"] = trainer
    for name, value in refused.items():
        if value is not None:
            raise ConfigurationError(
                f"{name} is {value!r}, and {given}, which trains by Levenberg-Marquardt and compares the evidence, "
                "cannot use it: leave one of the two out."
            )


def _penalty(regularizer: Regularizer, cost: Cost, problem: Problem) -> float | None:
    """The default l2; of a regression on all rows the one that fits the noise, if the cost says how large that is."""
    if regularizer.l2 is None or regularizer.holds_out or problem.task != "regression":
        return regularizer.l2
    by_noise = penalty_of(cost, problem.scales, problem.Y)
    return regularizer.l2 if by_noise is None else by_noise


def _network(recipe: Recipe, problem: Problem, cost: Cost, trainer: Any = None) -> Network:
    """The hidden layers of the user's stack, or Dense layers of the user's or the default sizes, and the output layer.

    A `trainer` that validation rows stop may have a default of its own for the hidden layers.
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
    """The sizes of the hidden layers; a single number is one layer."""
    sizes = (hidden,) if isinstance(hidden, Integral) else hidden
    if isinstance(sizes, str) or not hasattr(sizes, "__iter__"):
        raise ConfigurationError(
            f"hidden must hold the sizes of the hidden layers, and is {hidden!r}: give for example (20,)."
        )
    return sizes


def _cost(recipe: Recipe, problem: Problem) -> Cost:
    """The cost, by its name or the default; Huber's with a delta that fits the noise.

    Raises:
        ConfigurationError: the cost is for another task, or needs targets that are scaled differently.
    """
    name = recipe.cost
    if name is None:
        stacked = recipe.stack is not None and problem.task == "classification"
        name = "log-likelihood" if stacked else problem.defaults.cost
    cost = get_cost(name)
    if problem.task != "regression":
        if is_regression_cost(cost):
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
    """The output activation for the cost: linear or exponential for a regression, else sigmoid or softmax."""
    return (cost.natural_output or "linear") if problem.task == "regression" else CLASS_OUTPUTS[cost.name]


def _monitor(recipe: Recipe, problem: Problem) -> str:
    """The validation score that chooses the best epoch: the cost, or for images the accuracy, unless the user says."""
    if problem.task == "classification":
        return recipe.monitor or ("accuracy" if problem.images and not problem.streamed else "cost")
    if recipe.monitor == "accuracy":
        raise ConfigurationError(
            f"monitor is 'accuracy', but {problem.name} is a {problem.task}: leave it out, or choose monitor='cost'"
        )
    return "cost"


def _settings(recipe: Recipe, problem: Problem, name: str, l2: float | None) -> Recipe:
    """The recipe with the defaults of the trainer filled in; the default batch size is at most the table."""
    row = TRAINERS[name]
    kind = "stack" if recipe.stack is not None else "images" if problem.images else problem.task
    return replace(
        recipe,
        eta=row.eta.get("classification" if kind == "labels" else kind) if recipe.eta is None else recipe.eta,
        batch_size=recipe.batch_size or (row.batch_size and min(row.batch_size, problem.count)),
        momentum=row.momentum if recipe.momentum is None else recipe.momentum,
        l2=l2 if "l2" in row.options else None,
        patience=recipe.patience or row.patience,
    )
