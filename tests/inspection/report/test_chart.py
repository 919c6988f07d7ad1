import re

import numpy as np
import pytest

from deltarule.inspection.plots.style import COLOURS
from deltarule.inspection.report.axis import Axis
from deltarule.inspection.report.chart import DARK, PAINTS, Band, Bars, Chart, Line, Points, Rule, palette

X = np.array([0.0, 1.0, 2.0])


def drawn(*marks, **options):
    return Chart(marks, Axis("across"), Axis("up"), **options).svg("a & b")


def box(svg):
    """Left, top, bottom and right of the frame."""
    left, top, bottom, right = re.search(r'd="M([\d.]+) ([\d.]+)V([\d.]+)H([\d.]+)" fill="none"', svg).groups()
    return float(left), float(top), float(bottom), float(right)


def test_it_is_one_element_without_a_size_or_a_ground_of_its_own():
    svg = drawn(Line(X, X))
    assert svg.startswith("<svg ")
    assert svg.endswith("</svg>")
    head = svg.split(">", 1)[0]
    assert 'aria-label="a &amp; b"' in head
    assert "viewBox" in head
    assert not re.search(r"\b(width|height)=", head)
    assert "across" in svg
    assert "up" in svg


def test_a_line_goes_through_its_points_and_breaks_where_one_is_missing():
    chart = Chart([Line(np.arange(4.0), np.array([0, 2, np.nan, 1]))], Axis(limits=(0, 4)), Axis(limits=(0, 2)))
    svg = chart.svg("")
    left, top, bottom, right = box(svg)
    path = re.search(r'<path d="([^"]*)" fill="none" stroke="var\(--soft\)"', svg)[1]
    points = [tuple(map(float, point.split())) for point in re.findall(r"[ML]([\d. ]+)", path)]
    across = left + (right - left) / 4
    expected = [(left, bottom), (across, top), (left + 3 * (across - left), (top + bottom) / 2)]
    np.testing.assert_allclose(points, expected, atol=0.11)
    assert [letter for letter in path if letter in "ML"] == ["M", "L", "M"]


def test_a_named_line_says_its_numbers():
    svg = drawn(Line(X, 2 * X, PAINTS[1], "cost"))
    assert re.findall("<title>(.*?)</title>", svg) == ["cost at 0: 0", "cost at 1: 2", "cost at 2: 4"]


def test_of_a_long_line_no_peak_is_lost():
    y = np.zeros(100_000)
    y[70_001], y[3] = 5.0, -2.0
    svg = drawn(Line(np.arange(100_000.0), y))
    _, top, bottom, _ = box(svg)
    path = re.search(r'<path d="([^"]*)" fill="none" stroke="var', svg)[1]
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path)]
    assert len(heights) < 700
    room = 0.04 / 1.08 * (bottom - top)  # a range of 7 with 0.04 of it at each end
    np.testing.assert_allclose([min(heights), max(heights)], [top + room, bottom - room], atol=0.11)


def test_every_point_and_bar_says_what_it_is():
    svg = drawn(Points(X, X, titles=["<a>", "b", "c"]), Bars(X, X + 1, 0 * X, X, titles=["d", "e", "f"]))
    assert re.findall("<title>(.*?)</title>", svg) == ["&lt;a&gt;", "b", "c", "d", "e", "f"]
    assert svg.count("<circle") == svg.count("<rect") == 3


def test_marks_lie_where_their_numbers_are():
    marks = [Band(X, X - 1, X + 1), Rule(y=1.0), Bars(X, X + 0.5, 0 * X, X)]
    svg = Chart(marks, Axis(limits=(0, 2)), Axis(limits=(0, 2))).svg("")
    left, top, bottom, right = box(svg)
    middle = (top + bottom) / 2
    assert f"M{left:.1f} {middle:.1f}L{right:.1f} {middle:.1f}" in svg
    _, _, last = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', svg)
    np.testing.assert_allclose([float(v) for v in last], [right, top, 0, bottom - top], atol=0.11)  # cut at the limit
    assert f"M{left:.1f} {bottom:.1f}L" in svg  # the band's lower edge of -1 is cut too


def test_several_names_make_a_legend():
    svg = drawn(Line(X, X, PAINTS[1], "<one>"), Line(X, -X, PAINTS[2], "two", dash="2 2"))
    assert ">&lt;one&gt;</text>" in svg
    assert 'stroke="var(--colour-2)" stroke-width="3" stroke-dasharray="2 2"' in svg
    assert "<text" not in drawn(Line(X, X, PAINTS[1], "one")).split('opacity="0.14"')[0]


@pytest.mark.parametrize("i", range(len(COLOURS)))
def test_every_colour_of_the_plots_is_a_variable_that_the_palette_defines_twice(i):
    assert f'stroke="var(--colour-{i})"' in drawn(Line(X, X, PAINTS[i]))
    assert re.findall(rf"--colour-{i}: (#\w+);", palette()) == [COLOURS[i], DARK[i]]
