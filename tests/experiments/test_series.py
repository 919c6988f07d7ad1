"""The classical series in small: the delay equation against its fixed point, and a quick run of each experiment."""

import numpy as np
import pytest

from deltarule.experiments import Settings, run
from deltarule.experiments.series import delay_equation

pytest.importorskip("sklearn")


def test_the_delay_equation_without_delay_rests_where_its_terms_are_equal():
    # 0.2 x / (1 + x^10) = 0.1 x at x = 1
    np.testing.assert_allclose(delay_equation(50, tau=1.0), 1.0, atol=1e-6)
    x = delay_equation(2000)
    assert 0.2 < x.min() < 0.5 < 1.2 < x.max() < 1.5
    finer = delay_equation(100, finer=20)
    np.testing.assert_allclose(finer[:20], delay_equation(100)[:20], atol=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "most"), [("mackey-glass", 1e-2), ("narendra", 5e-2)])
def test_quick_runs(name, most):
    pytest.importorskip("matplotlib")
    report = run(name, Settings(quick=True))
    assert report.rows[0].average < most


def test_sunspots_are_predicted_where_statsmodels_has_them():
    pytest.importorskip("statsmodels")
    assert run("sunspots", Settings(quick=True)).rows[0].average < 0.2
