"""The ways to keep a network from learning the noise: one row a way."""

from dataclasses import dataclass

from deltarule.errors import ConfigurationError


@dataclass(frozen=True)
class Way:
    """A way of regularising.

    Args:
        holds_out: whether rows that do not train choose the best epoch.
        l2: its l2 where none is given.
        stops_early: whether it ends the training where no better score has come for the trainer's patience.
        restarts: the starts where no number is given.
        chooses_penalty: whether the penalty is its own choice, so that no l2 can be given.
    """

    holds_out: bool
    l2: float | None = None
    stops_early: bool = False
    restarts: int = 1
    chooses_penalty: bool = False


WAYS: dict[str | None, Way] = {
    "bayesian": Way(holds_out=False, stops_early=True, restarts=2, chooses_penalty=True),
    "early-stopping": Way(holds_out=True, l2=1e-2, stops_early=True),
    "best-epoch": Way(holds_out=True),
    "l2": Way(holds_out=False, l2=1e-1),
    None: Way(holds_out=False),
}


def get_way(regularization: str | None) -> Way:
    """The row of that name.

    Raises:
        ConfigurationError: the name is not in `WAYS`.
    """
    if regularization not in WAYS:
        raise ConfigurationError(
            f"regularization must be one of {', '.join(map(repr, ('auto', *WAYS)))}, and is {regularization!r}: "
            "choose one of them."
        )
    return WAYS[regularization]
