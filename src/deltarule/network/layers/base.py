"""What the network asks of a layer: its part of the forward pass, of the four equations, and of the curvature.

A layer is a frozen, hashable description; it holds no numbers that training changes. Its parameters are a dict of
arrays ({} if it has none), passed in and returned. Batches come first: a^l is (m, n_l). The output error of the last
layer is the cost's (BP1); from there `propagate` and `error` carry it down (BP2', BP2) and `gradient` reads off BP3
and BP4. Levenberg-Marquardt asks for more: `tangent` (Jv), `jacobian_transpose` (columns of J^T) and
`gram` (J J^T without J). Newton-CG asks for the tangents of the backward pass: `error_tangent`, `propagate_tangent`
and `gradient_tangent` are the derivatives of the three methods they are named after, along a line in the parameters.
All of them are given the same values: `here`, where the layer stands, `moved`, how it moves, and the error.
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
    """Where one layer stands: its parameters, what it took in, and what it made of that on the way forward."""

    params: LayerParams
    a_prev: Any  # a^{l-1}, (m, n_{l-1}), or all that its weights multiply: h_{t-1} too in a layer with a memory
    z: Array  # weighted input (2), (m, n_l)
    a: Array  # activation (3), (m, n_l)
    memory: Any = None  # whatever else the layer needs on the way back: a mask, the winners of a pool


class Tangents(NamedTuple):
    """How one layer moves along a line in the parameters."""

    dparams: LayerParams | None  # of its parameters; None where the layer moves by a gradient that it does not form
    da_prev: Any  # of what it took in; None where that stands still, as in the first layer
    dz: Array  # of z, (m, n_l)
    da: Array  # of a, (m, n_l)
    memory: Any = None  # whatever else the derivatives of the way back need


class Layer:
    """The interface of a layer. A new kind of layer is one file that implements these methods and one test file."""

    is_recurrent: ClassVar[bool] = (
        False  # whether it goes through sequences; only then `forward` is told where they end
    )
    unit_tangents: ClassVar[bool] = False  # whether it has `unit_tangent`
    is_random: ClassVar[bool] = False  # whether `forward` draws random numbers in training; only then is it given a key
    keeps_shape: ClassVar[bool] = False  # whether the output has the input's shape, whatever that is
    weights: ClassVar[tuple[str, ...]] = ("W",)  # of its parameters, those that penalties, limits and priors hold
    input_axes: ClassVar[int | None] = None  # how many axes an example has that comes in; None takes any
    can_be_last: ClassVar[bool] = False  # whether it may be the last layer: n neurons with an activation sigma
    supports_input_precisions: ClassVar[bool] = (
        False  # whether a prior may weigh each input: `gram_diagonal` and `gram_trace`
    )
    has_jets: ClassVar[bool] = False  # whether `Jet` carries derivatives by input through it
    is_linear: bool = False  # whether a = W a_prev + b, so that the last layer has its best weights in closed form
    handles_sequences: ClassVar[bool] = (
        False  # whether it goes through a sequence step by step, each step by the same rule
    )
    sequences: bool = True  # whether it gives every step of a sequence, or the last one alone

    # What the trace writes of it; {l} is the layer's number in the book and {below} the one of the layer below.
    forward_words: ClassVar[str] = "the layer's own function of a^{below}"  # z^l (2)
    backward_words: ClassVar[str] = "what the layer carries down of delta^{l}"  # dC/da of the layer below (BP2')
    gradient_words: ClassVar[Mapping[str, str]] = {}  # of each parameter, "dC/db^{l} = delta^{l}   (BP3)"
    activation_words: ClassVar[str | None] = None  # a^l (3), where there is more to say than sigma(z)
    slope_words: ClassVar[str | None] = None  # sigma'(z^l), where it is not an activation's
    error_words: ClassVar[str | None] = None  # delta^l, where it is more than dC/da ⊙ sigma'(z) (BP2)

    def role(self, name: str) -> str:
        """What the parameter of that name is to penalties and priors: "weight" or "bias"."""
        return "weight" if name in self.weights else "bias"

    def multiplications(self, input_shape: Shape) -> int:
        """How many multiplications by weights one example takes forward: each neuron's weights at each of its places.

        The first axis of a weight counts the neurons that it enters, and they are the last axis of the output.
        """
        shapes, places = self.parameter_shapes(input_shape), prod(self.output_shape(input_shape))
        return sum(prod(shape) * places // shape[0] for name, shape in shapes.items() if self.role(name) == "weight")

    def gram_width(self, shapes: Mapping[str, Shape], outputs: int) -> int:
        """The length of the inner products behind this layer's share of each entry of J J^T; all weights, or fewer."""
        return sum(prod(shape) for name, shape in shapes.items() if self.role(name) == "weight")

    @property
    def kind(self) -> str:
        """What model files, exports and pages call layers like this one: its name in `LAYER_KINDS`."""
        return type(self).__name__

    @property
    def sigma(self) -> Activation:
        """The activation of its neurons; of a layer without one the identity."""
        return ACTIVATIONS["linear"]

    def stage(self, params: LayerParams, input_shape: Shape) -> "Stage | None":
        """How it is exported, None where it does nothing to a flat row; refused by name unless the layer says how."""
        raise ConfigurationError(f"{self.label} cannot be exported: its class defines no stage.")

    @property
    def label(self) -> str:
        """The layer in a word or two, for messages and tables, such as "Dense(30)"."""
        raise NotImplementedError

    def output_shape(self, input_shape: Shape) -> Shape:
        """The shape of one example's activation, from the shape of one example's input."""
        raise NotImplementedError

    def init(
        self, random: np.random.Generator, input_shape: Shape, dtype: Any, defaults: Mapping[str, str]
    ) -> LayerParams:
        """Fresh parameters, NumPy's; `defaults` names initializers of activations in place of their own."""
        raise NotImplementedError

    def saved_numbers(self, input_shape: Shape) -> int:
        """How many numbers of one example it holds for the way back: its activations, unless it says otherwise."""
        return prod(self.output_shape(input_shape))

    def sequential_calls(self, input_shape: Shape) -> int:
        """How many pieces of work one after the other its forward pass is: the steps of a layer with a memory."""
        return 1

    def input_shape(self, params: LayerParams) -> Shape | None:
        """The shape of one example's input, if the layer and its parameters determine it."""
        return None

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """The shape of each parameter, from the shape of one example's input."""
        raise NotImplementedError

    def check_parameters(self, params: LayerParams, position: int) -> None:
        """Raise a ShapeError unless there is an input for which the parameters fit."""
        last = next((params[name].shape[-1:] for name in self.weights if name in params), ())
        found = {name: tuple(array.shape) for name, array in params.items()}
        if found != self.parameter_shapes(last or (0,)):
            raise ShapeError(
                f"layer {position}, {self.label}, has parameters of shapes {found}, which are not its own."
            )

    def forward(self, params: LayerParams, a_prev: Array, key: Array | None = None) -> Pass:
        """(2) and (3). `key` is given in training only, to layers with `draws`; without one nothing is random.

        Layers that go through sequences are given the last step of each in its place, (m,), or None if all are as long.
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
        """How z^l and a^l move when the parameters move by dparams and the input by da_prev.

        `da_prev` None means that the input does not move, as in the first layer.
        """
        raise NotImplementedError

    def tangent_along_gradient(self, values: Pass, delta: Array, da_prev: Array | None) -> Tangents:
        """`tangent` as the parameters move by `gradient(values, delta)`, which a layer may have without forming it."""
        return self.tangent(values, self.gradient(values, delta), da_prev)

    def second_tangent(self, values: Pass, tangents: Tangents, dda_prev: Array | None) -> tuple[Array, Array]:
        """(ddz, dda): the second derivatives along the line of `moved`, where the input bends by dda_prev."""
        raise NotImplementedError

    def error_tangent(self, values: Pass, tangents: Tangents, dC_da: Array, ddC_da: Array) -> Array:
        """How delta^l = dC/da^l ⊙ sigma'(z^l) moves, where dC/da^l moves by ddC_da."""
        raise NotImplementedError

    def propagate_tangent(self, values: Pass, tangents: Tangents, delta: Array, ddelta: Array) -> Array:
        """How dC/da^{l-1} moves, where delta^l moves by ddelta."""
        raise NotImplementedError

    def gradient_tangent(self, values: Pass, tangents: Tangents, delta: Array, ddelta: Array) -> LayerParams:
        """How BP3 and BP4 move, summed over the batch, where delta^l moves by ddelta."""
        raise NotImplementedError

    def unit_tangent(self, values: Pass, da_prev: Array | None) -> tuple[Any, Any]:
        """(dz, da) as each parameter moves by one (RTRL), on an axis in front: those of the layers below, as da_prev
        has them, then this layer's, names sorted. da_prev None means that there are none below; so does (None, None).
        """
        raise NotImplementedError

    def jacobian_transpose(self, values: Pass, delta: Array) -> list[tuple[Array, Array]]:
        """BP3 and BP4 residual by residual, for delta (m, k, n_l): this layer's rows of J^T, (parameters, m k).

        They come as pairs (u, v), each for the rows u_j ⊙ v_i, i running faster; u is (rows, m k), v too or (1, 1).
        """
        raise NotImplementedError

    def squared_jacobian(self, values: Pass, delta: Array) -> LayerParams:
        """The squares of J's entries summed over residuals, the diagonal of J^T J, in the parameters' shape."""
        raise NotImplementedError

    def gram(self, a_prev: tuple[Array, Array], delta: tuple[Array, Array]) -> LayerParams:
        """This layer's terms of (GRAM) between two sets of examples, one for each of its parameters.

        `a_prev` are (m, n_{l-1}) and (m', n_{l-1}); `delta` are (m, k, n_l) and (m', k', n_l), one error for each
        residual. Each term is (m, k, m', k'); their sum is the layer's share of J J^T. They stay apart because a prior
        weighs weights and biases differently.
        """
        raise NotImplementedError

    def gram_diagonal(self, values: Pass, delta: Array, covariance: LayerParams) -> Array:
        """This layer's share of the diagonal of J D^-1 J^T, (m, k), with D^-1 = {"W": (n_in,), "b": ()}."""
        raise NotImplementedError

    def gram_trace(self, values: Pass, delta: Array, M: Array) -> LayerParams:
        """tr(M J_g J_g^T) for M (m k, m k), symmetric: {"W": one number for the weights from each input, "b": ()}."""
        raise NotImplementedError


class LinearLayer(Layer):
    """A layer without parameters that is linear in what it takes in: one map forward, `carried`, and one back.

    It has no gradients, no share of J, and a^l = z^l unless it says otherwise.
    """

    backward_words: ClassVar[str] = "delta^{l}"

    def forward_map(self, values: Pass, v: Array) -> Array:
        """What z^l moves by where a^{l-1} moves by v."""
        raise NotImplementedError

    def times_slope(self, values: Pass, v: Array) -> Array:
        """What a^l moves by where z^l moves by v: that itself, unless the layer says otherwise."""
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
