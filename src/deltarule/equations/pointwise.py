"""Forward-mode differentiation: numbers with their derivatives, so that residuals written in NumPy are differentiated.

A `Number` is an array with its partial derivatives by numbered slots. Its arithmetic is the sum, product and chain
rule. NumPy's functions reach it through `__array_ufunc__` and `__array_function__`, and it calls them in the namespace
of its arrays, so the same residual runs on NumPy and JAX. The derivatives are exact. Value and parts may be Numbers
themselves: the parts of a Number's parts are its second derivatives.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from deltarule.arrays import is_jax
from deltarule.errors import ConfigurationError


def apply(name: str, *values: Any) -> Any:
    """Call NumPy's function of this name with arrays of any engine or Numbers."""
    if any(isinstance(value, Number) for value in values):
        return _of_numbers(name, *values)
    xp = next((v.__array_namespace__() for v in values if hasattr(v, "__array_namespace__")), np)
    return getattr(xp, name)(*values)


# The derivative phi'(x) of each function, from x and y = phi(x).
RULES: dict[str, Callable[[Any, Any], Any]] = {
    "exp": lambda x, y: y,
    "expm1": lambda x, y: y + 1,
    "log": lambda x, y: 1 / x,
    "log1p": lambda x, y: 1 / (1 + x),
    "sin": lambda x, y: apply("cos", x),
    "cos": lambda x, y: -apply("sin", x),
    "tan": lambda x, y: 1 + y * y,
    "arctan": lambda x, y: 1 / (1 + x * x),
    "arcsin": lambda x, y: (1 - x * x) ** -0.5,
    "arccos": lambda x, y: -((1 - x * x) ** -0.5),
    "sinh": lambda x, y: apply("cosh", x),
    "cosh": lambda x, y: apply("sinh", x),
    "tanh": lambda x, y: 1 - y * y,
    "arcsinh": lambda x, y: (1 + x * x) ** -0.5,
    "sqrt": lambda x, y: 0.5 / y,
    "square": lambda x, y: 2 * x,
    "reciprocal": lambda x, y: -y * y,
    "negative": lambda x, y: -1.0,
    "positive": lambda x, y: 1.0,
    "absolute": lambda x, y: apply("sign", x),
}
WITHOUT_DERIVATIVES = (
    "sign", "floor", "less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "isfinite", "isnan",
    "logical_and", "logical_or", "logical_xor", "logical_not", "bitwise_and", "bitwise_or", "bitwise_xor", "invert",
)  # fmt: skip


