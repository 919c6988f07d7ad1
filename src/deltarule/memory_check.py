"""A training that cannot fit the memory is refused before its first step, with what it needs and what would fit."""

from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule import engine
from deltarule.backprop import Params
from deltarule.machine import in_units, require_room
from deltarule.memory import Memory, memory_needed, sizes_of

if TYPE_CHECKING:
    from deltarule.network import Network


def require_fit(
    net: "Network", params: Params, trainer: Any, shape: tuple[int, ...], dtype: np.dtype, devices: int = 1
) -> None:
    """Raise a TooLargeError if training on inputs of this shape, (N, ...), needs more memory than is free.

    Args:
        net: the network.
        params: parameters, or their shapes.
        trainer: the trainer.
        shape: of all inputs.
        dtype: of the computation.
        devices: among which the examples are divided.
    """
    N = shape[0]
    m = min(getattr(trainer, "batch_size", None) or N, N)
    form = trainer.form(net, params, m) if hasattr(trainer, "form") else None
    needed = memory_needed(sizes_of(net, params, N, shape[1:], dtype), trainer, form, devices)
    parts = f"{in_units(needed.examples)} for the examples, {in_units(needed.matrices + needed.work)} for a step"
    require_room(
        f"training and its data ({parts})",
        needed.total,
        _cure(needed, trainer, form),
        engine.of_params(params).free_memory(devices),
    )


def _cure(needed: Memory, trainer: Any, form: str | None) -> str:
    """What would make it fit."""
    if needed.examples > needed.matrices + needed.work:
        return "give fewer rows, or use dtype='float32'"
    if form in ("primal", "dual") and trainer.solver != "auto":
        return "take solver='auto', which forms no matrix that does not fit"
    if hasattr(trainer, "batch_size") and trainer.batch_size is None:
        return "take batch_size=100, for example, so that a step sees fewer examples"
    return "use fewer neurons or smaller batches"
