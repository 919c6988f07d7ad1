import numpy as np
import pytest

from deltarule.experiments import nielsen_1
from deltarule.experiments.handwriting import load, network
from deltarule.experiments.report import Settings


@pytest.mark.slow
def test_a_quick_run(quick):
    report = nielsen_1.run(quick)
    assert [row.book for row in report.rows] == [95.42, 95.42, 96.59, 96.59, None]
    assert all(0 <= row.average <= 100 for row in report.rows)
    assert set(report.figures) == {"accuracy", "misread", "confusion", "weights"}
    counted = sum(int(text.get_text()) for text in report.figures["confusion"][0].axes[0].texts)
    assert counted == 1000  # every test image stands in the matrix


def test_digits_that_are_never_the_answer_are_counted(quick):
    data = load(quick)
    results = nielsen_1.train_all(data, 30, "new", quick)
    answers = set(np.asarray(network((30,), "quadratic", "old")(results[0].params, data.test.X)).argmax(1).tolist())
    assert nielsen_1.unread_row(data, 30, results).ours == [10 - len(answers)]


def test_real_digits(mnist):
    """Two epochs on a thousand real images: far above chance."""
    settings = Settings(quick=True, seeds=1, mnist=lambda: mnist)
    (result,) = nielsen_1.train_all(load(settings), 30, "new", settings)
    assert result.history["validation_accuracy"][-1] > 0.5
