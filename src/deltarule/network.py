"""The network: a stack of layers and a cost. It is a description; the parameters live outside it."""

import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from deltarule import backprop, tracing
from deltarule.activations import Activation
from deltarule.arrays import as_numbers, require_real
from deltarule.backprop import Params
from deltarule.costs import Cost, get_cost
from deltarule.errors import ConfigurationError, DataError, ShapeError
from deltarule.evaluation import rows_at_once
from deltarule.initializers import DEFAULT_INITIALIZERS
from deltarule.layers import Dense, Layer, Shape
from deltarule.machine import require_room
from deltarule.precision import as_dtype, computing_in, dtype_of
from deltarule.randomness import as_key

NEGLIGIBLE = 2**26  # bytes that every machine has


@dataclass(frozen=True, init=False)
class Network:
    """Layers 2..L of a feed-forward network and the cost of its output.

    Args:
        layers: the layers, input side first; the last one is a Dense layer.
        cost: "quadratic", "cross-entropy", "log-likelihood", or a `deltarule.costs.Cost`.

    Raises:
        ConfigurationError: no layers, a thing that is not a layer, a softmax below the output, an unknown cost.

    >>> net = Network([Dense(3, "tanh"), Dense(1, "linear")])
    >>> params = net.init(0, input_shape=(2,))
    >>> net(params, [[0.0, 1.0], [2.0, 3.0]]).shape
    (2, 1)
    """

    layers: tuple[Layer, ...]
    cost: Cost

    def __init__(self, layers: Iterable[Layer], cost: str | Cost = "quadratic"):
        """Check the stack once, where the mistake was made."""
        if not isinstance(layers, Iterable):
            raise ConfigurationError(f"layers is {layers!r}: give a list such as [Dense(10, 'sigmoid')].")
        layers = tuple(layers)
        if not layers:
            raise ConfigurationError("a network needs at least one layer: give a list such as [Dense(10, 'sigmoid')].")
        for i, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                raise ConfigurationError(f"layers[{i}] is {layer!r}, which is not a layer: give Dense(n, activation).")
            if getattr(layer, "activation", None) == "softmax" and i < len(layers) - 1:
                raise ConfigurationError(
                    f"layers[{i}] is softmax, which is for the output only: use another activation below the output."
                )
        if not isinstance(layers[-1], Dense):
            raise ConfigurationError(
                f"the last layer is {layers[-1]!r}, and the outputs are neurons: end with a Dense layer."
            )
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "cost", get_cost(cost))

    @property
    def output_activation(self) -> Activation:
        """The activation of layer L."""
        return self.layers[-1].sigma  # pyright: ignore[reportAttributeAccessIssue]

    @property
    def outputs(self) -> int:
        """k = n_L, the number of outputs."""
        return self.layers[-1].n  # pyright: ignore[reportAttributeAccessIssue]

    def init(
        self,
        seed: int | Array,
        input_shape: Shape,
        dtype: Any = "float32",
        defaults: Mapping[str, str] = DEFAULT_INITIALIZERS,
    ) -> Params:
        """Fresh parameters: a list with one dict for each layer, Dense: {"W": (n_l, n_{l-1}), "b": (n_l,)}.

        Args:
            seed: a whole number from 0 to 2³² - 1, or a JAX key.
            input_shape: the shape of one example, such as (784,).
            dtype: "float32" or "float64".
            defaults: the initializer of each activation, for layers that name none.
        """
        dtype = as_dtype(dtype)
        with computing_in(dtype):
            key = as_key(seed)
            shape = _checked_shape(input_shape)
            self._require_room(shape, dtype)
            return _init(self, key, shape, dtype, tuple(defaults.items()))

    def check(self, params: Params, input_shape: Shape) -> None:
        """Raise a ShapeError unless the parameters belong to this network and to inputs of this shape."""
        if len(params) != len(self.layers):
            raise ShapeError(
                f"the network has {len(self.layers)} layers and the parameters are for {len(params)}: "
                "params[i] belongs to net.layers[i]."
            )
        for i, (layer, p, shape) in enumerate(zip(self.layers, params, self.shapes(input_shape)[:-1], strict=True)):
            layer.check(p, shape, i)

    def _require_room(self, input_shape: Shape, dtype: np.dtype) -> None:
        """Raise a TooLargeError if the parameters do not fit the memory, and a ShapeError if the shape does not."""
        sizes = [prod(shape) for shape in self.shapes(input_shape)]
        if dtype.itemsize * sum(below * above for below, above in pairwise(sizes)) < NEGLIGIBLE:
            return  # even if every layer joined all to all
        key = jax.random.key(0)
        defaults = tuple(DEFAULT_INITIALIZERS.items())
        arrays = jax.tree.leaves(jax.eval_shape(lambda: _init(self, key, input_shape, dtype, defaults)))
        size = dtype.itemsize * sum(prod(array.shape) for array in arrays)
        require_room(f"parameters for inputs of shape {input_shape}", 3.0 * size, "use fewer neurons or inputs")

    def shapes(self, input_shape: Shape) -> list[Shape]:
        """The shapes of a^1 = x, a^2, ..., a^L of one example.

        Raises:
            ShapeError: an input does not fit its layer; the message lists the shapes so far.
        """
        shapes = [tuple(input_shape)]
        for layer in self.layers:
            try:
                shapes.append(layer.output_shape(shapes[-1]))
            except ShapeError as error:
                above = [f"{layer.label} {shape}" for layer, shape in zip(self.layers, shapes[1:], strict=False)]
                so_far = ", ".join([f"input {shapes[0]}", *above])
                raise ShapeError(f"{error} The shapes so far: {so_far}.") from None
        return shapes

    def neurons(self, input_shape: Shape) -> int:
        """How many activations one example has, over all layers."""
        return sum(prod(shape) for shape in self.shapes(input_shape)[1:])

    def input_shape(self, params: Params) -> Shape | None:
        """The shape of one example's input, if layers and parameters determine it; images may have any size."""
        for layer, p in zip(self.layers, params, strict=False):
            shape = layer.input_shape(p)
            if shape is not None or not layer.keeps_shape:
                return shape
        return None

    def __call__(self, params: Params, X: Any) -> Array:
        """The outputs a^L of every example: X is (N, n_1), the result (N, n_L), in the dtype of the parameters."""
        dtype = dtype_of(params)
        with computing_in(dtype):
            x = self.as_inputs(params, X, dtype)
            most = rows_at_once(self, x)
            if x.shape[0] <= most:
                return _done(_outputs(self, params, x), x)
            parts = [_outputs(self, params, x[i : i + most]) for i in range(0, x.shape[0], most)]
            return _done(jnp.concatenate(parts), x)

    def cost_and_gradient(self, params: Params, X: Any, Y: Any, key: int | Array | None = None) -> tuple[Array, Params]:
        """C = (1/N) sum_x C_x and its gradient by BP1-BP4; the gradient has the shape of the parameters.

        Compiled once for each N, as calls of the network are; memory is bounded whatever it is.
        With a key (or seed) Dropout draws its masks as in a step of training; without one it is the identity.

        Raises:
            DataError: X has no rows. Whether targets are what the cost is made for is not looked at, for speed.
            ShapeError: X or Y does not fit the network.
        """
        dtype = dtype_of(params)
        with computing_in(dtype):
            x = self.as_inputs(params, X, dtype)
            if not x.shape[0]:
                raise DataError("X has no rows, and the mean cost of none is undefined: give at least one example.")
            drawn = None if key is None else as_key(key)
            y = self.as_targets(Y, x)
            return _done(_in_parts(self, params, x, y, drawn), x, y)

    def trace(self, params: Params, x: Any, y: Any) -> "tracing.Trace":
        """Every z, a, sigma'(z), delta, dW and db of one example x (n_1,) with target y (k,)."""
        dtype = dtype_of(params)
        with computing_in(dtype):
            inputs = self.as_inputs(params, as_numbers("x", x, None, "(n_1,)")[None], dtype)
            targets = self.as_targets(as_numbers("y", y, None, "(k,)")[None], inputs)
            return tracing.trace(self, params, jnp.asarray(inputs), jnp.asarray(targets))

    def as_inputs(self, params: Params, X: Any, dtype: np.dtype) -> Array | np.ndarray:
        """X as an array of this dtype, (N, ...), checked against the first layer.

        It is NumPy's unless X is JAX's: a compiled call takes it over in a tenth of the time of jnp.asarray.
        """
        if not isinstance(X, Array):
            X = as_numbers("X", X, dtype, "(N, n_1)")
        require_real("X", X)
        if X.ndim < 2:
            raise ShapeError(f"X has shape {X.shape}: give one row for each example, (N, n_1); one example is X[None].")
        self.check(params, X.shape[1:])
        return X if X.dtype == dtype else X.astype(dtype)

    def as_targets(self, Y: Any, x: Array | np.ndarray) -> Array | np.ndarray:
        """Y as (N, k) in the dtype of x. Whole numbers in a flat Y name classes and become one-hot rows if k > 1.

        It is NumPy's unless Y is JAX's.
        """
        k, N = self.outputs, x.shape[0]
        if not isinstance(Y, Array):
            Y = as_numbers("Y", Y, None, f"(N, {k})")
        require_real("Y", Y)
        if Y.ndim == 1 and k == 1:
            Y = Y[:, None]
        elif Y.ndim == 1 and Y.dtype.kind in "iu":
            if not isinstance(Y, Tracer) and Y.size and not 0 <= int(Y.min()) <= int(Y.max()) < k:
                raise DataError(
                    f"Y names classes {int(Y.min())}..{int(Y.max())}, and the network has {k} outputs: "
                    f"number the classes from 0 to {k - 1}."
                )
            # By NumPy where it can be: eager JAX would compile again for every N.
            Y = jax.nn.one_hot(Y, k, dtype=x.dtype) if isinstance(Y, Array) else np.eye(k, dtype=x.dtype)[Y]
        if Y.shape != (N, k):
            raise ShapeError(f"Y has shape {Y.shape}, and {N} rows of X with {k} outputs need ({N}, {k}).")
        return Y if Y.dtype == x.dtype else Y.astype(x.dtype)


