"""The registry of activations by name, and `add_activation`, which adds one.

Softmax mixes the neurons of a layer: its sigma' is a symmetric matrix, diag(a) - a a^T, so the same product serves the
backward pass (sigma'^T v) and the forward tangent (sigma' v).
"""

from deltarule import engine
from deltarule.arrays import Array
from deltarule.errors import ConfigurationError
from deltarule.network.activation import Activation, check_derivatives


class Softmax(Activation):
    """a_j = e^{z_j} / sum_k e^{z_k} over the last axis: the probabilities of the classes."""

    def times_slope(self, z: Array, a: Array, v: Array) -> Array:
        return softmax_times_slope(a, v)

    def slope_tangent(self, z: Array, a: Array, dz: Array, v: Array, dv: Array) -> Array:
        """The tangent of a ⊙ (v - ⟨a, v⟩)."""
        da = self.times_slope(z, a, dz)
        return self.times_slope(z, a, dv) + da * (v - _mean(a, v)) - a * _mean(da, v)


def softmax_times_slope(a: Array, v: Array) -> Array:
    """(diag(a) - a a^T) v, without forming the matrix."""
    return a * (v - _mean(a, v))


def _mean(a: Array, v: Array) -> Array:
    """sum_k a_k v_k of each row."""
    return (a * v).sum(axis=-1, keepdims=True)


def sigmoid(z: Array) -> Array:
    """1/(1 + e^-z)."""
    return engine.of(z).sigmoid(z)


def softplus(z: Array) -> Array:
    """ln(1 + e^z), without overflow for large z and exact for small z."""
    xp = z.__array_namespace__()
    return xp.maximum(z, 0) + xp.log1p(xp.exp(-xp.abs(z)))


def step(z: Array) -> Array:
    """The perceptron of [N] ch. 1: 1 where z > 0, else 0."""
    return (z > 0).astype(z.dtype)


def sigmoid_slope(z: Array, a: Array) -> Array:
    """sigma' of the sigmoid."""
    return a * (1 - a)


def sigmoid_curvature(z: Array, a: Array) -> Array:
    """sigma'' of the sigmoid."""
    return a * (1 - a) * (1 - 2 * a)


def sigmoid_third(z: Array, a: Array) -> Array:
    """sigma''' of the sigmoid."""
    return a * (1 - a) * (1 - 6 * a * (1 - a))


def zeros(z: Array, a: Array) -> Array:
    """0 everywhere."""
    return z.__array_namespace__().zeros_like(z)


def ones(z: Array, a: Array) -> Array:
    """1 everywhere."""
    return z.__array_namespace__().ones_like(z)


SOFTMAX_IN_C = """\
real largest = z[0], sum = 0;
int j;
for (j = 1; j < n; j++)
    if (z[j] > largest)
        largest = z[j];
for (j = 0; j < n; j++) {
    z[j] = exp(z[j] - largest); /* at most 1 */
    sum += z[j];
}
for (j = 0; j < n; j++)
    z[j] /= sum;"""
