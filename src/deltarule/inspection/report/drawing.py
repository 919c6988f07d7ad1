"""A figure of matplotlib as inline SVG that takes its colours from the page, right in light and in dark.

The page's style holds `palette()`, a variable for each of `plots.COLOURS`, and its own ink.
"""

import io
import re
from typing import TYPE_CHECKING

from deltarule.inspection.plots.style import COLOURS, INK, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DARK = ("#ee7c64", "#74abf0", "#58c29a", "#ecb94e", "#b193e0", "#8a8f98", "#e58fc8")  # `plots.COLOURS` on a dark ground


def palette() -> str:
    """CSS that defines --colour-i for every colour i of `plots.COLOURS`, in light and in dark."""
    light, dark = (
        " ".join(f"--colour-{i}: {colour};" for i, colour in enumerate(colours)) for colours in (COLOURS, DARK)
    )
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"


def inline_svg(figure: "Figure", label: str) -> str:
    """The figure as an <svg> element without a background, as wide as its place, that says `label` when read aloud."""
    stream = io.StringIO()
    with styled():
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)  # the same names in every figure; nothing refers to them
    svg = svg.replace(INK, "currentColor")
    for i, colour in enumerate(COLOURS):
        svg = svg.replace(colour, f"var(--colour-{i})")
    head, rest = svg.split(">", 1)
    view = re.search(r'viewBox="[^"]*"', head)
    assert view is not None
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {spaces} {view[0]} role="img" aria-label="{label}">{rest}'
