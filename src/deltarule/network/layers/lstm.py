"""Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from deltarule.arrays import Array
from deltarule.network.layers.base import LayerParams, Pass, Shape
from deltarule.network.layers.gated import gate_curvatures, gate_slopes, gate_values, joined, split
from deltarule.network.layers.through_time import State, Step, ThroughTime


class Values(NamedTuple):
    """z_t, h_t, h_{t-1}, c_{t-1}, the gates i f o g, and tanh c_t."""

    z: Array
    h: Array
    before: Array
    cell: Array
    gates: Array
    squashed: Array


class Tangents(NamedTuple):
    """The tangents of z_t, h_t, h_{t-1}, c_{t-1} and c_t."""

    z: Array
    h: Array
    before: Array
    cell: Array
    after: Array


class Errors(NamedTuple):
    """delta_t, and dC/dh_t and dC/dc_t through the outputs and the later steps."""

    delta: Array
    dC_dh: Array
    dC_dc: Array


@dataclass(frozen=True)
class LSTM(ThroughTime):
    """n cells c with input, forget and output gates. The input is (m, T, features), the output (m, T, n).

        z_t = W x_t + V h_{t-1} + b;  i, f, o = sigmoid, g = tanh of its four parts, in this order           (LSTM)
        c_t = f ⊙ c_{t-1} + i ⊙ g,  h_t = o ⊙ tanh c_t,  c_0 = h_0 = 0

    and back, with dC/dh_t the error of output h_t plus V^T delta_{t+1}:

        dC/dc_t = dC/dh_t ⊙ o ⊙ (1 - tanh² c_t) + f_{t+1} ⊙ dC/dc_{t+1}                                 (BPTT)
        delta_t = (dC/dc_t ⊙ g, dC/dc_t ⊙ c_{t-1}, dC/dh_t ⊙ tanh c_t, dC/dc_t ⊙ i) ⊙ sigma'(z_t)

    Parameters: {"W": (4n, features), "V": (4n, n), "b": (4n,)}. The bias of f starts at 1, so that cells remember at
    first (Jozefowicz et al. 2015).

    Args:
        n: the number of cells, at least 1.
        sequences: True gives h_t of every step, (m, T, n), False that of the last step, (m, n).
        truncate: errors go back within pieces of so many steps only, while the state goes on; None for no limit.
        initializer: a name in `deltarule.network.initializers.INITIALIZERS` for W and b; None is "glorot".

    Raises:
        ConfigurationError: a number is not a positive whole number, or the initializer is not known.

    >>> LSTM(8).parameter_shapes((50, 3))
    {'W': (32, 3), 'V': (32, 8), 'b': (32,)}
    """

    n: int
    sequences: bool = True
    truncate: int | None = None
    initializer: str | None = None

    gates: ClassVar[int] = 4
    states: ClassVar[int] = 2
    values_type, tangents_type, errors_type = Values, Tangents, Errors

    activation_words: ClassVar[str | None] = (
        "a^{l}_t = o tanh c_t, c_t = f c_(t-1) + i g; i, f, o = 1 / (1 + e^-z), g = tanh z of the four parts of z   (3)"
    )
    slope_words: ClassVar[str | None] = "sigma'(z^{l}): a (1 - a) of i, f and o, 1 - g² of g"
    error_words: ClassVar[str | None] = (
        "delta^{l}_t = (dC/dc_t g, dC/dc_t c_(t-1), dC/dh_t tanh c_t, dC/dc_t i) ⊙ sigma'(z^{l}_t), where dC/dh_t = "
        "dC/da^{l}_t + (V^{l})^T delta^{l}_(t+1), dC/dc_t = dC/dh_t o (1 - tanh² c_t) + f_(t+1) dC/dc_(t+1)   (BPTT)"
    )

    def init(
        self, random: np.random.Generator, input_shape: Shape, dtype: Any, defaults: Mapping[str, str]
    ) -> LayerParams:
        """As for every recurrent layer, with 1 added to the bias of f."""
        params = super().init(random, input_shape, dtype, defaults)
        params["b"][self.n : 2 * self.n] += 1
        return params

    def slope(self, values: Pass) -> Array:
        return gate_slopes(self.values_type(*values.memory.steps).gates, self.n)

    def step(self, V: Array, state: State, source: Array) -> Step:
        before, cell = state
        z = source + before @ V.T
        gates = gate_values(z, self.n)
        i, f, o, g = split(gates, self.n)
        after = f * cell + i * g
        squashed = z.__array_namespace__().tanh(after)
        h = o * squashed
        return (h, after), Values(z, h, before, cell, gates, squashed)

    def step_tangent(self, V: Array, dstate: State, values: Values, source: Array) -> Step:
        """dc_t = df c + f dc + di g + i dg, dh_t = do tanh c_t + o (1 - tanh² c_t) dc_t."""
        dbefore, dcell = dstate
        dz = source + dbefore @ V.T
        i, f, o, g = split(values.gates, self.n)
        di, df, do, dg = split(gate_slopes(values.gates, self.n) * dz, self.n)
        dafter = df * values.cell + f * dcell + di * g + i * dg
        dh = do * values.squashed + o * (1 - values.squashed**2) * dafter
        return (dh, dafter), Tangents(dz, dh, dbefore, dcell, dafter)

    def step_second(self, V: Array, ddstate: State, values: Values, tangents: Tangents, source: Array) -> Step:
        ddbefore, ddcell = ddstate
        ddz = source + ddbefore @ V.T
        slopes = gate_slopes(values.gates, self.n)
        i, f, o, g = split(values.gates, self.n)
        di, df, do, dg = split(slopes * tangents.z, self.n)
        bent = gate_curvatures(values.gates, slopes, self.n) * tangents.z**2
        ddi, ddf, ddo, ddg = split(slopes * ddz + bent, self.n)
        ddafter = ddf * values.cell + 2 * df * tangents.cell + f * ddcell + ddi * g + 2 * di * dg + i * ddg
        slope = 1 - values.squashed**2
        dsquashed = slope * tangents.after
        ddsquashed = slope * ddafter - 2 * values.squashed * dsquashed * tangents.after
        ddh = ddo * values.squashed + 2 * do * dsquashed + o * ddsquashed
        return (ddh, ddafter), (ddz, ddh)

    def step_back(self, V: Array, error: State, values: Values, dC_dh: Array) -> Step:
        """(BPTT), with the errors V^T delta_t of h_{t-1} and f dC/dc_t of c_{t-1}."""
        i, f, o, g = split(values.gates, self.n)
        dC_dh = dC_dh + error[0]
        dC_dc = dC_dh * o * (1 - values.squashed**2) + error[1]
        of_gates = joined(dC_dc * g, dC_dc * values.cell, dC_dh * values.squashed, dC_dc * i)
        delta = gate_slopes(values.gates, self.n) * of_gates
        return (delta @ V, f * dC_dc), Errors(delta, dC_dh, dC_dc)

    def step_back_tangent(
        self, V: Array, dV: Array, derror: State, values: Values, tangents: Tangents, errors: Errors, ddC_dh: Array
    ) -> Step:
        """The derivative of each line of `step_back`."""
        slopes = gate_slopes(values.gates, self.n)
        i, f, o, g = split(values.gates, self.n)
        di, df, do, dg = split(slopes * tangents.z, self.n)
        slope = 1 - values.squashed**2
        dsquashed = slope * tangents.after
        dh, dc = errors.dC_dh, errors.dC_dc
        ddh = ddC_dh + derror[0]
        ddc = ddh * o * slope + dh * (do * slope - 2 * o * values.squashed * dsquashed) + derror[1]
        of_gates = joined(dc * g, dc * values.cell, dh * values.squashed, dc * i)
        moving = joined(
            ddc * g + dc * dg,
            ddc * values.cell + dc * tangents.cell,
            ddh * values.squashed + dh * dsquashed,
            ddc * i + dc * di,
        )
        ddelta = slopes * moving + gate_curvatures(values.gates, slopes, self.n) * tangents.z * of_gates
        return (ddelta @ V + errors.delta @ dV, f * ddc + df * dc), (ddelta,)
