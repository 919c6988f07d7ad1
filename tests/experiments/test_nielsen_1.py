from dataclasses import replace

import numpy as np

from deltarule.experiments import nielsen_1
from deltarule.experiments.handwriting import load, network
from deltarule.experiments.report import Settings


def test_a_quick_run(quick):
    report = nielsen_1.run(quick)
    assert [row.book for row in report.rows] == [95.42, 95.42, 96.59, 96.59, None]
    assert all(0 <= row.average <= 100 for row in report.rows)
    assert set(report.figures) == {"accuracy", "misread", "confusion", "weights"}
    counted = sum(int(text.get_text()) for text in report.figures["confusion"][0].axes[0].texts)
    assert counted == 1000  # every test image stands in the matrix


def test_digits_that_are_hardly_ever_read_are_counted(quick):
    data = load(quick)
    (result,) = nielsen_1.train_seeds(data, 30, "new", quick)
    deaf = {name: np.array(p) for name, p in result.params[-1].items()}
    deaf["W"][3], deaf["b"][3] = 0, -50  # output 3 is always 0
    deafened = replace(result, params=[*result.params[:-1], deaf])
    (before, after) = nielsen_1.unread_row(data, 30, [result, deafened]).ours
    assert after in (before, before + 1)
    right = np.asarray(network((30,), "quadratic", "old")(deafened.params, data.test.X)).argmax(1)
    actual = data.test.Y.argmax(1)
    assert after == sum((right[actual == digit] == digit).mean() < 0.1 for digit in range(10)) >= 1


def test_real_digits(mnist):
    """Two epochs on a thousand real images: far above chance."""
    settings = Settings(quick=True, seeds=1, mnist=lambda: mnist)
    (result,) = nielsen_1.train_seeds(load(settings), 30, "new", settings)
    assert result.history["validation_accuracy"][-1] > 0.5
