import numpy as np
import pytest

import deltarule as dr
from deltarule.cli.choices import Choices
from deltarule.cli.outcome import merge_starts
from deltarule.cli.planning import make_plan
from deltarule.data import load

NOTHING = dict.fromkeys(Choices.__dataclass_fields__) | {"source": "houses.csv", "seed": 0, "drop_missing": False}


@pytest.fixture(scope="module")
def data(shelf):
    return load(shelf / "houses.csv", target="price")


def trained(data, epochs, **options):
    plan = make_plan(Choices(**NOTHING | {"hidden": "4"} | options), data)
    return plan, dr.train(
        plan.net, data.train.X, data.train.Y, trainer=plan.trainer, epochs=epochs, restarts=plan.restarts, seed=2
    )  # of this seed both starts count


def test_the_starts_become_one_network_that_predicts_their_mean(data):
    plan, result = trained(data, 10)
    outcome = merge_starts(data, plan, result)
    assert (plan.sizes, outcome.plan.sizes) == ((3, 4, 1), (3, 8, 1))
    known = outcome.known
    assert known is not None
    outputs = np.asarray(outcome.plan.net(outcome.result.params, data.test.X))
    np.testing.assert_allclose(outputs, known.ensemble.predict(data.test.X).mean, rtol=1e-12)
    assert known.parameters == 3 * 4 + 4 + 4 + 1
    assert known.network == "3-4-1 (tanh, linear)"
    record = known.record()
    assert record["starts"] == 2
    assert record["noise_std"] == [
        pytest.approx(
            float(np.sqrt(known.ensemble.members[int(np.argmax(known.ensemble.log_evidence))].noise[0]))
            * data.schema.targets[0].std
        )
    ]


def test_another_training_stays_as_it_is(data):
    plan, result = trained(data, 2, trainer="gd")
    outcome = merge_starts(data, plan, result)
    assert outcome.plan is plan
    assert outcome.result is result
    assert outcome.known is None
