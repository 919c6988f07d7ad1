import pytest

from deltarule.experiments.report import Report, Row, Settings

ROW = Row("accuracy", 95.0, [94.0, 96.0, 98.0], {"last epoch": [93.0, 93.0, 96.0]}, [1.0, 2.0, 30.0])


def test_a_mean_and_its_deviation():
    assert ROW.average == 96
    assert ROW.deviation == 2  # √((4 + 0 + 4) / 2)
    assert ROW.cells(["last epoch"]) == ["accuracy", "95.00 %", "96.00 % ± 2", "94.00 % ± 1.7", "2"]


def test_a_median_comes_with_its_range():
    row = Row("cost", None, [3e-4, 1e-4, 1.0], template="{:.0e}", median=True)
    assert row.average == 3e-4
    assert row.cells([])[1:3] == ["", "3e-04 (1e-04 to 1e+00)"]


def test_a_single_run_has_no_deviation():
    assert Row("a", "about 2", [2.5]).cells([]) == ["a", "about 2", "2.50 %", ""]
    assert Row("a", None, [2.5]).deviation is None


def test_seconds_are_written_as_people_do():
    assert [Row("a", 1.0, [1.0], seconds=[s]).cells([])[-1] for s in (0.123, 18.4, 99.7, 7341.2)] == [
        "0.12", "18", "100", "7,341",
    ]  # fmt: skip


def test_the_table_has_the_columns_that_a_row_needs():
    report = Report("x", "X", [Row("plain", 1.0, [1.0]), ROW], {}, [])
    assert report.table()[0] == ["", "book", "deltarule", "last epoch", "seconds a run"]
    assert report.table()[1] == ["plain", "1.00 %", "1.00 %", "", ""]
    assert Report("x", "X", [Row("plain", 1.0, [1.0])], {}, []).table()[0] == ["", "book", "deltarule"]


def test_a_quick_run_has_no_number_of_the_book_beside_its_own():
    quick = Report("x", "X", [ROW, Row("plain", "about 2", [1.0])], {}, []).without_reference()
    assert quick.table()[0] == ["", "deltarule", "last epoch", "seconds a run"]
    assert quick.table()[2] == ["plain", "1.00 %", "", ""]
    assert [row["book"] for row in quick.record()["rows"]] == [None, None]
    assert "quick" in quick.title


def test_the_record_is_plain():
    row = Report("x", "X", [ROW], {}, ["a note"]).record()["rows"][0]
    assert row["runs"] == [94, 96, 98]
    assert (row["book"], row["ours"], row["deviation"], row["seconds"]) == (95, 96, 2, 2)
    assert row["last epoch"] == [93, 93, 96]


def test_seeds():
    assert Settings().runs() == range(5)
    assert Settings(quick=True).runs(20, quick=3) == range(3)
    assert Settings(quick=True, seeds=7).runs() == range(7)


def test_progress_callback():
    told = []
    watch = Settings(report_progress=lambda *words: told.append(words)).progress_callback("a net", 4)
    assert watch({"epoch": 1}) is None
    assert told == [("a net", 0.0), ("a net", pytest.approx(0.25))]
