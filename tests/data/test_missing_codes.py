"""Numbers that stand for missing values are found, and ordinary columns are left alone."""

import numpy as np
import pytest

from deltarule.data.missing_codes import code_notes, missing_codes

RANDOM = np.random.default_rng(0)
CARBON = np.round(RANDOM.uniform(0.1, 11.9, 820), 1)
WIDE = np.round(RANDOM.gamma(2, 200, 820)) + 2


def with_codes(values, *codes):
    return np.concatenate([values, *(np.full(count, value) for value, count in codes)])


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (with_codes(CARBON, (-200, 180)), [(-200, 180)]),
        (with_codes(CARBON, (-999.25, 2)), [(-999.25, 2)]),
        (with_codes(CARBON, (-999, 5), (-888, 3)), [(-999, 5), (-888, 3)]),
        (with_codes(CARBON, (-999, 5), (9999, 3)), [(-999, 5), (9999, 3)]),
        (with_codes(WIDE, (-200, 180)), [(-200, 180)]),  # near the others for their range, but the only ones below 0
        (with_codes(np.tile(np.arange(1, 6), 20), (99, 7)), [(99, 7)]),
    ],
)
def test_codes(values, codes):
    found = missing_codes([("CO", np.append(values, np.nan))])
    assert [(code.value, code.times) for code in found] == codes
    assert {code.rows for code in found} == {len(values)}


def test_a_code_is_told_with_its_counts_and_the_range_of_the_others():
    code = missing_codes([("CO", with_codes(CARBON, (-200, 180)))])[0]
    assert (code.low, code.high) == (CARBON.min(), CARBON.max())
    (note,) = code_notes([code, code._replace(column="NO", times=5)])
    for words in ("'CO'", "180 of 1,000", "'NO'", "5 of 1,000", "--na -200 and --missing drop"):
        assert words in note


@pytest.mark.parametrize(
    "values",
    [
        CARBON,
        WIDE,
        RANDOM.normal(size=500),
        RANDOM.standard_cauchy(size=500),  # far values, each once
        np.round(RANDOM.exponential(3, 500), 1),
        with_codes(RANDOM.uniform(500, 600, 100), (0, 50)),  # a machine that stands still
        RANDOM.integers(0, 2, 100).astype(float),
        RANDOM.choice([-1.0, 1.0], 100),
        RANDOM.choice([-40.0, 20.0, 25.0], 100),
        RANDOM.poisson(2, 500).astype(float),
        with_codes(CARBON, (-200, 1)),  # one value is an outlier
        np.full(50, np.nan),
    ],
)
def test_columns_without_codes(values):
    assert missing_codes([("a", values)]) == ()
