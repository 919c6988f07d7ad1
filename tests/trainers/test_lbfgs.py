"""L-BFGS by SciPy as a trainer of examples."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError

X = np.linspace(-1, 1, 40)[:, None]
NET = dr.Network([dr.Dense(6, "tanh"), dr.Dense(1, "linear")])


def test_it_fits_and_stops(engine):
    result = dr.train(NET, X, np.sin(3 * X), trainer=dr.LBFGS(iterations=300), epochs=3, engine=engine)
    cost = result.history["cost"]
    assert cost[-1] < 1e-5
    assert (np.diff(cost) <= 0).all()
    assert result.history["iterations"][0] == 300


def test_the_penalty_is_in_its_cost():
    one, other = (dr.train(NET, X, X, trainer=dr.LBFGS(200, l2=l2), epochs=1) for l2 in (None, 1.0))
    size = [sum((layer["W"] ** 2).sum() for layer in result.params) for result in (one, other)]
    assert size[1] < size[0]


@pytest.mark.parametrize("options", [{"iterations": 0}, {"memory": 0}, {"l2": -1}])
def test_what_is_refused(options):
    with pytest.raises(ConfigurationError):
        dr.LBFGS(**options)
