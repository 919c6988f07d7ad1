"""The residuals as a linear function of the parameters: r(p + s) ≈ r + J s, with products by J that do not form it.

J = dr/dp has one row for each residual: (i, o) is residual o of example i. Seeding BP2 with column o of the cost's
factor S gives the errors Delta^l of that residual, and BP3, BP4 on them its row of J. J v is one forward pass of
tangents and J^T u one backward pass; each costs about as much as a gradient.

If a network has outputs at every step of a sequence, J can also be computed forward with the sequence (RTRL):

    S_t = dh_t/dp = diag(sigma'(z_t)) (V S_{t-1} + [x_t, h_{t-1}, 1] in the places of W, V, b)                   (RTRL)

(RTRL) carries one tangent for each parameter, (BPTT) one error for each residual. With n parameters and k outputs at
each of T steps they take n and T k runs through the sequence, so the recursion is used if n < T k.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from deltarule import engine, trees
from deltarule.arrays import Array
from deltarule.network import backprop
from deltarule.network.backprop import Direction, Params
from deltarule.network.layers import LayerParams, Pass
from deltarule.trees import register

if TYPE_CHECKING:
    from deltarule.network.network import Network


class NormalEquations(NamedTuple):
    """sum_i w_i C_i, J^T r (n,) and J^T J (n, n)."""

    cost: Array
    gradient: Array
    hessian: Array


@dataclass(frozen=True)
class Linearization:
    """A network at one point of its parameters and a block of examples.

    Attributes:
        net: the network; static where JAX compiles.
        passes: the forward pass of each layer.
        y: the targets.
        root: √w_i, (m,).
        cost: sum_i w_i C_i.
        S: the factor of the cost's curvature times √w_i, (m, k, k); (m, T, k, k) for outputs at T steps.
        r: the residuals times √w_i, (m, k), so that J^T r is the gradient of the cost and J^T J its Gauss-Newton
            matrix; (m, T, k) for outputs at T steps.
    """

    net: "Network"
    passes: Sequence[Pass]
    y: Array
    root: Array
    cost: Array
    S: Array
    r: Array

    @property
    def params(self) -> Params:
        """The parameters p."""
        return [values.params for values in self.passes]

    def errors(self) -> list[Array]:
        """Delta^l of every residual, (m, k, n_l) for each layer: BP2 seeded with the columns of S."""

        def backward(seed: Array) -> list[Array]:
            return backprop.errors(self.net, self.passes, seed)

        if self.S.ndim == 3:
            return engine.of(self.S).map_columns(backward, self.S)
        # The residual of a step has an error of 0 at all other steps. All residuals go back together, on a first axis.
        m, T, k, _ = self.S.shape
        xp = self.S.__array_namespace__()
        seeds = xp.einsum("mtjo,ts->tomsj", self.S, xp.eye(T, dtype=self.S.dtype)).reshape(T * k, m, T, k)
        return [xp.moveaxis(errors, 0, 1) for errors in backward(seeds)]

    def jacobian_transpose(self, errors: list[Array] | None = None) -> Array:
        """J^T, (n, m k), rows in the order of `trees.ravel(params)`; pass `errors()` if they are computed already.

        It is transposed because J^T J then contracts the contiguous axis, more than twice as fast on a CPU as J.T @ J.
        """
        if errors is None and self.forward_is_cheaper():
            return self.recursion()
        parts = zip(self.net.layers, self.passes, errors or self.errors(), strict=True)
        pairs = [pair for layer, values, delta in parts for pair in layer.jacobian_transpose(values, delta)]
        return engine.of(self.r).khatri_rao_rows(pairs)

    def normal_equations(self, J: Array | None = None) -> NormalEquations:
        """J^T r and J^T J of one Gauss-Newton step; pass `jacobian_transpose()` if it is computed already.

        Summed over blocks they take n² numbers and one block's J, however many examples there are.
        """
        J = self.jacobian_transpose() if J is None else J
        return NormalEquations(self.cost, J @ self.r.reshape(-1), engine.of(self.r).symmetric_product(J))

    def squared_jacobian(self, errors: list[Array] | None = None) -> Params:
        """The diagonal of J^T J in the shape of the parameters; pass `errors()` if they are computed already."""
        if errors is None and self.forward_is_cheaper():
            rows = self.recursion()
            return trees.unravel((rows * rows).sum(axis=1), self.params)
        parts = zip(self.net.layers, self.passes, errors or self.errors(), strict=True)
        return [layer.squared_jacobian(values, delta) for layer, values, delta in parts]

    def product(self, v: Direction) -> Array:
        """J v = S^T dz^L, in the shape of r: one forward pass of tangents."""
        return self._residual_tangent(backprop.tangents(self.net, self.passes, v)[-1].dz)

    def transpose_product(self, u: Array) -> Params:
        """J^T u for u of the shape of r, in the shape of the parameters: one backward pass seeded with S u."""
        seed = (self.S * u[..., None, :]).sum(axis=-1)
        return backprop.gradients(self.net, self.passes, backprop.errors(self.net, self.passes, seed))

    def acceleration(self, v: Direction) -> Array:
        """d²r/dt² along the straight line p + t v, in the shape of r: a second forward pass, of the tangents."""
        dda, ddz = None, None
        tangents = backprop.tangents(self.net, self.passes, v)
        for layer, values, tangent in zip(self.net.layers, self.passes, tangents, strict=True):
            ddz, dda = layer.second_tangent(values, tangent, dda)
        assert ddz is not None
        net, out = self.net, self.passes[-1]
        ddr = net.cost.residual_acceleration(net.output_activation, out.z, out.a, self.y, tangents[-1].dz, ddz)
        return backprop.with_trailing_axes(self.root, ddr) * ddr

    def forward_is_cheaper(self) -> bool:
        """Whether (RTRL) costs less than backpropagation, n < T k, and every layer has `unit_tangent`."""
        if self.r.ndim < 3 or not all(layer.unit_tangents for layer in self.net.layers):
            return False
        return trees.size(self.params) < self.r.shape[1] * self.r.shape[2]

    def recursion(self) -> Array:
        """J^T by (RTRL)."""
        da = dz = None
        for layer, values in zip(self.net.layers, self.passes, strict=True):
            dz, da = layer.unit_tangent(values, da)
        assert dz is not None
        return self._residual_tangent(dz).reshape(len(dz), -1)

    def _residual_tangent(self, dz: Array) -> Array:
        """dr = S^T dz, the tangent of the residuals for a tangent dz of z^L."""
        return (self.S * dz[..., None]).sum(axis=-2)


register(Linearization, leaves=("passes", "y", "root", "cost", "S", "r"))


def linearize(net: "Network", params: Params, x: Array, y: Array, weight: Array) -> Linearization:
    """Run the examples forward and factor the curvature of their cost."""
    passes = backprop.forward(net, params, x)
    out = passes[-1]
    S, r = net.cost.gauss_newton(net.output_activation, out.z, out.a, y)
    root = weight.__array_namespace__().sqrt(weight)
    cost = (weight * backprop.output_cost(net, out, y)).sum()
    factor = backprop.with_trailing_axes(root, r)
    return Linearization(net, passes, y, root, cost, factor[..., None] * S, factor * r)


def errors_along(errors: list[Array], u: Array) -> list[Array]:
    """delta^l = sum_o u_o Delta^l_o, (m, n_l): the errors that a backward pass seeded with S u would give.

    BP2 is linear in the output error, so nothing has to be propagated again. BP3 and BP4 on these errors are J^T u, and
    as a `Direction` they stand for J^T u without forming it.
    """
    u = u.reshape(len(u), -1)
    if u.shape[1] == 1:
        return [error[:, 0] * u.reshape(-1, *[1] * (error.ndim - 2)) for error in errors]
    return [error.__array_namespace__().einsum("mo...,mo->m...", error, u) for error in errors]


def gram(
    left: Linearization,
    right: Linearization,
    group: Callable[[int, str], str] | None = None,
    errors: tuple[list[Array], list[Array]] | None = None,
    covariance: Sequence[LayerParams] | None = None,
) -> dict[str, Array]:
    """J_left J_right^T, summed within groups of parameters, or J_left D^-1 J_right^T.

    Args:
        left: m examples, k residuals each.
        right: m' examples, at the same parameters.
        group: the group of a parameter, from its layer's index and its name; None puts all in the group "all".
        errors: `errors()` of both, if they are computed already.
        covariance: D^-1 if it differs from input to input: for each layer {"W": (n_in,), "b": ()}. Scaling an input
            before its inner products scales all weights that leave it.

    Returns:
        The (m k, m' k) matrix of each group. Divided by d of its group and added up they are J D^-1 J^T.
    """
    if errors is None:
        left_errors = left.errors()
        errors = (left_errors, left_errors if right is left else right.errors())
    sums: dict[str, Array] = {}
    for i, layer in enumerate(left.net.layers):
        a, a2 = left.passes[i].a_prev, right.passes[i].a_prev
        a = a if covariance is None else a * covariance[i]["W"]
        terms = layer.gram((a, a2), (errors[0][i], errors[1][i]))
        if covariance is not None:
            terms = terms | {"b": covariance[i]["b"] * terms["b"]}
        for name, term in terms.items():
            key = "all" if group is None else group(i, name)
            sums[key] = sums[key] + term if key in sums else term
    return {key: total.reshape(left.r.size, right.r.size) for key, total in sums.items()}


def gram_diagonal(lin: Linearization, covariance: Sequence[LayerParams]) -> Array:
    """The diagonal of J D^-1 J^T, (m, k); `covariance` as in `gram`."""
    parts = zip(lin.net.layers, lin.passes, lin.errors(), covariance, strict=True)
    return sum(layer.gram_diagonal(values, d, D_inverse) for layer, values, d, D_inverse in parts)


def gram_traces(lin: Linearization, errors: list[Array], M: Array) -> list[LayerParams]:
    """tr(M J_g J_g^T) for a symmetric M (m k, m k), from `lin.errors()`. Each layer has {"W": (n_in,), "b": ()}: the
    groups g are the weights from each input, and the biases.
    """
    parts = zip(lin.net.layers, lin.passes, errors, strict=True)
    return [layer.gram_trace(values, d, M) for layer, values, d in parts]
