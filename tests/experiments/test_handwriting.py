import numpy as np
import pytest

from deltarule.experiments import handwriting
from deltarule.experiments.report import Row, Settings


def test_a_quick_run_reads_a_thousand_images_of_each_part(images):
    data = handwriting.load(Settings(quick=True, mnist=lambda: images))
    assert [len(part) for part in (data.train, data.validation, data.test)] == 3 * [handwriting.QUICK_IMAGES]
    np.testing.assert_array_equal(data.test.X, images.test.X[:1000])
    assert handwriting.load(Settings(mnist=lambda: images)) is images


def test_the_row_holds_best_last_and_test(images):
    net = handwriting.network((12,), "cross-entropy", "new")
    settings = Settings()
    results = [
        handwriting.train(net, images.train, images.validation, settings, "", eta=0.5, epochs=3, seed=seed)
        for seed in (0, 1)
    ]
    row = handwriting.accuracy_row("a net", 99.0, results, monitored="validation", test=(net, images.test))
    for i, result in enumerate(results):
        scores = 100 * result.history["validation_accuracy"]
        assert row.ours[i] == pytest.approx(scores.max())
        assert row.more["last epoch"][i] == pytest.approx(scores[-1])
        right = np.asarray(net(result.params, images.test.X)).argmax(1) == images.test.Y.argmax(1)
        assert row.more["test images"][i] == pytest.approx(100 * right.mean())
        assert handwriting.accuracy(net, result, images.validation) == pytest.approx(scores.max())
    assert row.label == "a net, validation images"
    assert len(row.seconds) == 2


def test_the_verdict_names_what_falls_short():
    rows = [
        Row("above", 95.0, [96.0, 97.0]),
        Row("just reached", 95.0, [94.7, 94.71]),
        Row("seconds", 95.0, [1.0], template="{:.2f}"),
        Row("no number", "under 87 %", [1.0]),
        Row("below", 95.0, [94.6, 94.7]),
    ]
    assert "Of 2 accuracies" in handwriting.verdict(rows[:4])
    assert "misses" not in handwriting.verdict(rows[:4])
    words = handwriting.verdict(rows)
    assert all(found in words for found in ("Of 3 accuracies", "passes 2", "(94.65 % against 95.00 %)"))
