"""What each column is for: the rule for the task, the targets that exist, the inputs that can be."""

import re

import pandas as pd
import pytest

from deltarule.data.table_columns import (
    choose_inputs,
    class_labels,
    decide_task,
    find_targets,
    numeric_header_note,
    refuse_stray_text,
    resolve_options,
)
from deltarule.data.table_options import TableOptions
from deltarule.errors import ConfigurationError, DataError


@pytest.mark.parametrize(
    ("target", "names"),
    [("a", ("a",)), ("a,b", ("a", "b")), ("b, a", ("b", "a")), (["a", "b"], ("a", "b")), ("c,d", ("c,d",))],
)
def test_targets_by_name(target, names):
    assert find_targets(["a", "b", "c,d"], target, "t.csv") == names


@pytest.mark.parametrize(
    ("target", "kind", "message"),
    [
        (None, ConfigurationError, "t.csv needs a target: give target, one of its columns.* 'age', 'price'"),
        ("", ConfigurationError, "needs a target"),
        ([], ConfigurationError, "needs a target"),
        ("age,age", ConfigurationError, "names a column twice"),
        ("prise", DataError, "'prise' .*mean 'price'.* 'age', 'price'"),
        ("zzz", DataError, "no column 'zzz' .* 'age', 'price'"),
    ],
)
def test_targets_that_are_refused(target, kind, message):
    with pytest.raises(kind, match=message):
        find_targets(["age", "price"], target, "t.csv")


def test_repeated_targets_add_and_names_may_hold_commas():
    columns = ["Fx, N", "Fy, N", "N", "speed [m/s]"]
    assert find_targets(columns, ["Fx, N", "Fy, N"], "t") == ("Fx, N", "Fy, N")
    assert find_targets(columns, "Fx, N,Fy, N, N", "t") == ("Fx, N", "Fy, N", "N")
    assert find_targets(columns, ["speed", "N,Fx, N"], "t") == ("speed [m/s]", "N", "Fx, N")
    with pytest.raises(ConfigurationError, match="twice"):
        find_targets(columns, ["N", "Fx, N,N"], "t")


@pytest.mark.parametrize(
    ("names", "noted"),
    [
        (["5.1", "3.5", "1.4"], True),
        (["5", "3", "1"], True),
        (["5.1", "3.5", "setosa"], True),
        (["0", "1", "2"], False),
        (["2001", "2002", "2003", "country"], False),  # years
        (["x", "y", "1.5"], False),
        (["nan", "inf"], False),
    ],
)
def test_an_error_mentions_a_first_row_read_as_names(names, noted):
    notes = numeric_header_note(names, "t.csv")
    assert len(notes) == noted
    assert not noted or repr(names[0]) in notes[0]
    with pytest.raises(DataError) as raised:
        find_targets(names, "price", "t.csv")
    assert ("first line" in str(raised.value)) == noted


@pytest.mark.parametrize(
    ("cells", "task"),
    [
        ([0.5, 1.0, 2.0], "regression"),
        (list(range(21)), "regression"),
        (list(range(20)), "classification"),
        ([1.0, 2.0, 2.0], "classification"),
        (["a", "b", "a"], "classification"),
        ([True, False, True], "classification"),
        (pd.Categorical(["a", "b", "a"]), "classification"),
    ],
)
def test_the_rule_for_one_target(cells, task):
    assert decide_task(pd.DataFrame({"y": cells}), None, "t")[0] == task


def test_the_option_overrides_the_rule():
    whole, broken = pd.DataFrame({"y": [1, 2, 3]}), pd.DataFrame({"y": [0.5, 1.5, 0.5]})
    assert decide_task(whole, "regression", "t")[0] == "regression"
    assert decide_task(broken, "classification", "t")[0] == "classification"
    assert decide_task(pd.DataFrame({"y": [True, False]}), "regression", "t")[0] == "regression"


