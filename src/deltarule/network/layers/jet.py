"""A Dense layer that computes derivatives by the inputs with the values: (JET) forward, (BP-JET) back, (GRAM-JET).

A jet is (m, C, n): for each example the components c in {∅, i, ij} of z or a. s1, s2, s3, s4 are the derivatives of
sigma at z_∅:

    z_c = W a_c (+ b for c = ∅);  a_∅ = sigma(z_∅),  a_i = s1 z_i,  a_ij = s1 z_ij + s2 z_i z_j                  (JET)

A `Jet` has the interface of `Layer`, so backpropagation, J v, J^T u, J^T J, J J^T and Levenberg-Marquardt work for
differential equations as for targets.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from deltarule.arrays import Array
from deltarule.network.layers import Dense, Layer, LayerParams, Pass, Shape, Tangents

Key = tuple[int, ...]  # (), (i,) or (i, j) with i <= j


@dataclass(frozen=True)
class Components:
    """The components of a jet, in the order of its axis: the value, first derivatives, second derivatives.

    Args:
        first: the inputs i for which u_i is computed, in rising order.
        second: the pairs (i, j), i <= j, for which u_ij is computed; i and j are in `first`, because (JET) needs them.

    >>> Components.covering([(0,), (1, 0)]).keys
    ((), (0,), (1,), (0, 1))
    """

    first: tuple[int, ...]
    second: tuple[tuple[int, int], ...]

    @classmethod
    def covering(cls, keys: Iterable[Key]) -> "Components":
        """The fewest components from which these derivatives can be computed."""
        keys = [tuple(sorted(key)) for key in keys]
        first = sorted({i for key in keys for i in key})
        return cls(tuple(first), tuple(sorted({key for key in keys if len(key) == 2})))  # pyright: ignore[reportArgumentType]

    @property
    def keys(self) -> tuple[Key, ...]:
        """The index of every component."""
        return ((), *((i,) for i in self.first), *self.second)

    def place(self, key: Key) -> int | None:
        """The place of a component on the axis, None if it is not computed."""
        key = tuple(sorted(key))
        return self.keys.index(key) if key in self.keys else None

    @property
    def bends(self) -> list[tuple[int, int, int]]:
        """The places of u_ij, u_i and u_j for every second derivative."""
        begin = 1 + len(self.first)
        at = {i: 1 + place for place, i in enumerate(self.first)}
        return [(begin + place, at[i], at[j]) for place, (i, j) in enumerate(self.second)]

    def seed(self, x: Array, centre: Array, half: Array) -> Array:
        """The jet of the inputs, (m, C, d): a_∅ = (x - centre)/half, a_i = e_i/half_i, a_ij = 0."""
        xp, scale = x.__array_namespace__(), np.diag(1 / np.asarray(half))
        slopes = [xp.broadcast_to(xp.asarray(scale[i], dtype=x.dtype), x.shape) for i in self.first]
        return stacked([(x - centre) / half, *slopes, *[xp.zeros_like(x)] * len(self.second)])


def stacked(parts: list[Any]) -> Any:
    """The components (m, n) as one jet (m, C, n); each component is contiguous in memory."""
    return parts[0].__array_namespace__().stack(parts).swapaxes(0, 1)


@dataclass(frozen=True)
class Jet(Layer):
    """The jets of a Dense layer, with its parameters; its activation needs four derivatives."""

    dense: Dense
    components: Components

    @property
    def label(self) -> str:
        return f"{self.dense.label} with derivatives"

    @property
    def is_linear(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.dense.is_linear

    def gram_width(self, shapes: Mapping[str, Shape], outputs: int) -> int:
        return len(self.components.keys) ** 2 * self.dense.gram_width(shapes, outputs)

    def forward(self, params: LayerParams, a_prev: Array, key: Array | None = None) -> Pass:
        """(JET); the pass saves s1 and s2."""
        z = self._affine(params, a_prev)
        if self.is_linear:
            return Pass(params, a_prev, z, z)
        z0, sigma = z[:, 0], self.dense.sigma
        a0 = sigma.sigma(z0)
        s1, s2 = sigma.slope(z0, a0), sigma.curvature(z0, a0) if self.components.second else None
        parts = [a0, *(s1 * z[:, 1 + i] for i in range(len(self.components.first)))]
        parts += [s1 * z[:, ij] + s2 * (z[:, i] * z[:, j]) for ij, i, j in self.components.bends]
        return Pass(params, a_prev, z, stacked(parts), (s1, s2))

    def _affine(self, params: LayerParams, a_prev: Array) -> Array:
        """W a_c, plus b for the value."""
        xp, C = a_prev.__array_namespace__(), a_prev.shape[1]
        b = xp.concatenate([params["b"][None], xp.zeros((C - 1, self.dense.n), dtype=a_prev.dtype)])
        return self._product(params["W"], a_prev) + b

    def _product(self, W: Array, a: Array) -> Array:
        """W a_c for all components, by one matrix product."""
        m, C, _ = a.shape
        return (_flat(a) @ W.T).reshape(C, m, len(W)).swapaxes(0, 1)

    def _derivatives(self, values: Pass, order: int) -> list[Array]:
        """s1, s2, ... up to the order, at z_∅."""
        z, a, sigma = values.z[:, 0], values.a[:, 0], self.dense.sigma
        s1, s2 = values.memory
        s2 = sigma.curvature(z, a) if s2 is None else s2
        return [s1, s2, *(higher(z, a) for higher in sigma.higher[: order - 2])]

    def error(self, values: Pass, dC_da: Array) -> Array:
        """(BP-JET): z̄ from ā.

        z̄_ij = s1 ā_ij,  z̄_i = s1 ā_i + s2 sum_j (1 + [i = j]) z_j ā_ij,
        z̄_∅ = s1 ā_∅ + s2 (sum_i z_i ā_i + sum_ij z_ij ā_ij) + s3 sum_ij z_i z_j ā_ij
        """
        if self.is_linear:
            return dC_da
        bends = self.components.bends
        s1, s2, *rest = self._derivatives(values, 3 if bends else 2)
        z, back = values.z, [s1 * dC_da[:, c] for c in range(dC_da.shape[1])]
        if len(back) > 1:
            back[0] = back[0] + s2 * sum(z[:, c] * dC_da[:, c] for c in range(1, len(back)))
        if bends:
            back[0] = back[0] + rest[0] * sum(z[:, i] * z[:, j] * dC_da[:, ij] for ij, i, j in bends)
        for ij, i, j in bends:
            s2_bar = s2 * dC_da[:, ij]
            back[i] = back[i] + s2_bar * z[:, j]
            back[j] = back[j] + s2_bar * z[:, i]
        return stacked(back)

    def propagate(self, values: Pass, delta: Array) -> Array:
        """ā_c below = W^T z̄_c."""
        return self._product(values.params["W"].T, delta)

    def gradient(self, values: Pass, delta: Array) -> LayerParams:
        """dC/dW = sum_c z̄_c a_c^T, dC/db = z̄_∅, summed over the batch."""
        return {"W": _flat(delta).T @ _flat(values.a_prev), "b": delta[:, 0].sum(axis=0)}

    def tangent(self, values: Pass, dparams: LayerParams, da_prev: Array | None) -> Tangents:
        """(JET) differentiated along the line."""
        dz = self._affine(dparams, values.a_prev)
        if da_prev is not None:
            dz = dz + self._product(values.params["W"], da_prev)
        if self.is_linear:
            return Tangents(dparams, da_prev, dz, dz)
        bends = self.components.bends
        s1, s2, *rest = self._derivatives(values, 3 if bends else 2)
        z, s2_dot = values.z, s2 * dz[:, 0]
        da = [s1 * dz[:, 0], *(s1 * dz[:, c] + s2_dot * z[:, c] for c in range(1, dz.shape[1]))]
        for ij, i, j in bends:
            zz, dzz = z[:, i] * z[:, j], dz[:, i] * z[:, j] + z[:, i] * dz[:, j]
            da[ij] = da[ij] + rest[0] * dz[:, 0] * zz + s2 * dzz
        return Tangents(dparams, da_prev, dz, stacked(da))

    def second_tangent(self, values: Pass, tangents: Tangents, dda_prev: Array | None) -> tuple[Array, Array]:
        """(JET) differentiated twice: with t1 = d²s1/dt² = s3 dz² + s2 ddz and t2 = s4 dz² + s3 ddz of z_∅."""
        assert tangents.dparams is not None
        dz, ddz = tangents.dz, values.z.__array_namespace__().zeros_like(values.z)
        if tangents.da_prev is not None:
            ddz = 2 * self._product(tangents.dparams["W"], tangents.da_prev)
        if dda_prev is not None:
            ddz = ddz + self._product(values.params["W"], dda_prev)
        if self.is_linear:
            return ddz, ddz
        bends = self.components.bends
        s1, s2, s3, *rest = self._derivatives(values, 4 if bends else 3)
        z, d, dd = values.z, dz[:, 0], ddz[:, 0]
        t1 = s3 * d * d + s2 * dd
        bent = [s2 * d * d + s1 * dd]
        bent += [s1 * ddz[:, c] + 2 * s2 * d * dz[:, c] + t1 * z[:, c] for c in range(1, dz.shape[1])]
        for ij, i, j in bends:
            zz, dzz = z[:, i] * z[:, j], dz[:, i] * z[:, j] + z[:, i] * dz[:, j]
            ddzz = ddz[:, i] * z[:, j] + 2 * dz[:, i] * dz[:, j] + z[:, i] * ddz[:, j]
            bent[ij] = bent[ij] + s2 * ddzz + 2 * s3 * d * dzz + (rest[0] * d * d + s3 * dd) * zz
        return ddz, stacked(bent)

    def jacobian_transpose(self, values: Pass, delta: Array) -> list[tuple[Array, Array]]:
        """dr/dW = sum_c z̄_c a_c^T, dr/db = z̄_∅, for delta (m, q, C, n)."""
        (m, q, C, n), xp = delta.shape, delta.__array_namespace__()
        errors = delta.transpose(2, 3, 0, 1).reshape(C, n, m * q)
        inputs = values.a_prev.transpose(1, 2, 0)
        inputs = inputs if q == 1 else xp.repeat(inputs, q, axis=2)
        return [(errors, inputs), (errors[0], xp.ones((1, 1), dtype=delta.dtype))]

    def squared_jacobian(self, values: Pass, delta: Array) -> LayerParams:
        """sum over residuals of (sum_c z̄_c a_c)², multiplied out over pairs of components."""
        W = 0.0
        for c in range(delta.shape[2]):
            for e in range(c + 1):
                errors = (delta[:, :, c] * delta[:, :, e]).sum(axis=1)
                W = W + (1 if c == e else 2) * (errors.T @ (values.a_prev[:, c] * values.a_prev[:, e]))
        return {"W": W, "b": (delta[:, :, 0] ** 2).sum(axis=(0, 1))}

    def gram(self, a_prev: tuple[Array, Array], delta: tuple[Array, Array]) -> LayerParams:
        """sum_{c,c'} (Δ_c Δ_c'^T) ⊙ (A_c A_c'^T) for W, Δ_∅ Δ_∅^T for b (GRAM-JET)."""
        left, right = [_components(a, d) for a, d in zip(a_prev, delta, strict=True)]
        (m, q), (m2, q2) = delta[0].shape[:2], delta[1].shape[:2]
        same = delta[0] is delta[1] and a_prev[0] is a_prev[1]
        W, b = 0.0, None
        for c, (a, d) in enumerate(left):
            for e, (a2, d2) in enumerate(right[: c + 1] if same else right):
                errors = (d @ d2.T).reshape(m, q, m2, q2)
                b = errors if b is None else b
                term = errors * (a @ a2.T)[:, None, :, None]
                W = W + (term + term.transpose(2, 3, 0, 1) if same and e < c else term)
        return {"W": W, "b": b}


def _flat(jet: Array) -> Array:
    """The components of all examples as rows, (C m, n)."""
    return jet.swapaxes(0, 1).reshape(-1, jet.shape[-1])


def _components(a: Array, delta: Array) -> list[tuple[Array, Array]]:
    """The inputs (m, n') and the errors (m q, n) of each component."""
    m, q, C, n = delta.shape
    return [(a[:, c], delta[:, :, c].reshape(m * q, n)) for c in range(C)]


@dataclass(frozen=True)
class Unknowns(Layer):
    """The last layer of a lifted network: one row with the jet of the outputs and then `count` unknown coefficients.

    Its parameters are {"theta": (count,)}, or {} if there are none; ∂R/∂theta is their row of J.
    """

    count: int

    weights: ClassVar[tuple[str, ...]] = ()

    def forward(self, params: LayerParams, a_prev: Array, key: Array | None = None) -> Pass:
        """(m, C k + count); entry C k + j of every row is theta_j."""
        z = self._join(a_prev, params.get("theta"))
        return Pass(params, a_prev, z, z)

    def _join(self, jet: Array, theta: Array | None) -> Array:
        xp, m = jet.__array_namespace__(), jet.shape[0]
        flat = jet.reshape(m, -1)
        return flat if theta is None else xp.concatenate([flat, xp.broadcast_to(theta, (m, self.count))], axis=1)

    def _split(self, delta: Array) -> Array:
        """The entries of the unknowns on the last axis."""
        return delta[..., delta.shape[-1] - self.count :]

    def error(self, values: Pass, dC_da: Array) -> Array:
        return dC_da

    def propagate(self, values: Pass, delta: Array) -> Array:
        jet = delta[:, : delta.shape[1] - self.count].reshape(values.a_prev.shape)
        return stacked([jet[:, c] for c in range(jet.shape[1])])

    def gradient(self, values: Pass, delta: Array) -> LayerParams:
        return {"theta": self._split(delta).sum(axis=0)} if self.count else {}

    def tangent(self, values: Pass, dparams: LayerParams, da_prev: Array | None) -> Tangents:
        dz = self._join(_or_zeros(da_prev, values.a_prev), dparams.get("theta"))
        return Tangents(dparams, da_prev, dz, dz)

    def second_tangent(self, values: Pass, tangents: Tangents, dda_prev: Array | None) -> tuple[Array, Array]:
        """The second derivative of theta is 0."""
        theta = values.params.get("theta")
        ddz = self._join(_or_zeros(dda_prev, values.a_prev), None if theta is None else 0 * theta)
        return ddz, ddz

    def jacobian_transpose(self, values: Pass, delta: Array) -> list[tuple[Array, Array]]:
        if not self.count:
            return []
        one = delta.__array_namespace__().ones((1, 1), dtype=delta.dtype)
        return [(self._split(delta).reshape(-1, self.count).T, one)]

    def squared_jacobian(self, values: Pass, delta: Array) -> LayerParams:
        return {"theta": (self._split(delta) ** 2).sum(axis=(0, 1))} if self.count else {}

    def gram(self, a_prev: tuple[Array, Array], delta: tuple[Array, Array]) -> LayerParams:
        if not self.count:
            return {}
        left, right = (self._split(d) for d in delta)
        product = left.reshape(-1, self.count) @ right.reshape(-1, self.count).T
        return {"theta": product.reshape(*left.shape[:2], *right.shape[:2])}


def _or_zeros(jet: Array | None, like: Array) -> Array:
    """The tangent of a jet, zeros for None."""
    return like.__array_namespace__().zeros_like(like) if jet is None else jet


def lifted_params(params: list[Any], theta: Array) -> list[Any]:
    """The parameters of the lifted network: those of the network, then the unknowns."""
    return [*params, {"theta": theta} if len(theta) else {}]
