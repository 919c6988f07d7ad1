"""The door to every source sends each to its loader and refuses options that do not belong to it."""

import pytest

from deltarule.data import NumericColumn, Pixels, Schema, TableOptions, load, load_raw
from deltarule.errors import ConfigurationError, DataError

TABLE = Schema("table", "regression", (NumericColumn("x", 0.0, 1.0),), (NumericColumn("y", 0.0, 1.0),), None, ("y",))
DIGITS = Schema("digits", "classification", (Pixels(64, 16.0, (8, 8)),), (), tuple(range(10)), ("digit",))


def test_each_source_has_its_loader(csv, tiny_mnist_folder):
    assert load("digits").name == "digits"
    assert load("mnist", data_dir=tiny_mnist_folder).name == "mnist"
    assert load(str(csv("x,y\n1,0.5\n2,1\n3,2")), target="y").name == "table.csv"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "digit"}, "target is 'digit'"),
        ({"task": "regression"}, "task is 'regression'"),
        ({"options": TableOptions(na=("?",))}, "options is .*no table"),
    ],
)
@pytest.mark.parametrize("source", ["digits", "mnist"])
def test_options_of_tables_do_not_belong_to_images(source, options, message):
    with pytest.raises(ConfigurationError, match=message):
        load(source, **options)


def test_an_unknown_source_lists_the_known():
    with pytest.raises(DataError, match=r"digits, mnist, .*\.csv, .*\.xlsx, .*\.parquet"):
        load("digist", target="y")


def test_a_source_of_another_kind_than_the_models():
    with pytest.raises(DataError, match=r"digits is no source .* table"):
        load_raw("digits", TABLE)
    with pytest.raises(DataError, match=r"t\.csv is no source .* images"):
        load_raw("t.csv", DIGITS)
