import pytest

from deltarule.experiments import nielsen_3


@pytest.mark.slow
def test_a_quick_run(quick):
    report = nielsen_3.run(quick)
    books = [row.book for row in report.rows]
    for number in (0.09, 0.20, 95.49, 96.82, 96.49, 98.04, 82.27, 87.1):
        assert number in books
    assert set(report.figures) == {"slowdown", "cross-entropy", "overfitting", "initialisation"}
    assert len(report.notes) == 5
