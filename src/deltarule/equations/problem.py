"""The objective of equations, conditions and data for one network.

    F = sum_e (w_e / N_e) sum_i (1/2) ‖R_e(x_i)‖² + (l2/2) sum w²

Each part is an `Objective` of a lifted network: jets of the layers, the unknowns, and the residual as its cost. Inputs
are scaled to [-1, 1]; `to_scaled` and `to_unscaled` convert the parameters of the first layer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from deltarule import trees
from deltarule.engine.rows import linearization_block
from deltarule.equations.equation import Equation
from deltarule.equations.residual import Residual, probe_residual
from deltarule.errors import ConfigurationError, ShapeError
from deltarule.network import backprop
from deltarule.network.activation import Activation
from deltarule.network.activations import ACTIVATIONS
from deltarule.network.backprop import Params
from deltarule.network.derivatives import Derivatives, arranged
from deltarule.network.layers import Layer
from deltarule.network.layers.jet import Components, Jet, Unknowns
from deltarule.network.network import Network, Sizes
from deltarule.objective import JointObjective, Objective

BLOCK = 4096  # points at which a solution is evaluated together
VALUE_ONLY = Components((), ())


@dataclass(frozen=True)
class Lifted:
    """A network whose outputs are the jet of u and the unknowns, and whose cost is a residual.

    It has the attributes of a `Network` that backpropagation, curvature and objective use.
    """

    layers: tuple[Layer, ...]
    cost: Residual

    is_recurrent: ClassVar[bool] = False
    can_refit: ClassVar[bool] = False
    output_activation: ClassVar[Activation] = ACTIVATIONS["linear"]  # the identity

    @property
    def outputs(self) -> int:
        """The number of residuals of a point."""
        return self.cost.count

    def sizes(self, params: Params) -> Sizes:
        """The sizes that determine the form of a step: n, the residuals of a point, and the width of the Gram."""
        shapes = [{name: array.shape for name, array in p.items()} for p in params]
        gram = sum(layer.gram_width(own, self.outputs) for layer, own in zip(self.layers, shapes, strict=True))
        return Sizes(trees.size(params), 0, self.outputs, 1, 0, 0, gram)


def lift(net: Network, cost: Residual) -> Lifted:
    """Return the network with jets of the components that the residual needs."""
    jets = [Jet(layer, cost.components) for layer in net.layers]  # pyright: ignore[reportArgumentType]
    return Lifted((*jets, Unknowns(len(cost.names))), cost)


def misfit(x: Any, u: Any, p: Any, targets: Any) -> Any:
    """The residual of data, u - y; a module's function, so that JAX compiles it once."""
    return u.value - targets


