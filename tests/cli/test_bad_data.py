"""Data that cannot be used: one sentence that names the file, row or column, the value, and what to do."""

import pytest

ROWS = "".join(f"{i},{i * i % 7},{'ab'[i % 2]}\n" for i in range(20))
HEADER = "x,y,label\n"


@pytest.mark.parametrize(
    ("content", "target", "expected"),
    [
        (None, "y", ("table.csv", "no file")),
        ("", "y", ("table.csv", "empty")),
        (HEADER, "y", ("table.csv", "no data rows")),
        (HEADER + "1,2,a\n", "y", ("table.csv", "1 data row")),
        (HEADER + ROWS, "z", ("'z'", "'label'")),
        (HEADER + ROWS, None, ("--target", "'y'")),
        (HEADER + ROWS, "y,label", ("'label'", "'a'", "line 2")),
        (HEADER + ROWS + "20,nan,a\n", "y", ("'y'", "line 22", "--drop-missing")),
        (HEADER + ROWS + "inf,1,a\n", "y", ("'x'", "line 22", "inf")),
        (HEADER + ROWS + "oops,1,a\n", "y", ("'x'", "line 22", "oops")),
        (HEADER + ROWS + "1,2\n", "y", ("line 22", "2 cells")),
        (HEADER + ROWS.replace("b", "a"), "label", ("'label'", "'a' in every row", "nothing can be learnt")),
        (b"x,label\n\0,a\n", "label", ("table.csv", "no text")),
    ],
)
def test_bad_data_are_refused(refused, tmp_path, content, target, expected):
    table = tmp_path / "table.csv"
    if content is not None:
        table.write_bytes(content if isinstance(content, bytes) else content.encode())
    sentence = refused("train", table, *(() if target is None else ("--target", target)), "--epochs", 1)
    for word in expected:
        assert word in sentence


def test_text_is_no_target_of_a_regression(refused, tmp_path):
    (tmp_path / "table.csv").write_text(HEADER + ROWS)
    sentence = refused("train", "table.csv", "--target", "label", "--task", "regression")
    assert "'label'" in sentence
    assert "--task classification" in sentence


@pytest.mark.parametrize("extension", ["xls", "doc"])
def test_another_kind_of_file_is_refused(refused, tmp_path, extension):
    (tmp_path / f"table.{extension}").write_text("x")
    assert f".{extension}" in refused("train", f"table.{extension}", "--target", "x")


def test_a_folder_without_mnist_is_refused(refused, tmp_path):
    sentence = refused("train", "mnist", "--data-dir", tmp_path)
    assert str(tmp_path) in sentence
    assert "--data-dir" in sentence


def test_the_environment_names_the_folder_too(refused, tmp_path, monkeypatch):
    monkeypatch.setenv("DELTARULE_DATA", str(tmp_path / "from-environment"))
    assert "from-environment" in refused("train", "mnist")
