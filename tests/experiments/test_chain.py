import numpy as np
import pytest

from deltarule.experiments import chain
from deltarule.experiments.report import Settings


def test_the_chain_by_hand():
    # z = 1.2·0.7 - 0.3 = 0.54; a = sigma(0.54) = 0.6318...; the last layer: 2 (a - 1), sigma', a below
    a1 = 1 / (1 + np.exp(-0.54))
    a2 = 1 / (1 + np.exp(-(-0.8 * a1 + 0.5)))
    a3 = 1 / (1 + np.exp(-(1.6 * a2 + 0.1)))
    found = chain.chain_by_formula()
    assert found["C_0"] == pytest.approx((a3 - 1) ** 2, rel=1e-14)
    dC_dw = found["∂C_0/∂w^(L) = a^(L-1) σ'(z^(L)) ∂C_0/∂a^(L)"]
    assert dC_dw == pytest.approx(a2 * a3 * (1 - a3) * 2 * (a3 - 1), rel=1e-14)
    assert found["∂C_0/∂a^(L-1)"] == pytest.approx(1.6 * a3 * (1 - a3) * 2 * (a3 - 1), rel=1e-14)


@pytest.mark.parametrize("nudged", [0, 1, 2])
def test_the_formulas_are_slopes(nudged, monkeypatch):
    """Moving a weight of the chain by h moves the cost by h ∂C_0/∂w."""
    h, costs = 1e-6, []
    found = chain.chain_by_formula()
    slope = next(value for name, value in found.items() if f"∂w^({('L-2', 'L-1', 'L')[nudged]})" in name)
    for sign in (1, -1):
        moved = [dict(layer) for layer in chain.CHAIN_PARAMS]
        moved[nudged]["W"] = moved[nudged]["W"] + sign * h
        monkeypatch.setattr(chain, "CHAIN_PARAMS", moved)
        costs.append(chain.chain_by_formula()["C_0"])
        monkeypatch.undo()
    assert (costs[0] - costs[1]) / (2 * h) == pytest.approx(slope, rel=1e-7)


def test_backpropagation_gives_each_of_them():
    report = chain.run(Settings())
    assert len(report.rows) == 13 + 12
    for row in report.rows:
        assert row.average == pytest.approx(row.book, rel=1e-12)
    names = " ".join(row.label for row in report.rows)
    for name in ("∂C_0/∂w^(L-1)", "∂C_0/∂b^(L-2)", "∂C_0/∂a^(L-2)", "∂C_0/∂w_12", "∂C_0/∂b_1", "∂C_0/∂a_2^(L-1)"):
        assert name in names


def test_the_figure_shows_six_derivatives():
    bars = chain.run(Settings()).figures["chain"][0].axes[0].patches
    found = chain.chain_by_formula()
    heights = [bar.get_height() for bar in bars]
    assert len(heights) == 6
    assert heights[4] == pytest.approx(found["∂C_0/∂w^(L) = a^(L-1) σ'(z^(L)) ∂C_0/∂a^(L)"], rel=1e-12)
