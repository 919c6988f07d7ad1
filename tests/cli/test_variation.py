"""--vary as typed, and the space that it becomes."""

from pathlib import Path

from deltarule.cli.choices import Choices
from deltarule.cli.variation import as_options, parse_variations
from deltarule.tuning import Range

NOTHING = dict.fromkeys(Choices.__dataclass_fields__) | {"source": "digits", "seed": 0, "drop_missing": False}


def choices(**given):
    return Choices(**NOTHING | given)


def test_ranges_and_values():
    texts = [
        "eta=0.01:10",
        "momentum=0.1:0.9",
        "batch-size=5:50",
        "hidden=30, 30x20",
        "--l2=0.1,1",
        "trainer=sgd,momentum",
        "init=old,new",
    ]
    assert parse_variations(texts, choices()) == {
        "eta": Range(0.01, 10),
        "momentum": Range(0.1, 0.9, log=False),
        "batch_size": Range(5, 50, whole=True),
        "hidden": ["30", "30,20"],
        "l2": [0.1, 1.0],
        "trainer": ["sgd", "momentum"],
        "init": ["old", "new"],
    }
    assert parse_variations([], choices()) == {}


def test_options_that_give_the_values_again():
    assert as_options(choices(eta=0.5, batch_size=7, hidden="30,20", out=Path("m.safetensors"))) == [
        "--hidden", "30,20", "--eta", "0.5", "--batch-size", "7",
    ]  # fmt: skip
    given = choices(target="price", max_norm=2.0, seed=4, drop_missing=True, expand=("shift", "rotate"))
    assert as_options(given) == [
        "--target", "price", "--max-norm", "2.0", "--expand", "shift", "--expand", "rotate", "--seed", "4",
        "--drop-missing",
    ]  # fmt: skip
