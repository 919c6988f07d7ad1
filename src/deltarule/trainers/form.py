"""Which form of the step to take, and what a training holds: a model of what each form costs and holds in memory.

n parameters, R = m k residuals of a step. Floating-point operations of one iteration, and bytes at the same time:

    primal   R n² + n³/3 (symmetric product, one factorisation)        4 n² 8
    dual     2 R² width + R³/3 (the Gram, one factorisation)           11 R² 8
    cg       about 100 products J^T J v at 8 R n / k operations each   10 n 8

The width of the Gram is that of its inner products, of errors and of inputs: `Sizes.gram`. The bytes are those by
which processes grew: a matrix, what it is made of, XLA's copies of it and its factor; of cg its vectors. What one block
of examples takes comes on top in each form.

Between primal and dual the smaller matrix wins: it is cheaper, and J^T J of rank n is better conditioned than a
singular J J^T. Conjugate gradients are taken where the smaller matrix does not fit the memory, or where factoring
costs both a trillion operations and ten times what they do.
"""

from typing import Any, NamedTuple

import numpy as np

from deltarule.engine.machine import format_bytes, require_free_memory, total_memory
from deltarule.engine.rows import block_bytes
from deltarule.network.network import Sizes

BYTES = 8
CG_PRODUCTS = 100
PATIENT_FLOPS = 1e12


class FormCost(NamedTuple):
    """What one iteration of a form costs."""

    flops: float
    bytes: float


def form_costs(sizes: Sizes, examples: int) -> dict[str, FormCost]:
    """The costs of the three forms on so many examples."""
    n, R = sizes.parameters, examples * sizes.outputs
    return {
        "primal": FormCost(float(R) * n * n + n**3 / 3, 4.0 * BYTES * n * n),
        "dual": FormCost(2.0 * R * R * sizes.gram + R**3 / 3, 11.0 * BYTES * R * R),
        "cg": FormCost(CG_PRODUCTS * 8.0 * examples * sizes.steps * n, 10.0 * BYTES * n),
    }


def choose_form(sizes: Sizes, examples: int, memory: float | None = None) -> str:
    """The name of the form to take within `memory` bytes; None is `available_memory()`."""
    costs = form_costs(sizes, examples)
    exact = "dual" if examples * sizes.outputs < sizes.parameters else "primal"
    too_large = costs[exact].bytes > (available_memory() if memory is None else memory)
    too_slow = costs[exact].flops > max(PATIENT_FLOPS, 10 * costs["cg"].flops)
    return "cg" if too_large or too_slow else exact


def available_memory() -> float:
    """Half of the machine's memory, or of a container's, in bytes: what the matrices of a step may take.

    Not what is free now: the form of a step must not depend on what else runs, or two runs would differ in bits.
    """
    return 0.5 * total_memory()


# What a training holds at once: the examples, the matrices of a step and one block of its work

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
    held, whole = E.memory.rows(-(-examples // devices)), min(m or examples, examples)
    rows, at_once = float(held * (sizes.inputs + k) * width), min(held, m or held)
    form, R = trainer.form(sizes, whole), float(whole * k)
    if form is None:  # parameters, their best, gradients, the rule's memory; z, activations and errors of one batch
        always, for_each = E.memory.vectors
        held_numbers = (always + for_each * trainer.memory_copies) * n
        of_a_row = (trainer.passes or E.memory.passes) * layers + (0 if m is None else 2 * sizes.inputs)
        work = min(at_once * of_a_row * width, trainer.most_at_once)
    elif form == "dual":
        held_numbers, work = E.memory.dual * R * R, width * whole * (k + 3) * (layers + sizes.inputs)
    else:
        held_numbers = E.memory.primal * n * n if form == "primal" else CG_VECTORS * n
        row = max(n, 4 * layers) if form == "primal" else 4 * layers
        work = E.memory.blocks * min(block_bytes(row, width), at_once * k * row * width)
    return Memory(rows, float(held_numbers * width), float(work), E.memory.examples)


def require_memory(sizes: Sizes, trainer: Any, examples: int, E: Any, dtype: np.dtype, devices: int = 1) -> None:
    """Raise a TooLargeError if training on so many examples needs more memory than is free on engine E."""
    needed = memory_needed(sizes, examples, dtype, trainer, E, devices)
    free = E.free_memory(devices)
    if needed.total > free:
        step = format_bytes(needed.matrices + needed.work)
        parts = f"{format_bytes(needed.examples)} for the examples, {step} for a step"
        form = trainer.form(sizes, min(trainer.batch_size or examples, examples))
        require_free_memory(f"training and its data ({parts})", needed.total, _cure(needed, trainer, form), free)


def _cure(needed: Memory, trainer: Any, form: str | None) -> str:
    """What would make it fit."""
    if needed.examples > needed.matrices + needed.work:
        return "give fewer rows, or use dtype='float32'"
    if form in ("primal", "dual") and trainer.solver != "auto":
        return "take solver='auto', which forms no matrix that does not fit"
    if trainer.batch_size is None:
        return "take batch_size=100, for example, so that a step sees fewer examples"
    return "use fewer neurons or smaller batches"
