"""The choice between the three forms of a second-order step, and the memory that a training needs.

With n parameters and R = m k residuals, one iteration takes these floating-point operations and bytes:

    primal   R n² + n³/3 (symmetric product, one factorisation)        4 n² 8
    dual     2 R² width + R³/3 (the Gram, one factorisation)           11 R² 8
    cg       about 100 products J^T J v at 8 R n / k operations each   10 n 8

`Sizes.gram` is the length of the inner products in the Gram matrix. The bytes were measured: the matrix, its terms,
XLA's copies and the factor; for cg its vectors. One block of examples comes on top in each form.

Of primal and dual the smaller matrix is chosen: it is cheaper, and J^T J of rank n is better conditioned than a
singular J J^T. Conjugate gradients are chosen if that matrix does not fit the memory, or if factoring it takes both a
trillion operations and ten times as many as they do.
"""

from typing import Any, NamedTuple

import numpy as np

from deltarule.engine.machine import format_bytes, require_free_memory, total_memory
from deltarule.engine.rows import block_bytes
from deltarule.network.network import Sizes

BYTES = 8
CG_PRODUCTS = 100
EXACT_FLOPS = 1e12


class FormCost(NamedTuple):
    """The floating-point operations and the memory of one iteration."""

    flops: float
    bytes: float


def form_costs(sizes: Sizes, examples: int) -> dict[str, FormCost]:
    """Return the costs of the three forms on so many examples."""
    n, R = sizes.parameters, examples * sizes.outputs
    return {
        "primal": FormCost(float(R) * n * n + n**3 / 3, 4.0 * BYTES * n * n),
        "dual": FormCost(2.0 * R * R * sizes.gram + R**3 / 3, 11.0 * BYTES * R * R),
        "cg": FormCost(CG_PRODUCTS * 8.0 * examples * sizes.steps * n, 10.0 * BYTES * n),
    }


def choose_form(sizes: Sizes, examples: int, memory: float | None = None) -> str:
    """Choose a form that fits `memory` bytes; None is `available_memory()`."""
    costs = form_costs(sizes, examples)
    exact = "dual" if examples * sizes.outputs < sizes.parameters else "primal"
    too_large = costs[exact].bytes > (available_memory() if memory is None else memory)
    too_slow = costs[exact].flops > max(EXACT_FLOPS, 10 * costs["cg"].flops)
    return "cg" if too_large or too_slow else exact


def available_memory() -> float:
    """Half of the memory of the machine or container, in bytes: the limit for the matrices of a step.

    It does not depend on what is free now, so that two runs choose the same form and give the same bits.
    """
    return 0.5 * total_memory()


CG_VECTORS = 10  # vectors of n numbers that a step by conjugate gradients holds


class Memory(NamedTuple):
    """The bytes on one device of the examples, the matrices of a step and the work on one block of examples.

    `copies` counts the copies of the examples while they are laid out on the device.
    """

    examples: float
    matrices: float
    work: float
    copies: int

    @property
    def total(self) -> float:
        """The peak: while the examples are laid out, or during a step."""
        return max(self.copies * self.examples, self.examples + self.matrices + self.work)


def memory_needed(sizes: Sizes, examples: int, dtype: np.dtype, trainer: Any, E: Any, devices: int = 1) -> Memory:
    """Return the memory that each of so many devices needs for a training on so many examples."""
    width, m = np.dtype(dtype).itemsize, trainer.batch_size
    n, k, neurons = sizes.parameters, sizes.outputs, sizes.neurons
    rows, batch = E.memory.rows(-(-examples // devices)), min(m or examples, examples)
    rows_of_step = min(rows, m or rows)
    form, R = trainer.form(sizes, batch), float(batch * k)
    if form is None:  # the parameters, their best, gradients, the rule's memory; z, activations and errors of one batch
        always, for_each = E.memory.vectors
        matrices = (always + for_each * trainer.memory_copies) * n
        row = (trainer.numbers_per_neuron or E.memory.passes) * neurons + (0 if m is None else 2 * sizes.inputs)
        work = min(rows_of_step * row * width, trainer.largest_block)
    elif form == "dual":
        matrices, work = E.memory.dual * R * R, width * batch * (k + 3) * (neurons + sizes.inputs)
    else:
        matrices = E.memory.primal * n * n if form == "primal" else CG_VECTORS * n
        row = max(n, 4 * neurons) if form == "primal" else 4 * neurons
        work = E.memory.blocks * min(block_bytes(row, width), rows_of_step * k * row * width)
    return Memory(float(rows * (sizes.inputs + k) * width), float(matrices * width), float(work), E.memory.examples)


def require_memory(sizes: Sizes, trainer: Any, examples: int, E: Any, dtype: np.dtype, devices: int = 1) -> None:
    """Raise a TooLargeError if a training on so many examples needs more memory than is free on engine E."""
    needed = memory_needed(sizes, examples, dtype, trainer, E, devices)
    free = E.free_memory(devices)
    if needed.total > free:
        step = format_bytes(needed.matrices + needed.work)
        parts = f"{format_bytes(needed.examples)} for the examples, {step} for a step"
        form = trainer.form(sizes, min(trainer.batch_size or examples, examples))
        require_free_memory(f"training and its data ({parts})", needed.total, _advice(needed, trainer, form), free)


def _advice(needed: Memory, trainer: Any, form: str | None) -> str:
    """Say what to change so that the training fits into memory."""
    if needed.examples > needed.matrices + needed.work:
        return "give fewer rows, or use dtype='float32'"
    if form in ("primal", "dual") and trainer.solver != "auto":
        return "set solver='auto', which chooses a form that fits"
    if trainer.batch_size is None:
        return "set batch_size=100, for example, so that a step takes fewer examples"
    return "use fewer neurons or smaller batches"
