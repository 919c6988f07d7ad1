"""`fit_table`, which is `deltarule train` for programs."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.cli import main
from deltarule.errors import ConfigurationError, DataError


def test_the_command_line_trains_the_same_model(houses, flowers, tmp_path, capsys):
    for table, target in ((houses, "price"), (flowers, "flower")):
        path, file = tmp_path / f"{target}.csv", tmp_path / "m.safetensors"
        table.to_csv(path, index=False)
        words = ["train", path, "--target", target, "--hidden", "4", "--epochs", "12", "--seed", "3", "--out", file]
        assert main([*map(str, words), "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        trained = dr.load_model(file)
        for source in (path, str(path), table):
            model = dr.fit_table(source, target=target, hidden=(4,), epochs=12, seed=3)
            assert (model.predict(table) == trained.predict(table)).all()
            for name in ("metrics", "verdict", "trainer", "stop_reason"):
                assert model.training[name] == trained.training[name]
        assert said["test_rmse" if target == "price" else "test_accuracy"] in model.training["metrics"].values()


def test_options_of_the_table_and_of_the_training(houses):
    model = dr.fit_table(
        houses.assign(code=np.arange(60) % 4),
        "price",
        drop="heat",
        category=["code"],
        trainer="adam",
        eta=0.02,
        epochs=3,
    )
    assert [column.name for column in model.schema.inputs] == ["area", "age", "code"]
    assert model.schema.inputs[2].width == 4
    assert "adam, eta 0.02" in model.training["trainer"]
    assert model.training["options"]["drop"] == "heat"
    assert json.dumps(model.training)
    lm = dr.LevenbergMarquardt(solver="dual")
    assert json.dumps(dr.fit_table(houses, "price", trainer=lm, epochs=2, hidden=(3, 2)).training)


def test_the_same_seed_gives_the_same_model(houses):
    first, second, other = (dr.fit_table(houses, "price", hidden=(3,), epochs=5, seed=seed) for seed in (1, 1, 2))
    assert (first.predict(houses) == second.predict(houses)).all()
    assert (first.predict(houses) != other.predict(houses)).any()


def test_the_example_of_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    names: dict = {}
    exec(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], names)  # pyright: ignore[reportOptionalSubscript]
    asked = names["model"].predict([[4.0, "open"], [4.0, "half"]])
    assert asked.round().tolist() == [11, 19]
    assert "pressure [bar]" in names["summary"]
    measured = names["table"]["pressure [bar]"]
    assert np.mean((names["low"] < measured) & (measured < names["high"])) > 0.9
    assert dr.load_model("pressure.safetensors").predict([[4.0, "open"]]) == pytest.approx(asked[:1])


@pytest.mark.parametrize(
    ("options", "word"),
    [({"hiden": 3}, "hiden"), ({"trainer": "lmm"}, "'lmm'"), ({"eta": 0.1, "trainer": "lm"}, "eta is 0.1")],
)
def test_unknown_options_are_refused(houses, options, word):
    with pytest.raises(ConfigurationError, match=word):
        dr.fit_table(houses, "price", **options)


def test_unusable_tables_are_refused(houses):
    with pytest.raises(DataError, match="nothing"):
        dr.fit_table("nothing.csv", "y")
    with pytest.raises((DataError, ConfigurationError), match="'prize'"):
        dr.fit_table(houses, "prize")
    with pytest.raises(DataError, match="'area'"):
        dr.fit_table(houses.assign(area=houses["area"].where(houses["area"] > 60)), "price")
    holes = houses.assign(area=houses["area"].where(houses["area"] > 60))
    with pytest.warns(UserWarning, match="are left out"):
        assert len(dr.fit_table(holes, "price", drop_missing=True, epochs=2).examples["test"]) < 9


def test_other_types_are_refused():
    with pytest.raises(ConfigurationError, match="dict"):
        dr.fit_table({"a": [1.0]}, "a")


def test_a_repeated_column_is_refused(houses):
    twice = pd.concat([houses, houses[["area"]]], axis=1)
    with pytest.raises(DataError, match="'area'"):
        dr.fit_table(twice, "price")


def test_without_a_target_the_error_lists_the_columns(houses):
    with pytest.raises(ConfigurationError, match=r"target: .*'area', "):
        dr.fit_table(houses)


def test_a_bad_cell_is_reported_with_its_line(tmp_path):
    (tmp_path / "t.csv").write_text("a,y\n1,2.5\n2,3.5\nx,4.5\n4,1.5\n")
    with pytest.raises(DataError, match=r"t.csv: column 'a', line 4 holds 'x'"):
        dr.fit_table(tmp_path / "t.csv", "y")
