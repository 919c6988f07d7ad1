"""Model files are read bit for bit as they were written, and a damaged one is refused by name."""

import json
import stat

import numpy as np
import pytest
from safetensors.numpy import save_file

import deltarule as dr
from deltarule import trees
from deltarule.errors import ModelFileError
from deltarule.files.model_file import FORMAT_VERSION, METADATA_KEY, load_model
from engines import on

NET = dr.Network([dr.Dense(4, "relu", "he"), dr.Dense(3, "softmax")], "log-likelihood")
DRAW = np.random.default_rng(0)
PARAMS = [
    {"W": DRAW.normal(size=(4, 2)), "b": DRAW.normal(size=4)},
    {"W": DRAW.normal(size=(3, 4)), "b": DRAW.normal(size=3)},
]
TENSORS = {f"{i}.{name}": array for i, layer in enumerate(PARAMS) for name, array in layer.items()}
DESCRIPTION = {
    "format_version": FORMAT_VERSION,
    "layers": [{"kind": "Dense", "n": 4, "activation": "relu"}, {"kind": "Dense", "n": 3, "activation": "softmax"}],
    "cost": {"name": "log-likelihood"},
}


def in_dtype(dtype):
    return trees.map_leaves(lambda p: p.astype(dtype), PARAMS)


def write(path, description=DESCRIPTION, tensors=TENSORS):
    """Write a file like one of `save`, with this content."""
    text = description if isinstance(description, str) else json.dumps(description)
    save_file(tensors, path, metadata={METADATA_KEY: text})
    return path


class OtherCost(dr.Quadratic):
    name = "other"


class OtherLayer(dr.Dense):
    pass


@pytest.mark.parametrize("net", [dr.Network([dr.Dense(3)], OtherCost()), dr.Network([OtherLayer(3)])])
def test_layers_and_costs_of_users_are_not_saved(tmp_path, net):
    with pytest.raises(ModelFileError, match=r"not a layer or cost"):
        dr.save(tmp_path / "m.safetensors", net, net.init(0, (2,)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cost", ["log-likelihood", "cross-entropy", dr.Quadratic(scale=1)], ids=str)
def test_a_round_trip_is_exact(tmp_path, dtype, cost, engine):
    """Of the parameters of either engine; what is loaded is NumPy's."""
    net, params = dr.Network(NET.layers, cost), on(engine, in_dtype(dtype))
    dr.save(tmp_path / "model", net, params)
    again, loaded = dr.load(tmp_path / "model")
    assert again == net
    for layer, expected in zip(loaded, params, strict=True):
        assert list(layer) == ["W", "b"]
        for name, array in layer.items():
            assert type(array) is np.ndarray
            assert array.dtype == dtype
            np.testing.assert_array_equal(array, expected[name])
    assert net(loaded, [[1.0, 2.0]]).dtype == dtype


def test_schema_and_training_are_saved(tmp_path):
    schema, training = {"columns": ["x", "ÿ"], "scale": [1.5, None]}, {"epochs": 3}
    dr.save(tmp_path / "model", NET, PARAMS, schema=schema, training=training)
    model = load_model(str(tmp_path / "model"))
    assert (model.schema, model.training) == (schema, training)
    dr.save(tmp_path / "bare", NET, PARAMS)
    assert load_model(tmp_path / "bare")[2:] == (None, None, None)


def test_error_bars_are_saved(tmp_path):
    bars = {"beta": np.array(2.5), "factor": DRAW.normal(size=(3, 3))}
    dr.save(tmp_path / "model", NET, PARAMS, error_bars=bars)
    found = load_model(tmp_path / "model").error_bars
    assert found is not None
    assert {name: array.tolist() for name, array in found.items()} == {n: a.tolist() for n, a in bars.items()}
    np.testing.assert_array_equal(dr.load(tmp_path / "model")[1][1]["W"], PARAMS[1]["W"])
    with pytest.raises(ModelFileError, match="not finite"):
        dr.save(tmp_path / "model", NET, PARAMS, error_bars={"beta": np.array(np.nan)})
    write(tmp_path / "bad", tensors=TENSORS | {"error_bars.beta": np.array([np.inf])})
    with pytest.raises(ModelFileError, match=r"'error_bars\.beta' .*not finite"):
        dr.load(tmp_path / "bad")


def test_saving_replaces_the_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "model"
    dr.save(path, NET, PARAMS)
    dr.save(path, NET, trees.map_leaves(lambda p: p + 1, PARAMS))
    np.testing.assert_array_equal(dr.load(path)[1][0]["W"], PARAMS[0]["W"] + 1)
    assert list(tmp_path.iterdir()) == [path]


def test_a_model_is_as_readable_as_any_other_new_file(tmp_path):
    dr.save(tmp_path / "model", NET, PARAMS)
    (tmp_path / "plain").write_text("")
    assert stat.S_IMODE((tmp_path / "model").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(ModelFileError, match=r"cannot .*missing/model \(No such file"):
        dr.save(tmp_path / "missing" / "model", NET, PARAMS)
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelFileError, match=r"cannot be written .*\(Not a directory\)"):
        dr.save(tmp_path / "file" / "model", NET, PARAMS)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelFileError, match=r"cannot be written .*\(Is a directory\)"):
        dr.save(tmp_path / "folder", NET, PARAMS)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "folder"]  # no half-written rest


