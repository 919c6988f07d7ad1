"""A residual R(x, u, u_i, u_ij, theta) as the cost of a lifted network, C = (1/2) ‖R‖², and its exact derivatives.

The outputs of a lifted network are the slots of R: the jet of u, component by component, and theta behind it. So S, the
factor of Gauss-Newton, holds ∂R/∂u_c and ∂R/∂theta, which seed (BP-JET), and r is R itself.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltarule.arrays import Array, is_jax
from deltarule.equations.pointwise import Number, as_number, broadcast, value_of
from deltarule.errors import ConfigurationError, ShapeError, pluralized
from deltarule.network.activation import Activation
from deltarule.network.cost import Cost
from deltarule.network.layers.jet import Components, Key

MOST = 64  # residuals of one point
SHAPES = "x[:, 0] is (m,) and u.value (m, k): write x[:, :1], or u.value[:, 0]."
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
    derivatives: Callable[..., Any] | None = None
    given: bool = False
    count: int = 1

    name = "residual"

    @property
    def slots(self) -> int:
        """How many numbers R is a function of: C k + the unknowns."""
        return len(self.components.keys) * self.outputs + len(self.names)

    # What the curvature and the trainers ask of a cost

    def value(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        r = self.residuals(z, y)
        return 0.5 * (r * r).sum(axis=-1)

    def output_error(self, activation: Activation, z: Array, a: Array, y: Array) -> Array:
        """S R, (m, slots)."""
        S, r = self.gauss_newton(activation, z, a, y)
        return (S * r[:, None]).sum(axis=-1)

    def gauss_newton(self, activation: Activation, z: Array, a: Array, y: Array) -> tuple[Array, Array]:
        """S (m, slots, q), the partial derivatives of every residual, and R (m, q)."""
        if self.derivatives is not None:
            return self._given_slopes(z, y), self.residuals(z, y)
        xp, m = z.__array_namespace__(), z.shape[0]
        units = np.eye(self.outputs, dtype=z.dtype)

        def seeded(slot: slice | int) -> Number:  # whose derivatives by themselves are 1
            if isinstance(slot, int):
                return Number(z[0, slot], {slot: 1.0})
            return Number(z[:, slot], {slot.start + o: units[o : o + 1] for o in range(self.outputs)})

        columns = [as_number(column) for column in self._evaluate(seeded, y)]
        S = [[broadcast(c.parts.get(s, 0.0), (m,), z) for c in columns] for s in range(self.slots)]
        return xp.stack([xp.stack(row, axis=-1) for row in S], axis=1), self._stacked(columns, z)

    def residual_acceleration(
        self, activation: Activation, z: Array, a: Array, y: Array, dz: Array, ddz: Array
    ) -> Array:
        """d²R along the curve of the slots, (m, q), S^T ddz + dS^T dz: exact where R gives its own derivatives.

        Of derivatives by hand dS is their difference along dz, central, good to some ten digits.
        """
        if self.derivatives is not None:
            xp, near = z.__array_namespace__(), float(np.finfo(z.dtype).eps) ** (1 / 3)
            step = near * (1 + abs(z).max()) / xp.maximum(abs(dz).max(), np.finfo(z.dtype).tiny)
            before, here, after = (self._given_slopes(z + h * dz, y) for h in (-step, 0.0, step))
            return (here * ddz[..., None]).sum(axis=1) + ((after - before) * dz[..., None]).sum(axis=1) / (2 * step)

        def along(slot: slice | int) -> Number:
            place = _place(slot)
            return Number(Number(z[place], {0: dz[place]}), {0: Number(dz[place], {0: ddz[place]})})

        return self._stacked([_part(_part(c, 0), 0) for c in self._evaluate(along, y)], z)

    # R and its parts

    def residuals(self, z: Array, y: Array) -> Array:
        """R, (m, q)."""
        return self._stacked(self._evaluate(self._plain(z), y), z)

    def field(self, z: Array, x: Array) -> Field:
        """u and its derivatives as arrays, from the slots."""
        return self._field(self._plain(z), x)

    def _stacked(self, columns: list[Any], z: Array) -> Array:
        full = [broadcast(value_of(c), (z.shape[0],), z) for c in columns]
        return z.__array_namespace__().stack(full, axis=1)

    def _plain(self, z: Array) -> Callable[..., Any]:
        """The slots as they are; on JAX as Numbers without parts, which NumPy's functions understand."""
        return lambda slot: _understood(z[_place(slot)])

    def _evaluate(self, make: Callable[..., Any], y: Array) -> list[Any]:
        """The residuals one by one, of the slots that `make` makes."""
        x, given = y[:, : self.inputs], [y[:, self.inputs :]] if self.given else []
        return self.columns(self.function(*self._arguments(make, x), *given), len(x))

    def _arguments(self, make: Callable[..., Any], x: Array) -> tuple[Any, Field, Unknown]:
        jets = len(self.components.keys) * self.outputs
        p = Unknown({name: make(jets + j) for j, name in enumerate(self.names)})
        return _understood(x), self._field(make, x), p

    def _field(self, make: Callable[..., Any], x: Array) -> Field:
        k = self.outputs

        def component(key: Key) -> Any:
            place = self.components.place(key)
            if place is None:
                raise ConfigurationError(
                    f"a residual asks for the derivative by {key}, and did not when it was first called: let it ask "
                    "for the same ones at all points."
                )
            return make(slice(place * k, (place + 1) * k))

        return Field(component if self.transform is None else self._transformed(component, x))

    def _transformed(self, component: Callable[[Key], Any], x: Array) -> Callable[[Key], Any]:
        """The components of u = T(x, v), by the same arithmetic along the inputs."""
        assert self.transform is not None
        units, keys, first = np.eye(self.inputs, dtype=x.dtype), self.components.keys, self.components.first

        def moving(key: Key) -> Number:  # a component of v with its own derivatives by the inputs
            further = {i: tuple(sorted((*key, i))) for i in first}
            return Number(component(key), {i: component(k) for i, k in further.items() if k in keys})

        slopes, v = {i: units[i : i + 1] for i in first}, Number(moving(()), {i: moving((i,)) for i in first})
        u = self.transform(Number(Number(x, slopes), slopes), v)

        def of(key: Key) -> Any:
            if key not in keys:
                return component(key)  # which refuses
            found = u
            for slot in (*key, None, None)[:2]:
                found = value_of(found) if slot is None else _part(found, slot)
            return broadcast(found, v.shape, component(()))

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
                    f"a residual makes the shape {shape} of {m} points: return (m,), (m, q) or a tuple of such. "
                    + SHAPES
                )
        return columns

    def _given_slopes(self, z: Array, y: Array) -> Array:
        """S from the user's own derivatives: of each residual those by u_c, (m, k) each, and by every unknown."""
        assert self.derivatives is not None
        xp, m = z.__array_namespace__(), z.shape[0]
        found = self.derivatives(*self._arguments(self._plain(z), y[:, : self.inputs]))
        found = found if isinstance(found, tuple | list) else (found,)
        if len(found) != self.count or not all(isinstance(slopes, Mapping) for slopes in found):
            raise ConfigurationError(
                f"derivatives gives {len(found)} of {sorted({type(slopes).__name__ for slopes in found})}, and a point "
                f"has {self.count} residuals: return one dict for each, as a tuple of them."
            )
        widths: dict[Any, int] = {key or "u": self.outputs for key in self.components.keys}
        widths |= dict.fromkeys(self.names, 1)
        residuals = []
        for slopes in found:
            unknown = set(slopes) - set(widths)
            if unknown:
                raise ConfigurationError(
                    f"derivatives names {sorted(map(str, unknown))}, which the residual does not ask for: name "
                    f"{list(widths)}."
                )
            columns = []
            for key, width in widths.items():
                array = value_of(slopes.get(key, 0.0))
                columns.append(broadcast(array[:, None] if np.ndim(array) == 1 else array, (m, width), z))
            residuals.append(xp.concatenate(columns, axis=1))
        return xp.stack(residuals, axis=-1)


