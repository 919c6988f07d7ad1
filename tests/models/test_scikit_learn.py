"""Every check that scikit-learn has for an estimator, with none left out; a few of them in the quick run as well."""

import json
import os
import subprocess
import sys

import pytest
from sklearn.utils import estimator_checks

from deltarule import NetworkClassifier, NetworkRegressor

TELLING = ("check_no_attributes_set_in_init", "check_fit1d", "check_estimators_nan_inf", "check_estimator_sparse_array")
ESTIMATORS = {
    "regressor": "NetworkRegressor()",
    "classifier": "NetworkClassifier()",
    "regressor of first order": "NetworkRegressor(trainer='adam')",
    "classifier of first order": "NetworkClassifier(hidden=(30,), trainer='sgd')",
}
WITHOUT = ("check_classifiers_multilabel_output_format_decision_function",)  # there is none, as in MLPClassifier
PROGRAM = """
import json, warnings
from deltarule import NetworkClassifier, NetworkRegressor
from sklearn.utils.estimator_checks import check_estimator
done = check_estimator({estimator}, on_fail=None, on_skip=None)
print(json.dumps([(check["check_name"], check["status"], str(check["exception"])) for check in done]))
"""


@pytest.mark.parametrize("estimator", [NetworkRegressor(hidden=(5,)), NetworkClassifier(hidden=(5,))])
@pytest.mark.parametrize("check", TELLING)
def test_a_few_checks(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, estimator)


def test_constructors_stay_small():
    assert len(NetworkRegressor().get_params()) <= 18
    assert len(NetworkClassifier().get_params()) <= 17


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
def test_every_check(estimator):
    # A process of its own, because scikit-learn leaves a check out unless this is set before SciPy is imported.
    environment = os.environ | {"SCIPY_ARRAY_API": "1"}
    program = PROGRAM.format(estimator=estimator)
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    checks = json.loads(run.stdout.splitlines()[-1])
    assert len(checks) > 50
    assert [check for check in checks if check[1] != "passed" and check[0] not in WITHOUT] == []
