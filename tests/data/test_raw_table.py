import pytest

from deltarule.data.raw_table import refuse_duplicates
from deltarule.errors import DataError


def test_a_name_that_two_columns_have_is_named(tmp_path):
    refuse_duplicates(tmp_path / "t.csv", ["a", "b"])
    with pytest.raises(DataError, match=r"t\.csv .*'b'"):
        refuse_duplicates(tmp_path / "t.csv", ["a", "b", "b"])
