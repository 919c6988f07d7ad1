"""The formulas behind the numbers of a trace, for `deltarule trace` and `deltarule play`."""

from typing import TYPE_CHECKING

from deltarule.activations import get_activation

if TYPE_CHECKING:
    from deltarule.network import Network

FORWARD = {  # z^l of each kind of layer
    "Dense": "W^{l} a^{below} + b^{l}",
    "Convolution": "b^{l} + W^{l} at every place of a^{below}: z_ijf = b_f + sum_uvc W_fuvc a_(s i + u)(s j + v)c",
    "MaxPool": "the largest a^{below} of each window",
    "MeanPool": "the mean a^{below} of each window",
    "L2Pool": "√(sum of (a^{below})²) over each window",
    "Flatten": "a^{below} as a row",
    "Reshape": "a^{below} in another shape",
    "Dropout": "a^{below}",
}
BACKWARD = {  # dC/da of the layer below each kind of layer (BP2')
    "Dense": "(W^{l})^T delta^{l}",
    "Convolution": "delta^{l} fully correlated with W^{l} turned by 180°",
    "MaxPool": "delta^{l} at the pixel that won its window",
    "MeanPool": "delta^{l} spread evenly over its window",
    "L2Pool": "delta^{l} spread over its window by a/‖a‖",
    "Flatten": "delta^{l}",
    "Reshape": "delta^{l}",
    "Dropout": "delta^{l}",
}


def equations(net: "Network", i: int) -> dict[str, str]:
    """The formula and the equation's number behind each array of `net.layers[i]`, layer l = i + 2 of the book."""
    l, last = i + 2, i + 1 == len(net.layers)  # noqa: E741
    layer = net.layers[i]
    activation = get_activation(getattr(layer, "activation", "linear"))
    carried = _carried(net, i)
    found = {
        "z": f"z^{l} = {FORWARD[type(layer).__name__].format(l=l, below=l - 1)}   (2)",
        "a": f"a^{l} = sigma(z^{l}) = {activation.words or f'{activation.name}(z)'}   (3)",
        "slope": f"sigma'(z^{l})" + (f" = {activation.slope_words}" if activation.slope_words else ""),
        "dC_da": f"∇_a C = dC/da^{l}" if last else f"dC/da^{l} = {carried}   (BP2')",
        "delta": f"delta^{l} = ∇_a C ⊙ sigma'(z^{l})   (BP1)"
        if last
        else f"delta^{l} = ({carried}) ⊙ sigma'(z^{l})   (BP2)",
        "db": f"dC/db^{l} = delta^{l}   (BP3)",
        "dW": f"dC/dW^{l}_jk = a^{l - 1}_k delta^{l}_j   (BP4)",
    }
    if type(layer).__name__ == "Convolution":
        found["db"] = f"dC/db^{l}_f = sum_ij delta^{l}_ijf   (BP3)"
        found["dW"] = f"dC/dW^{l}_fuvc = sum_ij delta^{l}_ijf a^{l - 1}_(s i + u)(s j + v)c   (BP4)"
    if type(layer).__name__ == "Dropout":
        found["a"] = f"a^{l} = z^{l}: Dropout drops nothing outside training   (3)"
    if last and not activation.elementwise:
        found["delta"] = f"delta^{l} = sigma'(z^{l})^T ∇_a C   (BP1)"
    if last and net.cost.natural_output == activation.name:
        found["delta"] = found["delta"].replace("   (BP1)", f" = a^{l} - y   (BP1; sigma' cancels)")
    return found


def _carried(net: "Network", i: int) -> str:
    """What the layer above `net.layers[i]` carries down to it."""
    above = net.layers[min(i + 1, len(net.layers) - 1)]
    return BACKWARD[type(above).__name__].format(l=i + 3)
