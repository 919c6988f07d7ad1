import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import deltarule as dr
from deltarule.errors import ConfigurationError
from deltarule.models.callbacks import HAS_CALLBACKS

needs_callbacks = pytest.mark.skipif(not HAS_CALLBACKS, reason="this scikit-learn has no callbacks")


@pytest.mark.parametrize(("verbose", "epochs"), [(True, [1, 2, 3, 4, 5]), (2, [1, 2, 4]), (False, []), (0, [])])
def test_verbose_prints_every_nth_epoch(verbose, epochs, classification, capsys):
    dr.NetworkClassifier(hidden=(2,), trainer="adam", epochs=5, verbose=verbose, random_state=0).fit(*classification)
    out = capsys.readouterr().out
    lines = re.findall(r"^epoch (\d+): cost [\d.e-]+, validation cost [\d.e-]+$", out, re.MULTILINE)
    assert [int(n) for n in lines] == epochs
    assert ("all 5 epochs were run" in out) == bool(epochs)


def test_verbose_does_not_change_the_result(regression, capsys):
    model = dr.NetworkRegressor(hidden=(3,), epochs=10, random_state=0)
    quiet, loud = clone(model).fit(*regression), clone(model).set_params(verbose=True).fit(*regression)
    np.testing.assert_array_equal(quiet.predict(regression[0]), loud.predict(regression[0]))
    assert "epoch 10: cost" in capsys.readouterr().out


@pytest.mark.parametrize("verbose", [-1, "yes", 1.5, None])
def test_a_bad_verbose_is_refused(verbose, regression):
    with pytest.raises(ConfigurationError, match="verbose must be"):
        dr.NetworkRegressor(verbose=verbose).fit(*regression)


class Told:
    """A callback of scikit-learn's that notes what it is told, and ends a fit after some epochs."""

    max_propagation_depth = None

    def __init__(self, last=None):
        self.last, self.heard = last, []

    def setup(self, estimator, context):
        self.heard.append("setup")

    def teardown(self, estimator, context):
        self.heard.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.heard.append(("begin", context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context):
        self.heard.append(("end", context.task_name, context.task_id))
        return context.task_name == "epoch" and context.task_id + 1 == self.last


@needs_callbacks
def test_a_scikit_learn_callback_sees_every_epoch_and_may_end_the_fit(regression):
    told = Told(last=3)
    model = dr.NetworkRegressor(hidden=(3,), epochs=8, random_state=0).set_callbacks(told).fit(*regression)
    epochs = [(what, "epoch", i) for i in range(3) for what in ("begin", "end")]
    assert told.heard == ["setup", ("begin", "fit", 0), *epochs, ("end", "fit", 0), "teardown"]
    assert (model.n_iter_, model.stop_reason_) == (3, "callback")
    assert not hasattr(model, "_callback_fit_ctx")


@needs_callbacks
def test_a_callback_is_torn_down_after_a_failed_fit(regression):
    told = Told()
    model = dr.NetworkRegressor(hidden=(0,)).set_callbacks(told)
    with pytest.raises(ConfigurationError):
        model.fit(*regression)
    assert told.heard in ([], ["setup", "teardown"])
    told.on_fit_task_end = None  # fails within the fit
    with pytest.raises(TypeError):
        dr.NetworkRegressor(hidden=(2,), epochs=2).set_callbacks(told).fit(*regression)
    assert told.heard[-1] == "teardown"


@needs_callbacks
def test_a_grid_search_passes_its_callback_on(regression):
    told = Told()
    model = dr.NetworkRegressor(hidden=(2,), regularization="l2", epochs=2, random_state=0)
    GridSearchCV(model, {"l2": [0.1, 1.0]}, cv=2).set_callbacks(told).fit(*regression)
    assert sum(heard[:2] == ("end", "epoch") for heard in told.heard) == 2 * (2 * 2 + 1)
