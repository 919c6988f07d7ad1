import re

import pytest

from deltarule.inspection.plots.style import COLOURS, INK, panels
from deltarule.inspection.report.drawing import DARK, inline_svg, palette


def svg(colour=COLOURS[1]):
    figure, (axes,) = panels(size=(3, 2))
    axes.plot([1, 2], [1, 4], color=colour)
    return inline_svg(figure, "a &amp; b")


def test_it_is_one_element_without_a_size_or_a_ground_of_its_own():
    drawn = svg()
    assert drawn.startswith("<svg ")
    assert drawn.rstrip().endswith("</svg>")
    head = drawn.split(">", 1)[0]
    assert 'aria-label="a &amp; b"' in head
    assert "viewBox" in head
    assert not re.search(r"\b(width|height)=", head)
    assert "fill: #ffffff" not in drawn


def test_its_colours_are_the_page_s():
    drawn = svg()
    assert INK not in drawn
    assert COLOURS[1] not in drawn
    assert "currentColor" in drawn
    assert "var(--colour-1)" in drawn


@pytest.mark.parametrize("i", range(len(COLOURS)))
def test_every_colour_of_the_plots_is_a_variable_that_the_palette_defines_twice(i):
    drawn = svg(COLOURS[i])
    assert f"stroke: var(--colour-{i})" in drawn
    assert COLOURS[i] not in drawn
    assert re.findall(rf"--colour-{i}: (#\w+);", palette()) == [COLOURS[i], DARK[i]]


def test_the_same_figure_is_the_same_text():
    assert svg() == svg()
