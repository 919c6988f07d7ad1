import numpy as np
import pytest

import deltarule as dr
from deltarule.experiments import Settings, memory


def test_the_task_is_a_sine_of_this_input_and_the_one_two_steps_before():
    u, y = memory.task(3)
    assert u.shape == y.shape == (20, 50, 1)
    assert np.isnan(y[:, :2]).all()
    assert y[4, 9, 0] == pytest.approx(np.sin(np.pi * (u[4, 9, 0] + u[4, 7, 0])))


def test_the_reach_of_sigmoid_neurons_falls_and_that_of_an_lstm_does_not_end():
    sigmoid, lstm = (
        memory.reach(layer, 0) for layer in (dr.Recurrent(10, "sigmoid", sequences=False), dr.LSTM(10, sequences=False))
    )
    assert sigmoid[-1] == lstm[-1] == 1
    assert sigmoid[-21] < 1e-9  # at most a quarter a step: 4^-20 is 1e-12
    assert lstm[-21] > 1e-6


def test_a_quick_run():
    told = []
    report = memory.run(Settings(quick=True, seeds=1, report_progress=lambda label, share: told.append(label)))
    assert len(report.rows) == 2 * len(memory.HIDDEN) + len(memory.REACHES)
    assert "Adam, 101 parameters" in [row.label.split(", ", 2)[-1] for row in report.rows]
    assert all(np.isfinite(row.average) for row in report.rows)
    assert [len(report.figures[name][0].axes[0].lines) for name in ("sine", "reach")] == [3, 4]
    assert "LSTM, 4 cells, Adam, seed 0" in told
