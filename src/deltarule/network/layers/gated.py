"""The parameters W, V and b of recurrent layers, and their gradients from the errors of the gates.

z_t = W x_t + V h_{t-1} + b at every step, so with delta_t = dC/dz_t the gradients are sums over the steps (BPTT):

    dC/dW = sum_t delta_t x_t^T,  dC/dV = sum_t delta_t h_{t-1}^T,  dC/db = sum_t delta_t

The row of J of a residual is the same sum of outer products, and (GRAM) is a sum over pairs of steps, see `places`.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from deltarule import engine
from deltarule.arrays import Array
from deltarule.checks import require_count
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.network.initializers import get_initializer
from deltarule.network.layers import places
from deltarule.network.layers.base import Layer, LayerParams, Pass, Shape, Tangents

# The factor of the orthogonal V at the start. The errors of six restarts of docs/results/memory.md were 0.08 to 1.05
# with 1, 0.06 to 0.66 with 0.7, 0.05 to 0.12 with 0.4; with a delay of six steps all three were alike.
FADING = 0.7


class GateInputs(NamedTuple):
    """What the weights multiply: x_t by W, and h_{t-1}, or r ⊙ h_{t-1} of a GRU, by V, for each group of gates."""

    x: Any  # (m, T, features)
    h: tuple[Array, ...]  # (m, T, n) each


class Gated(Layer):
    """n neurons with g gates each. Parameters: {"W": (g n, features), "V": (g n, n), "b": (g n,)}, gate by gate."""

    n: int
    sequences: bool
    truncate: int | None
    initializer: str | None

    is_recurrent: ClassVar[bool] = True
    handles_sequences: ClassVar[bool] = True
    weights: ClassVar[tuple[str, ...]] = ("W", "V")
    input_axes: ClassVar[int | None] = 2
    gates: ClassVar[int] = 1

    forward_words: ClassVar[str] = "W^{l} a^{below}_t + V^{l} a^{l}_(t-1) + b^{l} at every step t, a^{l}_0 = 0"
    backward_words: ClassVar[str] = "(W^{l})^T delta^{l}_t at every step t"
    gradient_words: ClassVar[Mapping[str, str]] = {
        "b": "dC/db^{l} = sum_t delta^{l}_t   (BP3)",
        "V": "dC/dV^{l}_jk = sum_t a^{l}_(t-1),k delta^{l}_tj   (BPTT)",
        "W": "dC/dW^{l}_jk = sum_t a^{below}_tk delta^{l}_tj   (BP4)",
    }

    def __post_init__(self):
        name = self.kind
        object.__setattr__(self, "n", require_count(f"{name}: n", self.n))
        if self.truncate is not None:
            object.__setattr__(self, "truncate", require_count(f"{name}: truncate", self.truncate))
        if not isinstance(self.sequences, bool):
            raise ConfigurationError(
                f"{name}: sequences is {self.sequences!r}: give True for the output of every step, False for the last."
            )
        if self.initializer is not None:
            get_initializer(self.initializer)

    @property
    def label(self) -> str:
        return f"{self.kind}({self.n})"

    @property
    def default_initializer(self) -> str:
        """The initializer if none is named; the trainers' defaults are not used, because they do not consider V."""
        return "glorot"

    @property
    def rows(self) -> tuple[slice, ...]:
        """The rows of each group of gates whose V multiplies the same numbers."""
        return (slice(None),)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(T, n), or (n,) for the last step."""
        if len(input_shape) != 2:
            raise ShapeError(
                f"{self.label} goes through sequences of shape (steps, features), but its input has shape "
                f"{input_shape}: give X as (N, steps, features), or put Reshape((steps, features)) before it."
            )
        return (input_shape[0], self.n) if self.sequences else (self.n,)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        rows = self.gates * self.n
        return {"W": (rows, input_shape[-1]), "V": (rows, self.n), "b": (rows,)}

    def init(
        self, random: np.random.Generator, input_shape: Shape, dtype: Any, defaults: Mapping[str, str]
    ) -> LayerParams:
        """W and b of each gate by the initializer, V as `FADING` times an orthogonal matrix (Saxe et al. 2013).

        So the first states fade; without the factor Levenberg-Marquardt got stuck more often.
        """
        initializer = get_initializer(self.initializer or self.default_initializer)
        gates = [initializer(random, self.n, input_shape[-1], dtype) for _ in range(self.gates)]
        W, b = (np.concatenate(part) for part in zip(*gates, strict=True))
        V = FADING * np.concatenate([_orthogonal(random, self.n) for _ in range(self.gates)])
        return {"W": W, "V": V.astype(dtype), "b": b}

    def multiplications(self, input_shape: Shape) -> int:
        return input_shape[0] * self.gates * self.n * (input_shape[1] + self.n)

    def sequential_calls(self, input_shape: Shape) -> int:
        return input_shape[0]

    def propagate(self, values: Pass, delta: Array) -> Array:
        """dC/dx_t = W^T delta_t (BP2')."""
        return places.transposed(values.params["W"], delta)

    def gradient(self, values: Pass, delta: Array) -> LayerParams:
        """BP3 and BP4, summed over the steps (BPTT)."""
        x, db = values.a_prev.x, delta.sum(axis=tuple(range(delta.ndim - 1)))
        return {"W": places.outer(x, delta), "V": self._of_groups(places.outer, values.a_prev, delta), "b": db}

    def propagate_tangent(self, values: Pass, tangents: Tangents, delta: Array, ddelta: Array) -> Array:
        """W^T ddelta_t + dW^T delta_t."""
        assert tangents.dparams is not None
        return self.propagate(values, ddelta) + places.transposed(tangents.dparams["W"], delta)

    def gradient_tangent(self, values: Pass, tangents: Tangents, delta: Array, ddelta: Array) -> LayerParams:
        """ddelta_t x_t^T + delta_t dx_t^T for W, and likewise for V and b."""
        grads, da_prev = self.gradient(values, ddelta), tangents.da_prev
        dW = grads["W"] if da_prev.x is None else grads["W"] + places.outer(da_prev.x, delta)
        return {"W": dW, "V": grads["V"] + self._of_groups(places.outer, da_prev, delta), "b": grads["b"]}

    def jacobian_transpose(self, values: Pass, delta: Array) -> list[tuple[Array, Array]]:
        """The rows of J^T for V, W and b, summed over the steps; delta is (m, k, T, g n)."""
        one = delta.__array_namespace__().ones((1, 1), dtype=delta.dtype)
        V = self._of_groups(places.jacobian_rows, values.a_prev, delta)
        return [(V, one), (places.jacobian_rows(values.a_prev.x, delta), one), (places.bias_rows(delta), one)]

    def squared_jacobian(self, values: Pass, delta: Array) -> LayerParams:
        V = self._of_groups(places.squares, values.a_prev, delta)
        return {"W": places.squares(values.a_prev.x, delta), "V": V, "b": places.bias_squares(delta)}

    def gram(self, a_prev: tuple[GateInputs, GateInputs], delta: tuple[Array, Array]) -> LayerParams:
        """sum over pairs of steps of ⟨delta_t, delta'_t'⟩ times ⟨x_t, x'_t'⟩, ⟨h_{t-1}, h'_{t'-1}⟩ and 1 (GRAM)."""
        V = sum(
            places.gram((h, h2), [d[..., rows] for d in delta])
            for rows, h, h2 in zip(self.rows, a_prev[0].h, a_prev[1].h, strict=True)
        )
        return {"W": places.gram((a_prev[0].x, a_prev[1].x), delta), "V": V, "b": places.bias_gram(delta)}

    def _of_groups(self, f: Callable[[Array, Array], Array], inputs: GateInputs, delta: Array) -> Array:
        """f(h, delta) of each group of gates, one below the other."""
        parts = [f(h, delta[..., rows]) for rows, h in zip(self.rows, inputs.h, strict=True)]
        return parts[0] if len(parts) == 1 else delta.__array_namespace__().concatenate(parts)

    def _times_V(self, V: Array, h: tuple[Array, ...]) -> Array:
        """V h at every step, each group of rows with its own h."""
        parts = [places.product(V[rows], group) for rows, group in zip(self.rows, h, strict=True)]
        return parts[0] if len(parts) == 1 else V.__array_namespace__().concatenate(parts, axis=-1)


def _orthogonal(random: np.random.Generator, n: int) -> np.ndarray:
    """A uniformly distributed orthogonal matrix: Q of a normal matrix, with signs that make R's diagonal positive."""
    Q, R = np.linalg.qr(random.standard_normal((n, n)))
    return Q * np.sign(np.diag(R))


def gate_values(z: Array, n: int) -> Array:
    """The gates from z: sigmoid of all but the last n entries, tanh of these."""
    xp = z.__array_namespace__()
    return xp.concatenate([engine.of(z).sigmoid(z[..., :-n]), xp.tanh(z[..., -n:])], axis=-1)


def gate_slopes(a: Array, n: int) -> Array:
    """sigma' of the gates a: a (1 - a), and 1 - a² for the last n."""
    sigmoids, candidate = a[..., :-n], a[..., -n:]
    parts = [sigmoids * (1 - sigmoids), 1 - candidate * candidate]
    return a.__array_namespace__().concatenate(parts, axis=-1)


def gate_curvatures(a: Array, slopes: Array, n: int) -> Array:
    """sigma'' of the gates a with these slopes: a (1 - a) (1 - 2 a), and -2 a (1 - a²) for the last n."""
    sigmoids, candidate = a[..., :-n], a[..., -n:]
    factors = a.__array_namespace__().concatenate([1 - 2 * sigmoids, -2 * candidate], axis=-1)
    return factors * slopes


def split(array: Array, n: int) -> list[Array]:
    """The parts of each gate, (..., n)."""
    return [array[..., first : first + n] for first in range(0, array.shape[-1], n)]


def joined(*parts: Array) -> Array:
    """The gates joined on the last axis."""
    return parts[0].__array_namespace__().concatenate(parts, axis=-1)
