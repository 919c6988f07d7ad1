"""What a search varies: draws within their range, the grid whole."""

import doctest

import numpy as np
import pytest

from deltarule.errors import ConfigurationError
from deltarule.tuning import Range, grid, sample, space


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(space).failed == 0


def test_draws_are_uniform_in_the_logarithm():
    etas = np.array([values["eta"] for values in sample({"eta": Range(0.01, 100)}, 4000, seed=1)])
    assert 0.01 <= etas.min() < 0.0102
    assert 98 < etas.max() <= 100
    counts, _ = np.histogram(np.log10(etas), bins=4, range=(-2, 2))
    # Binomial with p = 1/4: four standard deviations are 110.
    assert np.abs(counts - 1000).max() < 110


def test_draws_are_uniform_otherwise():
    drawn = sample({"mu": Range(0, 0.8, log=False), "n": [3, 5], "m": Range(4, 6, whole=True)}, 2000, seed=2)
    assert np.mean([values["mu"] for values in drawn]) == pytest.approx(0.4, abs=0.02)
    assert 850 < sum(values["n"] == 3 for values in drawn) < 1150
    assert {values["m"] for values in drawn} == {4, 5, 6}
    assert {type(values["m"]) for values in drawn} == {int}


def test_more_draws_begin_with_the_same():
    entry = {"eta": Range(0.1, 1), "n": [1, 2, 3]}
    assert sample(entry, 9, seed=4)[:4] == sample(entry, 4, seed=4)
    assert sample(entry, 4, seed=4) != sample(entry, 4, seed=5)


def test_no_combination_of_lists_is_drawn_twice():
    lists = {"n": [1, 2, 3], "m": ["a", "b"]}
    for count in (5, 6, 20):
        drawn = [tuple(values.values()) for values in sample(lists, count, seed=0)]
        assert len(set(drawn)) == len(drawn) == min(count, 6)
    assert len(sample(lists | {"eta": Range(0.1, 1)}, 20, seed=0)) == 20


def test_a_grid_is_every_combination_and_the_ends_are_exact():
    points = grid({"eta": Range(0.003, 3), "n": ["a", "b"]}, points=4)
    assert len(points) == 8
    etas = [values["eta"] for values in points[::2]]
    np.testing.assert_allclose(etas, [0.003, 0.03, 0.3, 3], rtol=1e-12)
    assert (etas[0], etas[-1]) == (0.003, 3)
    assert [values["m"] for values in grid({"m": Range(1.2, 3.7, whole=True)}, points=2)] == [2, 3]  # none outside
    # Whole numbers that fall together are taken once.
    assert [values["m"] for values in grid({"m": Range(1, 3, whole=True)}, points=5)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Range(0, 1), "low end .*is 0"),
        (lambda: Range(1.2, 1.4, whole=True), r"from 1\.2 to 1\.4"),
        (lambda: Range(2, 1), "high end .*is 1"),
        (lambda: Range("x", 1), "low end .*is 'x'"),
        (lambda: sample({}, 3, 0), "space .*empty"),
        (lambda: sample({"eta": []}, 3, 0), r"eta of the space is \[\]"),
        (lambda: grid({"eta": "0.1"}), "eta of the space is '0.1'"),
        (lambda: grid({"eta": 0.1}), "eta of the space is 0.1"),
        (lambda: sample({"eta": [1]}, 0, 0), "trials .*is 0"),
        (lambda: grid({"eta": [1]}, points=1), "points .*is 1"),
    ],
)
def test_what_is_no_space(wrong, message):
    with pytest.raises(ConfigurationError, match=message):
        wrong()
