"""The recipe in small: a quick run on pictures, and the same again from its checkpoints."""

from dataclasses import replace

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
    assert [row.what for row in report.rows] == [f"{w}, {how}" for how in ("plain", "over 8 copies") for w in what]
    assert report.rows[0].average > 15
    assert [row.ours for row in beyond.run(settings).rows] == [row.ours for row in report.rows]
