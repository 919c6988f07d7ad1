"""The loop that the benchmarks time: it goes on where it stood, stops as a training does, and begins again."""

import numpy as np
import pytest
from benchmarks.epochs import Epochs

import deltarule as dr

X = np.linspace(-1, 1, 30)[:, None]
Y = X**3
NET = dr.Network([dr.Dense(3, "tanh"), dr.Dense(1, "linear")])


@pytest.fixture(params=["numpy", "jax"])
def engine(request):
    if request.param == "jax":
        pytest.importorskip("jax")
    return request.param


@pytest.mark.parametrize("trainer", [dr.LevenbergMarquardt(), dr.GradientDescent(eta=0.1, batch_size=10)], ids=repr)
def test_it_is_the_training(engine, trainer):
    X1, Y1 = X.astype(trainer.dtype), Y.astype(trainer.dtype)
    start = NET.init(0, (1,), trainer.dtype, trainer.initializers)
    epochs = Epochs(engine, NET, trainer, X1, Y1, start)
    costs = [float(epochs.run()["cost"][0]), *epochs.run(2)["cost"].tolist()]
    result = dr.train(NET, X1, Y1, trainer=trainer, epochs=3, engine=engine)
    assert costs == result.history["cost"].tolist()
    assert all((a[name] == b[name]).all() for a, b in zip(epochs.params, result.params, strict=True) for name in a)
    epochs.begin()
    assert float(epochs.run()["cost"][0]) == costs[0]


def test_a_stop(engine):
    zero = [{name: 0 * array for name, array in layer.items()} for layer in NET.init(0, (1,), "float64")]
    still = Epochs(engine, NET, dr.LevenbergMarquardt(), X, 0 * Y, zero)
    assert not still.stopped
    still.run()
    assert still.stopped
