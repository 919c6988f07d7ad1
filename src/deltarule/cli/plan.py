"""What `deltarule.train` is told: the user's choices with our defaults, and how it is said in a line."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deltarule.cli.trainers import TRAINERS, Settings
from deltarule.errors import counted

if TYPE_CHECKING:
    from deltarule.network.network import Network


@dataclass(frozen=True)
class Plan:
    """Everything that `deltarule.train` is told.

    Args:
        net: the network.
        sizes: n_1, ..., n_L, the numbers of activations of the layers that have weights.
        trainer: of the library.
        trainer_name: as in `--trainer`.
        settings: the numbers of the trainer.
        epochs: at most this many.
        monitor: what "best on the validation part" means.
        validated: whether the validation part chooses the best epoch.
        restarts: how many starts are trained.
    """

    net: "Network"
    sizes: tuple[int, ...]
    trainer: Any
    trainer_name: str
    settings: Settings
    epochs: int
    monitor: str
    validated: bool = True
    restarts: int = 1

    @property
    def network(self) -> str:
        """The layers in a line: "784-30-10 (sigmoid, sigmoid)", or by name where they are not all of one kind."""
        from deltarule.network.layers import Dense, Dropout

        layers = self.net.layers
        if all(isinstance(layer, Dense | Dropout) for layer in layers):
            words = [
                f"dropout {layer.p:g}" if isinstance(layer, Dropout) else getattr(layer, "activation", "linear")
                for layer in layers
            ]
            return f"{'-'.join(map(str, self.sizes))} ({', '.join(words)})"
        return " - ".join(
            f"{layer.label} {activation}" if (activation := getattr(layer, "activation", "")) else layer.label
            for layer in layers
        )

    @property
    def description(self) -> str:
        """The trainer in a few words, such as "sgd, eta 0.5, batches of 10"."""
        words = [self.trainer_name]
        takes = TRAINERS[self.trainer_name].takes
        if "--eta" in takes:
            words.append(f"eta {self.settings.eta:g}")
        m = self.settings.batch_size
        words.append("all examples in a step" if m is None else f"batches of {m}")
        if self.settings.momentum is not None:
            kind = "Nesterov momentum" if self.settings.nesterov else "momentum"
            words.append(f"{kind} {self.settings.momentum:g}")
        if self.settings.l2:
            words.append(f"l2 {self.settings.l2:g}")
        if self.settings.l1:
            words.append(f"l1 {self.settings.l1:g}")
        if self.settings.max_norm is not None:
            words.append(f"max-norm {self.settings.max_norm:g}")
        if self.settings.halve_after is not None:
            words.append(f"eta halved after {counted(self.settings.halve_after, 'epoch')} without improvement")
        if self.restarts > 1:
            words.append(counted(self.restarts, "start"))
        return ", ".join(words)
