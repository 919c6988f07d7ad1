"""A residual R(x, u, u_i, u_ij, theta) as the cost of a lifted network, C = (1/2) ‖R‖², and its exact derivatives.

The outputs of a lifted network are the slots of R: the jet of u, component by component, and theta behind it. So S, the
factor of Gauss-Newton, holds ∂R/∂u_c and ∂R/∂theta, which seed (BP-JET), and r is R itself.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltarule.arrays import Array, is_jax
from deltarule.equations.pointwise import Number, broadcast, value_of
from deltarule.errors import ConfigurationError, ShapeError, counted
from deltarule.network.activation import Activation
from deltarule.network.cost import Cost
from deltarule.network.layers.jet import Components, Key

MOST = 64  # residuals of one point
PROBED = MOST + 1  # points at which a residual is first asked: more than MOST, so that (m, m) is known for a mistake


class Field:
    """What a residual is given as u: `u.value` (m, k), `u.d(i)` and `u.d(i, j)`, the derivatives by input i, and j."""

    def __init__(self, of: Callable[[Key], Any]):
        self._of = of

    @property
    def value(self) -> Any:
        """u, (m, k)."""
        return self._of(())

    def d(self, *inputs: int) -> Any:
        """∂u/∂x_i or ∂²u/∂x_i∂x_j, (m, k), of every output."""
        if not (1 <= len(inputs) <= 2 and all(isinstance(i, int | np.integer) and i >= 0 for i in inputs)):
            raise ConfigurationError(
                f"a residual asks for u.d{inputs}: give one or two numbers of inputs, from 0 on; of higher "
                "derivatives make a system, with one more output for a lower one."
            )
        return self._of(tuple(sorted(int(i) for i in inputs)))


class Unknown(dict):
    """The unknowns by name: p["nu"] or p.nu."""

    def __missing__(self, name: str) -> Any:
        raise ConfigurationError(
            f"a residual asks for the unknown {name!r}, and there are {list(self)}: name it in unknowns."
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]


Function = Callable[[Any, Field, Unknown], Any]


@dataclass(frozen=True)
class Residual(Cost):
    """C = (1/2) ‖R‖² of every point.

    Args:
        function: R(x, u, p): (m,), (m, q), or a tuple of such.
        components: the derivatives that R asks for.
        inputs: d. The targets y of the lifted network hold x first, (m, d), and what `given` reads behind it.
        outputs: k, of u.
        names: of the unknowns.
        transform: T(x, v), where the network's output v is not u itself: a hard condition.
        derivatives: ∂R by every slot if the user gives them: (x, u, p) ↦ {"u": ..., (i,): ..., (i, j): ..., name: ...},
            or a tuple of such dicts, one for each residual of a point.
        given: whether y holds targets behind x, which the function takes as its fourth argument.
        count: q, the residuals of a point.
    """

    function: Callable[..., Any]
    components: Components
    inputs: int
    outputs: int
    names: tuple[str, ...] = ()
    transform: Callable[[Any, Any], Any] | None = None
    derivatives: Function | None = None
    given: bool = False
    count: int = 1

    name = "residual"

    @property
    def slots(self) -> int:
        """How many numbers R is a function of: C k + the unknowns."""
        return len(self.components.keys) * self.outputs + len(self.names)

    # What the curvature and the trainers ask of a cost

    def value(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        """(1/2) ‖R‖², (m,)."""
        r = self.residuals(z, y)
        return 0.5 * (r * r).sum(axis=-1)

    def output_error(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        """S R, (m, slots)."""
        S, r = self.gauss_newton(activation, z, a, y)
        return (S * r[:, None]).sum(axis=-1)

    def gauss_newton(self, activation: Activation, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        """S (m, slots, q), the partial derivatives of every residual, and R (m, q)."""
        xp, m = z.__array_namespace__(), z.shape[0]
        if self.derivatives is not None:
            return self._given_slopes(z, y), self.residuals(z, y)
        columns = self.columns(self._evaluate(self._slots_of(z), y), m)
        r = xp.stack([broadcast(value_of(c), (m,), z) for c in columns], axis=1)
        zero = xp.zeros(m, dtype=z.dtype)
        S = [
            [broadcast(c.parts[(s,)], (m,), z) if isinstance(c, Number) and (s,) in c.parts else zero for c in columns]
            for s in range(self.slots)
        ]
        return xp.stack([xp.stack(row, axis=-1) for row in S], axis=1), r

    def residual_acceleration(
        self, activation: Activation, z: Array, a: Array, y: Array, dz: Array, ddz: Array
    ) -> Array:
        """d²R along the curve of the slots, (m, q), S^T ddz + dS^T dz: exact where R gives its own derivatives.

        Of derivatives by hand dS is their difference along dz, central, good to some ten digits.
        """
        xp, m = z.__array_namespace__(), z.shape[0]
        if self.derivatives is not None:
            near = float(np.finfo(z.dtype).eps) ** (1 / 3)
            step = near * (1 + abs(z).max()) / xp.maximum(abs(dz).max(), np.finfo(z.dtype).tiny)
            before, here, after = (self._given_slopes(z + h * dz, y) for h in (-step, 0.0, step))
            return (here * ddz[..., None]).sum(axis=1) + ((after - before) * dz[..., None]).sum(axis=1) / (2 * step)

        def along(slot: slice | int, shape: tuple[int, ...]) -> Number:
            pick = (0, slot) if shape == () else (slice(None), slot)
            return Number(z[pick], {(0,): dz[pick], (0, 0): ddz[pick]}, 2)

        columns = self.columns(self._evaluate(along, y), m)
        bent = [c.parts.get((0, 0), 0.0) if isinstance(c, Number) else 0.0 for c in columns]
        return xp.stack([broadcast(b, (m,), z) for b in bent], axis=1)

    # R and its parts

    def residuals(self, z: Array, y: Array) -> Array:
        """R, (m, q)."""
        m = z.shape[0]
        columns = self.columns(self._evaluate(self._plain(z), y), m)
        return z.__array_namespace__().stack([broadcast(value_of(c), (m,), z) for c in columns], axis=1)

    def field(self, z: Array, x: Array) -> Field:
        """u and its derivatives as arrays, from the slots."""
        return self._field(self._plain(z), x)

    def _plain(self, z: Array) -> Callable[..., Any]:
        """The slots as they are; on JAX as Numbers without parts, which NumPy's functions understand."""
        kept = Number if is_jax(z) else lambda array: array
        return lambda slot, shape: kept(z[(0, slot) if shape == () else (slice(None), slot)])

    def _slots_of(self, z: Array) -> Callable[..., Number]:
        """The slots as Numbers whose derivatives by themselves are 1."""

        def make(slot: slice | int, shape: tuple[int, ...]) -> Number:
            if isinstance(slot, int):
                return Number(z[0, slot], {(slot,): 1.0})
            units = np.eye(self.outputs, dtype=z.dtype)
            return Number(z[:, slot], {(slot.start + o,): units[o : o + 1] for o in range(self.outputs)})

        return make

    def _evaluate(self, make: Callable[..., Any], y: Array) -> Any:
        """The function of the slots that `make` makes."""
        d, jets = self.inputs, len(self.components.keys) * self.outputs
        x = y[:, :d]
        p = Unknown({name: make(jets + j, ()) for j, name in enumerate(self.names)})
        x_given = Number(x) if is_jax(x) else x
        arguments = (x_given, self._field(make, x), p, *([y[:, d:]] if self.given else []))
        return self.function(*arguments)

    def _field(self, make: Callable[..., Any], x: Array) -> Field:
        k, components = self.outputs, self.components

        def component(key: Key) -> Any:
            place = components.place(key)
            if place is None:
                raise ConfigurationError(
                    f"a residual asks for the derivative by {key}, and did not when it was first called: let it ask "
                    "for the same ones at all points."
                )
            return make(slice(place * k, (place + 1) * k), (k,))

        if self.transform is None:
            return Field(component)
        return Field(self._transformed(component, x))

    def _transformed(self, component: Callable[[Key], Any], x: Array) -> Callable[[Key], Any]:
        """The components of u = T(x, v), by the same arithmetic along the inputs."""
        assert self.transform is not None
        keys, order = self.components.keys, 2 if self.components.second else 1
        units = np.eye(self.inputs, dtype=x.dtype)
        along = {(i,): units[i : i + 1] for i in self.components.first}
        v = Number(component(()), {key: component(key) for key in keys if key}, order)
        u = self.transform(Number(x, along, order), v)
        require_transformed(u, v.shape)
        u = u if isinstance(u, Number) else Number(u, {}, order)

        def of(key: Key) -> Any:
            if key not in keys:
                return component(key)  # which refuses
            return u.value if not key else broadcast(u.parts.get(key, 0.0), v.shape, v.value)

        return of

    def columns(self, found: Any, m: int) -> list[Any]:
        """The residuals one by one, each (m,) or a number.

        Raises:
            ShapeError: R has another shape.
        """
        columns: list[Any] = []
        for r in found if isinstance(found, tuple | list) else (found,):
            shape = np.shape(value_of(r))
            if shape in ((), (m,)):
                columns.append(r)
            elif len(shape) == 2 and shape[0] == m and shape[1] <= MOST:
                columns += [r[:, j] for j in range(shape[1])]
            else:
                raise ShapeError(
                    f"a residual makes the shape {shape} of {m} points: return (m,), (m, q) or a tuple of such. x[:, 0]"
                    " is (m,) and u.value (m, k): write x[:, :1], or u.value[:, 0]."
                )
        return columns

    def _given_slopes(self, z: Array, y: Array) -> Array:
        """S from the user's own derivatives."""
        xp, m, k = z.__array_namespace__(), z.shape[0], self.outputs
        assert self.derivatives is not None
        x, names = y[:, : self.inputs], self.names
        make, jets = self._plain(z), len(self.components.keys) * k
        p = Unknown({name: make(jets + j, ()) for j, name in enumerate(names)})
        found = self.derivatives(Number(x) if is_jax(x) else x, self._field(make, x), p)
        found = found if isinstance(found, tuple | list) else (found,)
        if len(found) != self.count or not all(isinstance(slopes, Mapping) for slopes in found):
            raise ConfigurationError(
                f"derivatives gives {len(found)} of {sorted({type(slopes).__name__ for slopes in found})}, and a point "
                f"has {self.count} residuals: return one dict for each, as a tuple of them."
            )
        residuals = []
        for slopes in found:
            residuals.append(xp.concatenate(self._in_order(slopes, m, z), axis=1))
        return xp.stack(residuals, axis=-1)

    def _in_order(self, slopes: Mapping[Any, Any], m: int, z: Array) -> list[Array]:
        """One residual's derivatives by u_c, (m, k) each, and by every unknown, (m, 1)."""
        keys: Sequence[Any] = [key if key else "u" for key in self.components.keys]
        unknown = set(slopes) - {*keys, *self.names}
        if unknown:
            raise ConfigurationError(
                f"derivatives names {sorted(map(str, unknown))}, which the residual does not ask for: name "
                f"{[*keys, *self.names]}."
            )
        wide = [(key, self.outputs) for key in keys] + [(name, 1) for name in self.names]
        columns = []
        for key, width in wide:
            array = value_of(slopes.get(key, 0.0))
            array = array[:, None] if np.ndim(array) == 1 else array
            columns.append(broadcast(array, (m, width), z))
        return columns


