"""Numbers that carry their derivatives, so that a residual written as an ordinary function gives its own, exactly.

A `Number` is an array with its partial derivatives by named slots, and with the second ones if asked for (forward-mode
differentiation). Its arithmetic is the sum, product and chain rule. NumPy's functions reach it through
`__array_ufunc__` and `__array_function__`, and it calls them in the namespace of the arrays inside, so the same
function runs on NumPy's arrays, on JAX's and on its tracers. Nothing is approximated and JAX is not needed. The parts
may be Numbers themselves, which differentiates once more.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from deltarule.arrays import is_jax
from deltarule.errors import ConfigurationError

Slots = tuple[int, ...]  # (s,) of a first derivative, (s, t) with s <= t of a second


def apply(name: str, *values: Any) -> Any:
    """NumPy's function of that name, of arrays of any kind or of Numbers."""
    if any(isinstance(value, Number) for value in values):
        return _of_numbers(name, *values)
    xp = next((v.__array_namespace__() for v in values if hasattr(v, "__array_namespace__")), np)
    return getattr(xp, name)(*values)


# One function a line: phi'(x) and phi''(x), with y = phi(x) at hand. None is 0.
Rule = tuple[Callable[[Any, Any], Any] | None, Callable[[Any, Any], Any] | None]
RULES: dict[str, Rule] = {
    "exp": (lambda x, y: y, lambda x, y: y),
    "expm1": (lambda x, y: y + 1, lambda x, y: y + 1),
    "log": (lambda x, y: 1 / x, lambda x, y: -1 / (x * x)),
    "log1p": (lambda x, y: 1 / (1 + x), lambda x, y: -1 / ((1 + x) * (1 + x))),
    "sin": (lambda x, y: apply("cos", x), lambda x, y: -y),
    "cos": (lambda x, y: -apply("sin", x), lambda x, y: -y),
    "tan": (lambda x, y: 1 + y * y, lambda x, y: 2 * y * (1 + y * y)),
    "arctan": (lambda x, y: 1 / (1 + x * x), lambda x, y: -2 * x / ((1 + x * x) * (1 + x * x))),
    "arcsin": (lambda x, y: (1 - x * x) ** -0.5, lambda x, y: x * (1 - x * x) ** -1.5),
    "arccos": (lambda x, y: -((1 - x * x) ** -0.5), lambda x, y: -x * (1 - x * x) ** -1.5),
    "sinh": (lambda x, y: apply("cosh", x), lambda x, y: y),
    "cosh": (lambda x, y: apply("sinh", x), lambda x, y: y),
    "tanh": (lambda x, y: 1 - y * y, lambda x, y: -2 * y * (1 - y * y)),
    "arcsinh": (lambda x, y: (1 + x * x) ** -0.5, lambda x, y: -x * (1 + x * x) ** -1.5),
    "sqrt": (lambda x, y: 0.5 / y, lambda x, y: -0.25 / (x * y)),
    "square": (lambda x, y: 2 * x, lambda x, y: 2.0),
    "reciprocal": (lambda x, y: -y * y, lambda x, y: 2 * y * y * y),
    "negative": (lambda x, y: -1.0, None),
    "positive": (lambda x, y: 1.0, None),
    "absolute": (lambda x, y: apply("sign", x), None),
    "sign": (None, None),
    "floor": (None, None),
}
WITHOUT_DERIVATIVES = (
    "less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "isfinite", "isnan",
    "logical_and", "logical_or", "logical_xor", "logical_not", "bitwise_and", "bitwise_or", "bitwise_xor", "invert",
)  # fmt: skip


