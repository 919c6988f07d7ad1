"""How much memory a training holds at once, before it runs, and the refusal of one that cannot fit.

It holds the examples, the matrices of a step and one block of work.
"""

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deltarule import engine
from deltarule.curvature.blocks import block_bytes
from deltarule.engine.machine import in_units, require_room
from deltarule.engine.rows import padded_size
from deltarule.network.backprop import Params
from deltarule.trainers.levenberg_marquardt.form import form_costs, gram_width

if TYPE_CHECKING:
    from deltarule.network.network import Network

COPIES = 3  # of the examples while they are laid out: in the computation's precision, padded, on the device
BLOCK_COPIES = 2  # of a block's Jacobian or errors at once: itself and what it is made from


class Sizes(NamedTuple):
    """What the size of a training comes from.

    n, N, n_1, k (of every step), the numbers of an example that all layers hold, the bytes of a number; the
    multiplications by weights of one example's forward pass, n without biases but where a convolution shares its
    weights; and `gram_width`.
    """

    parameters: int
    examples: int
    inputs: int
    outputs: int
    neurons: int
    width: int
    products: int
    gram: int


class Memory(NamedTuple):
    """Bytes on one device: the examples, the matrices of a step, one block of its work."""

    examples: float
    matrices: float
    work: float

    @property
    def total(self) -> float:
        """The most at once: while the examples are laid out, or during a step."""
        return max(COPIES * self.examples, self.examples + self.matrices + self.work)


def sizes_of(net: "Network", params: Any, examples: int, shape: tuple[int, ...], dtype: np.dtype) -> Sizes:
    """The sizes of a training on that many examples, each of this shape."""
    n = sum(array.size for layer in params for array in layer.values())
    below = zip(net.layers, net.shapes(shape)[:-1], strict=True)
    products = sum(layer.multiplications(taken) for layer, taken in below)
    width = np.dtype(dtype).itemsize
    k = net.outputs * net.steps(shape)
    return Sizes(n, examples, prod(shape), k, net.neurons(shape), width, products, gram_width(net, params))


def memory_needed(sizes: Sizes, trainer: Any, form: str | None, devices: int = 1) -> Memory:
    """What each of so many devices holds; `form` is that of a step with curvature, None of a first-order step."""
    n, N, n_1, k, neurons, width, _, gram = sizes
    held = padded_size(-(-N // devices))
    examples = float(held * (n_1 + k) * width)
    m = trainer.batch_size
    at_once = min(held, m or held)
    if form is None:
        memory = trainer.memory_copies
        # Parameters, their best, gradients and the memory of the rule; activations, z and errors of one batch.
        return Memory(examples, float((3 + memory) * n * width), float(2 * at_once * (neurons + n_1) * width))
    whole = N if m is None else m
    matrices = form_costs(n, whole, k, gram)[form].bytes
    if form == "dual":
        return Memory(examples, matrices, float(width * whole * (k + 3) * (neurons + n_1)))
    row = max(n, 4 * neurons) if form == "primal" else 4 * neurons
    block = min(block_bytes(row, width), at_once * k * row * width)
    return Memory(examples, matrices, float(BLOCK_COPIES * block))


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
    m = min(trainer.batch_size or N, N)
    form = trainer.form(net, params, m * net.steps(shape[1:]))
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
    if trainer.batch_size is None:
        return "take batch_size=100, for example, so that a step sees fewer examples"
    return "use fewer neurons or smaller batches"
