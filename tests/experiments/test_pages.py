import json

from deltarule.experiments import write
from deltarule.experiments.report import Report, Row
from deltarule.inspection import plots


def report(name="higham", value=1.0):
    figure = plots.curves({"a": [1, 2, value]})
    return Report(name, "Ten points", [Row("cost | of all", 2.0, [value])], {"cost": (figure, "the cost")}, ["A note."])


def test_a_page_a_picture_the_numbers_and_the_index(tmp_path):
    files = write(report(), tmp_path / "new" / "folder", "deltarule reproduce higham")
    assert [path.name for path in files] == ["higham.md", "higham-cost.png", "higham.json", "README.md"]
    page = files[0].read_text()
    assert page.startswith("# Ten points\n\n[HH] section 6")
    assert "| cost \\| of all | 2.00 % | 1.00 % |" in page
    assert "![the cost](higham-cost.png)" in page
    assert "A note." in page
    assert "`deltarule reproduce higham`" in page
    assert json.loads(files[2].read_text())["rows"][0]["runs"] == [1.0]


def test_the_index_gathers_what_lies_in_the_folder(tmp_path):
    write(report("perceptron"), tmp_path, "c")
    index = write(report(), tmp_path, "c")[-1].read_text()
    assert index.index("(higham.md)") < index.index("(perceptron.md)")


def test_the_same_numbers_give_the_same_bytes(tmp_path):
    first = [path.read_bytes() for path in write(report(), tmp_path, "c")]
    assert [path.read_bytes() for path in write(report(), tmp_path, "c")] == first
    assert write(report(value=3.0), tmp_path, "c")[1].read_bytes() != first[1]
