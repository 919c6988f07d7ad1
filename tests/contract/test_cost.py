"""A made-up cost, defined here in a few lines, goes through everything that asks for one.

Its Gauss-Newton root is a reweighting, so that its square is not C'': whoever took the one for the other would fail.
"""

from dataclasses import dataclass

import numpy as np
import pytest

import deltarule as dr
from contract import consumers
from deltarule.errors import ConfigurationError, ModelFileError
from deltarule.network.cost import Cost


@dataclass(frozen=True)
class LogCosh(Cost):
    """C_x = sum_j ln cosh e_j, e = a - y: C' = tanh e, C'' = 1 - tanh² e; the root reweights, root² = tanh(e)/e."""

    name = "log-cosh"

    def value(self, activation, z, a, y):
        xp, size = a.__array_namespace__(), abs(a - y)
        return (size + xp.log1p(xp.exp(-2 * size)) - xp.log(2.0)).sum(axis=-1)

    def slope(self, a, y):
        return a.__array_namespace__().tanh(a - y)

    def curvature(self, a, y):
        return 1 - a.__array_namespace__().tanh(a - y) ** 2

    def residual(self, a, y):
        xp, e = a.__array_namespace__(), a - y
        safe = xp.where(abs(e) > 1e-6, e, 1)
        root = xp.sqrt(xp.where(abs(e) > 1e-6, xp.tanh(safe) / safe, 1))
        return root, root * e


def network(output="linear"):
    return dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, output)], LogCosh())


@consumers.every_trainer()
def test_every_trainer(trainer, engine):
    consumers.assert_it_trains(network(), trainer, engine, *consumers.examples())


@pytest.mark.parametrize("output", ["linear", "tanh", "softplus"])
def test_derivatives(output, engine):
    consumers.assert_derivatives(network(output), engine, *consumers.examples())


@pytest.mark.parametrize("trainer", consumers.BAYESIAN.values(), ids=str)
@pytest.mark.parametrize("cost", [LogCosh(), dr.Huber(), dr.Poisson()], ids=str)
def test_bayesian_regularisation_refuses_what_has_no_evidence(trainer, cost):
    X, Y = consumers.examples(positive=True)
    with pytest.raises(ConfigurationError, match="quadratic cost"):
        dr.train(dr.Network([dr.Dense(1, "linear")], cost), X, Y, trainer=trainer, epochs=1)


@pytest.mark.parametrize("cost", [LogCosh(), dr.Huber(), dr.Poisson()], ids=str)
def test_the_output_is_refitted_for_the_quadratic_cost_alone(cost):
    X, Y = consumers.examples(positive=True)
    net = dr.Network([dr.Dense(2, "tanh"), dr.Dense(1, "linear")], cost)
    with pytest.raises(ConfigurationError, match="refit=True"):
        dr.train(net, X, Y, trainer=dr.LevenbergMarquardt(refit=True), epochs=1)


@pytest.mark.parametrize("missing", ["curvature", "residual"])
def test_a_part_that_is_not_defined_is_asked_for_by_name(missing, engine):
    """Each second-order trainer asks for its own part."""
    part = type("Part", (LogCosh,), {missing: getattr(Cost, missing)})()
    X, Y = consumers.examples()
    net = dr.Network([dr.Dense(1, "linear")], part)
    asked = {"curvature": dr.NewtonCG(), "residual": dr.LevenbergMarquardt()}
    for name, trainer in asked.items():
        if name == missing:
            with pytest.raises(ConfigurationError, match=f"defines no {missing}"):
                dr.train(net, X, Y, trainer=trainer, epochs=1, engine=engine)
        else:
            consumers.assert_it_trains(net, trainer, engine, X, Y)


def test_the_trace():
    found = consumers.assert_it_is_traced(network("tanh"), *consumers.examples())
    assert found["delta"] == "delta^3 = ∇_a C ⊙ sigma'(z^3)   (BP1)"
    natural = dr.Network([dr.Dense(1, "exponential")], "poisson")
    assert (
        "= a^2 - y   (BP1; sigma' cancels)"
        in consumers.assert_it_is_traced(natural, *consumers.examples(positive=True))["delta"]
    )


def test_the_forecast():
    for net in (network(), dr.Network([dr.Dense(3, "tanh"), dr.Dense(1, "exponential")], "poisson")):
        consumers.assert_it_is_forecast(net)


def test_the_estimator_exports_it_and_a_model_file_refuses_it(tmp_path):
    """An export holds outputs, which need no cost; a file would have to make the cost again."""
    X, Y = consumers.examples()
    model = dr.NetworkRegressor(hidden=(4,), cost=LogCosh(), random_state=0).fit(X, Y[:, 0])
    assert model.score(X, Y[:, 0]) > 0.9
    found = consumers.exported(model, "python", tmp_path, X)
    np.testing.assert_allclose(found[:, 0], model.predict(X), rtol=1e-12)
    with pytest.raises(ModelFileError, match="LogCosh"):
        model.save(tmp_path / "model.safetensors")


@pytest.mark.parametrize("cost", [dr.Huber(0.3), dr.Poisson()], ids=str)
def test_files_and_the_report(cost, tmp_path):
    net = dr.Network([dr.Dense(3, "tanh"), dr.Dense(1, cost.natural_output or "linear")], cost)
    path, params = tmp_path / "model.safetensors", net.init(0, (2,), "float64")
    schema = consumers.schema()
    schema = schema if cost.shifts_targets else schema.scaled_by_mean([10.0])
    dr.save(path, net, params, schema=schema.to_json())
    loaded, _ = dr.load(path)
    assert loaded == net
    assert loaded.cost == cost
    assert cost.name in consumers.assert_it_is_reported(path, tmp_path)
