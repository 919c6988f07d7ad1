"""A residual R(x, u, u_i, u_ij, theta) as the cost of a lifted network, C = (1/2) ‖R‖², with exact derivatives.

The outputs of a lifted network are the slots of R: the components of the jet of u, followed by theta. S, the factor of
Gauss-Newton, holds ∂R/∂u_c and ∂R/∂theta, with which (BP-JET) begins, and r is R itself.
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

MOST_RESIDUALS = 64  # of one point
SHAPES = "x[:, 0] is (m,) and u.value (m, k): write x[:, :1], or u.value[:, 0]."
PROBE_POINTS = MOST_RESIDUALS + 1  # points of the first call, so many that the shape (m, m) is an error


class Field:
    """The argument u of a residual: `u.value` (m, k), and the derivatives by inputs `u.d(i)` and `u.d(i, j)`."""

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
                f"a residual uses u.d{inputs}: give one or two numbers of inputs, from 0 on; for higher derivatives "
                "write a system with one more output."
            )
        return self._of(tuple(sorted(int(i) for i in inputs)))


class UnknownValues(dict):
    """The unknowns by name: p["nu"] or p.nu."""

    def __missing__(self, name: str) -> Any:
        raise ConfigurationError(
            f"a residual uses the unknown {name!r}, and there are {list(self)}: name it in unknowns."
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
        components: the derivatives of u that R uses.
        inputs: d. The targets y of the lifted network hold x, (m, d), and the data's targets after it.
        outputs: k, the outputs of u.
        names: the names of the unknowns.
        transform: the hard condition u = T(x, v) for the network's output v, or None.
        derivatives: the user's derivatives, or None: (x, u, p) ↦ {"u": ..., (i,): ..., (i, j): ..., name: ...}, or a
            tuple of such dicts, one for each residual of a point.
        has_targets: whether y holds targets after x, which the function takes as its fourth argument.
        count: q, the residuals of a point.
    """

    function: Callable[..., Any]
    components: Components
    inputs: int
    outputs: int
    names: tuple[str, ...] = ()
    transform: Callable[[Any, Any], Any] | None = None
    derivatives: Callable[..., Any] | None = None
    has_targets: bool = False
    count: int = 1

    name = "residual"

    @property
    def slots(self) -> int:
        """The number of slots of R: C k + the unknowns."""
        return len(self.components.keys) * self.outputs + len(self.names)

    # The interface of a cost

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
            return self._user_derivatives(z, y), self.residuals(z, y)
        xp, m = z.__array_namespace__(), z.shape[0]
        units = np.eye(self.outputs, dtype=z.dtype)

        def seeded(slot: slice | int) -> Number:  # a slot with derivative 1 by itself
            if isinstance(slot, int):
                return Number(z[0, slot], {slot: 1.0})
            return Number(z[:, slot], {slot.start + o: units[o : o + 1] for o in range(self.outputs)})

        columns = [as_number(column) for column in self._evaluate(seeded, y)]
        S = [[broadcast(c.parts.get(s, 0.0), (m,), z) for c in columns] for s in range(self.slots)]
        return xp.stack([xp.stack(row, axis=-1) for row in S], axis=1), self._stacked(columns, z)

    def residual_acceleration(
        self, activation: Activation, z: Array, a: Array, y: Array, dz: Array, ddz: Array
    ) -> Array:
        """d²R along the curve of the slots, (m, q): S^T ddz + dS^T dz.

        It is exact, except that for the user's derivatives dS is a central difference, good to about ten digits.
        """
        if self.derivatives is not None:
            xp, near = z.__array_namespace__(), float(np.finfo(z.dtype).eps) ** (1 / 3)
            step = near * (1 + abs(z).max()) / xp.maximum(abs(dz).max(), np.finfo(z.dtype).tiny)
            before, S, after = (self._user_derivatives(z + h * dz, y) for h in (-step, 0.0, step))
            return (S * ddz[..., None]).sum(axis=1) + ((after - before) * dz[..., None]).sum(axis=1) / (2 * step)

        def along(slot: slice | int) -> Number:
            place = _index(slot)
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
        """Return a function from slots to arrays; on JAX to Numbers without parts, on which NumPy's functions work."""
        return lambda slot: _for_numpy(z[_index(slot)])

    def _evaluate(self, make: Callable[..., Any], y: Array) -> list[Any]:
        """The residuals one by one, with slots made by `make`."""
        x, targets = y[:, : self.inputs], [y[:, self.inputs :]] if self.has_targets else []
        return self.columns(self.function(*self._arguments(make, x), *targets), len(x))

    def _arguments(self, make: Callable[..., Any], x: Array) -> tuple[Any, Field, UnknownValues]:
        jets = len(self.components.keys) * self.outputs
        p = UnknownValues({name: make(jets + j) for j, name in enumerate(self.names)})
        return _for_numpy(x), self._field(make, x), p

    def _field(self, make: Callable[..., Any], x: Array) -> Field:
        k = self.outputs

        def component(key: Key) -> Any:
            place = self.components.place(key)
            if place is None:
                raise ConfigurationError(
                    f"a residual uses the derivative by {key}, and did not when it was first called: use the same "
                    "derivatives at all points."
                )
            return make(slice(place * k, (place + 1) * k))

        return Field(component if self.transform is None else self._transformed(component, x))

    def _transformed(self, component: Callable[[Key], Any], x: Array) -> Callable[[Key], Any]:
        """The components of u = T(x, v), by forward-mode differentiation along the inputs."""
        assert self.transform is not None
        units, keys, first = np.eye(self.inputs, dtype=x.dtype), self.components.keys, self.components.first

        def differentiable(key: Key) -> Number:  # a component of v with its derivatives by the inputs
            further = {i: tuple(sorted((*key, i))) for i in first}
            return Number(component(key), {i: component(k) for i, k in further.items() if k in keys})

        slopes = {i: units[i : i + 1] for i in first}
        v = Number(differentiable(()), {i: differentiable((i,)) for i in first})
        u = self.transform(Number(Number(x, slopes), slopes), v)

        def of(key: Key) -> Any:
            if key not in keys:
                return component(key)  # raises the error
            derivative = u
            for slot in (*key, None, None)[:2]:
                derivative = value_of(derivative) if slot is None else _part(derivative, slot)
            return broadcast(derivative, v.shape, component(()))

        return of

    def columns(self, returned: Any, m: int) -> list[Any]:
        """Split what R returned into residuals, each (m,) or a number.

        Raises:
            ShapeError: R has another shape.
        """
        columns: list[Any] = []
        for r in returned if isinstance(returned, tuple | list) else (returned,):
            shape = np.shape(value_of(r))
            if shape in ((), (m,)):
                columns.append(r)
            elif len(shape) == 2 and shape[0] == m and shape[1] <= MOST_RESIDUALS:
                columns += [r[:, j] for j in range(shape[1])]
            else:
                raise ShapeError(
                    f"a residual returns the shape {shape} for {m} points: return (m,), (m, q) or a tuple of such. "
                    + SHAPES
                )
        return columns

    def _user_derivatives(self, z: Array, y: Array) -> Array:
        """S, (m, slots, q), from the user's derivatives."""
        assert self.derivatives is not None
        xp, m = z.__array_namespace__(), z.shape[0]
        dicts = self.derivatives(*self._arguments(self._plain(z), y[:, : self.inputs]))
        dicts = dicts if isinstance(dicts, tuple | list) else (dicts,)
        if len(dicts) != self.count or not all(isinstance(slopes, Mapping) for slopes in dicts):
            raise ConfigurationError(
                f"derivatives returns {len(dicts)} of {sorted({type(slopes).__name__ for slopes in dicts})}, and a "
                f"point has {self.count} residuals: return a tuple with one dict for each."
            )
        widths: dict[Any, int] = {key or "u": self.outputs for key in self.components.keys}
        widths |= dict.fromkeys(self.names, 1)
        residuals = []
        for slopes in dicts:
            unknown = set(slopes) - set(widths)
            if unknown:
                raise ConfigurationError(
                    f"derivatives names {sorted(map(str, unknown))}, which the residual does not use: name "
                    f"{list(widths)}."
                )
            columns = []
            for key, width in widths.items():
                array = value_of(slopes.get(key, 0.0))
                columns.append(broadcast(array[:, None] if np.ndim(array) == 1 else array, (m, width), z))
            residuals.append(xp.concatenate(columns, axis=1))
        return xp.stack(residuals, axis=-1)