class Number:
    """An array with its derivatives by slots.

    Args:
        value: the array, or a number.
        parts: the derivative by each slot, {(s,): array}, and of order 2 also {(s, t): array}; what is missing is 0.
            Each has a shape that broadcasts to that of the value.
        order: 1, or 2 where second derivatives are wanted.
    """

    __slots__ = ("order", "parts", "value")

    def __init__(self, value: Any, parts: dict[Slots, Any] | None = None, order: int = 1):
        self.value, self.parts, self.order = value, parts or {}, order

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the value."""
        return np.shape(self.value) if not hasattr(self.value, "shape") else tuple(self.value.shape)

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

    def part(self, slots: Slots) -> Any:
        """The derivative by these slots; 0 where nothing depends on them."""
        return self.parts.get(tuple(sorted(slots)), 0.0)

    def mapped(self, f: Callable[[Any], Any]) -> "Number":
        """f of the value and of every part at full shape, for an f that only moves or adds up entries."""
        parts = {slots: f(broadcast(part, self.shape, self.value)) for slots, part in self.parts.items()}
        return Number(f(self.value), parts, self.order)

    def __getitem__(self, index: Any) -> "Number":
        rows = index[0] if isinstance(index, tuple) and index else index
        if not (rows is Ellipsis or (isinstance(rows, slice) and rows == slice(None))):
            raise _mixes_points(f"picks points by [{rows!r}]")
        return self.mapped(lambda array: array[index])

    def reshape(self, *shape: Any) -> "Number":
        """The same entries in another shape, with the points on the first axis as before."""
        if np.empty(self.shape).reshape(*shape).shape[:1] != self.shape[:1]:
            raise _mixes_points(f"reshapes {self.shape} to {shape}")
        return self.mapped(lambda array: array.reshape(*shape))

    def sum(self, axis: Any = None, keepdims: bool = False) -> "Number":
        """The sum over an axis that is not that of the points."""
        if axis is None or 0 in {a % self.ndim for a in (axis if isinstance(axis, tuple) else (axis,))}:
            raise _mixes_points(f"sums over axis {axis}")
        return self.mapped(lambda array: array.sum(axis=axis, keepdims=keepdims))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            return NotImplemented
        return _of_numbers(ufunc.__name__, *inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name = function.__name__
        if name not in FUNCTIONS:
            raise _no_rule(name)
        return FUNCTIONS[name](*args, **kwargs)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise ConfigurationError(
            "a residual turned u, x or an unknown into a plain array, which loses its derivatives: use NumPy's "
            "functions and arithmetic on them, or give Equation(derivatives=...)."
        )


def _operator(name: str, reverse: bool = False) -> Callable[[Any, Any], Any]:
    def operate(self: Number, other: Any) -> Any:
        return _of_numbers(name, other, self) if reverse else _of_numbers(name, self, other)

    return operate


for _symbol, _name in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power",
}.items():  # fmt: skip
    setattr(Number, f"__{_symbol}__", _operator(_name))
    setattr(Number, f"__r{_symbol}__", _operator(_name, reverse=True))
for _symbol, _name in {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal",
    "and": "bitwise_and", "rand": "bitwise_and", "or": "bitwise_or", "ror": "bitwise_or", "xor": "bitwise_xor",
    "rxor": "bitwise_xor",
}.items():  # fmt: skip
    setattr(Number, f"__{_symbol}__", _operator(_name))
for _symbol, _name in {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}.items():
    setattr(Number, f"__{_symbol}__", lambda self, name=_name: _of_numbers(name, self))
Number.__hash__ = None  # pyright: ignore[reportAttributeAccessIssue]


def value_of(number: Any) -> Any:
    """The value alone."""
    return number.value if isinstance(number, Number) else number


def broadcast(array: Any, shape: tuple[int, ...], like: Any = None) -> Any:
    """The array at that shape, of the kind of `like` if it is a plain number."""
    if isinstance(array, Number):
        parts = {slots: broadcast(part, shape, array.value) for slots, part in array.parts.items()}
        return Number(broadcast(array.value, shape), parts, array.order)
    xp = next((a.__array_namespace__() for a in (array, _innermost(like)) if hasattr(a, "__array_namespace__")), np)
    return xp.broadcast_to(array, shape)


def _innermost(number: Any) -> Any:
    while isinstance(number, Number):
        number = number.value
    return number


def _of_numbers(name: str, *inputs: Any) -> Any:
    """A function of Numbers by its rule."""
    if name in WITHOUT_DERIVATIVES:
        return _constant(apply(name, *map(value_of, inputs)))
    if len(inputs) == 1 and name in RULES:
        return _chain(name, inputs[0])
    if name in BINARY:
        return BINARY[name](*inputs)
    raise _no_rule(name)


def _constant(array: Any) -> Any:
    """What has no derivative: NumPy's array as it is, JAX's as a Number, because NumPy's functions take no tracer."""
    return Number(array) if is_jax(_innermost(array)) else array


def _mixes_points(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"a residual {what}, and the residual of a point has to be a function of that point alone: write it point by "
        "point, with [:, j] for one output."
    )


def _no_rule(name: str) -> ConfigurationError:
    known = ", ".join((*RULES, *BINARY, *FUNCTIONS))
    return ConfigurationError(
        f"numpy.{name} has no derivative here: write the function with {known}, or give Equation(derivatives=...)."
    )


def _chain(name: str, x: Number) -> Any:
    """phi(x): phi'(x) x_s, and phi''(x) x_s x_t + phi'(x) x_st."""
    y = apply(name, x.value)
    slope, bend = RULES[name]
    if slope is None:
        return _constant(value_of(y))
    first = slope(x.value, y)
    parts = {slots: first * part for slots, part in x.parts.items()}
    if x.order == 2 and bend is not None:
        _add_products(parts, x, x, bend(x.value, y), halved=True)
    return Number(y, parts, x.order)


def _add_products(parts: dict[Slots, Any], a: Number, b: Number, factor: Any = None, halved: bool = False) -> None:
    """parts[s, t] += factor (a_s b_t + a_t b_s), halved where a is b, for every two slots."""
    for (s,), a_s in _first(a):
        for (t,), b_t in _first(b):
            if halved and t < s:
                continue
            term = a_s * b_t if factor is None else factor * a_s * b_t
            term = 2 * term if s == t and not halved else term
            slots = (min(s, t), max(s, t))
            parts[slots] = parts[slots] + term if slots in parts else term