def _place(slot: slice | int) -> tuple[Any, ...]:
    """Where a slot stands in z (m, slots): that of an unknown is the same in every row."""
    return (0, slot) if isinstance(slot, int) else (slice(None), slot)


def _part(number: Any, slot: int) -> Any:
    """The derivative by a slot; 0 where there is none."""
    return as_number(number).parts.get(slot, 0.0)


def _understood(array: Array) -> Any:
    """An array as NumPy's functions take it: one of JAX's as a Number."""
    return Number(array) if is_jax(array) else array


def check_transform(transform: Any, x: np.ndarray, outputs: int) -> None:
    """Refuse a hard condition T(x, v) that is no function of points and output, or whose values are no u.

    Raises:
        ConfigurationError: it cannot be called so, or what it does has no derivative.
        ShapeError: it makes another shape than that of v.
    """
    if not callable(transform):
        raise ConfigurationError(f"hard is {transform!r}: give a function (x, v) of points and the network's output.")
    ones = np.ones((PROBED, outputs))
    with _in_a_sentence("hard", "(x, v)", f"(m, {outputs})", PROBED):
        found = np.shape(value_of(transform(np.resize(x, (PROBED, x.shape[1])), Number(ones))))
    if found != ones.shape:
        raise ShapeError(
            f"hard makes the shape {found} of the network's output {ones.shape}: return an array of that shape, as "
            "x[:, :1] * v is."
        )


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
            f"a residual asks for the derivative by input {beyond[0]}, and points have "
            f"{pluralized(x.shape[1], 'input')}: they are numbered from 0, so {x.shape[1] - 1} is the last."
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
        raise ShapeError(f"{what} does not fit its {m} points ({error}). {SHAPES}") from None
    except (TypeError, AttributeError, LookupError) as error:
        raise ConfigurationError(
            f"{what} cannot be used ({error}): write a function {arguments} of arithmetic and NumPy's functions that "
            f"returns {returns}."
        ) from None
