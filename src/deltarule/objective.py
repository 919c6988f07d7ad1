"""The function that a second-order trainer makes small: network, examples, weights and penalty, bound once.

    F(p) = scale (sum_i w_i C_i(p) + (l2/2) sum w²)

Everything that such a trainer asks of it is a sum over the examples, `Objective.sum`, in blocks of bounded memory. What
it computes from these sums is a *piece*: a function F, p, ... ↦ arrays that `Objective.call` runs, compiled where the
engine compiles. `StreamedObjective` is the same for examples that stay on disk.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
Kept = tuple[Linearization, Array]  # of a block of examples, and its J^T (n, m k)


@dataclass(frozen=True)
class Objective:
    """F over examples in memory.

    Args:
        net: the network; static where JAX compiles.
        rows: the examples.
        block: how many of them go through the network together; static.
        l2: of the penalty, over weights and not biases; None for none.
        scale: what the sum is multiplied by, such as 1/N for a mean.
    """

    net: "Network"
    rows: Rows
    block: int
    l2: Number | None = None
    scale: Number = 1.0

    def sum(
        self, part: Callable[..., Any], p: Params, *arguments: Any, prepare: Callable[..., Any] | None = None
    ) -> Any:
        """The sum of part(net, p, x, y, weight) over blocks of the examples.

        With `prepare`, such as `linearize`, of part(prepare(net, p, x, y, weight), *arguments).
        """

        def of_block(x: Array, y: Array, weight: Array) -> Any:
            if prepare is None:
                return part(self.net, p, x, y, self.scale * weight)
            return part(prepare(self.net, p, x, y, self.scale * weight), *arguments)

        return engine.of(self.rows.x).sum_over_blocks(self.rows, self.block, of_block)

    def call(self, piece: Callable[..., Any], *arguments: Any, **static: Any) -> Any:
        """piece(self, *arguments, **static), compiled once for each shape and each value of `static` on JAX."""
        return ENGINE_OF_TYPE[type(self.rows.x)].call(piece, self, *arguments, **static)

    @property
    def fits_one_block(self) -> bool:
        """Whether all examples go through the network together, so that what they leave there may be kept."""
        return self.rows.shards is None and self.rows.x.shape[0] <= self.block

    @property
    def parts(self) -> tuple["Objective", ...]:
        """The objectives that this is the sum of: itself alone."""
        return (self,)

    def value(self, p: Params) -> Array:
        """F(p)."""
        return self.sum(cost, p) + self.prior_energy(p)

    def linearized(self, p: Params) -> list[Linearization]:
        """The examples of each part linearised at p, all of them together."""
        return [linearize(part.net, p, part.rows.x, part.rows.y, part.scale * part.rows.mask) for part in self.parts]

    def equations(self, p: Params) -> tuple[list[Kept] | None, NormalEquations]:
        """J^T J and J^T r of (LM) without the prior, and of every part what the examples left, where it is kept."""
        if not self.fits_one_block:
            return None, self.sum(Linearization.normal_equations, p, prepare=linearize)
        kept = [(lin, lin.jacobian_transpose()) for lin in self.linearized(p)]
        found = [lin.normal_equations(J) for lin, J in kept]
        return kept, NormalEquations(*map(sum, zip(*found, strict=True)))

    def acceleration_force(self, p: Params, s: Params, kept: list[Kept] | None = None) -> Params:
        """J^T d²r/dt² along the line p + t s, from what `equations` kept, if it is at hand."""
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
    """The sum of several objectives of the same parameters, each with its own examples and cost and no penalty of its
    own; `net`, `rows` and `block` are the first one's.
    """

    members: tuple[Objective, ...] = ()

    @classmethod
    def of(cls, members: Sequence[Objective], l2: Number | None) -> "JointObjective":
        """Their sum, and (l2/2) sum w²."""
        first = members[0]
        return cls(first.net, first.rows, first.block, l2, 1.0, tuple(members))

    @property
    def parts(self) -> tuple[Objective, ...]:
        """The members."""
        return self.members

    def sum(
        self, part: Callable[..., Any], p: Params, *arguments: Any, prepare: Callable[..., Any] | None = None
    ) -> Any:
        """The sum over the examples of all members."""
        first, *others = (member.sum(part, p, *arguments, prepare=prepare) for member in self.members)
        for more in others:
            first = trees.map_leaves(lambda a, b: a + b, first, more)
        return first

    @property
    def fits_one_block(self) -> bool:
        """Whether each member's do."""
        return all(member.fits_one_block for member in self.members)


register(JointObjective, leaves=("rows", "l2", "scale", "members"))


class StreamedObjective(Objective):
    """F over examples that come in chunks: each sum is a pass over them, begun by `chunks`, and a piece runs step by
    step.
    """

    def __init__(self, net: "Network", chunks: Callable[[], Any], block: int, l2: Number | None):
        """No pass is begun."""
        for name, value in {"net": net, "chunks": chunks, "block": block, "l2": l2, "scale": 1.0}.items():
            object.__setattr__(self, name, value)

    def sum(
        self, part: Callable[..., Any], p: Params, *arguments: Any, prepare: Callable[..., Any] | None = None
    ) -> Any:
        """The sum over all chunks."""
        total = None
        for rows in self.chunks():  # pyright: ignore[reportAttributeAccessIssue]
            E, chunk = engine.of(rows.x), Objective(self.net, rows, self.block)
            total = E.wait(E.call(_chunk_sum, chunk, total, p, *arguments, part=part, prepare=prepare))
        return total

    def call(self, piece: Callable[..., Any], *arguments: Any, **static: Any) -> Any:
        """piece(self, *arguments, **static)."""
        return piece(self, *arguments, **static)

    @property
    def fits_one_block(self) -> bool:
        """Never: they are read again for each sum."""
        return False


def _chunk_sum(
    chunk: Objective,
    so_far: Any,
    p: Params,
    *arguments: Any,
    part: Callable[..., Any],
    prepare: Callable[..., Any] | None,
) -> Any:
    more = chunk.sum(part, p, *arguments, prepare=prepare)
    total = more if so_far is None else trees.map_leaves(lambda a, b: a + b, so_far, more)
    return chunk.rows.replicate(total)


def value_and_gradient(F: Objective, p: Params) -> tuple[Array, Params]:
    """F(p) and its gradient, as a piece."""
    value, gradient = F.sum(backprop.cost_and_gradient, p)
    return value + F.prior_energy(p), F.plus_prior(gradient, p)


def _force(lin: Linearization, s: Params) -> Params:
    return lin.transpose_product(lin.acceleration(s))


def cost(net: "Network", p: Params, x: Array, y: Array, weight: Array) -> Array:
    """sum_i w_i C_i, a part of `Objective.sum`."""
    return (weight * backprop.output_cost(net, backprop.forward(net, p, x)[-1], y)).sum()
