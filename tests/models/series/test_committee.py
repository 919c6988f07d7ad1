"""Members side by side give what they give alone, averaged."""

import numpy as np
import pytest

from deltarule.data.lagged import Lags, Segment
from deltarule.models.series.committee import Committee
from deltarule.models.series.feedback import Feedback
from deltarule.network.layers import Dense
from deltarule.network.network import Network

SHAPES = [(1, 1, (3,)), (2, 2, (3, 2)), (2, 0, (2,)), (1, 1, ())]


@pytest.mark.parametrize(("k", "m", "hidden"), SHAPES)
def test_a_committee_equals_its_members_averaged(k, m, hidden):
    lags, random = Lags((1, 3), (0, 2) if m else ()), np.random.default_rng(1)
    net = Network([*(Dense(n, "tanh") for n in hidden), Dense(k, "linear")])
    width = k * len(lags.outputs) + m * len(lags.inputs)
    line = np.zeros((k, width))
    line[:, :k] = np.eye(k)
    model = Feedback(net, lags, m, line)
    members = [net.init(seed, (width,), "float64") for seed in (1, 2, 3)]
    committee = Committee.of(model, members, [1.0, 2.0, 5.0])
    U, start = random.normal(size=(2, 15, m)), random.normal(size=(2, 3, k))
    runs = [model.free_run(params, U, start) for params in members]
    expected = sum(w * run for w, run in zip((0.125, 0.25, 0.625), runs, strict=True))
    np.testing.assert_allclose(committee.mean(committee.free_run(U, start)), expected, atol=1e-12)
    record = Segment(U[0], random.normal(size=(15, k)))
    from deltarule.data.lagged import lagged

    ahead = [model.step(params, lagged(record.U, record.Y, lags)) for params in members]
    expected = sum(w * one for w, one in zip((0.125, 0.25, 0.625), ahead, strict=True))
    np.testing.assert_allclose(committee.step(record), expected, atol=1e-12)