def _index(slot: slice | int) -> tuple[Any, ...]:
    """The index of a slot in z (m, slots); an unknown is the same in every row, so its first one is taken."""
    return (0, slot) if isinstance(slot, int) else (slice(None), slot)


def _part(number: Any, slot: int) -> Any:
    """The derivative by a slot, 0 if it is missing."""
    return as_number(number).parts.get(slot, 0.0)


def _for_numpy(array: Array) -> Any:
    """Wrap an array of JAX in a Number, so that NumPy's functions work on it."""
    return Number(array) if is_jax(array) else array


def check_transform(transform: Any, x: np.ndarray, outputs: int) -> None:
    """Check a hard condition T(x, v).

    Raises:
        ConfigurationError: it cannot be called with x and v, or cannot be differentiated.
        ShapeError: it returns another shape than that of v.
    """
    if not callable(transform):
        raise ConfigurationError(f"hard is {transform!r}: give a function (x, v) of points and the network's output.")
    ones = np.ones((PROBE_POINTS, outputs))
    with _explain_errors("hard", "(x, v)", f"(m, {outputs})", PROBE_POINTS):
        shape = np.shape(value_of(transform(np.resize(x, (PROBE_POINTS, x.shape[1])), Number(ones))))
    if shape != ones.shape:
        raise ShapeError(
            f"hard returns the shape {shape} for the network's output {ones.shape}: return an array of that shape, "
            "such as x[:, :1] * v."
        )