class Number(NDArrayOperatorsMixin):
    """An array with its derivatives by slots.

    Args:
        value: the array, or a number.
        parts: the derivative by each slot, {slot: array} that broadcasts to the shape of the value; missing ones are 0.
    """

    __slots__ = ("parts", "value")

    def __init__(self, value: Any, parts: dict[int, Any] | None = None):
        self.value, self.parts = value, parts or {}

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of entries."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def mapped(self, f: Callable[[Any], Any]) -> "Number":
        """Apply f, which only moves or adds up entries, to the value and to every part at full shape.

        Parts that become 0, such as those of x[:, 0] by the other inputs, are dropped, which shortens later sums.
        """
        parts = {slot: f(broadcast(part, self.shape, self.value)) for slot, part in self.parts.items()}
        nonzero = {slot: part for slot, part in parts.items() if not isinstance(part, np.ndarray) or part.any()}
        return Number(f(self.value), nonzero)

    def __getitem__(self, index: Any) -> "Number":
        rows = index[0] if isinstance(index, tuple) and index else index
        if not (rows is Ellipsis or (isinstance(rows, slice) and rows == slice(None))):
            raise _mixes_points(f"picks points by [{rows!r}]")
        return self.mapped(lambda array: array[index])

    def reshape(self, *shape: Any) -> "Number":
        """The same entries in another shape; the first axis, that of the points, must stay."""
        if np.empty(self.shape).reshape(*shape).shape[:1] != self.shape[:1]:
            raise _mixes_points(f"reshapes {self.shape} to {shape}")
        return self.mapped(lambda array: array.reshape(*shape))

    def sum(self, axis: Any = None, keepdims: bool = False) -> "Number":
        """The sum over an axis, but not over that of the points."""
        if axis is None or 0 in {a % self.ndim for a in (axis if isinstance(axis, tuple) else (axis,))}:
            raise _mixes_points(f"sums over axis {axis}")
        return self.mapped(lambda array: array.sum(axis=axis, keepdims=keepdims))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        out = options.pop("out", inputs[:1])  # for a += b it is a, which the new Number replaces
        if method != "__call__" or options or out[0] is not inputs[0]:
            return NotImplemented
        return _of_numbers(ufunc.__name__, *inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name = function.__name__
        if name not in FUNCTIONS:
            raise _no_rule(name)
        return FUNCTIONS[name](*args, **kwargs)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise ConfigurationError(
            "a residual converts u, x or an unknown to a plain array, which has no derivatives: use arithmetic and "
            "NumPy's functions only, or give Equation(derivatives=...)."
        )


def as_number(value: Any) -> Number:
    """A plain array as a Number without derivatives."""
    return value if isinstance(value, Number) else Number(value)


def value_of(number: Any) -> Any:
    """The value alone."""
    return number.value if isinstance(number, Number) else number


def broadcast(array: Any, shape: tuple[int, ...], like: Any = None) -> Any:
    """Broadcast an array to a shape; a plain number becomes an array of the engine of `like`."""
    if isinstance(array, Number):
        parts = {slot: broadcast(part, shape, array.value) for slot, part in array.parts.items()}
        return Number(broadcast(array.value, shape), parts)
    xp = next((a.__array_namespace__() for a in (array, _innermost(like)) if hasattr(a, "__array_namespace__")), np)
    return xp.broadcast_to(array, shape)


def _innermost(number: Any) -> Any:
    while isinstance(number, Number):
        number = number.value
    return number


def _of_numbers(name: str, *inputs: Any) -> Any:
    if name in WITHOUT_DERIVATIVES:
        return _constant(apply(name, *map(value_of, inputs)))
    if len(inputs) == 1 and name in RULES:
        return _chain(name, inputs[0])
    if name in BINARY:
        return BINARY[name](*map(as_number, inputs))
    raise _no_rule(name)


def _constant(array: Any) -> Any:
    """A result without derivatives; one of JAX is wrapped in a Number, because NumPy's functions take no tracer."""
    return Number(array) if is_jax(_innermost(array)) else array


def _mixes_points(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"a residual {what}, and each residual must depend on its own point only: write it point by point, with [:, j] "
        "for one output."
    )


def _no_rule(name: str) -> ConfigurationError:
    known = ", ".join((*RULES, *BINARY, *FUNCTIONS))
    return ConfigurationError(
        f"numpy.{name} has no derivative here: write the function with {known}, or give Equation(derivatives=...)."
    )


def _chain(name: str, x: Number) -> Number:
    """phi(x): phi'(x) x_s."""
    y = apply(name, x.value)
    slope = RULES[name](x.value, y)
    return Number(y, {slot: slope * part for slot, part in x.parts.items()})


def _sum(*terms: tuple[int, Any]) -> dict[int, Any]:
    """Add up the terms of each slot."""
    parts: dict[int, Any] = {}
    for slot, term in terms:
        parts[slot] = parts[slot] + term if slot in parts else term
    return parts


def _multiply(a: Number, b: Number) -> Number:
    """a b: a_s b + a b_s."""
    left = ((slot, part * b.value) for slot, part in a.parts.items())
    return Number(a.value * b.value, _sum(*left, *((slot, part * a.value) for slot, part in b.parts.items())))


def _subtract(a: Number, b: Number) -> Number:
    return Number(a.value - b.value, _sum(*a.parts.items(), *((slot, -part) for slot, part in b.parts.items())))


def _divide(a: Number, b: Number) -> Number:
    return _multiply(a, _chain("reciprocal", b) if b.parts else Number(1.0 / b.value))


def _power(x: Number, exponent: Number) -> Number:
    """x^e: by the chain rule for a constant e, else as exp(e ln x)."""
    if exponent.parts:
        return _chain("exp", _multiply(exponent, _chain("log", x)))
    e, value = exponent.value, x.value
    e: Any = e.item() if isinstance(e, np.generic | np.ndarray) and np.ndim(e) == 0 else e  # keeps the dtype
    less = (e - 1 if e else 0) if isinstance(e, int | float) else apply("where", apply("equal", e, 0), 0, e - 1)
    slope = e * value**less  # the derivative of x^0 is 0 at x = 0 too
    return Number(value**e, {slot: slope * part for slot, part in x.parts.items()})


def _where(condition: Any, a: Any, b: Any) -> Any:
    condition = value_of(condition)
    shape = np.broadcast_shapes(*map(np.shape, (condition, a, b)))
    a, b = as_number(a), as_number(b)
    parts = {s: _choose(condition, a.parts.get(s, 0.0), b.parts.get(s, 0.0)) for s in (*a.parts, *b.parts)}
    return broadcast(Number(_choose(condition, a.value, b.value), parts), shape)


def _choose(condition: Any, a: Any, b: Any) -> Any:
    if isinstance(a, Number) or isinstance(b, Number):
        return _where(condition, a, b)
    return apply("where", condition, a, b)


def _joined(name: str) -> Callable[..., Number]:

    def join(arrays: Any, axis: int = 0) -> Number:
        full = [broadcast(n, n.shape) for n in map(as_number, arrays)]
        xp = _innermost(full[0]).__array_namespace__()

        def of(pick: Callable[[Number], Any]) -> Any:
            return getattr(xp, name)([broadcast(pick(n), n.shape, n.value) for n in full], axis=axis)

        slots = {s for n in full for s in n.parts}
        return Number(of(value_of), {s: of(lambda n, s=s: n.parts.get(s, 0.0)) for s in slots})

    return join


BINARY: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: Number(a.value + b.value, _sum(*a.parts.items(), *b.parts.items())),
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
    "maximum": lambda a, b: _where(a.value >= b.value, a, b),
    "minimum": lambda a, b: _where(a.value <= b.value, a, b),
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "shape": lambda a: a.shape,
    "where": _where,
    "stack": _joined("stack"),
    "concatenate": _joined("concatenate"),
    "sum": lambda a, axis=None, keepdims=False: a.sum(axis, keepdims),
}
