"""NARXRegressor: what it learns of known systems, what it refuses, scikit-learn's customs, and files."""

import numpy as np
import pytest

import deltarule as dr

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.utils import estimator_checks


def plant(steps, seed=0, shocks=0.0, noise=0.0):
    """y_t = 0.6 y_{t-1} - 0.1 y_{t-2} + tanh(u_{t-1}) + shocks, measured with noise; u a random staircase."""
    random = np.random.default_rng(seed)
    u = np.repeat(random.normal(size=steps // 5 + 1), 5)[:steps]
    y = np.zeros(steps)
    for t in range(2, steps):
        y[t] = 0.6 * y[t - 1] - 0.1 * y[t - 2] + np.tanh(u[t - 1]) + shocks * random.normal()
    return u[:, None], y + noise * random.normal(size=steps)


SMALL = {
    "training": "closed-loop",
    "input_lags": 2,
    "output_lags": 2,
    "hidden": (4,),
    "members": 2,
    "restarts": 1,
    "random_state": 0,
}


@pytest.fixture(scope="module")
def fitted():
    U, y = plant(240, noise=0.02)
    return dr.NARXRegressor(**SMALL).fit(U, y)


def test_closed_loop_training_of_a_plant(fitted):
    U, y = plant(200, seed=1)
    assert fitted.training_ == "closed-loop"
    assert (fitted.input_lags_, fitted.output_lags_, fitted.max_lag_) == ((1, 2), (1, 2), 2)
    run = fitted.simulate(U, y[:2])
    assert run.shape == (200,)
    assert run[:2].tolist() == y[:2].tolist()
    assert np.sqrt(np.mean((run - y) ** 2)) < 0.05 * y.std()
    ahead = fitted.predict(U, y)
    assert np.isnan(ahead[:2]).all()
    assert np.sqrt(np.mean((ahead - y)[2:] ** 2)) < 0.05 * y.std()
    assert fitted.score(U, y) > 0.99


def test_one_step_ahead_is_a_free_run_of_one_step(fitted):
    U, y = plant(30, seed=2)
    ahead = fitted.predict(U, y)
    run = fitted.simulate(U[10:13], y[10:12])
    np.testing.assert_allclose(run[2], ahead[12], rtol=1e-12)


def test_the_forecast_starts_after_the_record():
    U, y = plant(260, noise=0.02)
    model = dr.NARXRegressor(**SMALL).fit(U[:240], y[:240])
    ahead, std = model.forecast(20, U[240:], return_std=True)
    run = model.simulate(U[238:], y[238:240])
    np.testing.assert_allclose(ahead, run[2:], rtol=1e-12)
    assert (np.abs(ahead - y[240:]) < 4 * std).all()
    assert (std > 0.015).all()


def test_open_loop_by_bayesian_regularisation_and_no_inputs():
    random = np.random.default_rng(3)
    y = np.zeros(300)
    for t in range(1, 300):
        y[t] = 0.8 * np.sin(2 * y[t - 1]) + 0.1 * random.normal()
    model = dr.NARXRegressor(output_lags=1, hidden=(4,), training="open-loop", random_state=0).fit(None, y)
    assert model.training_ == "open-loop"
    assert model.l2_ is None
    assert np.nanstd(model.predict(None, y) - y) < 0.12
    assert model.simulate(None, y[:1], steps=50).shape == (50,)
    assert model.forecast(3).shape == (3,)
    with pytest.raises(dr.ShapeError, match=r"U has 1 columns.* 0"):
        model.predict(np.zeros(300), y)


def test_a_time_delay_network_has_no_output_lags():
    U, _ = plant(200)
    y = np.concatenate([[0, 0], U[:-2, 0] ** 2])
    model = dr.NARXRegressor(input_lags=[2], output_lags=0, hidden=(8,), restarts=1, random_state=0).fit(U, y)
    assert (model.output_lags_, model.input_lags_, model.training_) == ((), (2,), "open-loop")
    assert model.score(U, y) > 0.99
    run = model.simulate(U)  # no output is fed back, so none is asked for
    assert np.isnan(run[:2]).all()
    np.testing.assert_allclose(run[2:], model.predict(U, y)[2:], rtol=1e-12)
    assert model.simulate(U, y)[:2].tolist() == y[:2].tolist()


def test_a_time_delay_network_learns_from_the_few_outputs_that_were_measured(tmp_path):
    """As a laboratory gives them: every seventh step, so that no two in a row are known."""
    U, _ = plant(900)
    whole = np.concatenate([[0, 0], U[:-2, 0] ** 2])
    y = np.where(np.arange(900) % 7 == 4, whole, np.nan)
    model = dr.NARXRegressor(input_lags=[1, 2], output_lags=0, hidden=(8,), restarts=1, random_state=0).fit(U, y)
    assert np.abs(model.simulate(U)[2:] - whole[2:]).max() < 0.1 * whole.std()
    model.save(tmp_path / "soft.safetensors")
    again = dr.load_model(tmp_path / "soft.safetensors")
    np.testing.assert_allclose(again.forecast(4, U[:4]), model.forecast(4, U[:4]), rtol=1e-12)
    np.testing.assert_allclose(model.forecast(4, U[:4])[2:], model.simulate(U[:4])[2:], rtol=1e-12)


def test_several_records_several_outputs_and_missing_values():
    records = [plant(160, seed=s) for s in (4, 5)]
    U = [np.column_stack([u, u**2]) for u, _ in records]
    Y = [np.column_stack([y, 1 - y]) for _, y in records]
    Y[0][50, 0] = np.nan
    U[1][80] = np.nan
    model = dr.NARXRegressor(**SMALL).fit(U, Y)
    assert (model.n_features_in_, model.n_outputs_) == (2, 2)
    ahead = model.predict(U, Y)
    assert [one.shape for one in ahead] == [(160, 2), (160, 2)]
    # what needs step 50 of the one record is not known, nor what needs the inputs of step 80 of the other
    assert np.flatnonzero(np.isnan(ahead[0]).any(axis=1)).tolist() == [0, 1, 51, 52]
    assert np.flatnonzero(np.isnan(ahead[1]).any(axis=1)).tolist() == [0, 1, 81, 82]
    assert model.score(U, Y) > 0.98
    run = model.simulate(U[0], Y[0][:2])
    assert np.nanmax(np.abs(run - Y[0])) < 0.3
    runs = model.simulate([U[0], U[0][:9]], [Y[0][:2], Y[0][:3]])
    assert (runs[0] == run).all()
    np.testing.assert_allclose(runs[1], run[:9], rtol=1e-12)
    for wrong in ((U[0], [Y[0], Y[1]]), ([U[0], U[0]], [Y[0]])):
        with pytest.raises(dr.DataError, match=r"U and y_start .*lists"):
            model.simulate(*wrong)
    assert model.errors_by_horizon(U, Y, 5).shape == (5, 2)
    assert len(model.correlations(U[0], Y[0])) == 2


def test_lags_are_chosen_by_held_out_segments():
    random = np.random.default_rng(6)
    u = random.normal(size=400)
    y = np.zeros(400)
    y[4:] = u[:-4]
    y += 0.05 * random.normal(size=400)
    model = dr.NARXRegressor(output_lags=[1], hidden=(), training="open-loop", random_state=0).fit(u, y)
    assert max(model.input_lags_) >= 4


def test_the_same_seed_gives_the_same_result():
    U, y = plant(150)
    one, other = (dr.NARXRegressor(**SMALL).fit(U, y).simulate(U, y[:2]) for _ in range(2))
    assert (one == other).all()


def test_an_unstable_run_is_caught(fitted):
    U, y = plant(60, seed=7)
    params = [{name: 40 * array for name, array in layer.items()} for layer in fitted.committee_.params]
    broken = clone(fitted)
    vars(broken).update(vars(fitted))
    broken.committee_ = type(fitted.committee_)(fitted.committee_.model, params, fitted.committee_.weights)
    with pytest.raises(dr.UnstableError, match=r"step \d+"):
        broken.simulate(1e3 * U, y[:2])


@pytest.mark.parametrize(
    ("options", "U", "y", "words"),
    [
        ({"output_lags": [0]}, None, np.ones(50), "output_lags .*'auto'"),
        ({"training": "both"}, None, np.arange(50.0), "training .*auto, open-loop, closed-loop"),
        ({"output_lags": 0}, None, np.arange(50.0), "input_lags and output_lags"),
        ({"output_lags": 8}, None, np.arange(20.0), "the records have 20 steps"),
        ({}, np.zeros((4, 1)), np.arange(5.0), "U has 4 steps and y has 5"),
        ({}, None, np.full(50, np.nan), "column 0 of y holds no value"),
        ({}, None, np.array([0, 1, np.inf, 3]), "y holds .*infinite .*step 2"),
    ],
)
def test_bad_input_is_refused(options, U, y, words):
    with pytest.raises(dr.DeltaruleError, match=words):
        dr.NARXRegressor(**options).fit(U, y)


def test_bad_input_of_simulate_is_refused(fitted):
    U, y = plant(20)
    with pytest.raises(dr.DataError, match=r"y_start has 1 steps.* 2 steps"):
        fitted.simulate(U, y[:1])
    with pytest.raises(dr.DataError, match=r"y_start is None: .* first 2 steps"):
        fitted.simulate(U)
    with pytest.raises(dr.DataError, match="y_start lacks a value in step 1"):
        fitted.simulate(U, [0.0, np.nan])
    with pytest.raises(dr.ShapeError, match=r"U is None.* 1 inputs"):
        fitted.forecast(3)


def test_a_model_file_restores_the_model(fitted, tmp_path):
    path, (U, y) = tmp_path / "plant.safetensors", plant(50, seed=8)
    fitted.save(path)
    for again in (dr.NARXRegressor.load(path), dr.load_model(path)):
        assert (again.simulate(U, y[:2]) == fitted.simulate(U, y[:2])).all()
        for one, other in zip(again.forecast(5, U[:5], True), fitted.forecast(5, U[:5], True), strict=True):
            assert (one == other).all()
    net = dr.Network([dr.Dense(1, "linear")])
    dr.save(tmp_path / "table.safetensors", net, net.init(0, (2,)))
    with pytest.raises(dr.ModelFileError, match="holds no time-series model"):
        dr.NARXRegressor.load(tmp_path / "table.safetensors")


def test_scikit_learn_conventions(fitted):
    model = dr.NARXRegressor(**SMALL)
    assert clone(fitted).get_params() == model.get_params()
    assert model.set_params(hidden=(5,)).hidden == (5,)
    # the checks that fit arbitrary rows, or predict without the outputs before, cannot hold for a series
    for check in (
        "check_no_attributes_set_in_init",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
        "check_mixin_order",
        "check_estimator_cloneable",
        "check_estimator_repr",
    ):
        getattr(estimator_checks, check)("NARXRegressor", dr.NARXRegressor())


@pytest.mark.parametrize("lags", [4, [1, 6]])
def test_runs_shorter_than_the_lags(lags):
    """A forecast of few steps has the bands of the first steps of a longer one."""
    U, y = plant(200, noise=0.02)
    model = dr.NARXRegressor(**SMALL | {"training": "open-loop", "output_lags": lags}).fit(U, y)
    whole = np.array(model.forecast(9, U[:9], return_std=True))
    for steps in range(1, 9):
        found = np.array(model.forecast(steps, U[:steps], return_std=True))
        np.testing.assert_allclose(found, whole[:, :steps], rtol=1e-9)


def test_short_records_and_a_horizon_within_the_lags():
    U, y = plant(240, noise=0.02)
    pieces = [(U[i : i + 30], y[i : i + 30]) for i in range(0, 240, 30)]
    model = dr.NARXRegressor(**SMALL | {"output_lags": 4, "horizon": 3})
    model.fit([u for u, _ in pieces], [part for _, part in pieces])
    assert np.isfinite(model.predict(U, y)[model.max_lag_ :]).all()


def test_a_constant_series():
    model = dr.NARXRegressor(input_lags=1, output_lags=1, hidden=(2,), random_state=0).fit(None, np.full(100, 3.0))
    np.testing.assert_allclose(model.forecast(5), 3.0, atol=1e-6)


def test_a_record_that_ends_with_a_gap_can_be_saved_but_not_continued(tmp_path):
    U, y = plant(240)
    U[-2] = np.nan
    model = dr.NARXRegressor(**SMALL).fit(U, y)
    model.save(tmp_path / "gap.safetensors")
    loaded = dr.load_model(tmp_path / "gap.safetensors")
    for one in (model, loaded):
        with pytest.raises(dr.DataError, match="2 known steps in a row"):
            one.forecast(3, np.zeros((3, 1)))
        with pytest.raises(dr.DataError, match="2 known steps in a row"):
            one.follow(U, y)
    ahead = loaded.follow(U[:-2], y[:-2]).forecast(1, np.zeros((1, 1)))
    assert np.isfinite(ahead).all()


def test_missing_values_before_the_last_lags_leave_the_forecast_as_it_is(fitted, tmp_path):
    U, y = plant(240, noise=0.02)
    whole = fitted.follow(U, y).forecast(3, np.ones((3, 1)))
    U[-3], y[-3] = np.nan, np.nan
    np.testing.assert_allclose(fitted.follow(U, y).forecast(3, np.ones((3, 1))), whole)
