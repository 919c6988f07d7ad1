"""The function that a second-order trainer makes small: network, examples, weights and penalty, bound once.

    F(p) = scale (sum_i w_i C_i(p) + (l2/2) sum w²)

Everything that such a trainer needs is a sum over the examples, `Objective.sum`, taken in blocks of bounded memory.
What a trainer computes from these sums is a *piece*: a function F, p, ... ↦ arrays, which `Objective.call` compiles on
JAX and just calls on NumPy. `StreamedObjective` is F for examples that stay on disk.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from deltarule import engine, trees
from deltarule.arrays import Array
from deltarule.curvature.linearization import Linearization, NormalEquations, linearize
from deltarule.engine import ENGINE_OF_TYPE
from deltarule.engine.rows import Rows
from deltarule.network import backprop
from deltarule.network.backprop import Params
from deltarule.trees import register

if TYPE_CHECKING:
    from deltarule.network.network import Network

Number = Any
Function = Callable[..., Any]
KeptBlock = tuple[Linearization, Array]  # a block of examples linearised, and its J^T (n, m k)


@dataclass(frozen=True)
class Objective:
    """F over examples in memory.

    Args:
        net: the network; static where JAX compiles.
        rows: the examples.
        block: how many examples go through the network together; static.
        l2: the strength of the penalty on weights; None for no penalty.
        scale: the factor of the sum, such as 1/N for a mean.
    """

    net: "Network"
    rows: Rows
    block: int
    l2: Number | None = None
    scale: Number = 1.0

    def sum(self, term: Function, p: Params, *arguments: Any, prepare: Function | None = None) -> Any:
        """The sum over blocks of the examples of term(net, p, x, y, weight).

        With `prepare`, such as `linearize`, the sum of term(prepare(net, p, x, y, weight), *arguments).
        """

        def block_term(x: Array, y: Array, weight: Array) -> Any:
            if prepare is None:
                return term(self.net, p, x, y, self.scale * weight)
            return term(prepare(self.net, p, x, y, self.scale * weight), *arguments)

        return engine.of(self.rows.x).sum_over_blocks(self.rows, self.block, block_term)

    def call(self, piece: Function, *arguments: Any, **static: Any) -> Any:
        """piece(self, *arguments, **static), compiled once for each shape and each value of `static` on JAX."""
        return ENGINE_OF_TYPE[type(self.rows.x)].call(piece, self, *arguments, **static)

    @property
    def fits_one_block(self) -> bool:
        """Whether all examples go through the network together, so that their linearisation can be kept."""
        return self.rows.shards is None and self.rows.x.shape[0] <= self.block

    @property
    def parts(self) -> tuple["Objective", ...]:
        """The objectives of which this is the sum."""
        return (self,)

    def value(self, p: Params) -> Array:
        """F(p)."""
        return self.sum(cost, p) + self.prior_energy(p)

    def linearized(self, p: Params) -> list[Linearization]:
        """The linearisation of each part at p, all its examples in one block."""
        return [linearize(part.net, p, part.rows.x, part.rows.y, part.scale * part.rows.mask) for part in self.parts]

    def normal_equations(self, p: Params) -> tuple[list[KeptBlock] | None, NormalEquations]:
        """J^T J and J^T r of (LM) without the prior, and each part's linearisation and J^T if they fit one block."""
        if not self.fits_one_block:
            return None, self.sum(Linearization.normal_equations, p, prepare=linearize)
        kept = [(lin, lin.jacobian_transpose()) for lin in self.linearized(p)]
        parts = [lin.normal_equations(J) for lin, J in kept]
        return kept, NormalEquations(*map(sum, zip(*parts, strict=True)))

    def acceleration_force(self, p: Params, s: Params, kept: list[KeptBlock] | None = None) -> Params:
        """J^T d²r/dt² along the line p + t s, from the blocks that `normal_equations` kept, if there are any."""
        if kept is None:
            return self.sum(_force, p, s, prepare=linearize)
        bends = [J @ lin.acceleration(s).reshape(-1) for lin, J in kept]
        return trees.unravel(sum(bends[1:], bends[0]), s)

    def prior(self, p: Params) -> Params:
        """The diagonal of A in the shape of the parameters: scale l2 for weights, 0 for biases."""
        strength = 0.0 if self.l2 is None else self.scale * self.l2
        return [
            {
                name: array.__array_namespace__().full_like(array, strength if layer.role(name) == "weight" else 0.0)
                for name, array in q.items()
            }
            for layer, q in zip(self.net.layers, p, strict=True)
        ]

    def plus_prior(self, u: Params, v: Params) -> Params:
        """u + A v."""
        return u if self.l2 is None else trees.add(u, trees.multiply(self.prior(v), v))

    def prior_energy(self, p: Params) -> Array | float:
        """(1/2) p^T A p."""
        return 0.0 if self.l2 is None else 0.5 * trees.dot(p, trees.multiply(self.prior(p), p))


