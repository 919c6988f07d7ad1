import json

import pytest

from deltarule.files.model_file import load_model


def test_digits_are_measured_on_the_part_held_out(run, digits):
    record = json.loads(run("evaluate", digits, "digits", "--json").out)
    training = load_model(digits).training
    assert training is not None
    assert record["rows"] == training["examples"]["test"]
    assert record["test_accuracy"] == pytest.approx(training["metrics"]["test_accuracy"])
    assert record["test_cost"] > 0


def test_a_table_is_measured_on_all_its_rows(run, shelf, houses):
    outcome = run("evaluate", houses, shelf / "houses.csv", "--json")
    record = json.loads(outcome.out)
    assert record["rows"] == 60
    assert record["test_r2"] > 0.8
    assert record["test_rmse"] > 0
    assert 0.8 < record["interval_coverage"]["price"] <= 1
    assert "Note: houses.csv has the name" in outcome.err


def test_the_panel_shows_model_data_and_result(run, shelf, flowers):
    (shelf / "garden.csv").write_text((shelf / "flowers.csv").read_text())
    outcome = run("evaluate", flowers, shelf / "garden.csv")
    for words in ("garden.csv: 60 rows", "log-likelihood cost", "accuracy"):
        assert words in outcome.out
    assert "the name of the table" not in outcome.err


def test_a_regression_says_how_much_its_error_bars_hold(run, shelf, houses):
    record = json.loads(run("evaluate", houses, shelf / "houses.csv", "--json").out)
    outcome = run("evaluate", houses, shelf / "houses.csv")
    assert f"{100 * record['interval_coverage']['price']:.2f} %" in outcome.out


def test_rows_far_from_the_training_rows_are_counted(run, shelf, houses):
    (shelf / "palaces.csv").write_text("area,age,heat,price\n100,20,220,9e4\n900,20,220,9e5\n100,95,220,5e4\n")
    outcome = run("evaluate", houses, shelf / "palaces.csv", "--json")
    assert json.loads(outcome.out)["rows_outside_training_range"] == 2
    for word in ("2 of 3 rows", "900", "'area'"):
        assert word in outcome.err
    assert json.loads(run("evaluate", houses, shelf / "houses.csv", "--json").out)["rows_outside_training_range"] == 0


def test_each_class_has_its_recall_and_auc(run, shelf, flowers):
    record = json.loads(run("evaluate", flowers, shelf / "flowers.csv", "--json").out)
    recall = record["test_recall_by_class"]
    assert set(recall) == set(record["test_auc_by_class"]) == {"aster", "iris", "rose"}
    assert sum(recall.values()) / 3 == pytest.approx(record["test_accuracy"])  # 20 rows of each
    assert f"'iris' {100 * recall['iris']:.2f} %" in run("evaluate", flowers, shelf / "flowers.csv").out


def test_rows_without_targets_cannot_be_measured(refused, shelf, flowers):
    (shelf / "wild.csv").write_text("length,width\n1,2\n")
    assert "target column 'flower'" in refused("evaluate", flowers, shelf / "wild.csv")


def test_an_unknown_class_is_refused(refused, shelf, flowers):
    (shelf / "odd.csv").write_text("length,width,flower\n1,2,tulip\n")
    sentence = refused("evaluate", flowers, shelf / "odd.csv")
    assert "'tulip'" in sentence
    assert "line 2" in sentence


def test_a_target_in_another_unit_must_be_converted(run, refused, tmp_path):
    rows = "".join(f"{i},{3 * i % 7 + i / 10}\n" for i in range(40))
    (tmp_path / "bar.csv").write_text("x,p [bar]\n" + rows)
    (tmp_path / "kpa.csv").write_text("x,p [kPa]\n" + rows)
    run("train", "bar.csv", "--target", "p", "--trainer", "lm", "--hidden", 2, "--epochs", 3)
    message = refused("evaluate", "bar.safetensors", "kpa.csv")
    for words in ("'p [kPa]'", "'p [bar]'", "convert"):
        assert words in message
