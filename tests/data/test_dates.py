"""The order of day and month: by the separator, by numbers above 12, by even steps; and cells that are no dates."""

import datetime

import numpy as np
import pytest

from deltarule.data.dates import read_dates
from deltarule.errors import DataError

pd = pytest.importorskip("pandas")


def read(*cells):
    times, notes = read_dates(pd.Series(cells, name="t"), "a.csv")
    return [str(time)[:16] for time in times], notes


@pytest.mark.parametrize(
    ("cells", "dates"),
    [
        (["01.03.2026 00:00", "1.3.2026 01:00"], ["2026-03-01T00:00", "2026-03-01T01:00"]),
        (["31/01/2026", "01/02/2026"], ["2026-01-31T00:00", "2026-02-01T00:00"]),
        (["01/31/2026", "02/01/2026"], ["2026-01-31T00:00", "2026-02-01T00:00"]),
        (["12/31/2025 11:00 PM", "1/1/2026 1:00 AM"], ["2025-12-31T23:00", "2026-01-01T01:00"]),
        (["2026-03-01", "2026-03-02T12:30:00+01:00"], ["2026-03-01T00:00", "2026-03-02T11:30"]),
        ([datetime.date(2026, 3, 1), datetime.date(2026, 3, 2)], ["2026-03-01T00:00", "2026-03-02T00:00"]),
        (["01/01/2026 00:00", "01/01/2026 01:00"], ["2026-01-01T00:00", "2026-01-01T01:00"]),
    ],
)
def test_dates_of_one_meaning(cells, dates):
    assert read(*cells) == (dates, ())


@pytest.mark.parametrize("pattern", ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"])
@pytest.mark.parametrize("gap", [0, 1, 5])
def test_the_order_with_even_steps_is_taken_and_told(pattern, gap):
    hours = np.datetime64("2026-03-01T00:00") + np.arange(96) * np.timedelta64(60, "m")
    hours = np.delete(hours, slice(40, 40 + gap))
    found, (note,) = read(*pd.DatetimeIndex(hours).strftime(pattern))
    assert found == [str(hour) for hour in hours]
    assert ("day first" in note) == pattern.startswith("%d")
    assert "2026-03-01" in note


def test_dates_of_a_single_day_are_read_with_the_month_first_and_told():
    found, (note,) = read("01/03/2026 00:00", "01/03/2026 01:00")
    assert found[0] == "2026-01-03T00:00"
    assert "2026-01-03" in note


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["31/01/2026", "01/31/2026"], "data row 1 .*'01/31/2026', with the month first.* '31/01/2026'"),
        (["01.13.2026", "01.14.2026"], "data row 0 .*'01.13.2026', which is no date"),
        (["01.03.2026", "31.02.2026"], "data row 1 .*'31.02.2026', which is no date"),
        (["2026-03-01", "2026-13-01"], "data row 1 .*'2026-13-01', which is no date"),
        (["2026-03-01", "2026-03-02 25:99"], "data row 1 .*'2026-03-02 25:99', which is no date"),
        (["2026-03-01", "soon"], "data row 1 .*'soon', which is no date"),
        (["05/06/2026", "04/05/2026", "03/04/2026"], "data row 0 .*'05/06/2026', and with neither"),
    ],
)
def test_what_is_no_date_is_refused(cells, words):
    with pytest.raises(DataError, match=f"{words}.* write dates like 2026-01-31") as refusal:
        read(*cells)
    assert "\n" not in str(refusal.value)


def test_values_that_are_times_of_no_day_are_refused():
    with pytest.raises(DataError, match=r"'t', data row 0 .* which is no date"):
        read(datetime.time(1), datetime.time(2))


@pytest.mark.parametrize("cell", ["9999-12-31", "1500-01-01", "1.1.1500"])
def test_dates_beyond_the_range_of_times_are_refused(cell):
    with pytest.raises(DataError, match=cell):
        read_dates(pd.Series(["2026-01-01", cell]), "f.csv")
