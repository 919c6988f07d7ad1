"""A figure of matplotlib as inline SVG that takes its colours from the page, right in light and in dark.

The page's style holds `palette()`, a variable for each of `plots.COLOURS`, and its own ink.
"""

import io
import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from deltarule.inspection.plots.style import COLOURS, INK, required, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGINS = 0.17, 0.165, 0.975, 0.96  # left, bottom, right, top
DARK = ("#ee7c64", "#74abf0", "#58c29a", "#ecb94e", "#b193e0", "#8a8f98", "#e58fc8")  # `plots.COLOURS` on a dark ground


def palette() -> str:
    """CSS that defines --colour-i for every colour i of `plots.COLOURS`, in light and in dark."""
    light, dark = (
        " ".join(f"--colour-{i}: {colour};" for i, colour in enumerate(colours)) for colours in (COLOURS, DARK)
    )
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"


def inline_svg(figure: "Figure", label: str, titles: Sequence[str] = ()) -> str:
    """The figure as an <svg> element without a background, as wide as its place, that says `label` when read aloud.

    Args:
        figure: the figure.
        label: what it shows.
        titles: what each point of its scatter plots says when the mouse is over it, in their order.
    """
    stream = io.StringIO()
    with styled():
        required("matplotlib").rcParams["svg.fonttype"] = "none"  # texts stay texts: to be found, read aloud and small
        if len(figure.axes) == 1 and _has_numbers(figure.axes[0]):  # their width is known, and measuring takes as long
            figure.set_layout_engine(None)  # as drawing
            figure.subplots_adjust(*MARGINS)
        for axes in figure.axes:
            axes.minorticks_off()  # most of what is drawn on a logarithmic axis
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    if titles:
        svg = _titled(svg, titles)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)  # the same names in every figure; nothing refers to them
    svg = svg.replace(INK, "currentColor").replace("font-family: 'DejaVu Sans'; ", "")  # the page's own
    for i, colour in enumerate(COLOURS):
        svg = svg.replace(colour, f"var(--colour-{i})")
    head, rest = svg.split(">", 1)
    view = re.search(r'viewBox="[^"]*"', head)
    assert view is not None
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {spaces} {view[0]} role="img" aria-label="{label}">{rest}'


def _has_numbers(axes: "Axes") -> bool:
    """Whether matplotlib's own numbers mark the vertical axis, not names of any length, and no text is beside it."""
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    return not axes.texts and not isinstance(axes.yaxis.get_major_formatter(), FixedFormatter | FuncFormatter)


def _titled(svg: str, titles: Sequence[str]) -> str:
    """Every point of the scatter plots with its title."""
    waiting = iter(titles)

    def group(found: re.Match[str]) -> str:
        return re.sub(r"(<use [^>]*?)/>", point, found[0])

    def point(found: re.Match[str]) -> str:
        title = next(waiting, None)
        return found[0] if title is None else f"{found[1]}><title>{escape(title)}</title></use>"

    return re.sub(r'<g id="PathCollection_\d+">.*?(?=<g id="(?!clip))', group, svg, flags=re.DOTALL)
