import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import deltarule as dr
from deltarule import NetworkClassifier, NetworkRegressor
from deltarule.errors import ConfigurationError
from deltarule.trainers.stopping import STOP_REASONS


def test_predictions_are_in_the_units_of_the_data(regressor, regression):
    X, y = regression
    assert regressor.score(X, y) > 0.99
    assert np.abs(regressor.predict(X) - y).mean() < 15


def test_fitted_attributes(regressor):
    assert regressor.n_features_in_ == 2
    assert regressor.trainer_ == "lm"
    assert regressor.regularization_ == "bayesian"
    assert len(regressor.loss_curve_) == regressor.n_iter_ == len(regressor.history_["log_evidence"])
    assert 0 < regressor.best_iter_ <= regressor.n_iter_
    assert regressor.stop_reason_ in STOP_REASONS
    width = regressor.net_.layers[0].n  # the hidden layers of one start or of both, side by side
    assert width in (6, 12)
    assert [p["W"].shape for p in regressor.params_] == [(width, 2), (1, width)]
    assert all(type(p["W"]) is np.ndarray and p["W"].dtype == np.float64 for p in regressor.params_)


def test_the_order_of_rows_changes_nothing(regressor, regression):
    X, y = regression
    order = np.random.default_rng(1).permutation(len(X))
    np.testing.assert_array_equal(clone(regressor).fit(X[order], y[order]).predict(X), regressor.predict(X))


def test_a_whole_weight_equals_copies(regressor, regression):
    X, y = regression
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    weighted = clone(regressor).fit(X, y, sample_weight=weight)
    repeated = clone(regressor).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_array_equal(weighted.predict(X), repeated.predict(X))


def test_predictions_do_not_depend_on_the_number_of_rows(regressor, regression):
    X = regression[0]
    one_by_one = np.concatenate([regressor.predict(x[None]) for x in X[:5]])
    np.testing.assert_allclose(one_by_one, regressor.predict(X)[:5], rtol=1e-14)


def test_several_targets(regression):
    X, y = regression
    Y = np.stack([y, 2 - y / 1000], axis=1)
    model = NetworkRegressor(hidden=(6,), random_state=0).fit(X, Y)
    assert model.predict(X).shape == (90, 2)
    assert model.score(X, Y) > 0.98
    assert model.n_outputs_ == 2
    assert NetworkRegressor(hidden=(2,), epochs=2).fit(X, y[:, None]).predict(X).shape == (90, 1)


