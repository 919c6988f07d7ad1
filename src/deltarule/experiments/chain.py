"""[3B1B]: the chain with one neuron a layer and the layer with indices j and k, each partial derivative by its name.

The lecture's formulas are worked out here in plain Python, beside what `net.trace` says. Its cost is (a - y)², so the
network's is `Quadratic(scale=1)`.
"""

from math import exp
from typing import Any

import numpy as np

import deltarule as dr
from deltarule.experiments.report import Report, Row, Settings
from deltarule.inspection import plots
from deltarule.network.tracing import Trace

COST = dr.Quadratic(scale=1)

# Four neurons in a row: three weights, three biases.
CHAIN = dr.Network([dr.Dense(1), dr.Dense(1), dr.Dense(1)], COST)
CHAIN_PARAMS: list[Any] = [
    {"W": np.array([[w]]), "b": np.array([b])} for w, b in ((1.2, -0.3), (-0.8, 0.5), (1.6, 0.1))
]
CHAIN_X, CHAIN_Y = np.array([0.7]), np.array([1.0])

# Layer L-1 has neurons k = 0, 1, 2 and layer L neurons j = 0, 1; the activations of layer L-1 are the input here.
LAYER = dr.Network([dr.Dense(2)], COST)
LAYER_PARAMS: list[Any] = [{"W": np.array([[0.9, -0.4, 0.3], [-1.1, 0.6, 0.8]]), "b": np.array([0.2, -0.1])}]
LAYER_X, LAYER_Y = np.array([0.48, 0.91, 0.15]), np.array([1.0, 0.0])


def sigma(z: float) -> float:
    """1 / (1 + e^-z)."""
    return 1 / (1 + exp(-z))


def chain_by_formula() -> dict[str, float]:
    """Every factor and every product of the lecture's chain rule, from the last layer back."""
    w, b = ([float(layer[name].item()) for layer in CHAIN_PARAMS] for name in ("W", "b"))
    a, z = [float(CHAIN_X[0])], []
    for i in range(3):
        z.append(w[i] * a[i] + b[i])
        a.append(sigma(z[i]))
    y = float(CHAIN_Y[0])
    values = {"C_0": (a[3] - y) ** 2}
    dC_da = 2 * (a[3] - y)
    for i, layer in ((2, "L"), (1, "L-1"), (0, "L-2")):
        below = {"L": "L-1", "L-1": "L-2", "L-2": "L-3"}[layer]
        da_dz = sigma(z[i]) * (1 - sigma(z[i]))
        values[f"∂C_0/∂a^({layer})"] = dC_da
        values[f"∂a^({layer})/∂z^({layer}) = σ'(z^({layer}))"] = da_dz
        values[f"∂C_0/∂w^({layer}) = a^({below}) σ'(z^({layer})) ∂C_0/∂a^({layer})"] = a[i] * da_dz * dC_da
        values[f"∂C_0/∂b^({layer}) = σ'(z^({layer})) ∂C_0/∂a^({layer})"] = da_dz * dC_da
        dC_da = w[i] * da_dz * dC_da
    return values


def chain_by_trace() -> list[float]:
    """The same numbers in the same order, by backpropagation."""
    trace = CHAIN.trace(CHAIN_PARAMS, CHAIN_X, CHAIN_Y)
    values = [trace.cost]
    for layer in reversed(trace.layers):
        values += [layer.dC_da[0], layer.slope[0], layer.gradients["W"][0, 0], layer.gradients["b"][0]]
    return [float(value) for value in values]


def layer_by_formula() -> dict[str, float]:
    """The derivatives with indices: w_jk joins neuron k of layer L-1 to neuron j of layer L."""
    W, b = LAYER_PARAMS[0]["W"].tolist(), LAYER_PARAMS[0]["b"].tolist()
    a_below, y = LAYER_X.tolist(), LAYER_Y.tolist()
    z = [sum(W[j][k] * a_below[k] for k in range(3)) + b[j] for j in range(2)]
    a = [sigma(z[j]) for j in range(2)]
    slope = [a[j] * (1 - a[j]) for j in range(2)]
    dC_da = [2 * (a[j] - y[j]) for j in range(2)]
    values: dict[str, float] = {"C_0 = Σ_j (a_j - y_j)²": sum((a[j] - y[j]) ** 2 for j in range(2))}
    for j in range(2):
        for k in range(3):
            values[f"∂C_0/∂w_{j}{k} = a_{k}^(L-1) σ'(z_{j}) 2(a_{j} - y_{j})"] = a_below[k] * slope[j] * dC_da[j]
    for j in range(2):
        values[f"∂C_0/∂b_{j} = σ'(z_{j}) 2(a_{j} - y_{j})"] = slope[j] * dC_da[j]
    for k in range(3):
        values[f"∂C_0/∂a_{k}^(L-1) = Σ_j w_j{k} σ'(z_j) 2(a_j - y_j)"] = sum(
            W[j][k] * slope[j] * dC_da[j] for j in range(2)
        )
    return values


def layer_by_trace() -> list[float]:
    """The same numbers in the same order, by backpropagation."""
    # An identity layer below passes the activations on, so that ∂C_0/∂a_k^(L-1) is in the trace too.
    net = dr.Network([dr.Dense(3, "linear"), *LAYER.layers], COST)
    identity: Any = {"W": np.eye(3), "b": np.zeros(3)}
    trace = net.trace([identity, *LAYER_PARAMS], LAYER_X, LAYER_Y)
    below, top = trace.layers
    return [trace.cost, *top.gradients["W"].ravel().tolist(), *top.gradients["b"].tolist(), *below.dC_da.tolist()]


def run(settings: Settings) -> Report:
    """Both networks, every derivative; a quick run is the same."""
    settings.report_progress("the chain and the layer", 0.0)
    rows = [
        Row(part + name, value, [values], template="{:+.10f}")
        for part, formula, trace in (
            ("chain: ", chain_by_formula(), chain_by_trace()),
            ("layer: ", layer_by_formula(), layer_by_trace()),
        )
        for (name, value), values in zip(formula.items(), trace, strict=True)
    ]
    worst = max(abs(float(row.book or 0) - row.average) for row in rows)
    return Report(
        "3b1b",
        "Every partial derivative of the lecture",
        rows,
        {"chain": chain_figure(CHAIN.trace(CHAIN_PARAMS, CHAIN_X, CHAIN_Y))},
        [
            "The chain: one neuron in each of four layers, w = 1.2, -0.8, 1.6, b = -0.3, 0.5, 0.1, input 0.7, y = 1. "
            "The layer: three activations 0.48, 0.91, 0.15 below two neurons, y = (1, 0). Float64.",
            f"The largest difference between the lecture's formula and backpropagation is {worst:.1e}.",
        ],
        reference="by the lecture's formula",
    )


def chain_figure(trace: Trace) -> tuple:
    """Plot the derivative of the cost by each weight and bias."""
    values = {}
    for layer, numbers in zip(("L-2", "L-1", "L"), trace.layers, strict=True):
        for name, key in (("w", "W"), ("b", "b")):
            values[f"${name}^{{({layer})}}$"] = numbers.gradients[key].item()
    figure, (axes,) = plots.panels(size=(6.0, 3.2))
    colours = [plots.COLOURS[0 if name.startswith("$w") else 1] for name in values]
    axes.bar(list(values), list(values.values()), color=colours, width=0.6)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_ylabel("slope of $C_0$")
    return figure, "The gradient of the chain: the further from the output, the less a nudge moves the cost"
