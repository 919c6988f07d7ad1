import numpy as np

import deltarule as dr
from deltarule.inspection.report import collect_evidence


def test_predictions_are_in_units(plant):
    net, params, schema, X, Y, _ = plant
    evidence = collect_evidence(net, params, schema, X, Y, "plant.csv")
    np.testing.assert_allclose(evidence.predicted, evidence.actual, atol=1e-3)
    assert 20 < evidence.actual.mean() < 100


def test_error_bars_are_those_of_the_ensemble(plant):
    net, params, schema, X, Y, _ = plant
    result = dr.train(net, X, Y, trainer=dr.BayesianRegularization(), epochs=8)
    ensemble = dr.BayesianEnsemble.of(net, result, X, Y)
    evidence = collect_evidence(net, result.params, schema, X, Y, "", ensemble)
    np.testing.assert_allclose(evidence.below, ensemble.probability(X, Y))
    low, high = ensemble.interval(X, 0.5)
    np.testing.assert_array_equal(np.abs(2 * evidence.below - 1) <= 0.5, (low <= Y) & (high >= Y))
    (curve, *_) = evidence.dependence
    assert (curve.band[0] < curve.means).all()
    assert (curve.band[1] > curve.means).all()
    assert collect_evidence(net, params, schema, X, Y, "").below is None


def test_a_column_matters_by_what_its_shuffling_costs(plant):
    net, params, schema, X, Y, _ = plant
    importance = collect_evidence(net, params, schema, X, Y, "").importance
    # a linear network: shuffling a standardised input of weight w adds an error of about sqrt(2) w
    weight = abs(float(params[0]["W"][0, 0]))
    assert importance["temperature"] == max(importance.values())
    assert abs(importance["temperature"] / (np.sqrt(2) * weight) - 1) < 0.2
    assert importance["kind"] > 0.1
    assert abs(importance["noise"]) < 1e-3


def test_the_dependence_of_a_linear_network_is_its_line(plant):
    net, params, schema, X, Y, _ = plant
    curves = {curve.column: curve for curve in collect_evidence(net, params, schema, X, Y, "").dependence}
    temperature = curves["temperature"]
    slope = np.diff(temperature.means[:, 0]) / np.diff(temperature.values)
    np.testing.assert_allclose(slope, 3, rtol=1e-3)
    assert curves["kind"].values == ["a", "b"]
    np.testing.assert_allclose(np.diff(curves["kind"].means[:, 0]), 10, rtol=1e-3)


def test_a_classifier_gives_probabilities_and_classes(clouds):
    net, params, schema, X, Y, _ = clouds
    evidence = collect_evidence(net, params, schema, X, Y, "")
    np.testing.assert_allclose(evidence.predicted.sum(axis=1), 1, rtol=1e-12)
    assert np.mean(evidence.predicted.argmax(axis=1) == evidence.actual) > 0.9
    assert evidence.importance["x"] > 0.2
    assert evidence.dependence[0].column == "x"
