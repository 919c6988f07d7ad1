import numpy as np

from deltarule.experiments import nielsen_5
from deltarule.experiments.handwriting import first, network
from deltarule.experiments.report import Settings


def test_the_speeds_are_norms_of_the_bias_gradients(images):
    speeds = nielsen_5.learning_speeds(images, 2, 0, Settings(quick=True))
    assert speeds.shape == (20, 3)
    assert (speeds > 0).all()
    net, part = network((30, 30), "cross-entropy", "new"), first(images.train, 1000)
    grads = net.cost_and_gradient(net.init(0, (784,)), part.X, part.Y)[1]
    np.testing.assert_allclose(speeds[0], [np.linalg.norm(layer["b"]) for layer in grads], rtol=1e-4)


def test_a_quick_run(quick):
    report = nielsen_5.run(quick)
    assert [row.book for row in report.rows[:4]] == [96.48, 96.90, 96.57, 96.53]
    assert [row.book for row in report.rows[4:]] == [0.07, 0.31, 0.012, 0.060, 0.283, 0.003, 0.017, 0.070, 0.285]
    assert [len(ax.lines) for ax in report.figures["speeds"][0].axes] == [3, 4, 5]
