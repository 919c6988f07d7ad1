"""The pictures of a model: what is drawn is what the model says."""

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError, DataError

matplotlib = pytest.importorskip("matplotlib")
pyplot = pytest.importorskip("matplotlib.pyplot")
metrics = pytest.importorskip("sklearn.metrics")


@pytest.fixture(autouse=True)
def closed():
    matplotlib.use("Agg")
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    kind = np.array(["a", "b"])[random.integers(0, 2, 90)]
    frame = pd.DataFrame({"flow": random.uniform(0, 9, 90), "kind": kind, "noise": random.normal(size=90)})
    frame["pressure"] = 10 * frame["flow"] + 30 * (kind == "b") + random.normal(0, 2, 90)
    return frame


@pytest.fixture(scope="module")
def model(table):
    return dr.fit_table(table, "pressure", hidden=(3,), epochs=20)


@pytest.fixture(scope="module")
def flowers():
    random = np.random.default_rng(1)
    labels = np.repeat(["iris", "rose", "tulip"], 40)
    centre = np.repeat([0.0, 2.0, 4.0], 40)
    return pd.DataFrame({"x": centre + random.normal(size=120), "z": random.normal(size=120), "kind": labels})


@pytest.fixture(scope="module")
def classifier(flowers):
    return dr.fit_table(flowers, "kind", hidden=(4,), epochs=30)


def offsets(axes):
    return np.asarray(axes.collections[-1].get_offsets())


def test_predictions_over_targets(model, table):
    axes = model.plot_predictions(table)
    drawn = offsets(axes)
    np.testing.assert_allclose(drawn[:, 0], model.predict(table))
    np.testing.assert_allclose(drawn[:, 1], table["pressure"])
    assert axes.get_ylabel() == "pressure, actual"
    again = model.plot_predictions(table.drop(columns="pressure"), table["pressure"].to_numpy())
    np.testing.assert_allclose(offsets(again), drawn)


def test_without_rows_the_test_part_is_plotted(model, table):
    _, given = pyplot.subplots()
    axes = model.plot_residuals(ax=given)
    assert axes is given
    test = table.iloc[model.examples["test"].rows]
    drawn = offsets(axes)
    np.testing.assert_allclose(drawn[:, 0], model.predict(test))
    np.testing.assert_allclose(drawn[:, 1], test["pressure"] - model.predict(test))


def test_a_dependence_with_its_band(model, table):
    axes = model.plot_dependence("flow", table)
    (line,) = axes.get_lines()
    at, means = line.get_xdata(), line.get_ydata()
    for value, mean in ((at[0], means[0]), (at[-1], means[-1])):
        assert mean == pytest.approx(model.predict(table.assign(flow=value)).mean(), rel=1e-6)
    low, high = model.predict_interval(table.assign(flow=at[20]))
    path = axes.collections[0].get_paths()[0].vertices
    band = path[np.isclose(path[:, 0], at[20]), 1]
    assert np.ptp(band) == pytest.approx(np.mean(high - low), rel=0.05)
    kinds = model.plot_dependence("kind", table)
    points = kinds.containers[0].lines[0].get_ydata()
    expected = [model.predict(table.assign(kind=kind)).mean() for kind in "ab"]
    np.testing.assert_allclose(points, expected, rtol=1e-6)


def test_the_confusion(classifier, flowers):
    axes = classifier.plot_confusion(flowers)
    expected = metrics.confusion_matrix(flowers["kind"], classifier.predict(flowers))
    drawn = {
        (round(text.get_position()[1]), round(text.get_position()[0])): int(text.get_text()) for text in axes.texts
    }
    assert drawn == {place: int(count) for place, count in np.ndenumerate(expected)}
    assert [label.get_text() for label in axes.get_xticklabels()] == ["iris", "rose", "tulip"]


def test_roc_curve_of_each_class(classifier, flowers):
    axes = classifier.plot_roc(flowers)
    lines = {line.get_label().split(" (")[0]: line for line in axes.get_lines()}
    p = classifier.predict_proba(flowers)
    for j, name in enumerate(["iris", "rose", "tulip"]):
        wrong, found, _ = metrics.roc_curve(flowers["kind"] == name, p[:, j])
        np.testing.assert_allclose(lines[name].get_xdata(), wrong)
        np.testing.assert_allclose(lines[name].get_ydata(), found)