def require_transformed(u: Any, shape: tuple[int, ...]) -> None:
    """Raise a ShapeError unless u = T(x, v) has the shape of v."""
    found = u.shape if isinstance(u, Number) else np.shape(u)
    if found != shape:
        raise ShapeError(
            f"hard makes the shape {found} of the network's output {shape}: return an array of that shape, as "
            "x[:, :1] * v is."
        )


def check_transform(transform: Any, x: np.ndarray, outputs: int) -> None:
    """Refuse a hard condition T(x, v) that is no function of points and output, or whose values are no u.

    Raises:
        ConfigurationError: it cannot be called so, or what it does has no derivative.
        ShapeError: it makes another shape than that of v.
    """
    if not callable(transform):
        raise ConfigurationError(f"hard is {transform!r}: give a function (x, v) of points and the network's output.")
    x = np.resize(x, (PROBED, x.shape[1]))
    ones = np.ones((PROBED, outputs))
    with _in_a_sentence("hard", "(x, v)", f"(m, {outputs})", PROBED):
        require_transformed(transform(x, Number(ones)), ones.shape)


def asked(residual: Residual, x: np.ndarray) -> Residual:
    """The residual with what it asks for and how many it makes, found by calling it once with ones at x (m, d).

    Raises:
        ConfigurationError: it does not take (x, u, p), or what it does to them has no derivative.
        ShapeError: it does not fit its points.
    """
    keys: set[Key] = set()
    x = np.resize(x, (PROBED, x.shape[1]))

    def note(key: Key) -> Any:
        keys.add(key)
        return Number(np.ones((len(x), residual.outputs)))

    extra = [np.ones((len(x), residual.outputs))] if residual.given else []
    unknowns = Unknown({name: Number(np.float64(1.0)) for name in residual.names})
    with _in_a_sentence("a residual", "(x, u, p)", "(m,), (m, q) or a tuple of such", len(x)):
        columns = residual.columns(residual.function(x, Field(note), unknowns, *extra), len(x))
        if any(np.asarray(value_of(column)).dtype.kind not in "biuf" for column in columns):
            raise TypeError("it returns no numbers")
    beyond = sorted({i for key in keys for i in key if i >= x.shape[1]})
    if beyond:
        raise ConfigurationError(
            f"a residual asks for the derivative by input {beyond[0]}, and points have {counted(x.shape[1], 'input')}: "
            f"they are numbered from 0, so {x.shape[1] - 1} is the last."
        )
    return replace(residual, components=Components.covering(keys), count=len(columns))


@contextmanager
def _in_a_sentence(what: str, arguments: str, returns: str, m: int) -> Iterator[None]:
    """Say what is wrong with a user's function that fails on m points."""
    try:
        with np.errstate(all="ignore"):
            yield
    except (ConfigurationError, ShapeError):
        raise
    except ValueError as error:
        raise ShapeError(
            f"{what} does not fit its {m} points ({error}): x[:, 0] is (m,) and u.value (m, k), so write x[:, :1], or "
            "u.value[:, 0]."
        ) from None
    except (TypeError, AttributeError, LookupError) as error:
        raise ConfigurationError(
            f"{what} cannot be used ({error}): write a function {arguments} of arithmetic and NumPy's functions that "
            f"returns {returns}."
        ) from None