def test_parameters_that_could_not_be_loaded_are_not_saved(tmp_path):
    """A diverged or mismatched network is refused when it is saved, while it can still be trained again."""
    lost = trees.map_leaves(np.copy, PARAMS)
    lost[1]["b"][0] = np.nan
    with pytest.raises(ModelFileError, match="not finite"):
        dr.save(tmp_path / "model", NET, lost)
    with pytest.raises(dr.errors.ShapeError, match=r"layer 0, Dense\(4\), needs"):
        dr.save(tmp_path / "model", NET, PARAMS[::-1])
    assert not list(tmp_path.iterdir())


def test_a_missing_file(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ModelFileError, match=f"no model file {path}: "):
            dr.load(path)


@pytest.mark.parametrize("share", [0, 1, 7, 8, 9, 0.1, 0.5, 0.9, -1])
def test_a_truncated_file(tmp_path, share):
    dr.save(tmp_path / "model", NET, PARAMS)
    content = (tmp_path / "model").read_bytes()
    length = int(share * len(content)) if isinstance(share, float) else share % len(content)
    (tmp_path / "model").write_bytes(content[:length])
    with pytest.raises(ModelFileError, match=r"model is damaged .*safetensors"):
        dr.load(tmp_path / "model")


def test_a_file_of_something_else(tmp_path):
    (tmp_path / "text").write_text("x,y\n1,2\n" * 100)
    with pytest.raises(ModelFileError, match="damaged or not a safetensors file"):
        dr.load(tmp_path / "text")
    save_file(TENSORS, tmp_path / "foreign")
    with pytest.raises(ModelFileError, match=r"safetensors.* 'deltarule' metadata"):
        dr.load(tmp_path / "foreign")


@pytest.mark.parametrize(
    ("description", "message"),
    [
        (
            DESCRIPTION | {"format_version": FORMAT_VERSION + 1},
            "format version 2.* up to 1",
        ),
        (DESCRIPTION | {"format_version": "new"}, "invalid format version 'new'"),
        (DESCRIPTION | {"format_version": 0}, "invalid format version 0"),
        ("{", "has damaged deltarule metadata"),
        ("[]", "has damaged deltarule metadata"),
        ({}, "has damaged deltarule metadata"),
        (
            DESCRIPTION | {"layers": [{"kind": "Fractal"}]},
            r"cannot be built .*\('Fractal'\)",
        ),
        (DESCRIPTION | {"layers": [{"kind": "Dense", "n": 0}]}, "cannot be built .*is 0"),
        (DESCRIPTION | {"layers": [{"kind": "Dense", "n": 2, "m": 1}]}, "cannot be built"),
        (DESCRIPTION | {"layers": "Dense"}, "cannot be built"),
        (DESCRIPTION | {"cost": {"name": "hinge"}}, "cannot be built"),
        (DESCRIPTION | {"cost": None}, "cannot be built"),
        (DESCRIPTION | {"cost": {"name": "quadratic", "scale": "big"}}, "cannot be built .*scale"),
        (DESCRIPTION | {"layers": DESCRIPTION["layers"][:1]}, "tensor '1.W' .*no layer"),
    ],
)
def test_metadata_that_describe_no_network(tmp_path, description, message):
    with pytest.raises(ModelFileError, match=message):
        dr.load(write(tmp_path / "model", description))


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"0.W": np.zeros((5, 2))}, r"layer 0, Dense\(4\), needs .*'W': \(4, 2\).* has .*\(5, 2\)"),
        ({"1.W": np.zeros((3, 5))}, r"contradicts itself: layer 1, Dense\(3\)"),
        ({"1.W": np.full((3, 4), np.nan)}, "'1.W' .*not finite"),
        ({"1.b": np.zeros(3, np.float32)}, "mixes float32 and float64 tensors"),
        ({"1.b": np.zeros(3, np.int64)}, r"holds a tensor '1.b' \(int64\)"),
        ({"loose": np.zeros(3)}, "holds a tensor 'loose'"),
        ({"2.W": np.zeros(3)}, "holds a tensor '2.W'"),
        ({"0.W": np.zeros(8)}, r"layer 0, Dense\(4\), has .*\(8,\)"),
        ({"1.c": np.zeros(3)}, "contradicts itself"),
    ],
)
def test_tensors_of_no_layer(tmp_path, tensors, message):
    with pytest.raises(ModelFileError, match=message):
        dr.load(write(tmp_path / "model", tensors=TENSORS | tensors))


@pytest.mark.parametrize("missing", TENSORS)
def test_a_missing_tensor(tmp_path, missing):
    tensors = {name: array for name, array in TENSORS.items() if name != missing}
    with pytest.raises(ModelFileError, match="contradicts itself: layer "):
        dr.load(write(tmp_path / "model", tensors=tensors))
