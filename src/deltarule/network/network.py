"""The network: a stack of layers and a cost. It is a description; its parameters are kept outside it."""

import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from deltarule import engine, trees
from deltarule.arrays import Array
from deltarule.checks import as_dtype, as_numbers, dtype_of
from deltarule.engine.machine import require_free_memory
from deltarule.engine.randomness import INITIAL, NOISE, as_path, generator
from deltarule.errors import ConfigurationError, DataError, ShapeError
from deltarule.network import backprop
from deltarule.network.activation import Activation
from deltarule.network.backprop import Params
from deltarule.network.cost import Cost
from deltarule.network.costs import get_cost
from deltarule.network.evaluation import rows_per_pass
from deltarule.network.examples import as_inputs, as_targets
from deltarule.network.layers import Layer, Shape
from deltarule.network.missing_targets import mask_missing_targets
from deltarule.network.sequences import mark_ended_steps

if TYPE_CHECKING:
    from deltarule.network.derivatives import Derivatives
    from deltarule.network.tracing import Trace

NEGLIGIBLE = 2**26  # bytes of parameters that fit every machine


class Sizes(NamedTuple):
    """Counts of a network, and of one example in its forward pass.

    Attributes:
        parameters: n.
        inputs: how many numbers an example has.
        outputs: k, or T k for outputs at each of T steps.
        steps: T, or 1.
        neurons: how many numbers the layers save for the backward pass, without the inputs.
        products: how many multiplications by weights a forward pass takes; without shared weights, n without biases.
        gram: the length of the inner products in each entry of J J^T, summed over the layers.
    """

    parameters: int
    inputs: int
    outputs: int
    steps: int
    neurons: int
    products: int
    gram: int


class Layout(NamedTuple):
    """The shapes of a^1 = x, a^2, ..., a^L of one example, those of the parameters of each layer, and the counts."""

    shapes: list[Shape]
    parameter_shapes: list[dict[str, Shape]]
    sizes: Any


