"""Rows that may have several labels."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_score
from typer.testing import CliRunner

import deltarule as dr
from deltarule.cli.app import app
from deltarule.errors import ConfigurationError, DataError


@pytest.fixture(scope="module")
def rows():
    """(X, Y): three labels, each with a line of its own to one side of which it stands."""
    X = np.random.default_rng(0).normal(size=(200, 2))
    return X, np.stack([X[:, 0] > 0, X[:, 1] > 0.5, X.sum(axis=1) > -1], axis=1).astype(int)


@pytest.fixture(scope="module")
def model(rows):
    return dr.NetworkClassifier(hidden=(6,), random_state=0).fit(*rows)


def test_each_label_has_a_probability(model, rows):
    X, Y = rows
    p = model.predict_proba(X)
    assert p.shape == (200, 3)
    assert p.sum(axis=1).max() > 1.5
    assert ((p > 0.5).astype(int) == model.predict(X)).all()
    assert model.predict(X).dtype.kind == "i"
    assert model.score(X, Y) > 0.85  # all three are right
    assert all(log_loss(Y[:, j], p[:, j]) < 0.2 for j in range(3))
    assert (model.net_.layers[-1].activation, model.net_.cost.name) == ("sigmoid", "cross-entropy")
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.calibration_ is None


def test_sparse_and_boolean_targets_are_the_same(rows):
    X, Y = rows
    plain, *others = (
        dr.NetworkClassifier(hidden=(6,), epochs=5, random_state=0).fit(X, targets).predict_proba(X)
        for targets in (Y, csr_matrix(Y), Y.astype(bool), Y.tolist())
    )
    for other in others:
        np.testing.assert_array_equal(other, plain)


def test_it_is_cross_validated(rows):
    assert cross_val_score(dr.NetworkClassifier(hidden=(6,), epochs=50, random_state=0), *rows, cv=3).mean() > 0.75


def test_partial_fit(rows):
    X, Y = rows
    model = dr.NetworkClassifier(hidden=(6,), trainer="adam", random_state=0)
    for _ in range(60):
        model.partial_fit(X, Y)
    assert model.score(X, Y) > 0.7
    with pytest.raises(DataError, match="trained on 3 labels"):
        model.partial_fit(X, Y[:, :2])
    with pytest.raises(DataError, match="trained on 3 labels"):
        model.partial_fit(X, Y[:, 0])


def test_the_command_line_and_exports_give_the_probabilities(rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X, Y = rows
    table, names = pd.DataFrame(X, columns=["u", "v"]), ["rain", "wind", "sun"]
    model = dr.NetworkClassifier(hidden=(4,), epochs=20, random_state=0).fit(table, pd.DataFrame(Y, columns=names))
    model.save("weather.safetensors")
    table.to_csv("rows.csv", index=False)
    done = CliRunner().invoke(app, ["predict", "weather.safetensors", "rows.csv", "--out", "out.csv"])
    assert done.exit_code == 0, done.output
    np.testing.assert_allclose(pd.read_csv("out.csv")[names], model.predict_proba(table), rtol=1e-11)
    exported = {}
    exec(dr.export_model(model, "net.py").read_text(), exported)
    np.testing.assert_allclose(exported["predict"](X), model.predict_proba(table), rtol=1e-11)


def test_class_weight_is_refused(rows):
    with pytest.raises(ConfigurationError, match="several labels"):
        dr.NetworkClassifier(class_weight="balanced").fit(*rows)


def test_columns_of_classes_are_refused(rows):
    X, Y = rows
    with pytest.raises(DataError, match=r"y holds 2: .*0 and 1"):
        dr.NetworkClassifier().fit(X, 2 * Y)
    with pytest.raises(ValueError, match="1d array"):
        dr.NetworkClassifier().fit(X, Y + np.arange(200)[:, None] % 2)