SOFTMAX_IN_ST = """\
largest := a[0];
FOR j := 1 TO LAST DO
    largest := MAX(largest, a[j]);
END_FOR;
total := 0.0;
FOR j := 0 TO LAST DO
    a[j] := EXP(a[j] - largest);
    total := total + a[j];
END_FOR;
FOR j := 0 TO LAST DO
    a[j] := a[j] / total;
END_FOR;"""
# max(z, 0) + ln(1 + e), e = e^-|z|. ONNX has no log1p: ln(u) e / (u - 1) with u = 1 + e keeps every digit of e.
SOFTPLUS_IN_ONNX = """\
e = Exp(-Abs(z)); u = e + 1; lost = Equal(u, 1);
Relu(z) + Where(lost, e, Log(u) * e / Where(lost, 1, u - 1))"""

ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation(
            "sigmoid",
            sigmoid,
            sigmoid_slope,
            sigmoid_curvature,
            higher=(sigmoid_third, lambda z, a: a * (1 - a) * (1 - 2 * a) * (1 - 12 * a * (1 - a))),
            initializer="new",
            words="1 / (1 + e^-z)",
            slope_words="a (1 - a)",
            written={
                "c": "real e = exp(z > 0 ? -z : z); /* never overflows */\nreturn (z > 0 ? 1 : e) / (1 + e);",
                "numpy": "np.where(z > 0, 1, np.exp(-np.abs(z))) / (1 + np.exp(-np.abs(z)))",
                "octave": "((z > 0) + (z <= 0) .* exp(-abs(z))) ./ (1 + exp(-abs(z)))",
                "onnx": "Sigmoid(z)",
                "st": "1.0 / (1.0 + EXP(-z))",
                "c_slope": "a * (1 - a)",
            },
        ),
        Activation(
            "tanh",
            lambda z: z.__array_namespace__().tanh(z),
            lambda z, a: 1 - a * a,
            lambda z, a: -2 * a * (1 - a * a),
            higher=(lambda z, a: (1 - a * a) * (6 * a * a - 2), lambda z, a: 8 * a * (1 - a * a) * (2 - 3 * a * a)),
            words="tanh z",
            slope_words="1 - a²",
            written={
                "c": "tanh(z)",
                "numpy": "np.tanh(z)",
                "octave": "tanh(z)",
                "onnx": "Tanh(z)",
                "st": "1.0 - 2.0 / (EXP(2.0 * z) + 1.0)",
                "c_slope": "1 - a * a",
            },
        ),
        Activation(
            "relu",
            lambda z: z.__array_namespace__().maximum(z, 0),
            lambda z, a: step(z),
            zeros,
            initializer="he",
            words="max(0, z)",
            slope_words="1 where z > 0, else 0",
            written={
                "c": "z > 0 ? z : 0",
                "numpy": "np.maximum(z, 0)",
                "octave": "max(z, 0)",
                "onnx": "Relu(z)",
                "st": "MAX(z, 0.0)",
                "c_slope": "a > 0 ? 1 : 0",
            },
        ),
        Activation(
            "softplus",
            softplus,
            lambda z, a: sigmoid(z),
            lambda z, a: sigmoid_slope(z, sigmoid(z)),
            higher=(lambda z, a: sigmoid_curvature(z, sigmoid(z)), lambda z, a: sigmoid_third(z, sigmoid(z))),
            initializer="he",
            words="ln(1 + e^z)",
            slope_words="1 / (1 + e^-z)",
            written={
                "c": "(z > 0 ? z : 0) + log1p(exp(z > 0 ? -z : z))",
                "numpy": "np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))",
                "octave": "max(z, 0) + log1p(exp(-abs(z)))",
                "onnx": SOFTPLUS_IN_ONNX,
                "st": "MAX(z, 0.0) + LN(1.0 + EXP(-ABS(z)))",
                "c_slope": "1 - exp(-a)",
            },
        ),
        Activation(
            "linear",
            lambda z: z,
            ones,
            zeros,
            higher=(zeros, zeros),
            words="z",
            slope_words="1",
            written={"c": "z", "numpy": "z", "octave": "z", "onnx": "z", "st": "z", "c_slope": "1"},
        ),
        Activation(
            "exponential",
            lambda z: z.__array_namespace__().exp(z),  # for outputs that are rates
            lambda z, a: a,
            lambda z, a: a,
            higher=(lambda z, a: a, lambda z, a: a),
            words="e^z",
            slope_words="a",
            written={
                "c": "exp(z)",
                "numpy": "np.exp(z)",
                "octave": "exp(z)",
                "onnx": "Exp(z)",
                "st": "EXP(z)",
                "c_slope": "a",
            },
        ),
        Activation(
            "elliotsig",
            lambda z: z / (1 + abs(z)),  # MATLAB's quick sigmoid of -1 to 1
            lambda z, a: (1 - abs(a)) ** 2,
            lambda z, a: -2 * z.__array_namespace__().sign(z) * (1 - abs(a)) ** 3,
            words="z / (1 + |z|)",
            slope_words="(1 - |a|)²",
            written={
                "c": "z / (1 + fabs(z))",
                "numpy": "z / (1 + np.abs(z))",
                "octave": "z ./ (1 + abs(z))",
                "onnx": "Softsign(z)",
                "st": "z / (1.0 + ABS(z))",
                "c_slope": "(1 - fabs(a)) * (1 - fabs(a))",
            },
        ),
        Activation(
            "step",
            step,
            zeros,
            zeros,
            initializer="old",
            words="1 where z > 0, else 0",
            slope_words="0",
            written={
                "c": "z > 0 ? 1 : 0",
                "numpy": "np.where(z > 0, 1, 0).astype(z.dtype)",
                "octave": "cast(z > 0, class(z))",
                "onnx": "Where(Greater(z, 0), 1, 0)",
                "st": "SEL(z > 0.0, 0.0, 1.0)",
            },
            trainable=False,
        ),
        Softmax(
            "softmax",
            lambda z: engine.of(z).softmax(z),
            sigmoid_slope,
            lambda z, a: a,
            words="e^z / sum e^z",
            slope_words="diag(a) - a a^T, a matrix, of which the diagonal is shown",
            written={
                "c": SOFTMAX_IN_C,
                "numpy": "(e := np.exp(z - z.max(axis=1, keepdims=True))) / e.sum(axis=1, keepdims=True)",
                "octave": "exp(z - max(z, [], 2)) ./ sum(exp(z - max(z, [], 2)), 2)",
                "onnx": "Softmax(z, axis=1)",
                "st": SOFTMAX_IN_ST,
            },
            elementwise=False,
        ),
    )
}


def get_activation(name: str) -> Activation:
    """The activation of that name; a ConfigurationError if it is not known."""
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ConfigurationError(
            f"activation {name!r} is not known: choose one of {', '.join(ACTIVATIONS)}, or add it first with "
            "deltarule.add_activation."
        )
    return ACTIVATIONS[name]


def add_activation(activation: Activation) -> Activation:
    """Add an activation, by its name, to layers, trainers, model files, the trace and exports of this process.

    Its derivatives are compared with differences at a few points.

    Returns:
        The activation.

    Raises:
        ConfigurationError: it is not an `Activation`, its name is taken, or its derivatives disagree with differences.
    """
    if not isinstance(activation, Activation):
        raise ConfigurationError(f"activation is {activation!r}: give a deltarule.Activation.")
    if activation.name.replace("-", "_") in (known.replace("-", "_") for known in ACTIVATIONS):  # C has no "-" in names
        raise ConfigurationError(f"activation {activation.name!r} exists already: choose another name.")
    if activation.trainable:
        check_derivatives(activation)
    ACTIVATIONS[activation.name] = activation
    return activation
