"""From the user's choices to a plan: our defaults for this kind of problem, the network and the trainer."""

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from deltarule.cli.choice_checks import check_trainer_options, trainer_options
from deltarule.cli.choices import IMAGES, NUMBERS, Choices
from deltarule.cli.options import parse_hidden
from deltarule.cli.plan import Plan
from deltarule.cli.trainers import TRAINERS, Settings, TrainerChoice

if TYPE_CHECKING:
    from deltarule.data import LoadedData
    from deltarule.network.cost import Cost
    from deltarule.network.layers import Layer

STREAMED_EPOCHS = 10  # passes over a folder, unless the trainer has its own number
OUTPUT_ACTIVATION = {"quadratic": "sigmoid", "cross-entropy": "sigmoid", "log-likelihood": "softmax"}


@dataclass(frozen=True)
class Defaults:
    """What an option is where the user does not say."""

    hidden: tuple[int, ...]
    activation: str
    cost: str
    trainer: str
    epochs: int


# digits: the best by validation over 24 splits; a test accuracy of 98.2 % on average, 96.6 % on the worst of them.
# mnist: the network of Nielsen's chapter 3.
DEFAULTS = {
    "digits": Defaults((200,), "relu", "cross-entropy", "sgd", epochs=30),
    "mnist": Defaults((100,), "sigmoid", "cross-entropy", "sgd", epochs=30),
    "classification": Defaults((30,), "sigmoid", "log-likelihood", "sgd", epochs=300),
    "regression": Defaults((30,), "tanh", "quadratic", "adam", epochs=300),
}


def make_plan(choices: Choices, data: "LoadedData", searching: bool = False) -> Plan:
    """Fill in the defaults and build the network and the trainer.

    Args:
        choices: of the user.
        data: the data set.
        searching: whether the plan is a trial of `deltarule search`, which judges by the validation part.

    Raises:
        ConfigurationError: an option does not go with these data.
    """
    import deltarule as dr
    from deltarule.inspection.noise_scale import STARTS, penalty_of
    from deltarule.network.layers.affine import AffineLayer

    defaults = DEFAULTS[choices.source if choices.source in IMAGES else data.task]
    first_order = searching or choices.streamed
    name = choices.trainer or (defaults.trainer if first_order else default_trainer(choices, data, defaults))
    check_trainer_options(choices, name)
    row = TRAINERS[name]
    if not row.validated:
        _check_unvalidated(choices, name, data, searching)
    stacked = "log-likelihood" if choices.stack is not None and data.task == "classification" else None
    cost = _cost(choices.cost or stacked or defaults.cost, data)
    settings = _settings(choices, name, data)
    penalty = None
    if name == "lm" and choices.trainer is None and data.schema.targets:  # trains as the bayesian one does
        penalty = penalty_of(cost, [column.std for column in data.schema.targets], data.train.Y)
    if penalty is not None:
        settings = replace(settings, l2=penalty)
        row = replace(row, hidden=TRAINERS["bayesian"].hidden, restarts=STARTS, validated=choices.patience is not None)
    layers = _hidden_layers(choices, row, defaults, data)
    output = dr.Dense(data.schema.output_width, _output_activation(cost, data), choices.init)
    net = dr.Network([*layers, output], cost)
    shapes = net.shapes((data.schema.input_width,))
    above = zip(net.layers, shapes[1:], strict=True)
    return Plan(
        net=net,
        sizes=(data.schema.input_width, *(prod(shape) for layer, shape in above if isinstance(layer, AffineLayer))),
        trainer=row.build(settings),
        trainer_name=name,
        settings=settings,
        epochs=choices.epochs or row.epochs or (STREAMED_EPOCHS if choices.streamed else defaults.epochs),
        monitor=_monitor(choices, data),
        validated=row.validated,
        restarts=row.restarts,
    )


def _hidden_layers(choices: Choices, row: TrainerChoice, defaults: Defaults, data: "LoadedData") -> list["Layer"]:
    """The stack that the user names, or Dense layers of the sizes that he or we choose."""
    import deltarule as dr
    from deltarule.data.pixels import Pixels
    from deltarule.network.layers.affine import AffineLayer
    from deltarule.network.stacks import fitted, stack

    if choices.stack is not None:
        pixels = data.schema.inputs[0]
        shape = pixels.shape if isinstance(pixels, Pixels) else (data.schema.input_width,)
        return [
            replace(layer, initializer=layer.initializer or choices.init) if isinstance(layer, AffineLayer) else layer  # pyright: ignore[reportArgumentType]
            for layer in fitted(stack(choices.stack), shape)
        ]
    hidden = parse_hidden(choices.hidden) if choices.hidden is not None else row.hidden or defaults.hidden
    activation = choices.activation or row.activation or defaults.activation
    layers: list[Layer] = []
    for n in hidden:
        layers += [dr.Dense(n, activation, choices.init)] + ([dr.Dropout(choices.dropout)] if choices.dropout else [])
    return layers


