"""Which form of the step to take: a model of what each costs and holds in memory.

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

from typing import NamedTuple

from deltarule.engine.machine import total_memory
from deltarule.network.sizes import Sizes

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