@dataclass(frozen=True, eq=False)
class Problem:
    """A network, equations, unknowns and data, all checked.

    Args:
        net: a network of Dense layers with smooth activations.
        equations: the equations.
        names: the names of the unknowns.
        data: (X, Y), or None.
        data_weight: the weight of the data's mean square.
        transform: the hard condition, from the network's output to u, or None.
        engine, dtype: of the computation.
        centre, half: the centre and half the range of the inputs, (d,) each.
    """

    net: Network
    equations: tuple[Equation, ...]
    names: tuple[str, ...]
    data: tuple[np.ndarray, np.ndarray] | None
    data_weight: float
    transform: Callable[[Any, Any], Any] | None
    engine: Any
    dtype: np.dtype
    centre: np.ndarray
    half: np.ndarray

    def residual_of(self, equation: Equation, x: np.ndarray) -> Residual:
        """The cost of an equation, with the components that its residual uses."""
        return self._probed(equation.residual, x, derivatives=equation.derivatives)

    def _probed(self, function: Callable[..., Any], x: np.ndarray, **options: Any) -> Residual:
        return probe_residual(self._residual(function, VALUE_ONLY, x, **options), x.astype(self.dtype))

    def _residual(
        self, function: Callable[..., Any], components: Components, x: np.ndarray, **options: Any
    ) -> Residual:
        return Residual(function, components, x.shape[1], self.net.outputs, self.names, self.transform, **options)

    def parts(self, points: Sequence[np.ndarray]) -> list[Objective]:
        """The parts of F with weight 1, (1/N_e) sum (1/2) ‖R_e‖², of the equations at these points and of the data."""
        parts = []
        for i, (equation, x) in enumerate(zip(self.equations, points, strict=True)):
            try:
                parts.append(self.part(equation, x))
            except (ConfigurationError, ShapeError) as error:
                raise type(error)(f"equations[{i}] ({equation.name}): {error}") from None
        if self.data is not None:
            X, Y = self.data
            parts.append(self._part(self._probed(misfit, X, has_targets=True), X, Y))
        return parts

    def part(self, equation: Equation, x: np.ndarray) -> Objective:
        """The part of an equation at these points, with weight 1."""
        weight = None if np.ndim(equation.weight) == 0 else np.asarray(equation.weight, self.dtype)
        if weight is not None and weight.shape != (len(x),):
            raise ShapeError(
                f"weight of an equation has shape {weight.shape}, and it has {len(x)} points: give one number, or one "
                "for each point."
            )
        return self._part(self.residual_of(equation, x), x, weight=weight)

    def _part(self, cost: Residual, x: np.ndarray, targets: Any = None, weight: Any = None) -> Objective:
        lifted = lift(self.net, cost)
        y = x if targets is None else np.concatenate([x, targets], axis=1)
        jets = cost.components.seed(x.astype(self.dtype), self.centre, self.half)
        rows = self.engine.make_rows(jets, y.astype(self.dtype), weight)
        if rows.y.shape[0] > len(y):  # pad with the first point: at 0 a residual may not be finite
            xp = rows.y.__array_namespace__()
            is_point = xp.arange(rows.y.shape[0]) < len(y)
            rows = rows._replace(y=xp.where(is_point[:, None], rows.y, rows.y[:1]))
        width = sum(layer.n for layer in self.net.layers) * len(cost.components.keys)  # pyright: ignore
        block = linearization_block(rows.x.shape[0], width, 1)
        return Objective(lifted, rows, block, scale=1 / len(x))  # pyright: ignore[reportArgumentType]

    def weights(self) -> tuple[float, ...]:
        """The user's weights of equations and data; 1 for an equation with a weight for each point."""
        weights = (float(e.weight) if np.ndim(e.weight) == 0 else 1.0 for e in self.equations)
        return (*weights, *(() if self.data is None else (self.data_weight,)))

    def joint(self, parts: Sequence[Objective], weights: Sequence[float], l2: float | None) -> JointObjective:
        """Join the parts with these weights to F."""
        weighted = [replace(part, scale=w * part.scale) for part, w in zip(parts, weights, strict=True)]
        return JointObjective.of(weighted, l2)

    def to_scaled(self, params: Params) -> Params:
        """Convert parameters for the user's inputs to parameters for scaled inputs."""
        W, b = params[0]["W"], params[0]["b"]
        return [{"W": W * self.half, "b": b + W @ self.centre}, *params[1:]]

    def to_unscaled(self, params: Params) -> Params:
        """Convert parameters for scaled inputs to parameters for the user's inputs."""
        W = params[0]["W"] / self.half
        return [{"W": W, "b": params[0]["b"] - W @ self.centre}, *params[1:]]

    # Evaluation at points X (N, d) with the lifted network's parameters, by NumPy, in blocks of bounded memory

    def values(self, params: Params, X: np.ndarray) -> np.ndarray:
        """u, (N, k)."""
        return self._jet(params, X, VALUE_ONLY)[:, 0]

    def derivatives(self, params: Params, X: np.ndarray) -> Derivatives:
        """u, ∂u and ∂²u, with the hard condition."""
        d = X.shape[1]
        components = Components.covering([(i, j) for i in range(d) for j in range(i, d)])
        return arranged(self._jet(params, X, components), components, d)

    def residuals(self, params: Params, X: np.ndarray, equation: Equation) -> np.ndarray:
        """The residuals R of an equation, (N, q)."""
        cost = self.residual_of(equation, X)
        return self._over_blocks(params, X, cost, cost.residuals)

    def _jet(self, params: Params, X: np.ndarray, components: Components) -> np.ndarray:
        """u and the components, (N, C, k)."""
        cost = self._residual(lambda x, u, p: u.value, components, X)

        def of_block(z: np.ndarray, x: np.ndarray) -> np.ndarray:
            u = cost.field(z, x)
            arrays = [u.d(*key) if key else u.value for key in components.keys]
            return np.stack([np.broadcast_to(array, (len(x), cost.outputs)) for array in arrays], axis=1)

        return self._over_blocks(params, X, cost, of_block)

    def _over_blocks(self, params: Params, X: np.ndarray, cost: Residual, evaluate: Callable[..., Any]) -> np.ndarray:
        """Concatenate evaluate(z, x) over blocks of points x, with the slots z."""
        results, lifted = [], lift(self.net, cost)
        for x in (X[i : i + BLOCK] for i in range(0, len(X), BLOCK)):
            jets = cost.components.seed(x, self.centre, self.half)
            results.append(evaluate(backprop.forward(lifted, params, jets)[-1].a, x))  # pyright: ignore[reportArgumentType]
        return np.concatenate(results)


def scaling_of(points: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the centre of all points and half their range, (d,) each; 1 for a constant input."""
    low = np.min([x.min(axis=0) for x in points], axis=0)
    high = np.max([x.max(axis=0) for x in points], axis=0)
    half = (high - low) / 2
    return (low + high) / 2, np.where(half > 0, half, 1.0)
