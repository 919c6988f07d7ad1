"""Examples divided among 1, 2, 3, 4 and 8 simulated devices give what one device gives, to the rounding of float64."""

import pytest

pytest.importorskip("jax", reason="JAX is not installed")


def test_devices_change_nothing_but_the_rounding(on_devices):
    """Four devices, in one process that imports JAX once; other numbers of them with the slow tests."""
    found = on_devices(["primal", "convolution"], (4,))  # and sgd and the dual form in two processes
    assert len(found) == 2
    assert max(found.values()) < 1e-10, found


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [
        "sgd",
        "convolution",
        "primal",
        "dual",
        "momentum, weights, validation, records",
        "drawn with replacement",
        "adam, two starts",
        "full batch, weights",
        "dual, prior, weights",
        "cg",
        "lm, mini-batches",
        "newton-cg",
        "newton-cg, mini-batches",
        "bayesian, primal",
        "bayesian, dual",
    ],
)
def test_every_trainer_can_be_divided(on_devices, case):
    found = on_devices([case], (1, 2, 3, 4, 8))
    assert len(found) == 5
    assert max(found.values()) < 1e-10, found


@pytest.mark.slow
def test_where_rounding_is_amplified_devices_add_no_more_than_one_unit_of_it(on_devices):
    """Exact steps on ill-conditioned batches magnify what rounding there is, on one device as on several."""
    case = "lm, ill-conditioned mini-batches"
    found = on_devices([case], (2, 8), nudges=3)
    amplified = max(found.pop(f"{case} nudged {seed}") for seed in range(3))
    assert amplified > 1e-10  # or this case shows nothing
    assert len(found) == 2
    assert max(found.values()) < 10 * amplified, found
