import numpy as np
import pytest

from deltarule.experiments import nielsen_3
from deltarule.experiments.report import Settings


@pytest.mark.parametrize("cost", ["quadratic", "cross-entropy"])
def test_the_outputs_are_those_of_a_plain_loop(cost):
    w, b = 2.0, 2.0
    expected = []
    for _ in range(nielsen_3.EPOCHS + 1):
        a = 1 / (1 + np.exp(-(w + b)))
        expected.append(a)
        delta = a * a * (1 - a) if cost == "quadratic" else a  # y = 0; BP1 with and without sigma'
        w, b = w - nielsen_3.ETA * delta, b - nielsen_3.ETA * delta
    np.testing.assert_allclose(nielsen_3.outputs_of_one(cost, 2.0, 2.0, Settings()), expected, rtol=1e-9)


def test_the_book_s_numbers():
    rows, figures, _ = nielsen_3.slowdown(Settings())
    with_book = [row for row in rows if row.book is not None]
    assert [round(row.average, 2) for row in with_book] == [0.09, 0.20]
    assert len(figures["slowdown"][0].axes) == 2


def test_the_runs_are_those_of_the_book():
    assert [(run.hidden, run.eta, run.l2, run.epochs, run.book) for run in nielsen_3.RUNS] == [
        (30, 0.5, None, 30, 95.49),
        (100, 0.5, None, 30, 96.82),
        (30, 0.5, 5.0, 30, 96.49),
        (100, 0.1, 5.0, 60, 98.04),
    ]


def test_a_quick_run_of_recognition(images, quick):
    rows, figures, _ = nielsen_3.recognition(images, quick)
    assert [row.book for row in rows] == [95.49, 96.82, 96.49, 98.04]
    assert all(row.average > 50 for row in rows)
    assert len(figures["cross-entropy"][0].axes[0].texts) == 4


def test_a_quick_run_of_overfitting(images, quick):
    rows, figures, _ = nielsen_3.overfitting(images, quick)
    assert [row.book for row in rows] == [82.27, None, 87.1, None]
    axes = figures["overfitting"][0].axes
    assert [ax.get_title("left") for ax in axes[:2]] == ["no regularisation", "lambda 0.1"]
    assert all(len(ax.lines) == 2 for ax in axes)
    assert axes[0].get_ylim() == axes[1].get_ylim()
    assert axes[2].get_ylim() == axes[3].get_ylim()
    assert axes[3].get_yscale() == "log"
    final = axes[0].lines[0].get_ydata()[-1]
    assert abs(final - rows[1].average) < 1e-4  # the training images, in percent


def test_a_quick_run_of_initialization(images, quick):
    rows, figures, _ = nielsen_3.initialization(images, quick)
    assert [row.book for row in rows] == ["under 87 %", "over 96 %", "almost 93 %", "over 96 %"]
    assert len(figures["initialisation"][0].axes[0].lines) == 2


@pytest.mark.slow
def test_a_quick_run(quick):
    report = nielsen_3.run(quick)
    books = [row.book for row in report.rows]
    for number in (0.09, 0.20, 95.49, 96.82, 96.49, 98.04, 82.27, 87.1):
        assert number in books
    assert set(report.figures) == {"slowdown", "cross-entropy", "overfitting", "initialisation"}
    assert len(report.notes) == 5