@dataclass(frozen=True, init=False)
class Network:
    """Layers 2..L of a feed-forward network and the cost of its output.

    Args:
        layers: the layers, input side first; the last one is a Dense layer.
        cost: "quadratic", "cross-entropy", "log-likelihood", "huber", "poisson", or a `deltarule.network.costs.Cost`.

    Raises:
        ConfigurationError: there is no layer, an entry is no layer, a softmax is not last, or the cost is unknown.

    >>> net = Network([Dense(3, "tanh"), Dense(1, "linear")])
    >>> params = net.init(0, input_shape=(2,))
    >>> net(params, [[0.0, 1.0], [2.0, 3.0]]).shape
    (2, 1)
    """

    layers: tuple[Layer, ...]
    cost: Cost
    is_recurrent: ClassVar[bool]  # set for each network: whether one of its layers is recurrent
    output_activation: ClassVar[Activation]  # that of layer L
    outputs: ClassVar[int]  # k = n_L
    can_refit: ClassVar[bool]  # whether the output weights have a closed form: linear outputs, quadratic cost
    _layout: ClassVar["Layout"]  # the last result of `_layout_for`

    def __init__(self, layers: Iterable[Layer], cost: str | Cost = "quadratic"):
        if not isinstance(layers, Iterable):
            raise ConfigurationError(f"layers is {layers!r}: give a list such as [Dense(10, 'sigmoid')].")
        layers = tuple(layers)
        if not layers:
            raise ConfigurationError("a network needs at least one layer: give a list such as [Dense(10, 'sigmoid')].")
        for i, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                raise ConfigurationError(f"layers[{i}] is {layer!r}, which is not a layer: give Dense(n, activation).")
            if i < len(layers) - 1 and not layer.sigma.elementwise:
                raise ConfigurationError(
                    f"layers[{i}] is {layer.sigma.name}, which is for the last layer only: use another activation."
                )
        if not layers[-1].can_be_last:
            raise ConfigurationError(
                f"the last layer is {layers[-1]!r}, which cannot give outputs: end with a Dense layer."
            )
        last: Any = layers[-1]
        fields = {"layers": layers, "cost": get_cost(cost), "is_recurrent": any(layer.is_recurrent for layer in layers)}
        fields |= {"output_activation": last.sigma, "outputs": last.n, "_layout": Layout([()], [], None)}
        fields["can_refit"] = last.is_linear and fields["cost"].is_square
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.layers, self.cost)

    def init(
        self,
        seed: Any,
        input_shape: Shape,
        dtype: Any = "float32",
        defaults: Mapping[str, str] | None = None,
    ) -> Params:
        """Initial parameters: a list with one dict for each layer, Dense: {"W": (n_l, n_{l-1}), "b": (n_l,)}.

        They are NumPy arrays, drawn by NumPy's counter-based generator: the same for both engines.

        Args:
            seed: a whole number from 0 to 2³² - 1, or a JAX key.
            input_shape: the shape of one example, such as (784,).
            dtype: "float32" or "float64".
            defaults: initializers by activation, instead of the activation's own, for layers that name none.
        """
        return self.starts(seed, 1, input_shape, dtype, defaults)[0]

    def starts(
        self,
        seed: Any,
        count: int,
        input_shape: Shape,
        dtype: Any = "float32",
        defaults: Mapping[str, str] | None = None,
    ) -> list[Params]:
        """Initial parameters for several starts; the first are those of `init`."""
        dtype, path, shape = as_dtype(dtype), as_path(seed), _checked_shape(input_shape)
        shapes, _, sizes = self._layout_for(shape)
        size = dtype.itemsize * sizes.parameters
        if size >= NEGLIGIBLE:
            require_free_memory(f"parameters for inputs of shape {shape}", 3.0 * size, "use fewer neurons or inputs")
        return [
            [
                layer.init(generator(*path, INITIAL, start, i), below, dtype, defaults or {})
                for i, (layer, below) in enumerate(zip(self.layers, shapes[:-1], strict=True))
            ]
            for start in range(count)
        ]

    def check(self, params: Params, input_shape: Shape) -> None:
        """Raise a ShapeError unless the parameters belong to this network and to inputs of this shape."""
        if len(params) != len(self.layers):
            raise ShapeError(
                f"the network has {len(self.layers)} layers and the parameters are for {len(params)}: "
                "params[i] belongs to net.layers[i]."
            )
        shapes, parameter_shapes, _ = self._layout_for(input_shape)
        for i, (p, expected) in enumerate(zip(params, parameter_shapes, strict=True)):
            actual = {name: array.shape for name, array in p.items()}
            if actual != expected:
                raise ShapeError(
                    f"layer {i}, {self.layers[i].label}, needs parameters of shapes {expected} for an input of shape "
                    f"{shapes[i]}, and has {actual}: use the parameters and inputs of this network."
                )

    def sizes(self, input_shape: Shape) -> Sizes:
        """The counts of the network for inputs of this shape."""
        return self._layout_for(input_shape).sizes

    def shapes(self, input_shape: Shape) -> list[Shape]:
        """The shapes of a^1 = x, a^2, ..., a^L of one example.

        Raises:
            ShapeError: an input does not fit its layer; the message lists the shapes so far.
        """
        return self._layout_for(input_shape).shapes

    def _layout_for(self, input_shape: Shape) -> "Layout":
        shapes = [tuple(input_shape)]
        cached = self._layout  # read once, because another thread may replace it
        if cached.shapes[0] == shapes[0]:
            return cached
        for layer in self.layers:
            try:
                if layer.input_axes == 1 and len(shapes[-1]) > 1 and not self.is_recurrent:
                    raise ShapeError(
                        f"{layer.label} takes a flat input, and its input has shape {shapes[-1]}: flatten each example."
                    )
                shapes.append(layer.output_shape(shapes[-1]))
            except ShapeError as error:
                above = [f"{layer.label} {shape}" for layer, shape in zip(self.layers, shapes[1:], strict=False)]
                so_far = ", ".join([f"input {shapes[0]}", *above])
                raise ShapeError(f"{error} The shapes so far: {so_far}.") from None
        own_shapes = [layer.parameter_shapes(below) for layer, below in zip(self.layers, shapes[:-1], strict=True)]
        parts, steps = list(zip(self.layers, shapes[:-1], own_shapes, strict=True)), prod(shapes[-1][:-1])
        sizes = Sizes(
            parameters=sum(prod(shape) for p in own_shapes for shape in p.values()),
            inputs=prod(shapes[0]),
            outputs=steps * self.outputs,
            steps=steps,
            neurons=sum(layer.saved_numbers(below) for layer, below, _ in parts),
            products=sum(layer.multiplications(below) for layer, below, _ in parts),
            gram=sum(layer.gram_width(p, self.outputs) for layer, _, p in parts),
        )
        layout = Layout(shapes, own_shapes, sizes)
        object.__setattr__(self, "_layout", layout)
        return layout

    def input_shape(self, params: Params) -> Shape | None:
        """The shape of one example's input, if layers and parameters determine it.

        They do not determine the size of images or the length of sequences.
        """
        for layer, p in zip(self.layers, params, strict=False):
            shape = layer.input_shape(p)
            if shape is not None or not layer.keeps_shape:
                return None if shape is not None and self.is_recurrent and layer.input_axes == 1 else shape
        return None

    def __call__(self, params: Params, X: Any) -> Array:
        """The outputs a^L of every example: X is (N, n_1), the result (N, n_L), in the dtype of the parameters.

        For sequences X is (N, T, features) with NaN after the end of each, or a list of arrays (T_i, features). The
        result is (N, T, n_L), with NaN in the same places, or (N, n_L) if a layer gives only its last step.
        This method, `cost_and_gradient` and `trace` compute on the engine of the parameters.
        """
        E, dtype = engine.of_params(params), dtype_of(params)
        with E.computing_in(dtype):
            x = as_inputs(self, params, X, dtype)
            sizes = self.sizes(x.shape[1:])
            most = rows_per_pass(sizes, x)
            with E.threads_for(x.shape[0] * sizes.products):
                parts = [E.call(_outputs, params, x[i : i + most], net=self) for i in range(0, max(1, len(x)), most)]
            return E.wait(parts[0] if len(parts) == 1 else E.xp.concatenate(parts))

    def cost_and_gradient(self, params: Params, X: Any, Y: Any, key: Any = None) -> tuple[Array, Params]:
        """C = (1/N) sum_x C_x and its gradient by BP1-BP4; the gradient has the shape of the parameters.

        Memory is bounded for any N. On JAX it is compiled once for each N, like calls of the network. With a seed (or a
        key of JAX) Dropout draws masks as in a step of training; without one it is the identity.

        Raises:
            DataError: X has no rows. For speed, targets are not checked against the rules of the cost.
            ShapeError: X or Y does not fit the network.
        """
        E, dtype = engine.of_params(params), dtype_of(params)
        with E.computing_in(dtype):
            net, x = (
                mask_missing_targets(self, Y, inputs=(X,)) if self.is_recurrent else self,
                as_inputs(self, params, X, dtype),
            )
            if not x.shape[0]:
                raise DataError("X has no rows, so there is no mean cost: give at least one example.")
            y = as_targets(self, Y, x)
            noise = None if key is None else E.key((*as_path(key), NOISE))
            with E.threads_for(2 * x.shape[0] * self.sizes(x.shape[1:]).products):
                return E.wait(_cost_and_gradient_by_parts(E, net, params, x, y, noise))

    def derivatives(self, params: Params, X: Any) -> "Derivatives":
        """The outputs and their exact first and second derivatives by the inputs, at every example of X (N, d).

        They are computed forward with the outputs by (JET), for Dense layers with smooth activations.

        Returns:
            A named tuple: u (N, k), du (N, k, d) and d2u (N, k, d, d), symmetric in its last two axes.

        Raises:
            ConfigurationError: a layer is not Dense, or its activation is not smooth.
        """
        from deltarule.network import derivatives  # imports jets, which few programs need

        derivatives.require_smooth(self)
        E, dtype = engine.of_params(params), dtype_of(params)
        with E.computing_in(dtype):
            x = as_inputs(self, params, X, dtype)
            return E.wait(E.call(derivatives.derivatives, params, x, net=self))

    def trace(self, params: Params, x: Any, y: Any) -> "Trace":
        """Every z, a, sigma'(z), delta, dW and db of one example x (n_1,) with target y (k,), or of a sequence."""
        from deltarule.network import tracing

        E, dtype = engine.of_params(params), dtype_of(params)
        with E.computing_in(dtype):
            inputs = as_inputs(self, params, as_numbers("x", x, None, "(n_1,)")[None], dtype)
            targets = as_targets(self, as_numbers("y", y, None, "(k,)")[None], inputs)
            net = mask_missing_targets(self, targets) if self.is_recurrent else self
            return tracing.trace(net, params, E.put(inputs), E.put(targets))