def test_whole_numbers_read_as_classes_are_noted():
    assert "3 different whole numbers" in decide_task(pd.DataFrame({"y": [1, 2, 3]}), None, "t")[1][0]


def test_several_targets_are_a_regression():
    assert decide_task(pd.DataFrame({"y": [1, 2, 3], "z": [1, 1, 2]}), None, "t")[0] == "regression"


@pytest.mark.parametrize(
    ("columns", "task", "kind", "message"),
    [
        ({"y": [1, 2], "z": [1, 2]}, "classification", ConfigurationError, "'y', 'z'.*classification supports one"),
        ({"y": [1, 2]}, "ranking", ConfigurationError, "task is 'ranking'"),
        ({"y": ["a", "b"]}, "regression", DataError, "column 'y', data row 0 .*'a'"),
        ({"y": ["1", "b"]}, "regression", DataError, "column 'y', data row 1 .*'b', but regression"),
        ({"y": [1, 2], "z": ["a", "b"]}, None, DataError, "column 'z', data row 0 .*'a', but regression"),
        ({"y": ["a", "a"]}, None, DataError, "target 'y' holds 'a' in every"),
        ({"y": [0.5, 0.5]}, None, DataError, "target 'y' holds 0.5 in every"),
        ({"y": [1, 1]}, None, DataError, "target 'y' holds 1 in every"),
        ({"y": ["1", "2", "x"]}, None, DataError, "data row 2 .*'x'"),
        ({"y": [f"name {i}" for i in range(51)]}, None, DataError, "each of its 51 rows"),
        ({"y": pd.to_datetime(["2020-01-01", "2020-01-02"])}, None, DataError, "Timestamp.*targets must be"),
    ],
)
def test_targets_of_unusable_kinds(columns, task, kind, message):
    with pytest.raises(kind, match=message):
        decide_task(pd.DataFrame(columns), task, "t")


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["b", "a", "b"], ("a", "b")),
        ([2.0, 1.0], (1, 2)),
        ([0.5, 1.0], (0.5, 1.0)),
        ([True, False], (False, True)),
        (pd.Series([2, 1], dtype="category"), (1, 2)),
        (pd.Series([2, 1], dtype="Int64"), (1, 2)),
    ],
)
def test_labels_in_pythons_own_types(cells, labels):
    found = class_labels(pd.Series(cells))
    assert found == labels
    assert [type(label) for label in found] == [type(label) for label in labels]


def test_inputs_chosen_and_ignored():
    count = 60
    chosen, notes = choose_inputs(
        pd.DataFrame(
            {
                "number": range(count),
                "flag": [True, False] * 30,
                "colour": ["red", "blue"] * 30,
                "code": pd.Categorical([1, 2] * 30),
                "name": [f"name {i}" for i in range(count)],
                "day": pd.date_range("2020-01-01", periods=count),
                "same": ["x"] * count,
                "void": [None] * count,
                "bytes": [b"x"] * count,
                "street": [f"street {i % 55}" for i in range(count)],
            }
        ),
        "t",
    )
    assert chosen == {
        "number": "numeric",
        "flag": "numeric",
        "colour": "categorical",
        "code": "categorical",
        "street": "categorical",
    }
    assert [note.split("'")[1] for note in notes] == ["name", "day", "same", "void", "bytes", "street"]
    assert "60 texts all differ" in notes[0]
    assert "55 different texts" in notes[-1]


def test_fifty_different_texts_are_categories():
    chosen, _ = choose_inputs(pd.DataFrame({"name": [f"name {i}" for i in range(50)]}), "t")
    assert chosen == {"name": "categorical"}


