"""How much memory a training holds at once, before it runs, and the refusal of one that cannot fit.

It holds the examples, the matrices of a step and one block of work.
"""

from typing import Any, NamedTuple

import numpy as np

from deltarule.engine.machine import in_units, require_room
from deltarule.engine.rows import block_bytes
from deltarule.network.network import Network
from deltarule.network.sizes import Sizes

CG_VECTORS = 10  # of n numbers, those of conjugate gradients among them


class Memory(NamedTuple):
    """Bytes on one device: the examples, the matrices of a step, one block of its work; the copies of the examples
    while they are laid out.
    """

    examples: float
    matrices: float
    work: float
    copies: int

    @property
    def total(self) -> float:
        """The most at once: while the examples are laid out, or during a step."""
        return max(self.copies * self.examples, self.examples + self.matrices + self.work)


def memory_needed(sizes: Sizes, examples: int, dtype: np.dtype, trainer: Any, E: Any, devices: int = 1) -> Memory:
    """What each of so many devices of an engine holds of a training on so many examples."""
    width, m = np.dtype(dtype).itemsize, trainer.batch_size
    n, k, layers = sizes.parameters, sizes.outputs, sizes.neurons
    held, whole = E.copies.rows(-(-examples // devices)), min(m or examples, examples)
    rows, at_once = float(held * (sizes.inputs + k) * width), min(held, m or held)
    form, R = trainer.form(sizes, whole), float(whole * k)
    if form is None:  # parameters, their best, gradients, the rule's memory; z, activations and errors of one batch
        always, for_each = E.copies.vectors
        held_numbers = (always + for_each * trainer.memory_copies) * n
        of_a_row = (trainer.passes or E.copies.passes) * layers + (0 if m is None else 2 * sizes.inputs)
        work = min(at_once * of_a_row * width, trainer.most_at_once)
    elif form == "dual":
        held_numbers, work = E.copies.dual * R * R, width * whole * (k + 3) * (layers + sizes.inputs)
    else:
        held_numbers = E.copies.primal * n * n if form == "primal" else CG_VECTORS * n
        row = max(n, 4 * layers) if form == "primal" else 4 * layers
        work = E.copies.blocks * min(block_bytes(row, width), at_once * k * row * width)
    return Memory(rows, float(held_numbers * width), float(work), E.copies.examples)


def require_fit(net: Network, trainer: Any, shape: tuple[int, ...], E: Any, dtype: np.dtype, devices: int = 1) -> None:
    """Raise a TooLargeError if training on inputs of this shape, (N, ...), needs more memory than is free.

    Args:
        net: the network.
        trainer: the trainer.
        shape: of all inputs.
        E: the engine that trains.
        dtype: of the computation.
        devices: among which the examples are divided.
    """
    sizes = net.sizes(shape[1:])
    needed = memory_needed(sizes, shape[0], dtype, trainer, E, devices)
    free = E.free_memory(devices)
    if needed.total > free:
        parts = f"{in_units(needed.examples)} for the examples, {in_units(needed.matrices + needed.work)} for a step"
        form = trainer.form(sizes, min(trainer.batch_size or shape[0], shape[0]))
        require_room(f"training and its data ({parts})", needed.total, _cure(needed, trainer, form), free)


def _cure(needed: Memory, trainer: Any, form: str | None) -> str:
    """What would make it fit."""
    if needed.examples > needed.matrices + needed.work:
        return "give fewer rows, or use dtype='float32'"
    if form in ("primal", "dual") and trainer.solver != "auto":
        return "take solver='auto', which forms no matrix that does not fit"
    if trainer.batch_size is None:
        return "take batch_size=100, for example, so that a step sees fewer examples"
    return "use fewer neurons or smaller batches"
