"""Chapter 6 in small: the stages' networks, a quick run, an interrupted one, and one that goes on."""

from dataclasses import replace

import numpy as np
import pytest

from deltarule import trees
from deltarule.experiments import nielsen_6
from deltarule.experiments.nielsen_6 import STAGES, expanded, run


def test_the_stages_are_the_books():
    sizes = [trees.size(stage.net.init(0, (784,))) for stage in STAGES]
    dense = 100 * 784 + 100 + 10 * 100 + 10
    one = 20 * 25 + 20 + 100 * 20 * 144 + 100 + 1010
    two = 20 * 25 + 20 + 40 * 25 * 20 + 40 + 100 * 640 + 100 + 1010
    large = two - 100 * 640 - 100 - 1010 + 1000 * 640 + 1000 + 1000 * 1000 + 1000 + 10_010
    assert sizes == [dense, one, two, two, two, two + 100 * 100 + 100, large]
    assert [stage.epochs for stage in STAGES] == [60] * 6 + [40]


def test_expanded_images(images):
    more = expanded(images.train)
    assert len(more) == 5 * len(images.train)
    np.testing.assert_array_equal(more.Y[:1200], more.Y[1200:2400])


@pytest.fixture
def small(monkeypatch):
    """Two small stages only."""
    stage = STAGES[0]._replace(dense=(8,), epochs=2, eta=0.3)
    voting = stage._replace(name="vote", dropout=0.1)
    monkeypatch.setattr(nielsen_6, "STAGES", (stage, voting))


@pytest.mark.usefixtures("small")
def test_a_quick_run_and_the_same_again_from_its_checkpoints(quick, tmp_path):
    settings = replace(quick, seeds=None, checkpoints=tmp_path)
    report = run(settings)
    assert report.rows[0].label == "100 sigmoids, 1 epoch"
    assert [row.book for row in report.rows] == [97.80, 97.80, 99.67]
    assert len(report.rows[1].ours) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "100-sigmoids-seed-0-quick", "vote-seed-0-quick", "vote-seed-1-quick",
    ]  # fmt: skip
    again = run(settings)
    assert [row.ours for row in again.rows] == [row.ours for row in report.rows]
    assert np.nanmax(report.figures["accuracy"][0].axes[0].lines[0].get_ydata()) > 15


@pytest.mark.usefixtures("small")
def test_an_interrupted_run_reports_what_ended(quick, monkeypatch):
    original = nielsen_6.train

    def train(net, examples, watched, settings, what, **options):
        result = original(net, examples, watched, settings, what, **options)
        return replace(result, stop_reason="interrupted") if what == "vote" else result

    monkeypatch.setattr(nielsen_6, "train", train)
    report = run(quick)
    assert len(report.rows) == 1
    assert any("ended in the stage 'vote'" in note for note in report.notes)


@pytest.mark.usefixtures("small")
def test_an_interruption_while_images_are_expanded_keeps_the_rows(quick, monkeypatch):
    def expand(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(nielsen_6, "expand", expand)
    stages = (nielsen_6.STAGES[0], nielsen_6.STAGES[1]._replace(expanded=True))
    monkeypatch.setattr(nielsen_6, "STAGES", stages)
    report = run(quick)
    assert len(report.rows) == 1
    assert "ended in the stage 'vote'" in report.notes[1]


@pytest.mark.usefixtures("small")
def test_the_number_of_seeds_is_that_of_every_stage(quick):
    report = run(replace(quick, seeds=3))
    assert [len(row.ours) for row in report.rows] == [3, 3, 1]
    assert report.rows[2].label == "vote of 3 of these networks"
