import json
import re

import pytest


def test_a_report_on_a_table(run, shelf, houses, tmp_path):
    record = json.loads(run("report", houses, shelf / "houses.csv", "--json").out)
    assert record["out"] == "houses.html"
    page = (tmp_path / "houses.html").read_text(encoding="utf-8")
    assert record["bytes"] == len(page.encode())
    for words in (
        "Regression of price",
        "Importance of the columns",
        "Dependence on area",
        "Performance",
        "Seed",
        "train ",
        "Calibration of the error bars of price",
        "% of the rows lie in their 95 % interval",
        "Log evidence",
        "Effective parameters gamma",
        "Damping mu",
        "Norm of the gradient",
        "<th>Noise</th>",
        "of the 21 of one network; log evidence",
        "the average of 2 networks 3-4-1 (tanh, linear), of 21 parameters each",
        "The verdict after training",
        "explains almost all of the variation of price",
    ):
        assert words in page
    assert "houses.csv&#39;s SHA-256" in page
    for part in ("training", "validation", "test"):
        assert f"Regression of price, {part} rows" in page
    assert "on the test rows of houses.csv." in page
    assert "rows it was trained on" not in page


def test_a_table_of_the_same_name_is_not_taken_for_the_one_that_trained(run, shelf, houses, tmp_path):
    lines = (shelf / "houses.csv").read_text().splitlines()
    (tmp_path / "houses.csv").write_text("\n".join(lines[:1] + lines[2:]) + "\n")
    outcome = run("report", houses, "houses.csv")
    page = (tmp_path / "houses.html").read_text(encoding="utf-8")
    assert "houses.csv has the name" in outcome.err
    assert "rows it was trained on" in page
    assert "Regression of price, training rows" not in page


def test_rows_far_from_the_training_rows_are_counted(run, shelf, houses):
    (shelf / "palaces.csv").write_text("area,age,heat,price\n100,20,220,9e4\n900,20,220,9e5\n100,95,220,5e4\n")
    outcome = run("report", houses, shelf / "palaces.csv")
    for word in ("2 of 3 rows", "900", "'area'"):
        assert word in outcome.err


def test_a_report_on_images_shows_the_held_out_ones(run, digits, tmp_path):
    assert run("report", digits, "digits", "--out", "d.html").code == 0
    page = (tmp_path / "d.html").read_text(encoding="utf-8")
    assert "269 rows of digits" in page
    assert "Confusion" in page
    assert "Importance" not in page


def test_without_rows_the_card_and_the_training(run, flowers, tmp_path):
    outcome = run("report", flowers)
    assert "flowers.html" in outcome.out
    page = (tmp_path / "flowers.html").read_text(encoding="utf-8")
    assert "Performance" in page
    assert "Confusion" not in page
    assert "always answering" in page
    assert "Calibration" not in page


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["--out", "nowhere/r.html"], "there is no folder 'nowhere'"), (["nothing.csv"], "nothing.csv")],
)
def test_bad_words_are_refused(words, sentence, refused, houses):
    assert sentence in refused("report", houses, *words)


def test_the_card_says_what_the_network_is_the_average_of(run, houses, tmp_path):
    run("report", houses)
    page = (tmp_path / "houses.html").read_text(encoding="utf-8")
    (network,) = re.findall("<th>Network</th><td>(.*?)</td>", page)
    # 3 inputs, 4 neurons, 1 output: 4 (3 + 1) + (4 + 1) parameters; side by side one output bias fewer
    assert re.findall(r"\d+-\d+-\d+", network) == ["3-4-1", "3-8-1"]
    assert re.findall(r"(\d+) parameters", network) == ["21", "41"]


def test_the_model_is_not_overwritten(refused, houses):
    assert "also reads" in refused("report", houses, "--out", houses)
