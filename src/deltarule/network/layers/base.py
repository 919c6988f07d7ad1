"""The interface of a layer: its part of the forward pass, of the four equations, and of the curvature.

A layer is a frozen, hashable description and holds no parameters: they are a dict of arrays ({} if it has none), passed
in and returned. Batches come first: a^l is (m, n_l). The cost gives the error of the last layer (BP1), `propagate` and
`error` take it down to the others (BP2', BP2), and `gradient` computes BP3 and BP4. Levenberg-Marquardt also uses
`tangent` (J v), `jacobian_transpose` (columns of J^T) and `gram` (J J^T without J). Newton-CG uses the tangents of the
backward pass: `error_tangent`, `propagate_tangent` and `gradient_tangent` are the derivatives of `error`, `propagate`
and `gradient` along a line in the parameters. The arguments of all these methods are `values`, those of the forward
pass, `tangents`, their derivatives along the line, and the error delta.
"""

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from deltarule.arrays import Array
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.network.activation import Activation
from deltarule.network.activations import ACTIVATIONS

if TYPE_CHECKING:
    from deltarule.network.layers.stages import Stage

Shape = tuple[int, ...]
LayerParams = dict[str, Array]


class Pass(NamedTuple):
    """The values of one layer in a forward pass."""

    params: LayerParams
    a_prev: Any  # a^{l-1}, (m, n_{l-1}); in a recurrent layer also h_{t-1}, because its weights multiply it too
    z: Array  # weighted input (2), (m, n_l)
    a: Array  # activation (3), (m, n_l)
    memory: Any = None  # whatever else the backward pass needs, such as a mask


class Tangents(NamedTuple):
    """The derivatives of a layer's values along a line in the parameters."""

    dparams: LayerParams | None  # of the parameters; None if they move by a gradient that is not formed
    da_prev: Any  # of the input; None if it is constant, as in the first layer
    dz: Array  # of z, (m, n_l)
    da: Array  # of a, (m, n_l)
    memory: Any = None  # whatever else the derivatives of the backward pass need


