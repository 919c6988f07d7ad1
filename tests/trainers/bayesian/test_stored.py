import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ModelFileError
from deltarule.trainers.bayesian.stored import as_tensors, from_tensors


def trained(solver, outputs=1, hidden=(4,)):
    random = np.random.default_rng(0)
    X = random.normal(size=(30, 2))
    Y = np.stack([np.sin(X[:, 0]), X[:, 1] ** 2], axis=1)[:, :outputs] + 0.1 * random.normal(size=(30, outputs))
    net = dr.Network([*(dr.Dense(n, "tanh") for n in hidden), dr.Dense(outputs, "linear")])
    trainer = dr.BayesianRegularization(solver=solver)
    result = dr.train(net, X, Y, trainer=trainer, epochs=12, restarts=2)
    return dr.BayesianEnsemble.of(net, result, X, Y, solver=solver), X


@pytest.mark.parametrize(("solver", "outputs", "hidden"), [("primal", 1, (4,)), ("dual", 2, (3, 3)), ("primal", 2, ())])
def test_a_stored_ensemble_predicts_the_same(solver, outputs, hidden):
    ensemble, X = trained(solver, outputs, hidden)
    net, _ = ensemble.merged()
    again = from_tensors(net, as_tensors(ensemble))
    assert again.net == ensemble.net
    assert again.degrees_of_freedom() == ensemble.degrees_of_freedom()
    far = np.concatenate([X, 3 * X])
    for one, other in zip(ensemble.predict(far), again.predict(far), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-12)


def test_damaged_error_bars_are_refused():
    ensemble, _ = trained("dual")
    net, _ = ensemble.merged()
    tensors = as_tensors(ensemble)
    for name, array in tensors.items():
        with pytest.raises(ModelFileError, match=f"lack the array '{name}'" if name != "rows.x" else "factor"):
            from_tensors(net, {other: tensors[other] for other in tensors if other != name})
        with pytest.raises(ModelFileError, match="of the shape"):
            from_tensors(net, tensors | {name: array[..., None]})
    wide = dr.Network([dr.Dense(8, "tanh"), dr.Dense(2, "linear")])
    with pytest.raises(ModelFileError, match="2 outputs and error bars for 1"):
        from_tensors(wide, tensors)