def probe_residual(residual: Residual, x: np.ndarray) -> Residual:
    """Call a residual once with ones at x (m, d), and return it with the components that it uses and its count.

    Raises:
        ConfigurationError: it does not take (x, u, p), or cannot be differentiated.
        ShapeError: it returns a wrong shape.
    """
    keys: set[Key] = set()
    x = np.resize(x, (PROBE_POINTS, x.shape[1]))

    def record(key: Key) -> Any:
        keys.add(key)
        return Number(np.ones((len(x), residual.outputs)))

    extra = [np.ones((len(x), residual.outputs))] if residual.has_targets else []
    unknowns = UnknownValues({name: Number(np.float64(1.0)) for name in residual.names})
    with _explain_errors("a residual", "(x, u, p)", "(m,), (m, q) or a tuple of such", len(x)):
        columns = residual.columns(residual.function(x, Field(record), unknowns, *extra), len(x))
        if any(np.asarray(value_of(column)).dtype.kind not in "biuf" for column in columns):
            raise TypeError("it returns no numbers")
    beyond = sorted({i for key in keys for i in key if i >= x.shape[1]})
    if beyond:
        raise ConfigurationError(
            f"a residual uses the derivative by input {beyond[0]}, and points have "
            f"{pluralized(x.shape[1], 'input')}: they are numbered from 0, so {x.shape[1] - 1} is the last."
        )
    return replace(residual, components=Components.covering(keys), count=len(columns))


@contextmanager
def _explain_errors(what: str, arguments: str, returns: str, m: int) -> Iterator[None]:
    """Explain an exception of a user's function at m points."""
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
