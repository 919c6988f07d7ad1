"""Small problems whose solutions are known."""

import numpy as np
import pytest

import deltarule as dr


@pytest.fixture
def net():
    """1-8-1."""
    return dr.Network([dr.Dense(8, "tanh"), dr.Dense(1, "linear")])


@pytest.fixture
def decay():
    """u' = -c u on [0, 2] with u(0) = 1: e^(-c t), the rate c as unknown or as 1."""
    t = np.linspace(0, 2, 30)[:, None]

    def equations(rate=lambda p: 1.0, **options):
        return [
            dr.Equation(t, lambda x, u, p: u.d(0) + rate(p) * u.value, **options),
            dr.Equation([[0.0]], lambda x, u, p: u.value - 1, weight=1.0),
        ]

    return equations