def test_plot_calibration(classifier, flowers, model, table):
    from sklearn.calibration import calibration_curve

    p = classifier.predict_proba(flowers)
    right = classifier.predict(flowers) == flowers["kind"]
    share, mean = calibration_curve(right, p.max(axis=1), n_bins=5)
    line = next(
        line for line in classifier.plot_calibration(flowers).get_lines() if line.get_label() == "predicted class"
    )
    np.testing.assert_allclose(line.get_xdata(), mean)
    np.testing.assert_allclose(line.get_ydata(), share)
    found = model.plot_calibration(table).get_lines()[1]
    low, high = model.predict_interval(table, 0.9)
    inside = np.mean((table["pressure"] > low) & (table["pressure"] < high))
    assert found.get_ydata()[np.isclose(found.get_xdata(), 0.9)][0] == pytest.approx(inside, abs=0.02)


def test_the_costs(model):
    for axes in (model.plot_costs(),):
        np.testing.assert_allclose(axes.get_lines()[0].get_ydata(), model.training["history"]["cost"])
    net = dr.Network([dr.Dense(1, "linear")])
    result = dr.train(net, [[0.0], [1.0]], [[0.0], [1.0]], trainer=dr.GradientDescent(eta=0.1), epochs=5)
    np.testing.assert_allclose(result.plot_costs().get_lines()[0].get_ydata(), result.history["cost"])


def test_impossible_plots_are_refused(model, classifier, table, flowers, tmp_path):
    model.save(tmp_path / "m.safetensors")
    kept = dr.load_model(tmp_path / "m.safetensors")
    with pytest.raises(DataError, match="rows is None"):
        kept.plot_predictions()
    with pytest.raises(DataError, match="no targets"):
        kept.plot_predictions(table[["flow", "kind", "noise"]].to_numpy())
    with pytest.raises(ConfigurationError, match="plot_confusion"):
        classifier.plot_predictions(flowers)
    with pytest.raises(ConfigurationError, match="plot_predictions"):
        model.plot_roc(table)
    with pytest.raises(ConfigurationError, match=r"'heat': .*flow, kind, noise"):
        model.plot_dependence("heat")
    with pytest.raises(ConfigurationError, match="no target 'x'"):
        model.plot_predictions(table, target="x")


@pytest.mark.parametrize("name", ["PredictionErrorDisplay", "PartialDependenceDisplay"])
def test_scikit_learns_displays_draw_the_regressor(name):
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 2))
    y = X[:, 0] - X[:, 1]
    regressor = dr.NetworkRegressor((3,), epochs=10, random_state=0).fit(X, y)
    if name == "PredictionErrorDisplay":
        axes = metrics.PredictionErrorDisplay.from_estimator(regressor, X, y, subsample=None).ax_
        np.testing.assert_allclose(offsets(axes)[:, 0], regressor.predict(X))
    else:
        from sklearn.inspection import PartialDependenceDisplay

        shown = PartialDependenceDisplay.from_estimator(regressor, X, [0])
        (line,) = shown.lines_.ravel()
        assert np.all(np.diff(line.get_ydata()) > 0)
    np.testing.assert_allclose(regressor.plot_costs().get_lines()[0].get_ydata(), regressor.history_["cost"])


def test_scikit_learns_displays_draw_the_classifier(flowers):
    from sklearn.calibration import CalibrationDisplay
    from sklearn.inspection import DecisionBoundaryDisplay

    X, y = flowers[["x", "z"]].to_numpy(), (flowers["kind"] == "rose").to_numpy()
    classifier = dr.NetworkClassifier((3,), epochs=15, random_state=0).fit(X, y)
    shown = metrics.ConfusionMatrixDisplay.from_estimator(classifier, X, y)
    np.testing.assert_array_equal(shown.confusion_matrix, metrics.confusion_matrix(y, classifier.predict(X)))
    roc = metrics.RocCurveDisplay.from_estimator(classifier, X, y)
    assert roc.roc_auc == pytest.approx(metrics.roc_auc_score(y, classifier.predict_proba(X)[:, 1]))
    calibration = CalibrationDisplay.from_estimator(classifier, X, y)
    np.testing.assert_allclose(calibration.y_prob, classifier.predict_proba(X)[:, 1])
    assert DecisionBoundaryDisplay.from_estimator(classifier, X, grid_resolution=20).response.shape == (20, 20)
