"""Tables of time series: even steps, gaps, uneven times, dates, and what is refused."""

import numpy as np
import pytest

from deltarule.data.series import series_from_frame
from deltarule.errors import DataError, TooLargeError

pd = pytest.importorskip("pandas")


def frame(t, **columns):
    return pd.DataFrame({"t": t, "y": np.arange(len(t), dtype=float), **columns})


def test_rows_left_out_become_missing_steps():
    series = series_from_frame(frame([0, 2, 4, 10]), "a.csv", ["y"], "t")
    assert series.time.tolist() == [0, 2, 4, 6, 8, 10]
    np.testing.assert_array_equal(series.Y[:, 0], [0, 1, 2, np.nan, np.nan, 3])
    (note,) = series.notes
    assert note.startswith("2 steps ")
    assert series.inputs == ()


def test_uneven_times_are_refused_or_interpolated():
    table = frame([0, 1, 2, 3.5, 4])
    with pytest.raises(DataError, match=r"row 3 comes 1.5 .* --resample 1"):
        series_from_frame(table, "a.csv", ["y"], "t")
    series = series_from_frame(table, "a.csv", ["y"], "t", resample=1.0)
    np.testing.assert_allclose(series.Y[:, 0], [0, 1, 2, 2 + 2 / 3, 4])
    assert "5 steps of 1 from 5 rows" in series.notes[0]


def test_dates_and_inputs_by_name():
    days = ["2026-01-01", "2026-01-02", "2026-01-03"]
    series = series_from_frame(frame(days, u=[1, 2, 3], v=[4, 5, 6]), "a.csv", ["y"], "t", drop=["v"])
    assert series.inputs == ("u",)
    assert series.U.tolist() == [[1], [2], [3]]
    assert str(series.time[-1])[:10] == "2026-01-03"
    assert len(series.part(1).Y) == 2


@pytest.mark.parametrize(
    ("t", "columns", "words"),
    [
        ([0, 2, 1], {}, "'t' do not rise .*row 2"),
        ([0, 1, 2], {"u": ["a", "b", "c"]}, "column 'u', data row 0 .* holds 'a'"),
        ([0, 1, 2], {"u": ["1,5", "abc", "2,5"]}, "column 'u', data row 1 .* holds 'abc'"),
        ([0, 1, 2], {"u": [None, None, None]}, "column 'u' has no value in any row"),
        (["x", "y", "z"], {}, "column 't', data row 0 .* holds 'x'"),
        ([0, None, 2], {}, "'t' has no time .*row 1"),
    ],
)
def test_series_that_are_refused(t, columns, words):
    with pytest.raises(DataError, match=words):
        series_from_frame(frame(t, **columns), "a.csv", ["y"], "t")


def test_a_missing_column():
    with pytest.raises(DataError, match=r"a\.csv has no column 'z'"):
        series_from_frame(frame([0, 1]), "a.csv", ["z"], "t")


def test_a_column_of_a_model_in_another_unit_must_be_converted():
    table = frame([0, 1, 2], **{"u [kPa]": [1, 2, 3]})
    with pytest.raises(DataError, match=r"'u \[kPa\]'.* on 'u \[bar\]': convert its numbers to bar"):
        series_from_frame(table, "a.csv", ["y"], "t", inputs=["u [bar]"])
    assert series_from_frame(table, "a.csv", ["y"], "t", inputs=["u"]).U.tolist() == [[1], [2], [3]]


def test_european_hours_have_no_gaps():
    hours = [f"{day:02}.03.2026 {hour:02}:00" for day in (11, 12, 13) for hour in range(24)]
    series = series_from_frame(frame(hours), "a.csv", ["y"], "t")
    assert (len(series.Y), series.step, series.notes) == (72, 3600, ())
    assert str(series.time[0])[:13] == "2026-03-11T00"


@pytest.mark.parametrize("cells", [["1.3.2026", "2.3.2026", "soon"], ["01.03.26", "02.03.26", "soon"], [1, 2, "soon"]])
def test_the_cell_that_is_no_time_is_named(cells):
    with pytest.raises(DataError, match=f"'t', data row {0 if '.26' in str(cells[0]) else 2} .*no time.*2026-01-31"):
        series_from_frame(frame(cells), "a.csv", ["y"], "t")


def test_far_too_many_missing_steps_are_refused():
    with pytest.raises(TooLargeError, match=r"the steps of a\.csv.* column 't'"):
        series_from_frame(frame([0, 1, 2, 3, 1e15]), "a.csv", ["y"], "t")
