"""The rule that draws the tables: the response of a help page, the columns that stay, copies, halves and splits."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from benchmarks.tables.catalogue import entries
from benchmarks.tables.choose import A_PACKAGE, CATALOGUE, LOOKED_AT, PAGE
from benchmarks.tables.cleaning import Table, Unfit, cleaned
from benchmarks.tables.copies import is_copy, is_part, numbers
from benchmarks.tables.formulas import response


@pytest.mark.parametrize(
    ("code", "target"),
    [
        ("summary(lm(log(price) ~ carat + cut, data = d))", "price"),
        ("glm(formula = cut ~ ., family = binomial, data = d)", "cut"),
        ("boxplot(carat ~ cut); m <- lmer(price ~ carat + (1 | cut), d)", "price"),
        ("plot(carat ~ price)", None),
        ("lm(cbind(price, carat) ~ cut); rq(carat ~ price)", "carat"),
        ("lm(lprice ~ carat)", None),  # no column
        ("lm(price ~ 1)", None),  # explained by nothing
    ],
)
def test_the_response_of_a_help_page(code, target):
    assert response(f"text with lm(cut ~ carat)\n\n### Examples\n\n    {code}\n", ["carat", "cut", "price"]) == target


def frame(rows=200):
    random = np.random.default_rng(0)
    a, b, c = random.normal(size=(3, rows))
    return pd.DataFrame({"a": a, "b": b, "c": c, "kind": random.choice(["x", "y"], rows), "y": a + b * c})


def test_columns_that_say_nothing_or_too_much_are_left_out():
    table = frame()
    table["row"] = np.arange(len(table)) + 7
    table["name"] = [f"row {i}" for i in range(len(table))]
    table["constant"] = 1.0
    table["log_y"] = np.arctan(table["y"])
    table["gaps"] = table["a"].where(table["b"] > 0)
    table.loc[3, "a"] = np.nan
    found = cleaned(table, "y")
    assert list(found.X) == ["a", "b", "c", "kind"]
    assert len(found.X) == len(found.y) == 199
    assert (found.kind, found.inputs) == ("regression", 5)
    assert found.X["kind"].dtype == "category"


def test_classes():
    table = frame()
    table["y"] = np.where(table["a"] > 0, "warm", "cold")
    table.loc[:8, "y"] = "rare"
    table["code"] = table["y"].map({"warm": 1, "cold": 2, "rare": 3})
    found = cleaned(table, "y")
    assert set(found.y) == {"warm", "cold"}
    assert list(found.X) == ["a", "b", "c", "kind"]
    assert (found.kind, len(found.y)) == ("classification", 191)


def unfit(change, target="y"):
    table = frame()
    change(table)
    with pytest.raises(Unfit) as reason:
        cleaned(table, target)
    return str(reason.value)


def test_tables_that_the_rule_leaves_out():
    assert "linear" in unfit(lambda t: t.update({"y": 2 * t["a"] - t["b"] + 0.001 * t["c"]}))
    assert "time series" in unfit(lambda t: t.insert(0, "year", np.repeat(np.arange(40), 5)))
    assert "time series" in unfit(lambda t: t.insert(0, "when", pd.date_range("2020-01-01", periods=200)))
    assert "a target of 5 numbers" in unfit(lambda t: t.update({"y": np.arange(200) % 5 + 0.0}))
    assert "1 predictors" in unfit(lambda t: [t.pop(name) for name in ("a", "b", "kind")])
    assert "99 rows" in unfit(lambda t: t.insert(5, "z", t["y"].where(t.index < 99)), "z")


def test_copies():
    whole = cleaned(frame(), "y")
    half = cleaned(frame().iloc[:120], "y")
    renamed = cleaned(frame().iloc[20:180].rename(columns={"a": "u", "b": "v", "c": "w"}).drop(columns="kind"), "y")
    other = cleaned(frame().sample(frac=1, random_state=1).assign(a=np.random.default_rng(1).normal(size=200)), "y")
    assert is_copy(half, whole)
    assert is_part(numbers(renamed), numbers(whole))
    assert not is_part(numbers(whole), numbers(half))
    small = Table(whole.X[["a", "kind"]].assign(a=np.arange(200) % 3.0), whole.y % 1, "regression")
    assert not is_part(numbers(small), numbers(other))
    assert not is_copy(small, other)


def test_the_catalogue_keeps_to_the_rule():
    found = list(entries())
    assert len(found) == len(json.loads(CATALOGUE.read_text()))
    for kind, least in (("regression", 30), ("classification", 20)):
        own = [entry for entry in found if entry.kind == kind]
        page = [entry for entry in own if entry.half == "page"]
        assert len(own) >= least
        assert len(page) == PAGE[kind]
        assert max(Counter(entry.source.package for entry in page).values()) <= A_PACKAGE
    seen = set(LOOKED_AT.read_text().split())
    assert all((e.name in seen) == (e.half == "choosing") for e in found)
    assert all(100 <= e.rows <= 20_000 and e.columns >= 3 and e.inputs <= 100 for e in found)


@pytest.mark.parametrize("name", ["sklearn.diabetes", "sklearn.wine"])
def test_splits_are_fixed_and_part_the_rows(name):
    entry = next(e for e in entries() if e.name == name)
    table = entry.load()
    assert (len(table.X), table.X.shape[1]) == (entry.rows, entry.columns)
    assert entry.splits == 3
    train, test = entry.split(1)
    np.testing.assert_array_equal(entry.split(1)[1], test)
    assert sorted([*train, *test]) == list(range(entry.rows))
    assert not np.array_equal(np.sort(entry.split(2)[1]), np.sort(test))
    assert abs(len(test) - 0.2 * entry.rows) < 1