register(Objective, leaves=("rows", "l2", "scale"))


@dataclass(frozen=True)
class JointObjective(Objective):
    """The sum of objectives of the same parameters, which have no penalties of their own, and (l2/2) sum w².

    `net`, `rows` and `block` are those of the first part.
    """

    parts: tuple[Objective, ...] = ()  # pyright: ignore[reportIncompatibleMethodOverride]

    @classmethod
    def of(cls, parts: Sequence[Objective], l2: Number | None) -> "JointObjective":
        """The sum of these objectives and a penalty."""
        first = parts[0]
        return cls(first.net, first.rows, first.block, l2, 1.0, tuple(parts))

    def sum(self, term: Function, p: Params, *arguments: Any, prepare: Function | None = None) -> Any:
        return reduce(_add, (part.sum(term, p, *arguments, prepare=prepare) for part in self.parts))

    @property
    def fits_one_block(self) -> bool:
        return all(part.fits_one_block for part in self.parts)


register(JointObjective, leaves=("rows", "l2", "scale", "parts"))


def _add(left: Any, right: Any) -> Any:
    return trees.map_leaves(operator.add, left, right)


class StreamedObjective(Objective):
    """F over examples on disk: each sum is one pass over the chunks that `chunks()` reads, and no piece is compiled."""

    def __init__(self, net: "Network", chunks: Callable[[], Any], block: int, l2: Number | None):
        for name, value in {"net": net, "chunks": chunks, "block": block, "l2": l2, "scale": 1.0}.items():
            object.__setattr__(self, name, value)

    def sum(self, term: Function, p: Params, *arguments: Any, prepare: Function | None = None) -> Any:
        total = None
        for rows in self.chunks():  # pyright: ignore[reportAttributeAccessIssue]
            E, chunk = engine.of(rows.x), Objective(self.net, rows, self.block)
            total = E.wait(E.call(_chunk_sum, chunk, total, p, *arguments, term=term, prepare=prepare))
        return total

    def call(self, piece: Function, *arguments: Any, **static: Any) -> Any:
        return piece(self, *arguments, **static)

    @property
    def fits_one_block(self) -> bool:
        return False


def _chunk_sum(
    chunk: Objective, total: Any, p: Params, *arguments: Any, term: Function, prepare: Function | None
) -> Any:
    added = chunk.sum(term, p, *arguments, prepare=prepare)
    return chunk.rows.replicate(added if total is None else _add(total, added))


def value_and_gradient(F: Objective, p: Params) -> tuple[Array, Params]:
    """F(p) and its gradient, as a piece."""
    value, gradient = F.sum(backprop.cost_and_gradient, p)
    return value + F.prior_energy(p), F.plus_prior(gradient, p)


def _force(lin: Linearization, s: Params) -> Params:
    return lin.transpose_product(lin.acceleration(s))


def cost(net: "Network", p: Params, x: Array, y: Array, weight: Array) -> Array:
    """sum_i w_i C_i of a block, a term of `Objective.sum`."""
    return (weight * backprop.output_cost(net, backprop.forward(net, p, x)[-1], y)).sum()