def default_trainer(choices: Choices, data: "LoadedData", defaults: Defaults) -> str:
    """The trainer where the user names none: for a regression bayesian, if its steps are cheap and no option objects.

    As in `NetworkRegressor`, the evidence chooses the penalties where exact steps cost little; an option that only
    other trainers take, such as --eta or --dropout, asks for one of those. With a cost that has no evidence it is lm.
    """
    import deltarule as dr
    from deltarule.trainers.automatic import exact_steps_are_cheap

    if data.task != "regression" or choices.stack is not None:
        return defaults.trainer
    if any(value is not None for value in trainer_options(choices).values()) or choices.monitor is not None:
        return defaults.trainer
    name = "lm" if choices.cost in NUMBERS else "bayesian"
    layers = _hidden_layers(choices, TRAINERS[name], defaults, data)
    net = dr.Network([*layers, dr.Dense(data.schema.output_width, "linear")])
    cheap = exact_steps_are_cheap(net, (len(data.train), data.schema.input_width))
    return name if cheap else defaults.trainer


def _check_unvalidated(choices: Choices, name: str, data: "LoadedData", searching: bool) -> None:
    """Refuse what needs validation data, and a network that the trainer does not know."""
    from deltarule.errors import ConfigurationError

    needed = TRAINERS[name].network
    if needed is not None and data.task not in needed:
        raise ConfigurationError(
            f"--trainer is {name!r}, which is for {needed}, and {data.name} is a {data.task}: choose another trainer"
        )
    if choices.cost in NUMBERS:
        raise ConfigurationError(
            f"--trainer is {name!r}, whose noise is Gaussian, and --cost is {choices.cost!r}: leave one of the two out"
        )
    if searching:
        raise ConfigurationError(
            f"--trainer is {name!r}, which chooses its penalties by their evidence, and a search judges by the "
            "validation part: use deltarule train, or choose another trainer"
        )
    if choices.monitor is not None:
        raise ConfigurationError(
            f"--monitor is {choices.monitor!r}, but --trainer {name} chooses the best epoch by the evidence: "
            "leave one of the two out"
        )


def _cost(name: str, data: "LoadedData") -> "Cost":
    """The cost by its name, where it goes with these data; Huber's with a delta for their noise.

    Raises:
        ConfigurationError: the cost is for the other task, or needs targets that are scaled otherwise.
    """
    from deltarule.data import StreamedData
    from deltarule.errors import ConfigurationError
    from deltarule.inspection.noise_scale import huber_of
    from deltarule.network.costs import get_cost

    cost = get_cost(name)
    if data.task == "classification":
        if name not in OUTPUT_ACTIVATION:
            raise ConfigurationError(f"--cost is {name!r}, but {data.name} is a classification: leave it out")
        return cost
    if cost.for_classes:
        raise ConfigurationError(
            f"--cost is {name!r}, but {data.name} is a regression: leave it out, or use --cost quadratic, huber or "
            "poisson"
        )
    if not cost.shifts_targets and any(column.mean for column in data.schema.targets):
        raise ConfigurationError(
            f"--cost {name} divides the targets by their mean, and those of {data.name} are standardised for another "
            f"cost: give --cost {name} itself"
        )
    if name == "huber":
        examples = data.validation if isinstance(data, StreamedData) else data.train
        return huber_of(examples.X, examples.Y)
    return cost


def _output_activation(cost: "Cost", data: "LoadedData") -> str:
    """The output that belongs to the cost: linear or exponential for a regression, else sigmoid or softmax."""
    if data.task == "classification":
        return OUTPUT_ACTIVATION[cost.name]
    return cost.natural_output or "linear"


def _monitor(choices: Choices, data: "LoadedData") -> str:
    """What "best" means: the accuracy of a classification unless the user says cost; a regression has its cost."""
    from deltarule.errors import ConfigurationError

    if data.task == "classification":
        return choices.monitor or ("cost" if choices.streamed else "accuracy")
    if choices.monitor == "accuracy":
        raise ConfigurationError(
            f"--monitor is 'accuracy', but {data.name} is a regression: leave it out, or use --monitor cost"
        )
    return "cost"


def _settings(choices: Choices, name: str, data: "LoadedData") -> Settings:
    """The numbers of the trainer; our batch size yields to a small table, the user's is refused there."""
    from deltarule.errors import ConfigurationError

    row, N = TRAINERS[name], len(data.train)
    if choices.batch_size is not None and choices.batch_size > N:
        raise ConfigurationError(
            f"--batch-size is {choices.batch_size}, but {data.name} has {N} training examples: give at most {N}"
        )
    kind = "stack" if choices.stack is not None else "images" if choices.source in IMAGES else data.task
    return Settings(
        eta=choices.eta if choices.eta is not None else row.eta.get(kind),
        batch_size=choices.batch_size or (row.batch_size and min(row.batch_size, N)),
        momentum=choices.momentum if choices.momentum is not None else row.momentum,
        l2=choices.l2,
        l1=choices.l1,
        max_norm=choices.max_norm,
        halve_after=choices.halve_after,
        nesterov=choices.nesterov,
        patience=choices.patience,
    )
