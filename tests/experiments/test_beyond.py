"""The recipe in small: a quick run on pictures, and the same again from its checkpoints."""

from dataclasses import replace

import numpy as np
import pytest

import deltarule as dr
from deltarule.experiments import beyond


@pytest.mark.slow
def test_a_quick_run_goes_on_from_its_checkpoints(quick, tmp_path, monkeypatch):
    small = [
        dr.Reshape((28, 28, 1)),
        dr.Convolution(4, 5, "relu"),
        dr.MaxPool(4),
        dr.Flatten(),
        dr.Dense(10, "softmax"),
    ]
    monkeypatch.setattr(beyond, "NET", dr.Network(small, cost="log-likelihood"))
    settings = replace(quick, seeds=2, checkpoints=tmp_path)
    report = beyond.run(settings)
    assert len(list(tmp_path.iterdir())) == 4
    what = ["one network", "mean of the outputs of 2"]
    assert [row.label for row in report.rows] == [f"{w}, {how}" for how in ("plain", "over 8 copies") for w in what]
    assert report.rows[0].average > 15
    assert [row.ours for row in beyond.run(settings).rows] == [row.ours for row in report.rows]


class Ended:
    """A training that is over at once."""

    def __init__(self, stop_reason="epochs"):
        self.params, self.stop_reason, self.seconds = None, stop_reason, 1.0


@pytest.fixture
def trainings(monkeypatch):
    """Instead of trainings: the seeds of those that were begun."""
    begun = []
    monkeypatch.setattr(beyond, "NET", lambda params, X: np.eye(10)[np.arange(len(X)) % 10])
    monkeypatch.setattr(beyond, "distorted", lambda images, *amounts, **named: images)
    monkeypatch.setattr(beyond.dr, "train", lambda *data, seed, **options: (begun.append(seed), Ended())[1])
    return begun


def test_an_interrupted_training_ends_the_run(trainings, quick, monkeypatch):
    train = beyond.dr.train

    def interrupted(*data, seed, **options):
        train(*data, seed=seed, **options)
        return Ended("interrupted" if seed == 3 else "epochs")

    monkeypatch.setattr(beyond.dr, "train", interrupted)
    report = beyond.run(replace(quick, seeds=4))
    assert trainings == [0, 1, 2, 3]  # two epochs of two members
    assert "3 of 4 members" in report.notes[0]
    assert len(report.rows[0].ours) == 1


def test_an_interruption_between_two_epochs_keeps_the_members_that_ended(trainings, quick, monkeypatch):
    def distorted(images, *amounts, **named):
        if len(trainings) == 3:
            trainings.append("interrupted")
            raise KeyboardInterrupt
        return images

    monkeypatch.setattr(beyond, "distorted", distorted)
    report = beyond.run(replace(quick, seeds=4))
    assert trainings == [0, 1, 2, "interrupted"]
    assert "3 of 4 members" in report.notes[0]
