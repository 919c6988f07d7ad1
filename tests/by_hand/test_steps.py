"""Steps of gradient descent worked by hand: momentum, Nesterov's variant, L2 and L1 regularisation, mini-batches."""

import numpy as np
import pytest

import deltarule as dr

NEURON = dr.Network([dr.Dense(1, "linear")])

# One linear neuron with x = 1, y = 0: a = w + b, C = 1/2 a², and dC/dw = dC/db = a. From w = b = 1 the two stay equal,
# so one number p tells all: a = 2p and the gradient is 2p.
START = [{"W": np.array([[1.0]]), "b": np.array([1.0])}]
X, Y = np.array([[1.0]]), np.array([[0.0]])


def run(engine, epochs, **options):
    result = dr.train(NEURON, X, Y, trainer=dr.GradientDescent(**options), epochs=epochs, params=START, engine=engine)
    assert result.params[0]["W"].dtype == np.float64
    np.testing.assert_allclose(result.params[0]["W"].item(), result.params[0]["b"].item(), rtol=1e-14)
    return result.params[0]["b"].item()


def test_steepest_descent(engine):
    # p = 1: gradient 2, p ← 1 - 0.1·2 = 0.8;  gradient 1.6, p ← 0.8 - 0.16 = 0.64
    assert run(engine, 1, eta=0.1) == pytest.approx(0.8, rel=1e-14)
    assert run(engine, 2, eta=0.1) == pytest.approx(0.64, rel=1e-14)


def test_momentum(engine):
    # v ← mu v - eta ∇C, p ← p + v, with mu = 0.5:
    #   v = -0.1·2 = -0.2              p = 0.8    gradient 1.6
    #   v = -0.1 - 0.16 = -0.26        p = 0.54   gradient 1.08
    #   v = -0.13 - 0.108 = -0.238     p = 0.302
    assert run(engine, 1, eta=0.1, momentum=0.5) == pytest.approx(0.8, rel=1e-14)
    assert run(engine, 2, eta=0.1, momentum=0.5) == pytest.approx(0.54, rel=1e-14)
    assert run(engine, 3, eta=0.1, momentum=0.5) == pytest.approx(0.302, rel=1e-14)


def test_nesterov(engine):
    # v ← mu v - eta ∇C, p ← p + mu v - eta ∇C:
    #   v = -0.2                       p = 1 - 0.1 - 0.2 = 0.7       gradient 1.4
    #   v = -0.1 - 0.14 = -0.24        p = 0.7 - 0.12 - 0.14 = 0.44
    assert run(engine, 1, eta=0.1, momentum=0.5, nesterov=True) == pytest.approx(0.7, rel=1e-14)
    assert run(engine, 2, eta=0.1, momentum=0.5, nesterov=True) == pytest.approx(0.44, rel=1e-14)


def test_a_schedule_multiplies_eta(engine):
    # eta = 0.1 · (1, 1/2): p = 0.8, then 0.8 - 0.05·1.6 = 0.72
    assert run(engine, 2, eta=0.1, schedule=lambda t: 1 / (t + 1)) == pytest.approx(0.72, rel=1e-14)


# Two inputs, two examples (N = 2): x = (1, 0) with y = 2 and x = (0, 1) with y = -1; w = (2, -1), b = 1.
# a = (3, 0), a - y = (1, 1);  C = 1/2 (1/2 + 1/2) = 1/2;  dC/dw = (1/2, 1/2), dC/db = 1.
PAIR = np.eye(2), np.array([[2.0], [-1.0]])
PAIR_START = [{"W": np.array([[2.0, -1.0]]), "b": np.array([1.0])}]


def one_step(engine, **options):
    return dr.train(
        NEURON, *PAIR, trainer=dr.GradientDescent(eta=1, **options), epochs=1, params=PAIR_START, engine=engine
    )


@pytest.mark.parametrize(
    ("options", "cost", "W"),
    [
        ({}, 0.5, [1.5, -1.5]),
        # L2, lambda = 0.4: adds 0.4/4 (4 + 1) = 0.5 to C and 0.4/2 w = (0.4, -0.2) to the gradient.
        ({"l2": 0.4}, 1.0, [1.5 - 0.4, -1.5 + 0.2]),
        # L1, lambda = 0.4: adds 0.4/2 (2 + 1) = 0.6 to C and 0.4/2 sign(w) = (0.2, -0.2) to the gradient.
        ({"l1": 0.4}, 1.1, [1.5 - 0.2, -1.5 + 0.2]),
        ({"l2": 0.4, "l1": 0.4}, 1.6, [1.5 - 0.6, -1.5 + 0.4]),
    ],
)
def test_regularisation_moves_weights_and_not_biases(options, cost, W, engine):
    result = one_step(engine, **options)
    np.testing.assert_allclose(result.history["cost"], [cost], rtol=1e-14)
    np.testing.assert_allclose(result.params[0]["W"], [W], rtol=1e-14)
    np.testing.assert_allclose(result.params[0]["b"], [0.0], atol=1e-15)


def test_regularisation_divides_by_the_size_of_the_data_in_every_batch(engine):
    # Batches of one; N stays 2. Whichever example comes first: with l2 = 0.4 each step adds 0.2 w to the gradient.
    # Example 1 first: a - y = 1, w ← (2, -1) - (1, 0) - 0.2 (2, -1) = (0.6, -0.8), b ← 0;
    #   then a = -0.8, a - y = 0.2, w ← (0.6, -0.8) - (0, 0.2) - 0.2 (0.6, -0.8) = (0.48, -0.84), b ← -0.2.
    # Example 2 first: a - y = 1, w ← (2, -1) - (0, 1) - (0.4, -0.2) = (1.6, -1.8), b ← 0;
    #   then a = 1.6, a - y = -0.4, w ← (1.6, -1.8) + (0.4, 0) - (0.32, -0.36) = (1.68, -1.44), b ← 0.4.
    results = [
        dr.train(
            NEURON,
            *PAIR,
            trainer=dr.GradientDescent(eta=1, batch_size=1, l2=0.4),
            epochs=1,
            params=PAIR_START,
            seed=seed,
            engine=engine,
        ).params[0]
        for seed in range(8)
    ]
    found = {tuple(np.round([*np.ravel(p["W"]), *np.ravel(p["b"])], 12)) for p in results}
    assert found == {(0.48, -0.84, -0.2), (1.68, -1.44, 0.4)}
