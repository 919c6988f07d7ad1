"""`solve`: equations, conditions, unknowns and data; every form and engine; what it stops for and what it refuses."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.engine.randomness import POINTS, generator
from deltarule.equations import solving
from deltarule.equations.uncertainty import standard_errors
from deltarule.errors import ConfigurationError, DataError, ShapeError
from engines import WITHOUT_JAX

T = np.linspace(0, 2, 57)[:, None]
LM = dr.LevenbergMarquardt()


def error(result, exact, X=T):
    u = result(X)
    return np.linalg.norm(u - exact) / np.linalg.norm(exact)


def test_an_equation_and_its_initial_condition(net, decay, engine):
    result = dr.solve(net, decay(), trainer=LM, epochs=150, seed=1, engine=engine)
    assert error(result, np.exp(-T)) < 1e-6
    assert result.engine == engine
    assert result.unknowns == {}
    np.testing.assert_allclose(net(result.params, T), result(T), rtol=1e-12)
    assert max(result.residual_rms) < 1e-6
    np.testing.assert_allclose(result.residuals(T), result.derivatives(T).du[:, :, 0] + result(T), atol=1e-13)


@pytest.mark.parametrize("l2", [None, 1e-4])
def test_the_three_forms_take_the_same_step(net, decay, l2):
    found = [
        dr.solve(
            net,
            decay(rate=lambda p: p["c"]),
            unknowns={"c": 0.7},
            trainer=dr.LevenbergMarquardt(solver, l2=l2, cg_tolerance=1e-12, cg_iterations=2000),
            epochs=2,
            seed=3,
        )
        for solver in ("primal", "dual", "cg")
    ]
    for other in found[1:]:
        np.testing.assert_allclose(other.history["cost"], found[0].history["cost"], rtol=1e-6)
        np.testing.assert_allclose(trees.ravel(other.params), trees.ravel(found[0].params), rtol=1e-4, atol=1e-6)
        assert other.unknowns["c"] == pytest.approx(found[0].unknowns["c"], rel=1e-5)


def test_the_engines_agree(net, decay):
    pytest.importorskip("jax")
    found = [
        dr.solve(net, decay(), data=([[1.0]], [[np.exp(-1)]]), trainer=LM, epochs=3, seed=3, engine=engine)
        for engine in ("numpy", "jax")
    ]
    np.testing.assert_allclose(found[0].history["cost"], found[1].history["cost"], rtol=1e-7)


def test_an_unknown_is_estimated_from_data(net, decay):
    draw = np.random.default_rng(0)
    data = (T, np.exp(-1.3 * T) + draw.normal(0, 0.01, T.shape))
    result = dr.solve(net, decay(rate=lambda p: p.c), unknowns={"c": 0.5}, data=data, trainer=LM, epochs=200, seed=0)
    assert abs(result.unknowns["c"] - 1.3) < 3 * result.standard_errors["c"]
    assert 0 < result.standard_errors["c"] < 0.05
    assert 0.007 < result.noise < 0.013
    assert len(result.residual_rms) == 3


@pytest.mark.parametrize("engine", ["numpy", pytest.param("jax", marks=[WITHOUT_JAX, pytest.mark.slow])])
def test_second_derivatives_and_a_system(engine):
    """u'' = -u as it stands, and as u' = v, v' = -u: both are cos."""
    whole = dr.Network([dr.Dense(10, "tanh"), dr.Dense(1, "linear")])
    pair = dr.Network([dr.Dense(10, "tanh"), dr.Dense(2, "linear")])
    one = dr.solve(
        whole,
        [
            dr.Equation(T, lambda x, u, p: u.d(0, 0) + u.value),
            dr.Equation([[0.0]], lambda x, u, p: (u.value - 1, u.d(0))),
        ],
        trainer=LM,
        epochs=150,
        engine=engine,
    )
    two = dr.solve(
        pair,
        [
            dr.Equation(T, lambda x, u, p: (u.d(0)[:, 0] - u.value[:, 1], u.d(0)[:, 1] + u.value[:, 0])),
            dr.Equation([[0.0]], lambda x, u, p: u.value - np.array([1.0, 0.0])),
        ],
        trainer=LM,
        epochs=150,
        engine=engine,
    )
    assert error(one, np.cos(T)) < 1e-6
    assert error(two, np.hstack([np.cos(T), -np.sin(T)])) < 1e-6


def test_a_hard_condition_holds_exactly(net, decay):
    result = dr.solve(net, decay()[:1], hard=lambda x, v: 1 + x * v, trainer=LM, epochs=150)
    assert result([[0.0]]).item() == 1.0
    assert error(result, np.exp(-T)) < 1e-5
    found = result.derivatives(T)
    np.testing.assert_allclose(found.d2u[:, 0, 0, 0], np.exp(-T[:, 0]), atol=1e-2)
    assert result.model().schema.target_names == ("v1",)


def test_points_are_drawn_anew(net):
    seen = []

    def points(random):
        seen.append(random.uniform(0, 2, (20, 1)))
        return seen[-1]

    equations = [
        dr.Equation(points, lambda x, u, p: u.d(0) + u.value),
        dr.Equation([[0.0]], lambda x, u, p: u.value - 1),
    ]
    one, other = (
        dr.solve(net, equations, trainer=LM, epochs=60, resample_every=10, seed=5).history["cost"] for _ in range(2)
    )
    np.testing.assert_array_equal(one, other)
    assert len({x.tobytes() for x in seen}) == 6  # the first of them scale the inputs too


def test_weights_are_balanced(net, decay):
    result = dr.solve(net, decay(), trainer=LM, epochs=40, balance_every=10, seed=1)
    weights = result.history["weights"]
    assert weights.shape == (40, 2)
    assert len(np.unique(weights[:, 0])) == 4
    assert error(result, np.exp(-T)) < 1e-4


def test_validation_points_choose_the_epoch(net, decay):
    equations = decay(validation=T)
    result = dr.solve(net, equations, trainer=LM, epochs=20, seed=1)
    scores = result.history["validation_cost"]
    assert result.best_epoch == int(np.argmin(scores)) + 1
    stopped = dr.solve(net, equations, trainer=LM, epochs=5, stopping=dr.Stopping(goal=1e3))
    assert (stopped.stop_reason, stopped.epochs) == ("goal", 1)


def test_it_ends_where_nothing_leads_down(net, decay):
    result = dr.solve(net, decay()[1:], trainer=LM, epochs=500)
    assert result.stop_reason == "mu_max"
    assert result.history["cost"][-1] < 1e-30


@pytest.mark.parametrize(
    "trainer", [dr.GradientDescent(eta=1e-2, rule="adam"), dr.LBFGS(iterations=50), LM], ids=["adam", "lbfgs", "lm"]
)
def test_every_trainer_lowers_the_cost(net, decay, trainer):
    cost = dr.solve(net, decay(), trainer=trainer, epochs=30, seed=1).history["cost"]
    assert cost[-1] < 0.5 * cost[0] or cost[-1] < 1e-6


def test_the_best_of_several_starts(net, decay):
    result = dr.solve(net, decay(), trainer=LM, epochs=15, restarts=3)
    assert len(result.starts) == 3
    assert result.history["cost"][-1] == min(start.history["cost"][-1] for start in result.starts)


def test_it_goes_on_from_parameters(net, decay):
    first = dr.solve(net, decay(), trainer=LM, epochs=10, seed=1)
    second = dr.solve(net, decay(), trainer=LM, epochs=10, params=first.params)
    assert second.history["cost"][-1] < first.history["cost"][-1]


def test_it_is_kept_like_any_model(net, decay, tmp_path):
    path = tmp_path / "decay.safetensors"
    result = dr.solve(net, decay(rate=lambda p: p.c), unknowns={"c": 0.5}, data=(T, np.exp(-T)), trainer=LM, epochs=50)
    result.save(path, inputs=["time"])
    loaded, params = dr.load(path)
    np.testing.assert_array_equal(loaded(params, T), net(result.params, T))
    model = dr.load_model(path)
    np.testing.assert_allclose(model.predict(T), result(T)[:, 0], rtol=1e-12)
    assert model.schema.input_names == ("time",)
    assert model.training["unknowns"] == result.unknowns
    assert "<html" in model.report(tmp_path / "decay.html")
    dr.export_model(path, tmp_path / "decay.c")
    assert (tmp_path / "decay.c").stat().st_size > 500


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"equations": 3}, ConfigurationError, "equations"),
        ({"equations": []}, ConfigurationError, "no equations"),
        ({"data": (1, 2, 3)}, ConfigurationError, "data"),
        ({"data": (T, T[:3])}, ShapeError, "Y of the data"),
        ({"data": (T, np.nan * T)}, DataError, "finite"),
        ({"data": (np.ones((3, 2)), np.ones(3))}, ShapeError, "inputs"),
        ({"trainer": dr.NewtonCG()}, ConfigurationError, "trainer"),
        ({"trainer": dr.GradientDescent(eta=1, batch_size=3)}, ConfigurationError, "batch_size"),
        ({"unknowns": {"c": "x"}}, ConfigurationError, "unknowns"),
        ({"resample_every": 3}, ConfigurationError, "resample_every"),
        ({"resample_every": 0}, ConfigurationError, "resample_every"),
        ({"stopping": dr.Stopping(max_fail=3)}, ConfigurationError, "max_fail"),
        ({"net": dr.Network([dr.Dense(3, "relu"), dr.Dense(1, "linear")])}, ConfigurationError, "smooth"),
        ({"net": dr.Network([dr.Flatten(), dr.Dense(1, "linear")])}, ConfigurationError, "Dense"),
    ],
)
def test_what_is_refused(net, decay, options, kind, said):
    with pytest.raises(kind, match=said):
        dr.solve(**({"net": net, "equations": decay(), "trainer": LM, "epochs": 1} | options))


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (([1.0, 2.0], lambda x, u, p: u.value), ShapeError),
        (([[np.inf]], lambda x, u, p: u.value), DataError),
        (([[1.0]], 3), ConfigurationError),
        (([[1.0]], lambda x, u, p: u.value, -1.0), ConfigurationError),
    ],
)
def test_what_an_equation_refuses(arguments, kind):
    with pytest.raises(kind):
        dr.Equation(*arguments)


def test_weights_of_points(net):
    """A point of weight 0 is not there."""
    X = np.array([[0.0], [1.0]])
    equations = [dr.Equation(X, lambda x, u, p: u.value - x, weight=[1.0, 0.0])]
    result = dr.solve(net, equations, trainer=LM, epochs=50)
    assert abs(result([[0.0]]).item()) < 1e-8
    with pytest.raises(ShapeError, match="weight"):
        dr.solve(net, [dr.Equation(X, lambda x, u, p: u.value, weight=[1.0])], trainer=LM, epochs=1)


POINTS_OF_A_LINE = np.linspace(0, 1, 12)[:, None]
DECAY = dr.Equation(POINTS_OF_A_LINE, lambda x, u, p: u.d(0) + u.value)
START = dr.Equation([[0.0]], lambda x, u, p: u.value - 1.0)


def small(k=1):
    return dr.Network([dr.Dense(4, "tanh"), dr.Dense(k, "linear")])


@pytest.mark.parametrize("k", [2, 4])
def test_a_system_of_as_many_outputs_as_points(k):
    ends = dr.Equation(np.linspace(0, 1, k)[:, None], lambda x, u, p: u.value - 1.0)
    result = dr.solve(small(k), [DECAY, ends], trainer=dr.LevenbergMarquardt(), epochs=3)
    assert result.residuals(np.zeros((k, 1))).shape == (k, k)


def test_an_unknown_that_nothing_determines_has_no_finite_error():
    x = np.linspace(0, 1, 40)[:, None]
    equations = [dr.Equation(x, lambda x, u, p: u.d(0) + p.k * u.value), START]
    known, data = {"k": 0.5, "idle": 7.0}, (x, np.exp(-1.5 * x))
    result = dr.solve(small(), equations, unknowns=known, data=data, trainer=dr.LevenbergMarquardt(), epochs=30)
    assert result.unknowns["k"] == pytest.approx(1.5, abs=0.05)
    assert np.isfinite(result.standard_errors["k"])
    assert result.standard_errors["idle"] == np.inf


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"unknowns": {"u": 1.0}}, "'u'"),
        ({"unknowns": {"values": 1.0}}, "'values'"),
        ({"unknowns": ["k"]}, "unknowns"),
        ({"trainer": dr.LevenbergMarquardt(refit=True)}, "refit"),
        (
            {
                "equations": [dr.Equation([[0.0]], lambda x, u, p: u.value, derivatives=lambda x, u, p: {"u": 1.0})],
                "hard": lambda x, v: x * v,
            },
            "derivatives",
        ),
        ({"equations": [dr.Equation([[0.0]], lambda x, u, p: u.d(1))]}, "input 1"),
    ],
)
def test_what_cannot_be_solved_is_named(options, words):
    given = {"equations": [DECAY, START], "trainer": dr.LevenbergMarquardt(), "epochs": 2} | options
    with pytest.raises(ConfigurationError, match=words):
        dr.solve(small(), given.pop("equations"), **given)


def test_a_solution_refuses_other_points_and_names():
    result = dr.solve(small(), [DECAY, START], trainer=dr.LevenbergMarquardt(), epochs=2)
    for ask in (result, result.derivatives, result.residuals):
        with pytest.raises(ShapeError, match="2 inputs"):
            ask(np.ones((3, 2)))
    for names in ({"inputs": ["a", "b"]}, {"outputs": ["a", "b"]}, {"inputs": ["u"], "outputs": ["u"]}):
        with pytest.raises(ConfigurationError, match="name"):
            result.model(**names)


def test_derivatives_by_hand_take_the_same_steps(net):
    """The geodesic correction with them."""

    def pendulum(x, u, p):
        return u.d(0, 0) + np.sin(u.value) * u.d(0)

    def by_hand(x, u, p):
        return {"u": np.cos(u.value) * u.d(0), (0,): np.sin(u.value), (0, 0): 1.0}

    start = dr.Equation([[0.0]], lambda x, u, p: (u.value - 1, u.d(0)))
    costs = [
        dr.solve(net, [dr.Equation(T, pendulum, derivatives=d), start], trainer=LM, epochs=8, seed=2).history["cost"]
        for d in (None, by_hand)
    ]
    np.testing.assert_allclose(costs[1], costs[0], rtol=1e-5)


def test_residuals_are_reported_without_weights(net):
    """Of one network, whatever the weights of equations, points and data."""
    R, data = lambda x, u, p: u.d(0) + u.value, (T, np.exp(-2 * T))
    start = dr.solve(net, [dr.Equation(T, R)], trainer=LM, epochs=1, seed=4)
    for weight in (1.0, 100.0, np.linspace(0, 3, len(T))):
        equation = dr.Equation(T, R, weight=weight)
        result = dr.solve(net, [equation], data=data, data_weight=7.0, trainer=LM, epochs=1, params=start.params)
        rms = [np.sqrt((r**2).mean()) for r in (result.residuals(T), result(T) - data[1])]
        np.testing.assert_allclose(result.residual_rms, rms, rtol=1e-12)
        np.testing.assert_allclose(result.fitted[0][1], result.residuals(T), atol=1e-13)


def test_standard_errors_stand_on_the_last_points_that_were_drawn(net):
    seen = []

    def points(random):
        seen.append(random.uniform(0, 2, (30, 1)))
        return seen[-1]

    equations = [dr.Equation(points, lambda x, u, p: u.d(0) + p.c * u.value)]
    data = (T, np.exp(-1.3 * T) + np.random.default_rng(0).normal(0, 0.01, T.shape))
    options = {"unknowns": {"c": 1.0}, "data": data, "trainer": LM, "seed": 5}
    result = dr.solve(net, equations, epochs=25, resample_every=10, **options)
    last, first = result.fitted[0][0], seen[0]
    assert not np.array_equal(last, first)
    drawn = generator(5, POINTS, 0, 2).uniform(0, 2, (30, 1))
    np.testing.assert_array_equal(last, drawn)
    F = result.problem.joint(result.problem.parts([last]), result.problem.weights(), None)
    errors, noise = standard_errors(F, ["c"], result.lifted())
    assert (result.standard_errors, result.noise) == (pytest.approx(errors), pytest.approx(noise))


def test_standard_errors_that_do_not_fit_are_not_formed(net, decay, monkeypatch):
    monkeypatch.setattr(solving, "available_memory", lambda: 1000.0)
    options = {"unknowns": {"c": 1.0}, "data": (T, np.exp(-T)), "trainer": LM, "epochs": 3}
    result = dr.solve(net, decay(rate=lambda p: p.c), **options)
    assert (result.standard_errors, result.noise) == ({}, None)
    assert "no standard errors" in result.remark
    assert result.message.endswith(result.remark)


def test_a_time_limit_within_an_epoch_of_lbfgs(net, decay):
    result = dr.solve(net, decay(), trainer=dr.LBFGS(10**6), epochs=3, stopping=dr.Stopping(time_limit=0))
    assert (result.stop_reason, result.epochs) == ("time", 1)
    assert result.history["iterations"].tolist() == [1]


@pytest.mark.parametrize(
    ("ask", "kind", "said"),
    [
        (lambda r: r.residuals(T, 5), ConfigurationError, "equation is 5, .* 2 equations"),
        (lambda r: r.residuals(T, "start"), ConfigurationError, "equation is 'start'"),
        (lambda r: r.residuals(T, dr.Equation(T, lambda x, u, p: u.d(2))), ConfigurationError, "input 2, .* 1 input:"),
        (lambda r: r(np.ones((3, 2))), ShapeError, r"X has 2 inputs, .* give \(N, 1\)"),
        (lambda r: r(3.0), ShapeError, "X have shape"),
        (lambda r: r.model(inputs=["a", "b"]), ConfigurationError, "inputs is .* 1 input: give"),
        (lambda r: r.model(inputs=5), ConfigurationError, "inputs is 5"),
        (lambda r: r.model(outputs=["place", "and", "time"]), ConfigurationError, "outputs is"),
    ],
)
def test_what_a_solution_refuses(net, decay, ask, kind, said):
    result = dr.solve(net, decay(), trainer=LM, epochs=1)
    assert result.model(inputs="time").schema.input_names == ("time",)
    with pytest.raises(kind, match=said):
        ask(result)


def test_errors_name_the_equation(net, decay):
    def flux(x, u, p):
        return u.d(1)

    with pytest.raises(ConfigurationError, match=r"equations\[2\] \(flux\): a residual uses .* input 1"):
        dr.solve(net, [*decay(), dr.Equation(T, flux)], trainer=LM, epochs=1)
    with pytest.raises(ConfigurationError, match="hard is 3"):
        dr.solve(net, decay(), hard=3, trainer=LM, epochs=1)


def test_the_report_has_unknowns_with_errors_and_the_map(net, decay, tmp_path):
    equations = decay(rate=lambda p: p.c)
    data = (T, np.exp(-1.3 * T) + np.random.default_rng(0).normal(0, 0.01, T.shape))
    result = dr.solve(net, equations, unknowns={"c": 1.0}, data=data, trainer=LM, epochs=40)
    path = tmp_path / "decay.safetensors"
    result.save(path, inputs=["time"])
    for model in (result.model(inputs=["time"]), dr.load_model(path)):
        page = model.report()
        assert f"c {result.unknowns['c']:.5g} ± {result.standard_errors['c']:.2g}" in page
        assert f"equation 0 {result.residual_rms[0]:.2g}" in page
        assert "standard deviation 1" not in page
        assert "mean 1" not in page
        assert "from 0 to 2" in page
        assert page.count("<h3>Residual of ") == 3
    two = dr.solve(
        net, [dr.Equation(np.random.default_rng(0).uniform(size=(900, 2)), lambda x, u, p: u.d(0) - u.d(1))],
        trainer=LM, epochs=2,
    )  # fmt: skip
    (part,) = two.model().training["residual_maps"]
    assert (len(part["points"]), len(part["points"][0]), len(part["residuals"])) == (400, 2, 400)
    assert two.model().report().count("<circle") >= 400


def test_a_residual_that_is_no_number_ends_without_a_warning(net):
    nowhere = dr.Equation(T, lambda x, u, p: np.log(u.value * 0 - 1))
    result = dr.solve(net, [dr.Equation(T, lambda x, u, p: u.d(0) / x), nowhere], trainer=LM, epochs=3)
    assert not np.isfinite(result.residual_rms[0])
    assert "<html" in result.model().report()


def test_what_is_no_list_of_equations_is_named_by_its_type(net, decay):
    """The points of an equation are not printed."""
    with pytest.raises(ConfigurationError, match=r"^equations is an object of type Equation: give a list"):
        dr.solve(net, decay()[0], trainer=LM, epochs=1)
    with pytest.raises(ConfigurationError, match=r"^equations holds an object of type ndarray: give a list"):
        dr.solve(net, [*decay(), T], trainer=LM, epochs=1)
