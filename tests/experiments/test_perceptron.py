import numpy as np

from deltarule.experiments import perceptron
from deltarule.experiments.report import Settings


def test_nand():
    outputs = perceptron.NAND(perceptron.NAND_PARAMS, [[0, 0], [0, 1], [1, 0], [1, 1]])
    np.testing.assert_array_equal(np.ravel(outputs), [1, 1, 1, 0])


def test_the_adder():
    outputs = perceptron.ADDER(perceptron.ADDER_PARAMS, [[0, 0], [0, 1], [1, 0], [1, 1]])
    np.testing.assert_array_equal(outputs, [[0, 0], [0, 1], [0, 1], [1, 0]])  # carry, sum


def test_a_quick_run_learns_it():
    report = perceptron.run(Settings(quick=True))
    assert [row.book for row in report.rows[:8]] == [1, 1, 1, 0, 0, 1, 1, 10]
    assert all(row.average == row.book for row in report.rows[:8])
    assert report.rows[8].average == 100
    assert set(report.figures) == {"learning", "outputs"}


def test_wrong_bits_are_counted():
    constant = [{"W": np.zeros((3, 2)), "b": np.zeros(3)}, {"W": np.zeros((2, 3)), "b": np.array([-1.0, 1.0])}]
    # always carry 0, sum 1: wrong in both bits of 1 + 1 and in the sum bit of 0 + 0
    assert perceptron.wrong_bits(perceptron.LEARNER, constant, perceptron.SUMS) == 3
