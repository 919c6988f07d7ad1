"""F(p) = scale (sum_i w_i C_i + (l2/2) sum w²) over blocks, on both engines, in memory and in chunks of a stream."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.network.backprop import cost_and_gradient
from deltarule.objective import Objective, StreamedObjective, cost
from engines import assert_close, on, rows_on

pytestmark = pytest.mark.usefixtures("float64")

NET = dr.Network([dr.Dense(4, "tanh"), dr.Dropout(0.5), dr.Dense(2, "softmax")], "log-likelihood")
DRAW = np.random.default_rng(0)
X, Y, WEIGHT = DRAW.normal(size=(11, 3)), np.eye(2)[DRAW.integers(2, size=11)], DRAW.uniform(0.2, 2, 11)
PARAMS = NET.init(0, (3,), "float64")
SQUARES = sum(float((layer["W"] ** 2).sum()) for layer in PARAMS if "W" in layer)


def each_cost():
    """C_x of every example, by the trace of each."""
    return np.array([NET.trace(PARAMS, x, y).cost for x, y in zip(X, Y, strict=True)])


def value(F, p):
    return F.value(p)


def gradient(F, p):
    return F.sum(cost_and_gradient, p)


@pytest.mark.parametrize("block", [1, 4, 11, 16])
@pytest.mark.parametrize(("l2", "scale"), [(None, 1.0), (0.6, 1.0), (0.6, 0.25)])
def test_the_value(block, l2, scale, engine):
    F = Objective(NET, rows_on(engine, X, Y, WEIGHT), block, l2, scale)
    expected = scale * (WEIGHT @ each_cost() + (l2 or 0) / 2 * SQUARES)
    assert float(F.call(value, on(engine, PARAMS))) == pytest.approx(expected, rel=1e-13)


def test_the_prior_is_of_weights_alone(engine):
    F, p = Objective(NET, rows_on(engine, X, Y), 11, 0.6, 0.5), on(engine, PARAMS)
    A = F.prior(p)
    assert A[1] == {}
    for layer in (A[0], A[2]):
        np.testing.assert_array_equal(layer["W"], 0.3)
        np.testing.assert_array_equal(layer["b"], 0)
    assert float(F.prior_energy(p)) == pytest.approx(0.15 * SQUARES, rel=1e-13)
    assert float(F.value(p) - F.sum(cost, p)) == pytest.approx(0.15 * SQUARES, rel=1e-12)
    plain = Objective(NET, F.rows, 11)
    assert plain.prior_energy(p) == 0
    assert not trees.ravel(plain.prior(p)).any()


def test_the_scale_multiplies_the_weights(engine):
    p, rows = on(engine, PARAMS), rows_on(engine, X, Y, WEIGHT)
    once = Objective(NET, rows, 11).call(gradient, p)
    assert_close(list(Objective(NET, rows, 4, None, 2.0).call(gradient, p)), [2 * once[0], trees.scale(once[1], 2.0)])


def test_what_goes_through_in_one_block(engine):
    rows = rows_on(engine, X, Y)
    assert Objective(NET, rows, 16).fits_one_block
    assert not Objective(NET, rows, 4).fits_one_block


@pytest.mark.parametrize("l2", [None, 0.6])
def test_a_stream_is_the_sum_over_its_chunks(l2, engine):
    """Each sum is one pass; pieces run step by step."""
    passes = []

    def chunks():
        passes.append(1)
        for first in range(0, 11, 4):
            some = slice(first, first + 4)
            yield rows_on(engine, X[some], Y[some], WEIGHT[some])

    p = on(engine, PARAMS)
    streamed, whole = StreamedObjective(NET, chunks, 3, l2), Objective(NET, rows_on(engine, X, Y, WEIGHT), 11, l2)
    assert not streamed.fits_one_block
    assert float(streamed.value(p)) == pytest.approx(float(whole.value(p)), rel=1e-13)
    assert len(passes) == 1
    assert_close(list(streamed.call(gradient, p)), list(whole.call(gradient, p)))
    assert len(passes) == 2
    assert_close(streamed.prior(p), whole.prior(p))
