"""`Feedback`: a NARX network of lags, layers and a fixed linear part; its free runs and their derivatives.

    y_t = B x_t + f(x_t),  x_t = (y_{t-j} of each output lag j, u_{t-j} of each input lag j)              (NARX)

Everything is in scaled units. B is fixed, (k, n_1): with persistence it adds y_{t-1}, so that f learns the change.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import lapack

from deltarule.curvature.linearization import Linearization, linearize
from deltarule.data.lagged import Lags, lagged
from deltarule.network import backprop
from deltarule.network.backprop import Params
from deltarule.network.network import Network

LIMIT = 30.0  # standard deviations from the mean from which a free run is unstable
LONG = 250  # steps from which on correcting a run takes less time than running it again
MAX_CORRECTIONS = 8  # Newton steps, after which the run is computed step by step
CLOSE = 1e-7  # after a smaller correction the next would only be rounding


@dataclass(frozen=True, eq=False)
class Feedback:
    """Layers whose outputs are fed back as inputs after the lags.

    Args:
        net: dense layers, the last one linear with the quadratic cost.
        lags: of outputs and inputs.
        inputs: m, how many inputs a step has.
        line: B, (k, n_1).
    """

    net: Network
    lags: Lags
    inputs: int
    line: np.ndarray = field(repr=False)

    @property
    def width(self) -> int:
        """n_1, the length of x_t."""
        return self.net.outputs * len(self.lags.outputs) + self.inputs * len(self.lags.inputs)

    def is_stable(self, run: np.ndarray) -> np.ndarray:
        """Whether each step of a run (.., D + H, k) after the first D lies within `LIMIT` standard deviations."""
        return np.asarray((np.abs(run[..., self.lags.max_lag :, :]) < LIMIT).all(axis=-1))

    def step(self, params: Params, X: np.ndarray) -> np.ndarray:
        """Predict y_t from rows x_t, (N, n_1) ↦ (N, k): one step ahead."""
        return X @ self.line.T + backprop.forward(self.net, params, X)[-1].a

    def free_run(self, params: Params, U: np.ndarray, start: np.ndarray, near: np.ndarray | None = None) -> np.ndarray:
        """K runs that are fed their own outputs.

        Args:
            params: of the network.
            U: inputs, (K, D + H, m), D the longest lag.
            start: the outputs of the first D steps, (K, D, k).
            near: the runs with similar parameters, (K, D + H, k), from which long runs are computed faster, with the
                same result except for rounding.

        Returns:
            (K, D + H, k), beginning with `start`; an unstable run has huge or infinite values or NaN.
        """
        if near is not None and U.shape[1] - self.lags.max_lag >= LONG:
            corrected = self._correct(params, U, start, near)
            if corrected is not None:
                return corrected
        k, D, n_y = self.net.outputs, self.lags.max_lag, self.net.outputs * len(self.lags.outputs)
        K, T = U.shape[:2]
        max_output_lag = self.lags.max_output_lag
        first = np.concatenate([params[0]["W"], self.line])  # the first layer and the linear part take the same x_t
        W_y = np.zeros((max_output_lag, k, len(first)))
        for place, j in enumerate(self.lags.outputs):
            W_y[max_output_lag - j] = first[:, place * k : (place + 1) * k].T
        W_y = W_y.reshape(max_output_lag * k, len(first))
        lagged_inputs = [U[:, D - j : T - j] for j in self.lags.inputs]
        drive = np.zeros((K, T - D, len(first)))
        if lagged_inputs:
            drive = np.concatenate(lagged_inputs, axis=2) @ first[:, n_y:].T
        h = len(params[0]["b"])
        drive[..., :h] += params[0]["b"]
        layers: Any = self.net.layers
        sigma = layers[0].sigma.sigma
        above = [(p["W"].T, p["b"], layer.sigma.sigma) for p, layer in zip(params[1:], layers[1:], strict=True)]
        Y = np.empty((K, T, k))
        Y[:, :D] = start
        for t in range(D, T):
            z = Y[:, t - max_output_lag : t].reshape(K, -1).dot(W_y)
            z += drive[:, t - D]
            a = sigma(z[:, :h])
            for W, b, activation in above:
                a = activation(a.dot(W) + b)
            np.add(a, z[:, h:], out=Y[:, t])
        return Y

    def _correct(self, params: Params, U: np.ndarray, start: np.ndarray, near: np.ndarray) -> np.ndarray | None:
        """The runs by Newton's method on all steps at once, starting from `near`; None if it does not converge.

        y_t - f(x_t) = 0 for all t, whose Jacobian is the I - C of (NARX): Y ← Y + (I - C)^-1 (f(X) - Y).
        """
        D = self.lags.max_lag
        Y = np.concatenate([start, near[:, D:]], axis=1)
        for _ in range(MAX_CORRECTIONS):
            unrolled = self.unroll(params, U, Y)
            correction = unrolled.propagate((unrolled.outputs - Y[:, D:]).reshape(-1, 1)).reshape(Y[:, D:].shape)
            largest = np.abs(correction).max()
            if not largest < LIMIT:
                return None
            Y[:, D:] += correction
            if largest < CLOSE:
                return Y
        return None

    def unroll(self, params: Params, U: np.ndarray, Y: np.ndarray) -> "Unrolled":
        """The free runs Y = free_run(params, U, ..), (K, D + H, k), linearised."""
        X = lagged(U, Y, self.lags)
        steps, X, k = X.shape[:2], X.reshape(-1, self.width), self.net.outputs
        lin = linearize(self.net, params, X, np.zeros((len(X), k)), np.ones(len(X)))
        errors = lin.errors()
        slope = self.net.layers[0].propagate(lin.passes[0], errors[0]) + self.line
        fed_back = slope[..., : k * len(self.lags.outputs)]
        return Unrolled(self, lin, errors, fed_back.reshape(*steps, k, len(self.lags.outputs), k))


class Unrolled(NamedTuple):
    """Linearised free runs, K runs of H steps, all steps at once.

    With C_j = dy_t/dy_{t-j} from backpropagation, a change dv_t that enters the runs propagates by

        dy_t = dv_t + sum_j C_j dy_{t-j}                                            (NARX)

    from the first step to the last: a triangular system I - C of small bandwidth.

    Attributes:
        model: the network with its feedback.
        lin: the linearised network at all K H rows x_t.
        errors: the backpropagated errors of each output, `lin.errors()`.
        slopes: C_j of every step, (K, H, k, output lags, k), the last axis for the outputs fed back.
    """

    model: Feedback
    lin: Linearization
    errors: list[np.ndarray]
    slopes: np.ndarray

    @property
    def outputs(self) -> np.ndarray:
        """B x_t + f(x_t) of every step, the output that follows from the ones before it, (K, H, k)."""
        a = self.lin.passes[-1].a + self.lin.passes[0].a_prev @ self.model.line.T
        return a.reshape(self.slopes.shape[:3])

    def jacobian(self) -> np.ndarray:
        """dy_t/dp, (K H k, n); dv_t is df/dp, which in open loop is the whole derivative."""
        return self.propagate(self.lin.jacobian_transpose(self.errors).T)

    def second_derivative(self, v: Params, slope: np.ndarray) -> np.ndarray:
        """d²y_t/ds² along the line p + s v, (K H k,), given `slope` = dy_t/ds, (K H k,).

        The rows x_t depend on s too, because they contain outputs; dv_t is the second derivative of f along both.
        """
        K, H, k = self.slopes.shape[:3]
        D, m = self.model.lags.max_lag, self.model.inputs
        outputs = np.concatenate([np.zeros((K, D, k)), slope.reshape(K, H, k)], axis=1)
        da = lagged(np.zeros((K, D + H, m)), outputs, self.model.lags).reshape(K * H, -1)
        dda = None
        for layer, dp, here in zip(self.model.net.layers, v, self.lin.passes, strict=True):
            ahead = layer.tangent(here, dp, da)
            dda, da = layer.second_tangent(here, ahead, dda)[1], ahead.da
        assert dda is not None
        return self.propagate(dda.reshape(-1, 1))[:, 0]

    def propagate(self, right: np.ndarray) -> np.ndarray:
        """(I - C)^-1 right, for right (K H k, columns)."""
        K, H, k = self.slopes.shape[:3]
        lags = self.model.lags.outputs
        # band[d, i] is the entry of row i + d and column i.
        band = np.zeros((max(lags, default=0) * k + k, K * H * k), order="F")
        column = np.arange(K * H * k).reshape(K, H, k)
        for place, j in enumerate(lags):
            for o in range(k):
                for source in range(k):
                    band[j * k + o - source, column[:, : max(H - j, 0), source]] = -self.slopes[:, j:, o, place, source]
        dtbtrs: Any = lapack.dtbtrs  # pyright: ignore[reportAttributeAccessIssue]
        return dtbtrs(band, right, uplo="L", diag="U")[0]

    def start_jacobian(self) -> np.ndarray:
        """The derivative of v_t by the outputs of the first D steps, (K, H k, D k)."""
        K, H, k = self.slopes.shape[:3]
        D = self.model.lags.max_lag
        moved = np.zeros((K, H, k, D, k))
        for place, j in enumerate(self.model.lags.outputs):
            for t in range(min(j, H)):
                moved[:, t, :, D + t - j] = self.slopes[:, t, :, place]
        return moved.reshape(K, H * k, D * k)
