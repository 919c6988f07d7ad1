"""A made-up kind of column and a made-up source of images, each of a few lines, go through all that asks for one."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.data import NumericColumn, Pixels, Schema, load, load_raw
from deltarule.data.cells import as_numbers
from deltarule.data.columns import Column
from deltarule.data.images import ImageSource
from deltarule.data.schema import COLUMN_KINDS
from deltarule.data.source import IMAGE_SOURCES
from deltarule.data.splitting import split
from deltarule.data.table_checks import count_extrapolated
from deltarule.errors import ConfigurationError
from deltarule.files.model_file import load_model
from deltarule.inspection.report.evidence import collect_evidence


@dataclass(frozen=True)
class Angle(Column):
    """An angle in degrees as its cosine and sine, so that 359 is near 1."""

    kind = "angle"
    name: str

    @property
    def input_names(self):
        return f"cos {self.name}", f"sin {self.name}"

    def encode(self, column, origin):
        radians = np.deg2rad(as_numbers(column))
        return np.stack([np.cos(radians), np.sin(radians)], axis=1)

    def row_values(self, block):
        return np.arctan2(block[:, 1], block[:, 0])

    def sweep(self, block, places):
        angles = np.linspace(0, 360, places, endpoint=False)
        return angles.tolist(), self.encode(pd.Series(angles), "")


@pytest.fixture
def angles(monkeypatch):
    """Wind by its direction and speed, and a network that has learnt it."""
    monkeypatch.setitem(COLUMN_KINDS, "angle", Angle)
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"from": random.uniform(0, 360, 80), "speed": random.uniform(0, 5, 80)})
    frame["east"] = frame["speed"] * np.sin(np.deg2rad(frame["from"]))
    speed, east = (NumericColumn.from_values(name, frame[name].to_numpy()) for name in ("speed", "east"))
    schema = Schema("table", "regression", (Angle("from"), speed), (east,), None, ("east",))
    net = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])
    X, Y = schema.encode_inputs(frame), schema.encode_targets(frame)
    result = dr.train(net, X, Y, trainer=dr.LevenbergMarquardt(), epochs=20, engine="numpy")
    return schema, net, result.params, X, Y


def test_a_made_up_column_is_encoded_filed_and_shown(angles, tmp_path):
    schema, net, params, X, Y = angles
    assert schema.input_names == ("cos from", "sin from", "speed")
    np.testing.assert_allclose(np.hypot(X[:, 0], X[:, 1]), 1)
    dr.save(tmp_path / "m.safetensors", net, params, schema=schema.to_json())
    assert Schema.from_json(load_model(tmp_path / "m.safetensors").schema) == schema
    evidence = collect_evidence(net, params, schema, X, Y, "wind")
    assert set(evidence.importance) == {"from", "speed"}
    curve = next(curve for curve in evidence.dependence if curve.column == "from")
    assert curve.values[:2] == [0.0, 9.0]
    assert curve.means[10, 0] > 1 > -1 > curve.means[30, 0]  # from 90 and from 270 degrees
    assert count_extrapolated(schema, X, np.arange(len(X)))[1] == ()


def test_code_that_cannot_hold_it_is_refused(angles, tmp_path):
    schema, net, params, *_ = angles
    dr.save(tmp_path / "m.safetensors", net, params, schema=schema.to_json())
    with pytest.raises(ConfigurationError, match="'angle'"):
        dr.export_model(tmp_path / "m.safetensors", tmp_path / "m.py", to="python")


def stripes(seed, folders, progress):
    """Horizontal stripes, and vertical ones."""
    random = np.random.default_rng(0)
    labels = np.arange(60) % 2
    images = np.broadcast_to(np.arange(4) % 2 * 200.0, (60, 4, 4)).copy()
    images[labels == 1] = images[labels == 1].transpose(0, 2, 1)
    images += random.uniform(0, 50, images.shape)
    return ImageSource("stripes", images, labels, Pixels(16, 255.0, (4, 4)), split(60, seed, labels))


def test_a_made_up_source_is_loaded_trained_on_and_predicted(monkeypatch, tmp_path):
    monkeypatch.setitem(IMAGE_SOURCES, "stripes", stripes)
    data = load("stripes", seed=1)
    net = dr.Network([dr.Dense(10, "softmax")], "log-likelihood")
    trainer = dr.GradientDescent(eta=0.5, batch_size=8)
    result = dr.train(net, data.train.X, data.train.Y, trainer=trainer, epochs=20, engine="numpy")
    dr.save(tmp_path / "m.safetensors", net, result.params, schema=data.schema.to_json())
    model = load_model(tmp_path / "m.safetensors")
    schema = Schema.from_json(model.schema)
    rows = load_raw("stripes", schema, seed=1)
    assert set(rows.test_rows) == set(data.test.rows)
    assert (schema.decode(model.net(model.params, rows.X)) == rows.targets)[rows.test_rows].all()
    with pytest.raises(ConfigurationError, match="target is 'x'"):
        load("stripes", target="x")