def _checked_shape(input_shape: Any) -> Shape:
    """The shape of one example as a tuple of ints.

    Raises:
        ShapeError: it is no sequence of whole numbers of at least 1.
    """
    is_shape = isinstance(input_shape, Sequence) and all(isinstance(n, numbers.Integral) for n in input_shape)
    shape = tuple(int(n) for n in input_shape) if is_shape else (0,)
    if min(shape, default=1) < 1:
        raise ShapeError(
            f"input_shape is {input_shape!r}: give the shape of one example, a tuple of whole numbers such as (784,)."
        )
    return shape


def _done(result: Any, *given: Array | np.ndarray) -> Any:
    """The result, waited for where NumPy's memory was given: JAX reads it as it computes, and callers may change it."""
    return jax.block_until_ready(result) if any(isinstance(array, np.ndarray) for array in given) else result


@partial(jax.jit, static_argnums=(0, 2, 3, 4))
def _init(net: Network, key: Array, shape: Shape, dtype: np.dtype, defaults: tuple[tuple[str, str], ...]) -> Params:
    params = []
    for layer, layer_key in zip(net.layers, jax.random.split(key, len(net.layers)), strict=True):
        params.append(layer.init(layer_key, shape, dtype, dict(defaults)))
        shape = layer.output_shape(shape)
    return params


