"""`Plan`: the network, the trainer and all the numbers of a training, and their description in a line."""

from dataclasses import dataclass, replace
from math import prod
from typing import Any, Self

from deltarule.errors import pluralized
from deltarule.models.candidates import Candidate
from deltarule.models.recipe import REGULARIZERS, Recipe, Regularizer
from deltarule.models.trainers import TRAINERS
from deltarule.network.layers import Dense
from deltarule.network.network import Network


@dataclass(frozen=True)
class Plan:
    """Every choice that a training needs.

    Args:
        net: the network.
        sizes: n_1, ..., n_L, the numbers of activations of the layers that have weights.
        trainer: the trainer.
        trainer_name: in `TRAINERS`, or the name of the trainer's class.
        settings: the recipe with the numbers of the trainer filled in.
        epochs: the largest number of epochs.
        monitor: the validation score that chooses the best epoch, "accuracy" or "cost".
        regularization: a name in `REGULARIZERS`.
        validated: whether validation rows choose the best epoch.
        patience: the training ends after this many epochs without a better score; None for no such rule.
        restarts: how many networks are trained, each from its own random parameters.
        streamed: whether the examples stay on disk.
        candidates: the networks to try, of which those that predict best are averaged; () trains `net` alone.
        effort: a name in `deltarule.models.candidates.EFFORTS`, or an `Effort`.
        rows: how many rows are drawn at random to train on; None is all.
    """

    net: Network
    sizes: tuple[int, ...]
    trainer: Any
    trainer_name: str
    settings: Recipe
    epochs: int
    monitor: str
    regularization: str | None
    validated: bool = True
    patience: int | None = None
    restarts: int = 1
    streamed: bool = False
    candidates: tuple[Candidate, ...] = ()
    effort: str = "default"
    rows: int | None = None

    def for_candidate(self, candidate: Candidate) -> Self:
        """The plan for one candidate alone."""
        *_, output = self.net.layers
        net = Network(
            [*(Dense(n, self.settings.activation or "tanh") for n in candidate.hidden), output], self.net.cost
        )
        return replace(self, net=net, sizes=(self.sizes[0], *candidate.hidden, net.outputs), restarts=1, candidates=())

    def limit_batch_size(self, count: int) -> Self:
        """The plan with batches of at most `count` examples; a trainer object stays as it is."""
        m = self.settings.batch_size
        if m is None or m <= count or self.trainer_name not in TRAINERS:
            return self
        settings = replace(self.settings, batch_size=count)
        return replace(self, settings=settings, trainer=TRAINERS[self.trainer_name].build(settings))

    @property
    def max_epochs(self) -> int:
        """The largest number of epochs of all candidates together."""
        return self.epochs * max(1, len(self.candidates))

    @property
    def regularizer(self) -> Regularizer:
        """The row of `REGULARIZERS`."""
        return REGULARIZERS[self.regularization]

    @property
    def options(self) -> tuple[str, ...]:
        """The names of the options that its trainer takes; () for a trainer object."""
        return TRAINERS[self.trainer_name].options if self.trainer_name in TRAINERS else ()

    @property
    def network(self) -> str:
        """The layers in a line, see `describe_network`."""
        return describe_network(self.net, self.sizes)

    @property
    def description(self) -> str:
        """The trainer in a few words, such as "sgd, eta 0.5, batches of 10"."""
        words, settings = [self.trainer_name], self.settings
        if "eta" in self.options:
            words.append(f"eta {settings.eta:g}")
        m = settings.batch_size
        words.append("all examples in a step" if m is None else f"batches of {m}")
        if settings.momentum is not None:
            kind = "Nesterov momentum" if settings.nesterov else "momentum"
            words.append(f"{kind} {settings.momentum:g}")
        for name, value in (("l2", settings.l2), ("l1", settings.l1), ("max-norm", settings.max_norm)):
            if value:
                words.append(f"{name} {value:g}")
        if settings.halve_after is not None:
            words.append(f"eta halved after {pluralized(settings.halve_after, 'epoch')} without improvement")
        if self.rows is not None:
            words.append(f"on {self.rows:,} rows drawn at random")
        if self.candidates:
            words.append(f"up to {pluralized(len(self.candidates), 'network')}")
        elif self.restarts > 1:
            words.append(pluralized(self.restarts, "start"))
        return ", ".join(words)


def describe_network(net: Network, sizes: tuple[int, ...]) -> str:
    """The layers in a line: "784-30-10 (sigmoid, sigmoid)", or the layers' labels if they are of several kinds.

    `sizes` are n_1 and the sizes of the layers with weights.
    """
    if all(layer.keeps_shape or (layer.can_be_last and layer.input_axes == 1) for layer in net.layers):
        words = [getattr(layer, "activation", None) or layer.label for layer in net.layers]
        return f"{'-'.join(map(str, sizes))} ({', '.join(words)})"
    return " - ".join(
        f"{layer.label} {activation}" if (activation := getattr(layer, "activation", "")) else layer.label
        for layer in net.layers
    )


def sizes_of(net: Network, inputs: int) -> tuple[int, ...]:
    """n_1 and the numbers of activations of the layers that have weights."""
    shapes = net.shapes((inputs,))
    layers = zip(net.layers, shapes[:-1], shapes[1:], strict=True)
    return (inputs, *(prod(above) for layer, below, above in layers if layer.parameter_shapes(below)))