def _first(a: Number) -> list[tuple[Any, Any]]:
    return [(slots, part) for slots, part in a.parts.items() if len(slots) == 1]


def _linear(a: Any, b: Any, sign: float) -> Number:
    """a + sign b."""
    value = value_of(a) + sign * value_of(b) if sign < 0 else value_of(a) + value_of(b)
    parts = dict(a.parts) if isinstance(a, Number) else {}
    for slots, part in b.parts.items() if isinstance(b, Number) else ():
        moved = part if sign > 0 else -part
        parts[slots] = parts[slots] + moved if slots in parts else moved
    return Number(value, parts, _order(a, b))


def _multiply(a: Any, b: Any) -> Number:
    """a b: a_s b + a b_s, and of order 2 a_st b + a_s b_t + a_t b_s + a b_st."""
    value, parts = value_of(a) * value_of(b), {}
    for one, other in ((a, b), (b, a)):
        for slots, part in one.parts.items() if isinstance(one, Number) else ():
            term = part * value_of(other)
            parts[slots] = parts[slots] + term if slots in parts else term
    order = _order(a, b)
    if order == 2 and isinstance(a, Number) and isinstance(b, Number):
        _add_products(parts, a, b)
    return Number(value, parts, order)


def _order(*numbers: Any) -> int:
    return max(n.order for n in numbers if isinstance(n, Number))


def _divide(a: Any, b: Any) -> Any:
    return _multiply(a, _chain("reciprocal", b)) if isinstance(b, Number) else _multiply(a, 1.0 / b)


def _power(x: Any, exponent: Any) -> Any:
    """x^e: by the chain rule for an e without derivatives, as exp(e ln x) otherwise."""
    if isinstance(exponent, Number) and exponent.parts:
        return _chain("exp", _multiply(exponent, apply("log", x)))
    e, value = _plain(value_of(exponent)), value_of(x)
    if isinstance(e, int | float) and e == 2 and isinstance(x, Number):
        return _chain("square", x)
    parts = {slots: _falling(value, e, e, 1) * part for slots, part in x.parts.items()} if isinstance(x, Number) else {}
    if parts and x.order == 2:
        _add_products(parts, x, x, _falling(value, e * (e - 1), e, 2), halved=True)
    return Number(value**e, parts, _order(x, exponent))


def _plain(e: Any) -> Any:
    """A number of NumPy's as Python's, which changes no precision."""
    return e.item() if isinstance(e, np.generic | np.ndarray) and np.ndim(e) == 0 else e


def _falling(x: Any, factor: Any, e: Any, k: int) -> Any:
    """factor x^(e - k), and 0 where factor is 0: the derivative of x^0 is 0 at x = 0 too."""
    if isinstance(e, int | float):
        return factor * x ** (e - k) if factor else 0.0
    return factor * x ** apply("where", apply("equal", factor, 0), 0, e - k)


def _where(condition: Any, a: Any, b: Any) -> Any:
    """a where the condition holds, b elsewhere."""
    condition = value_of(condition)
    shape = np.broadcast_shapes(*(np.shape(_innermost(v)) for v in (condition, a, b)))
    a, b = (n if isinstance(n, Number) else Number(n) for n in (a, b))
    parts = {s: _choose(condition, a.parts.get(s, 0.0), b.parts.get(s, 0.0)) for s in (*a.parts, *b.parts)}
    return broadcast(Number(_choose(condition, a.value, b.value), parts, _order(a, b)), shape)


def _choose(condition: Any, a: Any, b: Any) -> Any:
    if isinstance(a, Number) or isinstance(b, Number):
        return _where(condition, a, b)
    return apply("where", condition, a, b)


def _joined(name: str) -> Callable[..., Number]:
    """np.stack or np.concatenate of Numbers."""

    def join(arrays: Any, axis: int = 0) -> Number:
        numbers = [n if isinstance(n, Number) else Number(n) for n in arrays]
        xp = _innermost(numbers[0]).__array_namespace__()
        full = [broadcast(n, n.shape) for n in numbers]

        def of(pick: Callable[[Number], Any]) -> Any:
            return getattr(xp, name)([broadcast(pick(n), n.shape, n.value) for n in full], axis=axis)

        slots = {s for n in full for s in n.parts}
        return Number(of(value_of), {s: of(lambda n, s=s: n.parts.get(s, 0.0)) for s in slots}, _order(*full))

    return join


BINARY: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: _linear(a, b, 1.0),
    "subtract": lambda a, b: _linear(a, b, -1.0),
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
    "maximum": lambda a, b: _where(value_of(a) >= value_of(b), a, b),
    "minimum": lambda a, b: _where(value_of(a) <= value_of(b), a, b),
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "where": _where,
    "stack": _joined("stack"),
    "concatenate": _joined("concatenate"),
    "sum": lambda a, axis=None, keepdims=False: a.sum(axis, keepdims),
}