class Layer:
    """The interface of a layer; a new kind of layer implements these methods."""

    weights: ClassVar[tuple[str, ...]] = ("W",)  # the parameters to which penalties, limits and priors apply
    input_axes: ClassVar[int | None] = None  # how many axes its input of one example has; None for any number
    keeps_shape: ClassVar[bool] = False  # whether the output has the shape of the input, for any shape
    can_be_last: ClassVar[bool] = False  # whether it may be the last layer: n neurons with an activation sigma
    is_linear: bool = False  # whether a = W a_prev + b, so that the best output weights have a closed form
    is_random: ClassVar[bool] = False  # whether `forward` draws random numbers in training, and then gets a key
    is_recurrent: ClassVar[bool] = False  # whether a state goes from step to step; `forward` then gets the last steps
    handles_sequences: ClassVar[bool] = False  # whether it treats every step of a sequence alike
    sequences: bool = True  # whether it gives every step of a sequence, or only the last
    unit_tangents: ClassVar[bool] = False  # whether it has `unit_tangent`
    supports_input_precisions: ClassVar[bool] = False  # whether it has `gram_diagonal` and `gram_trace`
    has_jets: ClassVar[bool] = False  # whether `Jet` can compute derivatives by input through it

    # Formulas for the trace; {l} is the number of the layer in the book and {below} that of the layer below.
    forward_words: ClassVar[str] = "the layer's own function of a^{below}"  # z^l (2)
    backward_words: ClassVar[str] = "the layer's own function of delta^{l}"  # dC/da of the layer below (BP2')
    gradient_words: ClassVar[Mapping[str, str]] = {}  # for each parameter, such as "dC/db^{l} = delta^{l}   (BP3)"
    activation_words: ClassVar[str | None] = None  # a^l (3), if it is more than sigma(z)
    slope_words: ClassVar[str | None] = None  # sigma'(z^l), if it is not that of an activation
    error_words: ClassVar[str | None] = None  # delta^l, if it is more than dC/da ⊙ sigma'(z) (BP2)

    def role(self, name: str) -> str:
        """The role of a parameter for penalties and priors: "weight" or "bias"."""
        return "weight" if name in self.weights else "bias"

    def multiplications(self, input_shape: Shape) -> int:
        """How many multiplications by weights the forward pass of one example takes.

        Every neuron is computed at every place. Neurons are the first axis of weights and the last axis of the output.
        """
        shapes, places = self.parameter_shapes(input_shape), prod(self.output_shape(input_shape))
        return sum(prod(shape) * places // shape[0] for name, shape in shapes.items() if self.role(name) == "weight")

    def gram_width(self, shapes: Mapping[str, Shape], outputs: int) -> int:
        """The length of the inner products for this layer's share of an entry of J J^T: at most all weights."""
        return sum(prod(shape) for name, shape in shapes.items() if self.role(name) == "weight")

    @property
    def kind(self) -> str:
        """The name of the class in `LAYER_KINDS`, for model files, exports and pages."""
        return type(self).__name__

    @property
    def sigma(self) -> Activation:
        """The activation of its neurons; the identity if it has none."""
        return ACTIVATIONS["linear"]

    def stage(self, params: LayerParams, input_shape: Shape) -> "Stage | None":
        """The layer as exports write it, None if it does nothing to a flat row; by default a ConfigurationError."""
        raise ConfigurationError(f"{self.label} cannot be exported: its class defines no method stage.")

    @property
    def label(self) -> str:
        """A short name for messages and tables, such as "Dense(30)"."""
        raise NotImplementedError

    def output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the activation of one example, from that of its input."""
        raise NotImplementedError

    def init(
        self, random: np.random.Generator, input_shape: Shape, dtype: Any, defaults: Mapping[str, str]
    ) -> LayerParams:
        """Initial parameters, NumPy arrays; `defaults` has initializers by activation, instead of their own."""
        raise NotImplementedError

    def saved_numbers(self, input_shape: Shape) -> int:
        """How many numbers of one example it saves for the backward pass: by default its activations."""
        return prod(self.output_shape(input_shape))

    def sequential_calls(self, input_shape: Shape) -> int:
        """How many calls, one after another, a forward pass takes: the steps of a recurrent layer."""
        return 1

    def input_shape(self, params: LayerParams) -> Shape | None:
        """The shape of the input of one example, if the layer and its parameters determine it."""
        return None

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """The shape of each parameter, from that of the input of one example."""
        raise NotImplementedError

    def check_parameters(self, params: LayerParams, position: int) -> None:
        """Raise a ShapeError unless the parameters fit some input."""
        last = next((params[name].shape[-1:] for name in self.weights if name in params), ())
        shapes = {name: tuple(array.shape) for name, array in params.items()}
        if shapes != self.parameter_shapes(last or (0,)):
            raise ShapeError(
                f"layer {position}, {self.label}, has parameters of shapes {shapes}, which do not belong to it."
            )

    def forward(self, params: LayerParams, a_prev: Array, key: Array | None = None) -> Pass:
        """(2) and (3). A random layer gets a key in training; without a key nothing is random.

        A recurrent layer gets the last step of each sequence instead, (m,), or None if all have the same length.
        """
        raise NotImplementedError

    def slope(self, values: Pass) -> Array:
        """sigma'(z^l), (m, n_l)."""
        raise NotImplementedError

    def error(self, values: Pass, dC_da: Array) -> Array:
        """delta^l = dC/da^l ⊙ sigma'(z^l), the second half of BP2."""
        raise NotImplementedError

    def propagate(self, values: Pass, delta: Array) -> Array:
        """dC/da^{l-1} from delta^l (BP2'), the first half of BP2 for the layer below."""
        raise NotImplementedError

    def gradient(self, values: Pass, delta: Array) -> LayerParams:
        """BP3 and BP4, summed over the examples of the batch."""
        raise NotImplementedError

    def tangent(self, values: Pass, dparams: LayerParams, da_prev: Array | None) -> Tangents:
        """The tangents of z^l and a^l as the parameters move by dparams and the input by da_prev, None if fixed."""
        raise NotImplementedError

    def tangent_along_gradient(self, values: Pass, delta: Array, da_prev: Array | None) -> Tangents:
        """`tangent` along `gradient(values, delta)`, which a subclass need not form."""
        return self.tangent(values, self.gradient(values, delta), da_prev)

    def second_tangent(self, values: Pass, tangents: Tangents, dda_prev: Array | None) -> tuple[Array, Array]:
        """(ddz, dda), the second derivatives along the line, if that of the input is dda_prev."""
        raise NotImplementedError

    def error_tangent(self, values: Pass, tangents: Tangents, dC_da: Array, ddC_da: Array) -> Array:
        """The tangent of delta^l = dC/da^l ⊙ sigma'(z^l) as dC/da^l moves by ddC_da."""
        raise NotImplementedError

    def propagate_tangent(self, values: Pass, tangents: Tangents, delta: Array, ddelta: Array) -> Array:
        """The tangent of dC/da^{l-1} as delta^l moves by ddelta."""
        raise NotImplementedError

    def gradient_tangent(self, values: Pass, tangents: Tangents, delta: Array, ddelta: Array) -> LayerParams:
        """The tangent of BP3 and BP4, summed over the batch, as delta^l moves by ddelta."""
        raise NotImplementedError

    def unit_tangent(self, values: Pass, da_prev: Array | None) -> tuple[Any, Any]:
        """(dz, da) for a unit change of each parameter (RTRL), on a first axis.

        The parameters of the layers below come first; their tangents are da_prev. Then come those of this layer, names
        sorted. None for da_prev, or (None, None), means that there are none.
        """
        raise NotImplementedError

    def jacobian_transpose(self, values: Pass, delta: Array) -> list[tuple[Array, Array]]:
        """BP3 and BP4 for each residual, with delta (m, k, n_l): this layer's rows of J^T, (parameters, m k).

        They are given as pairs (u, v) for the rows u_j ⊙ v_i, i running faster; u is (rows, m k), v as well or (1, 1).
        """
        raise NotImplementedError

    def squared_jacobian(self, values: Pass, delta: Array) -> LayerParams:
        """The diagonal of J^T J in the shape of the parameters: squares of J summed over the residuals."""
        raise NotImplementedError

    def gram(self, a_prev: tuple[Array, Array], delta: tuple[Array, Array]) -> LayerParams:
        """This layer's terms of (GRAM) between two sets of examples, one for each of its parameters.

        `a_prev` are (m, n_{l-1}) and (m', n_{l-1}); `delta` are (m, k, n_l) and (m', k', n_l), one error for each
        residual. Each term is (m, k, m', k'); their sum is the layer's share of J J^T. They are separate because priors
        differ for weights and biases.
        """
        raise NotImplementedError

    def gram_diagonal(self, values: Pass, delta: Array, covariance: LayerParams) -> Array:
        """This layer's share of the diagonal of J D^-1 J^T, (m, k), with D^-1 = {"W": (n_in,), "b": ()}."""
        raise NotImplementedError

    def gram_trace(self, values: Pass, delta: Array, M: Array) -> LayerParams:
        """tr(M J_g J_g^T) for a symmetric M (m k, m k): {"W": one number for the weights from each input, "b": ()}."""
        raise NotImplementedError


class LinearLayer(Layer):
    """A layer without parameters whose tangents are linear maps: `forward_map` forward, `propagate` back.

    It has no gradients and no share of J, and a^l = z^l unless a subclass overrides `times_slope`.
    """

    backward_words: ClassVar[str] = "delta^{l}"

    def forward_map(self, values: Pass, v: Array) -> Array:
        """The tangent of z^l for a tangent v of a^{l-1}."""
        raise NotImplementedError

    def times_slope(self, values: Pass, v: Array) -> Array:
        """The tangent of a^l for a tangent v of z^l; by default v."""
        return v

    def init(
        self, random: np.random.Generator, input_shape: Shape, dtype: Any, defaults: Mapping[str, str]
    ) -> LayerParams:
        return {}

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {}

    def slope(self, values: Pass) -> Array:
        return self.times_slope(values, values.z.__array_namespace__().ones_like(values.z))

    def error(self, values: Pass, dC_da: Array) -> Array:
        return self.times_slope(values, dC_da)

    def gradient(self, values: Pass, delta: Array) -> LayerParams:
        return {}

    def tangent(self, values: Pass, dparams: LayerParams, da_prev: Array | None) -> Tangents:
        return Tangents(dparams, da_prev, *self._along(values, da_prev))

    def second_tangent(self, values: Pass, tangents: Tangents, dda_prev: Array | None) -> tuple[Array, Array]:
        return self._along(values, dda_prev)

    def error_tangent(self, values: Pass, tangents: Tangents, dC_da: Array, ddC_da: Array) -> Array:
        return self.times_slope(values, ddC_da)

    def propagate_tangent(self, values: Pass, tangents: Tangents, delta: Array, ddelta: Array) -> Array:
        return self.propagate(values, ddelta)

    def gradient_tangent(self, values: Pass, tangents: Tangents, delta: Array, ddelta: Array) -> LayerParams:
        return {}

    def unit_tangent(self, values: Pass, da_prev: Array | None) -> tuple[Any, Any]:
        """The tangents of the layers below."""
        return (None, None) if da_prev is None else self._along(values, da_prev)

    def jacobian_transpose(self, values: Pass, delta: Array) -> list[tuple[Array, Array]]:
        return []

    def squared_jacobian(self, values: Pass, delta: Array) -> LayerParams:
        return {}

    def gram(self, a_prev: tuple[Array, Array], delta: tuple[Array, Array]) -> LayerParams:
        return {}

    def gram_trace(self, values: Pass, delta: Array, M: Array) -> LayerParams:
        return {}

    def _along(self, values: Pass, v: Array | None) -> tuple[Array, Array]:
        dz = values.z.__array_namespace__().zeros_like(values.z) if v is None else self.forward_map(values, v)
        return dz, self.times_slope(values, dz)
