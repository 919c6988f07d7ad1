"""A picture of the network, neurons and weights, as SVG that takes its colours from the page."""

from html import escape
from math import prod

import numpy as np

from deltarule.data.schema import Schema
from deltarule.network.backprop import Params
from deltarule.network.network import Network

MOST_NEURONS = 14  # drawn for each layer
COLUMN, ROW, RADIUS, SIDE, TOP = 130, 24, 8, 110, 26
NAME = 15  # characters of a name that fit beside a neuron
PLUS, MINUS = "var(--colour-1)", "var(--colour-0)"


def diagram(net: Network, params: Params, schema: Schema) -> str:
    """Draw each layer as a column and each weight of a dense layer as a line, wider for larger ones, with a tooltip.

    Blue weights are positive, red ones negative.
    """
    shapes = net.shapes((schema.input_width,))
    widths = [prod(shape) for shape in shapes]
    shown = [min(n, MOST_NEURONS) for n in widths]
    height, width = TOP + ROW * max(shown) + 26, 2 * SIDE + COLUMN * (len(widths) - 1)

    def at(layer: int, neuron: int) -> tuple[float, float]:
        return SIDE + COLUMN * layer, TOP + ROW * (neuron + 0.5 + (max(shown) - shown[layer]) / 2)

    parts = []
    for i, p in enumerate(params):
        W = p.get("W")
        if W is None or W.ndim != 2:
            continue
        W = np.asarray(W)[: shown[i + 1], : shown[i]]
        largest = float(np.abs(W).max(initial=1e-300))
        for j, k in np.ndindex(*W.shape):
            (x0, y0), (x1, y1), share = at(i, k), at(i + 1, j), abs(W[j, k]) / largest
            parts.append(
                f'<path d="M{x0:.0f} {y0:.1f}L{x1:.0f} {y1:.1f}" stroke="{PLUS if W[j, k] >= 0 else MINUS}" '
                f'stroke-width="{0.4 + 2.6 * share:.1f}" opacity="{0.15 + 0.7 * share:.2f}">'
                f"<title>weight from {k} to {j} of layer {i + 2}: {W[j, k]:.5g}</title></path>"
            )
    names = [schema.input_names, *[()] * (len(widths) - 2), schema.output_names]
    for layer, (n, count) in enumerate(zip(widths, shown, strict=True)):
        for neuron in range(count):
            x, y = at(layer, neuron)
            parts.append(f'<circle cx="{x:.0f}" cy="{y:.1f}" r="{RADIUS}" fill="var(--card)" stroke="currentColor"/>')
            if n == count and names[layer]:
                anchor, side = ("end", -1) if layer == 0 else ("start", 1)
                name = escape(str(names[layer][neuron])[:NAME])
                parts.append(f'<text x="{x + side * 13:.0f}" y="{y + 4:.1f}" text-anchor="{anchor}">{name}</text>')
        label = "input" if layer == 0 else getattr(net.layers[layer - 1], "activation", None)
        label = label or type(net.layers[layer - 1]).__name__
        more = f", {count} of {n:,}" if count < n else ""
        x = SIDE + COLUMN * layer
        parts.append(f'<text x="{x}" y="14" text-anchor="middle">{escape(label)}{more}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" font-size="11" '
        f'aria-label="The network" fill="currentColor" style="max-width: {1.5 * width:.0f}px">{"".join(parts)}</svg>'
    )
