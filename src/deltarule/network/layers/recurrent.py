"""The recurrent layer of Elman 1990: z_t = W x_t + V h_{t-1} + b, h_t = sigma(z_t), h_0 = 0 (RNN)."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from deltarule.arrays import Array
from deltarule.errors import ConfigurationError
from deltarule.network.activation import Activation
from deltarule.network.activations import ACTIVATIONS, get_activation
from deltarule.network.layers.base import Pass
from deltarule.network.layers.through_time import State, Step, ThroughTime


class Values(NamedTuple):
    """z_t, h_t and h_{t-1}."""

    z: Array
    h: Array
    before: Array


class Tangents(NamedTuple):
    """The tangents of z_t, h_t and h_{t-1}."""

    z: Array
    h: Array
    before: Array


class Errors(NamedTuple):
    """delta_t, and dC/dh_t through h_t and the later steps."""

    delta: Array
    dC_dh: Array


@dataclass(frozen=True)
class Recurrent(ThroughTime):
    """n neurons whose inputs include their activations of the step before: (m, T, features) gives (m, T, n).

        z_t = W x_t + V h_{t-1} + b,  h_t = sigma(z_t),  h_0 = 0                                         (RNN)
        delta_t = (dC/dh_t + V^T delta_{t+1}) ⊙ sigma'(z_t)                                             (BPTT)

    Parameters: {"W": (n, features), "V": (n, n), "b": (n,)}.

    Args:
        n: the number of neurons, at least 1.
        activation: a name in `deltarule.network.activations.ACTIVATIONS`, but not softmax.
        sequences: True gives h_t of every step, (m, T, n), False that of the last step, (m, n).
        truncate: errors go back within pieces of so many steps only, while the state goes on (truncated backpropagation
            through time), which approximates the gradient; None for no limit.
        initializer: a name in `deltarule.network.initializers.INITIALIZERS` for W and b; None for the activation's.

    Raises:
        ConfigurationError: a number is not a positive whole number, or a name is not known.

    >>> Recurrent(8).output_shape((50, 3)), Recurrent(8, sequences=False).output_shape((50, 3))
    ((50, 8), (8,))
    """

    n: int
    activation: str = "tanh"
    sequences: bool = True
    truncate: int | None = None
    initializer: str | None = None

    values_type, tangents_type, errors_type = Values, Tangents, Errors
    error_words: ClassVar[str | None] = (
        "delta^{l}_t = (dC/da^{l}_t + (V^{l})^T delta^{l}_(t+1)) ⊙ sigma'(z^{l}_t), from the last step back   (BPTT)"
    )

    def __post_init__(self):
        super().__post_init__()
        if not get_activation(self.activation).elementwise:
            raise ConfigurationError(
                f"Recurrent: activation is {self.activation!r}, which is for the last layer only: use another one."
            )

    @property
    def sigma(self) -> Activation:
        return ACTIVATIONS[self.activation]

    @property
    def default_initializer(self) -> str:
        return self.sigma.initializer

    def slope(self, values: Pass) -> Array:
        h = self.values_type(*values.memory.steps).h
        return self.sigma.slope(values.z, h)

    def step(self, V: Array, state: State, source: Array) -> Step:
        """z_t = source + V h_{t-1}, h_t = sigma(z_t)."""
        (before,) = state
        z = source + before @ V.T
        h = self.sigma.sigma(z)
        return (h,), Values(z, h, before)

    def step_tangent(self, V: Array, dstate: State, values: Values, source: Array) -> Step:
        """dh_t = sigma'(z_t) ⊙ dz_t."""
        (before,) = dstate
        dz = source + before @ V.T
        dh = self.sigma.times_slope(values.z, values.h, dz)
        return (dh,), Tangents(dz, dh, before)

    def step_second(self, V: Array, ddstate: State, values: Values, tangents: Tangents, source: Array) -> Step:
        """ddh_t = sigma'(z_t) ⊙ ddz_t + sigma''(z_t) ⊙ dz_t²."""
        ddz = source + ddstate[0] @ V.T
        ddh = self.sigma.second_tangent(values.z, values.h, tangents.z, ddz)
        return (ddh,), (ddz, ddh)

    def step_back(self, V: Array, error: State, values: Values, dC_dh: Array) -> Step:
        """delta_t = (dC/dh_t + V^T delta_{t+1}) ⊙ sigma'(z_t), and V^T delta_t."""
        dC_dh = dC_dh + error[0]
        delta = self.sigma.times_slope(values.z, values.h, dC_dh)
        return (delta @ V,), Errors(delta, dC_dh)

    def step_back_tangent(
        self, V: Array, dV: Array, derror: State, values: Values, tangents: Tangents, errors: Errors, ddC_dh: Array
    ) -> Step:
        """The derivative of both."""
        ddelta = self.sigma.slope_tangent(values.z, values.h, tangents.z, errors.dC_dh, ddC_dh + derror[0])
        return (ddelta @ V + errors.delta @ dV,), (ddelta,)
