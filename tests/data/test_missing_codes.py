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
    assert missing_codes(np.append(values, np.nan))[0] == codes


def test_a_code_is_told_with_its_counts_and_the_range_of_the_others():
    columns = (("CO", with_codes(CARBON, (-200, 180))), ("NO", with_codes(CARBON, (-200, 5))), ("H", CARBON))
    (note,) = code_notes(columns)
    others = f"others: {CARBON.min():g} to {CARBON.max():g}"
    for words in ("'CO' (180 of 1,000", others, "'NO' (5 of 825", "--na -200 and --missing drop"):
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
    assert missing_codes(values)[0] == []
    assert code_notes([("a", values)]) == ()