def _checked_shape(input_shape: Any) -> Shape:
    """The shape of one example as a tuple of whole numbers of at least 1; a ShapeError for anything else."""
    is_shape = isinstance(input_shape, Sequence) and all(isinstance(n, numbers.Integral) for n in input_shape)
    shape = tuple(int(n) for n in input_shape) if is_shape else (0,)
    if min(shape, default=1) < 1:
        raise ShapeError(
            f"input_shape is {input_shape!r}: give the shape of one example, a tuple of whole numbers such as (784,)."
        )
    return shape


def _outputs(params: Params, x: Array, *, net: Network) -> Array:
    x = engine.of_params(params).put(x)
    outputs = backprop.forward(net, params, x)[-1].a
    return mark_ended_steps(x, outputs) if net.is_recurrent else outputs


def _cost_and_gradient_by_parts(
    E: Any, net: Network, params: Params, x: Array, y: Array, key: Any
) -> tuple[Array, Params]:
    """The mean cost and its gradient, computed for as many examples at a time as fit `EVALUATION_BYTES`."""
    count, most = x.shape[0], rows_per_pass(net.sizes(x.shape[1:]), x)
    if count <= most:  # slicing a JAX array takes as long as a small gradient
        return E.call(_mean_cost_and_gradient, params, x, y, key, net=net)
    mean = E.call(_mean_cost_and_gradient, params, x[:most], y[:most], key, net=net)
    for first in range(most, count, most):
        part_key = None if key is None else E.fold_in(key, first)
        last = min(first + most, count)
        part = E.call(_mean_cost_and_gradient, params, x[first:last], y[first:last], part_key, net=net)
        share = (last - first) / last
        mean = trees.map_leaves(lambda old, new, share=share: old + share * (new - old), mean, part)
    return mean


def _mean_cost_and_gradient(params: Params, x: Array, y: Array, key: Any, *, net: Network) -> tuple[Array, Params]:
    E = engine.of_params(params)
    x, y = E.put(x), E.put(y)
    weight = E.xp.full(x.shape[0], 1 / x.shape[0], dtype=x.dtype)
    return backprop.cost_and_gradient(net, params, x, y, weight, key)
