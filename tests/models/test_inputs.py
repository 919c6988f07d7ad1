"""Rows that skip scikit-learn's checks are those that the checks leave as they are."""

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.models import inputs

X = np.random.default_rng(0).normal(size=(30, 2))


@pytest.fixture(scope="module")
def fitted():
    return dr.NetworkRegressor(hidden=(2,), random_state=0).fit(X, X[:, 0])


def test_a_float64_array_skips_the_checks(fitted, monkeypatch):
    monkeypatch.setattr(inputs, "validate_data", lambda *_, **__: pytest.fail("nothing is left to check"))
    assert inputs.check_inputs(fitted, X) is X


@pytest.mark.parametrize(
    "other",
    [X.astype(np.float32), X.tolist(), np.asfortranarray(X).astype(">f8"), np.ma.array(X), pd.DataFrame(X)],
    ids=["float32", "list", "big-endian", "masked", "frame"],
)
def test_other_inputs_are_checked(fitted, other, monkeypatch):
    monkeypatch.setattr(inputs, "validate_data", lambda *_, **__: "checked")
    assert inputs.check_inputs(fitted, other) == "checked"


@pytest.mark.parametrize("wrong", [X[:, :1], X[0], X[:0], np.where(X > 1, np.nan, X), np.where(X > 1, np.inf, X)])
def test_bad_rows_are_refused(fitted, wrong):
    with pytest.raises(ValueError, match=r"feature|1D|sample|NaN|infinity"):
        fitted.predict(wrong)


def test_columns_with_names_are_checked():
    named = dr.NetworkRegressor(hidden=(2,), random_state=0).fit(pd.DataFrame(X, columns=["u", "v"]), X[:, 0])
    with pytest.warns(UserWarning, match="feature names"):
        named.predict(X)
