import numpy as np
import pytest

from deltarule.models.fitting import fit, run
from deltarule.models.outcome import build_outcome
from deltarule.models.planning import make_plan
from deltarule.models.recipe import Problem, Recipe
from deltarule.models.scaling import Scaling


def trained(data, **options):
    """The plan, and what it has come to."""
    plan = make_plan(Recipe(**options), Problem.of(data))
    result = run(plan, data.train, data.validation, seed=2)
    scales = np.array([column.std for column in data.schema.targets])
    return plan, result, build_outcome(plan, result, data.train, data.validation, scales)


def test_restarts_are_averaged_into_one_network(house_data):
    plan, result, outcome = trained(house_data, hidden=(4,), epochs=10)
    assert (plan.sizes, outcome.plan.sizes) == ((3, 4, 1), (3, 8, 1))
    known = outcome.bayesian
    assert known is not None
    assert known.ensemble is not None
    outputs = np.asarray(outcome.plan.net(outcome.result.params, house_data.test.X))
    np.testing.assert_allclose(outputs, known.ensemble.predict(house_data.test.X).mean, rtol=1e-12)
    assert known.parameters == 3 * 4 + 4 + 4 + 1
    record = known.record()
    assert record["network_of_a_start"] == "3-4-1 (tanh, linear)"
    assert record["starts"] == record["networks_trained"] == 2
    assert record["epochs_of_all"] == sum(start.epochs for start in result.starts) > outcome.result.epochs
    said = outcome.record(house_data, {})
    heaviest = "the network with the largest weight"
    assert said["stopped"].lower().startswith(f"{heaviest}: ")
    assert said["kept"].startswith(f"epoch {outcome.result.best_epoch} of {heaviest},")
    assert record["noise_std"] == [
        pytest.approx(
            float(np.sqrt(known.ensemble.members[int(np.argmax(known.ensemble.log_evidence))].noise[0]))
            * house_data.schema.targets[0].std
        )
    ]


def test_without_bayesian_the_result_is_unchanged(house_data):
    plan, result, outcome = trained(house_data, hidden=(4,), epochs=2, trainer="gd")
    assert outcome.plan is plan
    assert outcome.result.history is result.history
    assert all(np.array_equal(a[k], b[k]) for a, b in zip(outcome.result.params, result.params, strict=True) for k in b)
    assert outcome.bayesian is None


def test_probabilities_are_calibrated_on_validation_rows(flower_data):
    plan, result, outcome = trained(flower_data, hidden=(4,), epochs=40, regularization="early-stopping")
    assert outcome.calibration is not None
    T = outcome.calibration.temperature
    assert outcome.calibration.rows == len(flower_data.validation)
    before, after = (np.log(np.asarray(plan.net(r.params, flower_data.test.X))) for r in (result, outcome.result))
    logits = before / T  # ln softmax(z / T) = ln softmax(z) / T but for a constant of the row
    np.testing.assert_allclose(logits - logits[:, :1], after - after[:, :1], rtol=1e-6, atol=1e-9)


def test_classifiers_are_averaged_by_their_logits(flower_data):
    """With two starts of one architecture: softmax of sum w_k z_k, and 1/sum w the temperature."""
    plan, _, outcome = trained(flower_data, hidden=(4,), epochs=40)
    pool, X = outcome.bayesian, flower_data.test.X
    assert pool is not None
    assert pool.ensemble is None
    assert len(pool.weights) == 2
    assert outcome.calibration.temperature == pytest.approx(1 / pool.weights.sum())
    assert outcome.calibration.rows == len(flower_data.train)
    Z = np.stack([np.log(np.asarray(plan.net(one.params, X))) for one in outcome.result.starts])
    z = np.log(np.asarray(outcome.plan.net(outcome.result.params, X)))
    expected = np.tensordot(pool.weights, Z, 1)
    np.testing.assert_allclose(z - z[:, :1], expected - expected[:, :1], rtol=1e-6, atol=1e-9)
    assert outcome.plan.sizes == (2, 8, 3)
    assert pool.record()["start_weights"] == pool.weights.tolist()


def test_a_classifier_without_hidden_averages_several(flower_data):
    plan = make_plan(Recipe(), Problem.of(flower_data))
    seen = []
    options = {"seed": 2, "callbacks": [lambda record: seen.append(record["epoch"])]}
    outcome = fit(plan, flower_data.train, flower_data.validation, Scaling.from_columns(()), **options)
    assert outcome.bayesian.record()["epochs_of_all"] == seen[-1]
    assert outcome.bayesian.record()["networks_trained"] == outcome.bayesian.tried
    assert len({len(one.params) for one in outcome.result.starts}) > 1
    assert outcome.selection().startswith(f"of {outcome.bayesian.tried} networks")
    assert outcome.bayesian.tried <= len(plan.candidates)
    accuracy = np.mean(
        np.asarray(outcome.plan.net(outcome.result.params, flower_data.test.X)).argmax(axis=1)
        == flower_data.test.Y.argmax(axis=1)
    )
    assert accuracy > 0.8
