"""The gated recurrent unit (Cho et al. 2014, arXiv 1406.1078)."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from deltarule import engine
from deltarule.arrays import Array
from deltarule.network.layers.base import Pass
from deltarule.network.layers.gated import gate_curvatures, gate_slopes, joined, split
from deltarule.network.layers.through_time import State, Step, ThroughTime


class Values(NamedTuple):
    """z_t, h_t, h_{t-1}, r ⊙ h_{t-1}, and the gates r u g."""

    z: Array
    h: Array
    before: Array
    read: Array
    gates: Array


class Tangents(NamedTuple):
    """The tangents of z_t, h_t, h_{t-1} and r ⊙ h_{t-1}."""

    z: Array
    h: Array
    before: Array
    read: Array


class Errors(NamedTuple):
    """delta_t, dC/dh_t through h_t and the later steps, and dC/d(r ⊙ h_{t-1})."""

    delta: Array
    dC_dh: Array
    dC_dread: Array


@dataclass(frozen=True)
class GRU(ThroughTime):
    """n neurons whose gates keep or replace their state. The input is (m, T, features), the output (m, T, n).

        r = sigmoid(W_r x_t + V_r h_{t-1} + b_r),  u = sigmoid(W_u x_t + V_u h_{t-1} + b_u)                  (GRU)
        g = tanh(W_g x_t + V_g (r ⊙ h_{t-1}) + b_g),  h_t = (1 - u) ⊙ g + u ⊙ h_{t-1},  h_0 = 0

    and back, with dC/dh_t the sum of the error of output h_t and that of step t + 1:

        delta_g = dC/dh_t ⊙ (1 - u) ⊙ sigma',  delta_u = dC/dh_t ⊙ (h_{t-1} - g) ⊙ sigma'               (BPTT)
        delta_r = V_g^T delta_g ⊙ h_{t-1} ⊙ sigma'
        to step t - 1: V_r^T delta_r + V_u^T delta_u + r ⊙ V_g^T delta_g + u ⊙ dC/dh_t

    Parameters: {"W": (3n, features), "V": (3n, n), "b": (3n,)}, the gates in the order r, u, g.

    Args:
        n: the number of neurons, at least 1.
        sequences: True gives h_t of every step, (m, T, n), False that of the last step, (m, n).
        truncate: errors go back within pieces of so many steps only, while the state goes on; None for no limit.
        initializer: a name in `deltarule.network.initializers.INITIALIZERS` for W and b; None is "glorot".

    Raises:
        ConfigurationError: a number is not a positive whole number, or the initializer is not known.

    >>> GRU(8).parameter_shapes((50, 3))
    {'W': (24, 3), 'V': (24, 8), 'b': (24,)}
    """

    n: int
    sequences: bool = True
    truncate: int | None = None
    initializer: str | None = None

    gates: ClassVar[int] = 3
    values_type, tangents_type, errors_type = Values, Tangents, Errors

    forward_words: ClassVar[str] = (
        "W^{l} a^{below}_t + V^{l} h + b^{l} at every step t, where h = a^{l}_(t-1) for r and u, r a^{l}_(t-1) for g, "
        "a^{l}_0 = 0"
    )
    activation_words: ClassVar[str | None] = (
        "a^{l}_t = (1 - u) g + u a^{l}_(t-1); r, u = 1 / (1 + e^-z), g = tanh z of the three parts of z   (3)"
    )
    slope_words: ClassVar[str | None] = "sigma'(z^{l}): a (1 - a) of r and u, 1 - g² of g"
    error_words: ClassVar[str | None] = (
        "delta^{l}_t = ((V_g)^T delta_g a^{l}_(t-1), dC/dh_t (a^{l}_(t-1) - g), dC/dh_t (1 - u)) ⊙ sigma'(z^{l}_t), "
        "where dC/dh_t is dC/da^{l}_t and the error from step t + 1   (BPTT)"
    )

    @property
    def rows(self) -> tuple[slice, ...]:
        """The rows of r and u, whose V multiplies h_{t-1}, and those of g, whose V multiplies r ⊙ h_{t-1}."""
        return slice(0, 2 * self.n), slice(2 * self.n, 3 * self.n)

    def state_inputs(self, steps: Any) -> tuple[Array, ...]:
        """h_{t-1} and r ⊙ h_{t-1}."""
        return steps.before, steps.read

    def slope(self, values: Pass) -> Array:
        return gate_slopes(self.values_type(*values.memory.steps).gates, self.n)

    def step(self, V: Array, state: State, source: Array) -> Step:
        (before,), n, xp = state, self.n, V.__array_namespace__()
        opening = source[..., : 2 * n] + before @ V[: 2 * n].T
        r, u = split(engine.of(opening).sigmoid(opening), n)
        read = r * before
        candidate = source[..., 2 * n :] + read @ V[2 * n :].T
        g = xp.tanh(candidate)
        h = g + u * (before - g)
        return (h,), Values(joined(opening, candidate), h, before, read, joined(r, u, g))

    def step_tangent(self, V: Array, dstate: State, values: Values, source: Array) -> Step:
        """d(r h) = dr h + r dh and dz_g = source + V_g d(r h); dh_t = dg + du (h - g) + u (dh - dg)."""
        (dbefore,), n = dstate, self.n
        r, u, g = split(values.gates, n)
        slope_r, slope_u, slope_g = split(gate_slopes(values.gates, n), n)
        opening = source[..., : 2 * n] + dbefore @ V[: 2 * n].T
        dr, du = slope_r * opening[..., :n], slope_u * opening[..., n:]
        dread = dr * values.before + r * dbefore
        candidate = source[..., 2 * n :] + dread @ V[2 * n :].T
        dg = slope_g * candidate
        dh = dg + du * (values.before - g) + u * (dbefore - dg)
        return (dh,), Tangents(joined(opening, candidate), dh, dbefore, dread)

    def step_second(self, V: Array, ddstate: State, values: Values, tangents: Tangents, source: Array) -> Step:
        (ddbefore,), n = ddstate, self.n
        r, u, g = split(values.gates, n)
        slopes = gate_slopes(values.gates, n)
        dr, du, dg = split(slopes * tangents.z, n)
        bent_r, bent_u, bent_g = split(gate_curvatures(values.gates, slopes, n) * tangents.z**2, n)
        slope_r, slope_u, slope_g = split(slopes, n)
        opening = source[..., : 2 * n] + ddbefore @ V[: 2 * n].T
        ddr, ddu = slope_r * opening[..., :n] + bent_r, slope_u * opening[..., n:] + bent_u
        ddread = ddr * values.before + 2 * dr * tangents.before + r * ddbefore
        candidate = source[..., 2 * n :] + ddread @ V[2 * n :].T
        ddg = slope_g * candidate + bent_g
        ddh = ddg + ddu * (values.before - g) + 2 * du * (tangents.before - dg) + u * (ddbefore - ddg)
        return (ddh,), (joined(opening, candidate), ddh)

    def step_back(self, V: Array, error: State, values: Values, dC_dh: Array) -> Step:
        n = self.n
        r, u, g = split(values.gates, n)
        slope_r, slope_u, slope_g = split(gate_slopes(values.gates, n), n)
        dC_dh = dC_dh + error[0]
        delta_g = slope_g * dC_dh * (1 - u)
        dC_dread = delta_g @ V[2 * n :]
        opening = joined(slope_r * dC_dread * values.before, slope_u * dC_dh * (values.before - g))
        left = opening @ V[: 2 * n] + r * dC_dread + u * dC_dh
        return (left,), Errors(joined(opening, delta_g), dC_dh, dC_dread)

    def step_back_tangent(
        self, V: Array, dV: Array, derror: State, values: Values, tangents: Tangents, errors: Errors, ddC_dh: Array
    ) -> Step:
        """The derivative of each line of `step_back`."""
        n = self.n
        r, u, g = split(values.gates, n)
        slopes = gate_slopes(values.gates, n)
        slope_r, slope_u, slope_g = split(slopes, n)
        dr, du, dg = split(slopes * tangents.z, n)
        bend_r, bend_u, bend_g = split(gate_curvatures(values.gates, slopes, n) * tangents.z, n)
        dh, dread = errors.dC_dh, errors.dC_dread
        ddh = ddC_dh + derror[0]
        ddelta_g = bend_g * dh * (1 - u) + slope_g * (ddh * (1 - u) - dh * du)
        ddread = ddelta_g @ V[2 * n :] + errors.delta[..., 2 * n :] @ dV[2 * n :]
        ddelta_r = bend_r * dread * values.before + slope_r * (ddread * values.before + dread * tangents.before)
        ddelta_u = bend_u * dh * (values.before - g) + slope_u * (
            ddh * (values.before - g) + dh * (tangents.before - dg)
        )
        opening = joined(ddelta_r, ddelta_u)
        left = opening @ V[: 2 * n] + errors.delta[..., : 2 * n] @ dV[: 2 * n]
        left = left + dr * dread + r * ddread + du * dh + u * ddh
        return (left,), (joined(opening, ddelta_g),)
