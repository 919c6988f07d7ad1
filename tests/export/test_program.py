from dataclasses import replace

import numpy as np
import pytest

import deltarule as dr
from deltarule.data import Pixels, Schema
from deltarule.data.columns import RawColumn
from deltarule.errors import ConfigurationError, ModelFileError, ShapeError
from deltarule.export.program import build_program
from deltarule.models.model import Model


def test_columns_stages_and_targets_of_a_table(make):
    program = make("two targets").program
    assert [(c.name, c.width) for c in program.columns] == [("speed */ km/h", 1), ("colour", 3), ("gap", 1)]
    assert [stage.activation for stage in program.stages] == ["relu", "relu", "linear"]
    assert [(c.name, c.mean, c.std) for c in program.targets] == [("y0", 1000, 1), ("y1", 2000, 10)]
    assert (program.widest, program.outputs, program.classes) == (6, 2, None)


def test_pixels_are_columns_that_are_divided():
    schema = Schema("digits", "classification", (Pixels(4, 16.0, (2, 2)),), (), (0, 1, 2), ("digit",))
    net = dr.Network([dr.Dense(3, "softmax")], "log-likelihood")
    params = net.init(0, (4,), "float64")
    program = build_program(Model(net, params, schema))
    assert program.columns[0] == RawColumn("pixel 0,0", 0.0, 16.0)
    assert program.sums_to_one


def test_from_a_file_and_from_what_load_returns(make, tmp_path):
    model = make("tanh").model
    dr.save(tmp_path / "net.safetensors", model.net, model.params, schema=model.schema.to_json())
    program = build_program(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(program.stages[0].W, model.params[0]["W"])
    assert program.constants["out_std"]
    assert not build_program(dr.load(tmp_path / "net.safetensors")).constants["out_std"]


def test_from_an_estimator():
    X = np.linspace(0, 100, 30)[:, None]
    model = dr.NetworkClassifier(hidden=(2,), trainer="adam", epochs=2).fit(X, (X[:, 0] > 50).astype(int))
    program = build_program(model)
    assert program.classes == (0, 1)
    assert program.columns[0].mean == pytest.approx(50)


@pytest.mark.parametrize("first", [dr.Convolution(2, 3), dr.MaxPool(2), dr.Flatten()])
def test_a_network_of_images_of_any_size_is_refused_in_one_sentence(first):
    net = dr.Network([first, dr.Flatten(), dr.Dense(1)])
    params = net.init(0, (8, 8, 1), "float64")
    with pytest.raises(ConfigurationError, match=r"any size.*begin with Reshape\(\("):
        build_program((net, params))


def test_a_layer_of_the_users_own_is_refused_in_one_sentence():
    class Squares(dr.MeanPool):
        pass

    net = dr.Network([dr.Reshape((4, 4, 1)), Squares(2), dr.Flatten(), dr.Dense(1)])
    with pytest.raises(ConfigurationError, match="layer 1 is Squares"):
        build_program((net, net.init(0, (16,), "float64")))


def test_parameters_of_another_network_are_refused(make):
    model = make("valid, max").model
    wider = dr.Network([*model.net.layers[:-1], dr.Dense(2)])
    with pytest.raises(ShapeError, match=r"layer 5, Dense\(2\), needs parameters"):
        build_program((wider, model.params))


def test_what_is_no_model_is_refused_in_one_sentence():
    with pytest.raises(ConfigurationError, match="model is 3: give the path"):
        build_program(3)


def test_a_schema_of_another_network_is_refused(make):
    model, other = make("tanh").model, make("two targets").model
    with pytest.raises(ModelFileError, match="they do not belong together"):
        build_program(replace(model, schema=other.schema))


def test_a_stage_knows_the_size_of_what_it_takes_and_gives(make):
    program = make("same, overlapping max").program
    first, pool, second, _ = program.stages
    assert (first.kind, pool.kind, second.kind) == ("convolution", "max", "convolution")
    assert [(view.image, view.stops, view.seen) for view in program.views] == [
        ((7, 5, 1), (4, 5), 12),
        ((4, 5, 4), (2, 5), 24),
        ((2, 5, 4), (2, 4), 8),
    ]
    assert first.view.margins == ((1, 2), (1, 1))
    assert [(stage.n_in, stage.n_out) for stage in program.stages] == [(35, 80), (80, 40), (40, 16), (16, 3)]
    assert (program.inputs, program.widest, program.outputs) == (35, 80, 3)