def test_a_table_names_its_columns(regression, tmp_path):
    X, y = regression
    table = pd.DataFrame(X, columns=["speed", "gap"])
    model = NetworkRegressor(hidden=(3,), epochs=3, random_state=0).fit(table, pd.Series(y, name="force"))
    assert model.feature_names_in_.tolist() == ["speed", "gap"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(table[["gap", "speed"]])
    model.save(tmp_path / "model.safetensors")
    schema = dr.load_model(tmp_path / "model.safetensors").schema
    assert (schema.input_names, schema.target_names) == (("speed", "gap"), ("force",))
    net, params = dr.load(tmp_path / "model.safetensors")
    outputs = net(params, schema.encode_inputs(table))
    np.testing.assert_allclose(schema.decode(outputs)[:, 0], model.predict(table), rtol=1e-14)


def test_the_model_file_has_the_error_bars(regression, tmp_path):
    X, y = regression
    model = NetworkRegressor(hidden=(3,), epochs=8, random_state=0).fit(X, y)
    model.save(tmp_path / "model.safetensors")
    file = dr.load_model(tmp_path / "model.safetensors")
    std = file.error_bars.predict(model.x_scaling_.encode(X)).std[:, 0] * model.y_scaling_.std
    np.testing.assert_allclose(std, model.predict(X, return_std=True)[1], rtol=1e-12)
    model.set_params(regularization="early-stopping").fit(X, y).save(tmp_path / "model.safetensors")
    assert dr.load_model(tmp_path / "model.safetensors").error_bars is None


def test_it_works_in_a_pipeline_under_a_grid_search(regression):
    X, y = regression
    search = GridSearchCV(
        make_pipeline(MinMaxScaler(), NetworkRegressor(hidden=(3,), epochs=20, random_state=0)),
        {"networkregressor__l2": [1e-3, 100.0]},
        cv=3,
    ).fit(X, y)
    assert search.best_params_ == {"networkregressor__l2": 1e-3}
    assert search.best_score_ > 0.9


def test_a_clone_has_the_parameters_and_a_pickle_the_predictions(regressor, regression):
    assert clone(regressor).get_params() == regressor.get_params()
    again = pickle.loads(pickle.dumps(regressor))
    np.testing.assert_array_equal(again.predict(regression[0]), regressor.predict(regression[0]))


@pytest.mark.parametrize(
    "trainer", [dr.LevenbergMarquardt(solver="dual"), dr.GradientDescent(eta=0.05, batch_size=10, momentum=0.9), "gd"]
)
def test_a_trainer_may_be_an_object_or_a_name(trainer, regression):
    X, y = regression
    model = NetworkRegressor(hidden=(4,), trainer=trainer, random_state=0)
    assert clone(model).fit(X, y).score(X, y) > 0.9


@pytest.mark.parametrize("way", ["l2", None])
def test_without_held_out_rows(way, regression):
    X, y = regression
    model = NetworkRegressor(hidden=(3,), regularization=way, epochs=30, random_state=0).fit(X, y)
    assert "validation_cost" not in model.history_
    assert model.score(X, y) > 0.95


def test_more_l2_means_smaller_weights(regression):
    size = [
        np.abs(
            NetworkRegressor(hidden=(3,), regularization="l2", l2=l2, random_state=0).fit(*regression).params_[0]["W"]
        ).sum()
        for l2 in (0.01, 10.0)
    ]
    assert size[1] < 0.7 * size[0]


def test_the_best_restart_is_kept(regression):
    X, y = regression
    one, many = (
        NetworkRegressor(hidden=(4,), regularization="l2", epochs=15, restarts=n, random_state=0).fit(X, y)
        for n in (1, 4)
    )
    assert many.loss_curve_[-1] <= one.loss_curve_[-1] * (1 + 1e-9)


def test_partial_fit_keeps_the_moments_of_adam(regression):
    X, y = regression
    model = NetworkRegressor(hidden=(6,), trainer="adam", random_state=0)
    for _ in range(100):
        model.partial_fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) == 100
    assert model.score(X, y) > 0.9
    assert pickle.loads(pickle.dumps(model)).partial_fit(X, y).n_iter_ == 101


def test_partial_fit_goes_on_from_a_fit(regression):
    X, y = regression
    model = NetworkRegressor(hidden=(6,), trainer="sgd", epochs=5, random_state=0).fit(X, y)
    before = model.score(X, y)
    for _ in range(30):
        model.partial_fit(X, y)
    assert model.score(X, y) > before


def test_levenberg_marquardt_has_no_partial_fit():
    assert not hasattr(NetworkRegressor(), "partial_fit")


@pytest.mark.parametrize("estimator", [NetworkRegressor, NetworkClassifier])
@pytest.mark.parametrize("trainer", ["auto", "lm"])
def test_a_missing_partial_fit_names_the_trainers_that_have_it(estimator, trainer):
    with pytest.raises(AttributeError) as raised:
        estimator(trainer=trainer).partial_fit([[0.0]], [0.0])
    for name in (repr(trainer), "'sgd'", "'momentum'", "'adam'"):
        assert name in str(raised.value)
        assert name == repr(trainer) or hasattr(estimator(trainer=name.strip("'")), "partial_fit")


def test_a_missing_attribute():
    with pytest.raises(AttributeError, match=r"'NetworkRegressor' .*'coef_'"):
        NetworkRegressor().coef_  # noqa: B018