@pytest.mark.parametrize("count", [4, 60])  # beyond 50, texts that all differ pass for names
@pytest.mark.parametrize(
    ("stray", "advice"),
    [
        ("?", r"--na '\?'"),
        ("-", "--na -"),
        ("#DIV/0!", "--na '#DIV/0!'"),
        ("oops", "--category.*--drop"),
        ("12 kg", "units '', 'kg'"),
        ("6.4%", "units '', '%'"),
    ],
)
def test_text_among_numbers_is_no_category(count, stray, advice):
    cells = [f"{i}.5" for i in range(count)]
    cells[2] = stray
    message = rf"column 'a', data row 2 .* holds {re.escape(repr(stray))} in a column of numbers.*{advice}"
    if count == 4 and stray in ("12 kg", "6.4%"):
        assert choose_inputs(pd.DataFrame({"a": cells}), "t")[0] == {
            "a": "categorical"
        }  # as few as 1A, 2B, 3A are codes
        return
    with pytest.raises(DataError, match=message):
        choose_inputs(pd.DataFrame({"a": cells}), "t")


def test_any_number_of_missing_marks_among_numbers_is_found():
    with pytest.raises(DataError, match=r"data row 1 .* holds '\?' .*\(3 cells do\)"):
        choose_inputs(pd.DataFrame({"a": ["1.5", "?", "?", "?"]}), "t")
    assert choose_inputs(pd.DataFrame({"a": ["red", "?", "?", "blue"]}), "t")[0] == {"a": "categorical"}


def test_columns_can_be_declared_categories_or_dropped():
    frame = pd.DataFrame({"zip": ["1", "2", "x"], "b": [1, 2, 3], "w [1]": [1, 1, 1], "y": [1, 2, 3]})
    assert choose_inputs(frame[["zip", "b"]], "t", ("zip",))[0] == {"zip": "categorical", "b": "numeric"}
    found = resolve_options(frame, TableOptions(drop=("b",), category=("zip",), weights="w"), ("y",), "t")
    assert (found.drop, found.category, found.weights) == (("b",), ("zip",), "w [1]")
    b = ("b",)
    for options in ({"drop": ("y",)}, {"weights": "y"}, {"weights": "b", "drop": b}, {"drop": b, "category": b}):
        with pytest.raises(ConfigurationError, match=r"both name the column '[yb]'"):
            resolve_options(frame, TableOptions(**options), ("y",), "t")
    with pytest.raises(DataError, match=r"no column 'zap' .*--drop.* 'zip'"):
        resolve_options(frame, TableOptions(drop=("zap",)), ("y",), "t")


def test_no_column_left():
    with pytest.raises(DataError, match=r"no column .*'day' is ignored"):
        choose_inputs(pd.DataFrame({"day": pd.to_datetime(["2020-01-01"])}), "t.csv")


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["10,001", "20,5", "7,25"], "'10,001'"),
        (["999.5", "5,094.60", "12.25"], "'5,094.60'"),
        ([f"{i},5" for i in range(60)], "'0,5'"),  # all differ, as identifiers do
        (["1,5", "2,5", "3/x"], "'3/x'"),
    ],
)
def test_numbers_with_commas_are_no_text(cells, first):
    message = rf"column 'p', data row \d .* holds {first} in a column of numbers.*(--decimal|--drop|remove its row)"
    with pytest.raises(DataError, match=message):
        choose_inputs(pd.DataFrame({"p": cells}), "t.csv")
    for task in (None, "regression"):
        with pytest.raises(DataError, match=message):
            decide_task(pd.DataFrame({"p": cells}), task, "t.csv")


def test_a_few_texts_that_look_like_numbers_with_commas_stay_text():
    assert choose_inputs(pd.DataFrame({"p": ["1,5", "red", "blue", "red"]}), "t.csv")[0] == {"p": "categorical"}


def test_one_cell_with_another_decimal_sign_is_named_and_no_option_is_suggested():
    column = pd.Series(["2,74", "1,5", "3,25", "1.5", "0,1"], name="x")
    with pytest.raises(DataError, match=r"data row 3 .*holds '1.5'"):
        refuse_stray_text(column, "t.csv")
