import numpy as np
import pytest

from deltarule.inspection.report.axis import Axis


@pytest.mark.parametrize(
    ("axis", "ticks", "words"),
    [
        (Axis(limits=(-134, 132)), [-100, -50, 0, 50, 100], ["−100", "−50", "0", "50", "100"]),
        (Axis(limits=(0, 0.9)), [0, 0.2, 0.4, 0.6, 0.8], ["0.0", "0.2", "0.4", "0.6", "0.8"]),
        (Axis(limits=(0.7, 130), log=True), [1, 10, 100], ["1", "10", "100"]),
        (Axis(limits=(0.003, 0.7), log=True), [5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5], None),
        (Axis(limits=(0.3, 8), log=True), [0.5, 1, 2, 5], ["0.5", "1", "2", "5"]),
        (Axis(limits=(1e-9, 2), log=True), [1e-9, 1e-7, 1e-5, 1e-3, 1e-1], ["10⁻⁹", "10⁻⁷", "10⁻⁵", "10⁻³", "10⁻¹"]),
        (Axis(limits=(1.23, 1.24), log=True), [1.23, 1.232, 1.234, 1.236, 1.238, 1.24], None),
        (Axis(limits=(1.5, -0.5), names=("a", "b")), [0, 1], ["a", "b"]),
    ],
)
def test_ticks_are_round_numbers(axis, ticks, words):
    np.testing.assert_allclose(axis.ticks, ticks, rtol=1e-12, atol=1e-12)
    assert words is None or axis.tick_labels == words


def test_large_and_small_numbers_are_counted_in_a_power_of_ten():
    axis = Axis("price", limits=(2e5, 1.1e6))
    assert axis.tick_labels == ["0.2", "0.4", "0.6", "0.8", "1.0"]
    assert axis.title == "price, in 10⁶"
    assert Axis("loss", limits=(0, 4e-7)).title == "loss, in 10⁻⁷"
    assert Axis("price", limits=(0, 9000)).title == "price"


def test_a_value_lies_between_the_ends_by_its_share_of_the_range():
    axis = Axis().over([[2.0, np.nan], [4.0]])
    low, high = axis.limits
    assert low < 2
    assert high > 4
    placed = Axis(limits=(2, 4)).between(100, 300).at([2, 3, 4, 9, np.nan])
    np.testing.assert_allclose(placed, [100, 200, 300, 300, np.nan])
    logarithmic = Axis(limits=(1, 100), log=True).between(0, 2).at([1, 10, 100])
    np.testing.assert_allclose(logarithmic, [0, 1, 2])


def test_what_a_logarithm_cannot_take_has_no_place():
    axis = Axis(log=True).over([[0.0, -1.0, 10.0, 1000.0]]).between(0, 1)
    assert np.isnan(axis.at([-1.0])).all()
    np.testing.assert_allclose(np.log10(axis.limits), [0.92, 3.08])


@pytest.mark.parametrize("values", [[], [np.nan], [5.0, 5.0], [0.0], [-3.0]])
def test_values_that_do_not_vary_have_a_range_too(values):
    low, high = Axis().over([values]).limits
    assert low < high
    assert len(Axis(limits=(low, high)).tick_labels) > 1


def test_a_whole_axis_has_no_half_epochs():
    assert Axis(limits=(1.0, 3.0), whole=True).tick_labels == ["1", "2", "3"]
    assert Axis(limits=(1.0, 3.0)).tick_labels == ["1.0", "1.5", "2.0", "2.5", "3.0"]
