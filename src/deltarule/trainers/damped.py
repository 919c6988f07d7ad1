"""The loop that every second-order trainer steps by: try one damping after another until a step leads down."""

from collections.abc import Callable
from typing import Any, TypeVar

Control = TypeVar("Control")


def damped_step(
    attempt: Callable[[Control], tuple[Any, Control]],
    control: Control,
    exhausted: Callable[[Control], bool],
    most: int,
    clock: Callable[[], Any],
) -> tuple[Control, list[Any]]:
    """The control after the last trial, and the trials, of which the last one alone may be `accepted`.

    Args:
        attempt: from a control (a damping, a radius) to the trial made with it and the control after it.
        control: the first.
        exhausted: whether a control is not worth a trial any more.
        most: trials.
        clock: called before each trial; what it raises ends the step.
    """
    trials: list[Any] = []
    while len(trials) < most and not exhausted(control) and not (trials and trials[-1].accepted):
        clock()
        trial, control = attempt(control)
        trials.append(trial)
    return control, trials
