"""The trace of one example: every number of its forward and backward pass, and the equation that gives it."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from deltarule.arrays import Array
from deltarule.network import backprop
from deltarule.network.backprop import Params

if TYPE_CHECKING:
    from deltarule.network.network import Network


class LayerTrace(NamedTuple):
    """The numbers of one layer for one example, as NumPy arrays."""

    z: np.ndarray  # weighted input (2)
    a: np.ndarray  # activation (3)
    slope: np.ndarray  # sigma'(z); for softmax the diagonal of the matrix
    delta: np.ndarray  # the error (4): BP1 in the last layer, BP2 below
    dC_da: np.ndarray  # ∇_a C in the last layer, BP2' below
    gradients: dict[str, np.ndarray]  # BP3 and BP4, by the names of the parameters

    @property
    def dW(self) -> np.ndarray | None:
        """BP4 for the weights W, if the layer has them."""
        return self.gradients.get("W")

    @property
    def dV(self) -> np.ndarray | None:
        """BP4 for the recurrent weights V, if the layer has them."""
        return self.gradients.get("V")

    @property
    def db(self) -> np.ndarray | None:
        """BP3 for the biases b, if the layer has them."""
        return self.gradients.get("b")


class Trace(NamedTuple):
    """a^1 = x (1), the target, C_x and the numbers of every layer, with the equations behind them.

    `print(trace)` shows each equation above its numbers, with six digits.
    """

    x: np.ndarray
    y: np.ndarray
    cost: float
    layers: list[LayerTrace]
    equations: list[dict[str, str]]  # of each layer, see `equations`

    def __str__(self) -> str:
        """The forward pass from the first layer on, then the backward pass from the last."""
        lines = ["Forward pass", "a^1 = x   (1)", _in_digits(self.x)]
        pairs = list(zip(self.layers, self.equations, strict=True))
        for layer, formulas in pairs:
            for part in ("z", "a", "slope"):
                lines += [formulas[part], _in_digits(getattr(layer, part))]
        lines += ["y", _in_digits(self.y), f"C_x = {self.cost:.6g}", "", "Backward pass: delta^l = dC/dz^l   (4)"]
        for layer, formulas in reversed(pairs):
            arrays = {"dC_da": layer.dC_da, "delta": layer.delta}
            arrays |= {f"d{name}": gradient for name, gradient in layer.gradients.items()}
            for part, array in arrays.items():
                lines += [formulas.get(part, part), _in_digits(array)]
        return "\n".join(lines)


def _in_digits(values: np.ndarray) -> str:
    """The numbers with six digits, indented; of a large array the first and last ones of each axis."""
    text = np.array2string(values, max_line_width=118, threshold=200, formatter={"float_kind": "{:12.6g}".format})
    return "  " + text.replace("\n", "\n  ")


def trace(net: "Network", params: Params, x: Array, y: Array) -> Trace:
    """Run one example, x (1, n_1) and y (1, k), forward and back, and return all numbers."""
    passes = backprop.forward(net, params, x)
    out = passes[-1]
    delta = net.cost.output_error(net.output_activation, out.z, out.a, y)
    deltas = backprop.errors(net, passes, delta)
    grads = backprop.gradients(net, passes, deltas)
    layers = []
    for i, (layer, values) in enumerate(zip(net.layers, passes, strict=True)):
        if i + 1 < len(net.layers):
            dC_da = net.layers[i + 1].propagate(passes[i + 1], deltas[i + 1])
        else:
            dC_da = net.cost.slope(out.a, y)
        layers.append(
            LayerTrace(
                z=np.asarray(values.z[0]),
                a=np.asarray(values.a[0]),
                slope=np.asarray(layer.slope(values)[0]),
                delta=np.asarray(deltas[i][0]),
                dC_da=np.asarray(dC_da[0]),
                gradients={name: np.asarray(gradient) for name, gradient in grads[i].items()},
            )
        )
    cost, formulas = float(backprop.output_cost(net, out, y)[0]), [equations(net, i) for i in range(len(layers))]
    return Trace(np.asarray(x[0]), np.asarray(y[0]), cost, layers, formulas)


def equations(net: "Network", i: int) -> dict[str, str]:
    """The formula and the equation's number behind each array of `net.layers[i]`, layer l = i + 2 of the book."""
    l, last = i + 2, i + 1 == len(net.layers)  # noqa: E741
    layer = net.layers[i]
    activation = layer.sigma

    def formula(words: str, l: int = l) -> str:  # noqa: E741
        return words.format(l=l, below=l - 1)

    dC_da = "∇_a C" if last else formula(net.layers[i + 1].backward_words, l + 1)
    formulas = {
        "z": f"z^{l} = {formula(layer.forward_words)}   (2)",
        "a": f"a^{l} = sigma(z^{l}) = {activation.words or f'{activation.name}(z)'}   (3)",
        "slope": f"sigma'(z^{l})" + (f" = {activation.slope_words}" if activation.slope_words else ""),
        "dC_da": f"∇_a C = dC/da^{l}" if last else f"dC/da^{l} = {dC_da}   (BP2')",
        "delta": f"delta^{l} = ∇_a C ⊙ sigma'(z^{l})   (BP1)"
        if last
        else f"delta^{l} = ({dC_da}) ⊙ sigma'(z^{l})   (BP2)",
        **{f"d{name}": formula(words) for name, words in layer.gradient_words.items()},
    }
    special = {"a": layer.activation_words, "slope": layer.slope_words, "delta": layer.error_words}
    formulas |= {part: formula(words) for part, words in special.items() if words is not None}
    if last and not activation.elementwise:
        formulas["delta"] = f"delta^{l} = sigma'(z^{l})^T ∇_a C   (BP1)"
    if last and net.cost.natural_output == activation.name:
        formulas["delta"] = formulas["delta"].replace("   (BP1)", f" = a^{l} - y   (BP1; sigma' cancels)")
    return formulas