@partial(jax.jit, static_argnums=0)
def _outputs(net: Network, params: Params, x: Array | np.ndarray) -> Array:
    return backprop.forward(net, params, jnp.asarray(x))[-1].a


def _in_parts(
    net: Network, params: Params, x: Array | np.ndarray, y: Array | np.ndarray, key: Array | None
) -> tuple[Array, Params]:
    """The mean cost and its gradient, of as many examples at a time as fit the memory."""
    count, most = x.shape[0], rows_at_once(net, x)
    if count <= most:
        return _mean_cost_and_gradient(net, params, x, y, key)
    mean = _mean_cost_and_gradient(net, params, x[:most], y[:most], key)
    for first in range(most, count, most):
        own = None if key is None else jax.random.fold_in(key, first)
        part = _mean_cost_and_gradient(net, params, x[first : first + most], y[first : first + most], own)
        share = min(most, count - first) / min(first + most, count)
        mean = jax.tree.map(lambda so_far, new, share=share: so_far + share * (new - so_far), mean, part)
    return mean


@partial(jax.jit, static_argnums=0)
def _mean_cost_and_gradient(
    net: Network, params: Params, x: Array | np.ndarray, y: Array | np.ndarray, key: Array | None
) -> tuple[Array, Params]:
    x, y = jnp.asarray(x), jnp.asarray(y)
    weight = jnp.full(x.shape[0], 1 / x.shape[0], x.dtype)
    return backprop.cost_and_gradient(net, params, x, y, weight, key)