def test_a_constant_target_is_predicted(regression):
    X = regression[0]
    with pytest.warns(UserWarning, match="y holds one value only"):
        model = NetworkRegressor(random_state=0).fit(X, np.full(90, 7.0))
    np.testing.assert_allclose(model.predict(X), 7, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"hidden": "20"}, "hidden must hold the sizes"),
        ({"hidden": (0,)}, "number of neurons"),
        ({"activation": "relo"}, "'relo' is not known"),
        ({"trainer": "lbfgs"}, "trainer is 'lbfgs'"),
        ({"regularization": "dropout"}, "regularization must be one of"),
        ({"regularization": None, "l2": 1.0}, "regularization is None"),
        ({"l2": -1.0}, "l2 .*at least 0"),
        ({"epochs": 0}, "epochs must be a whole number"),
        ({"max_fail": 0}, "max_fail must be a whole number"),
        ({"validation_fraction": 1.0}, "validation_fraction must be"),
        ({"restarts": 0}, "restarts must be"),
        ({"trainer": "adam", "eta": 0.0}, "eta must be"),
    ],
)
def test_bad_options_are_refused_in_fit(changes, sentence, regression):
    with pytest.raises(ConfigurationError, match=sentence):
        NetworkRegressor(**changes).fit(*regression)


@pytest.mark.parametrize(
    ("weight", "sentence"),
    [(np.zeros(90), "only zeros"), (-np.ones(90), "at least 0"), (np.ones(3), r"shape \(3,\)")],
)
def test_bad_weights_are_refused(weight, sentence, regression):
    with pytest.raises(ValueError, match=sentence):
        NetworkRegressor().fit(*regression, sample_weight=weight)


def test_another_number_of_targets_is_refused_by_partial_fit(regression):
    X, y = regression
    model = NetworkRegressor(hidden=(2,), trainer="adam").partial_fit(X, y)
    with pytest.raises(ValueError, match="2 targets"):
        model.partial_fit(X, np.stack([y, y], axis=1))


def test_output_weights():
    """One neuron cannot follow both targets: it follows the one that counts."""
    random = np.random.default_rng(0)
    X = random.normal(size=(120, 2))
    Y = np.stack([np.tanh(2 * X[:, 0]), 1000 * np.tanh(2 * X[:, 1])], axis=1)
    settings = {"hidden": (1,), "regularization": "l2", "l2": 1e-3, "restarts": 4, "random_state": 0}
    for weights, well in (((100, 1), 0), ((1, 100), 1)):
        model = NetworkRegressor(**settings, output_weights=weights).fit(X, Y)
        error = ((model.predict(X) - Y) ** 2).mean(axis=0) / Y.var(axis=0)
        assert error[well] < 0.05
        assert error[1 - well] > 0.5
    even = NetworkRegressor(**settings, output_weights=(3, 3)).fit(X, Y)
    np.testing.assert_array_equal(even.predict(X), NetworkRegressor(**settings).fit(X, Y).predict(X))


def test_output_weights_in_the_model_file(tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 2))
    model = NetworkRegressor(hidden=(2,), epochs=5, output_weights=[4, 1], random_state=0).fit(X, X[:, ::-1])
    assert model.regularization_ == "early-stopping"
    model.save(tmp_path / "model.safetensors")
    file = dr.load_model(tmp_path / "model.safetensors")
    np.testing.assert_allclose(file.predict(X), model.predict(X), rtol=1e-13)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"output_weights": (1, 1)}, "for each of the 1 targets"),
        ({"output_weights": [0.0]}, "a number above 0"),
        ({"output_weights": [1.0], "regularization": "bayesian"}, "leave output_weights out"),
        ({"output_weights": [1.0], "cost": "huber"}, "leave output_weights out"),
    ],
)
def test_bad_output_weights_are_refused(changes, sentence, regression):
    with pytest.raises(ConfigurationError, match=sentence):
        NetworkRegressor(**changes).fit(*regression)
