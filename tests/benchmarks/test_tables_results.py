"""From a fit to the page: scores by hand, a fit in its own process, standing, the terminal's tables."""

import numpy as np
import pytest
from benchmarks.tables import contestants, fitting, report, times
from benchmarks.tables.catalogue import entries
from benchmarks.tables.scores import score
from benchmarks.tables.store import Store
from benchmarks.tables.summary import Result, against, mean_calibration, pooled_calibration, result, standing

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # of scikit-learn


def entry(name):
    return next(e for e in entries() if e.name == name)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """JAX, which other tests have loaded, must not be forked; test_tables_apart.py has the processes."""
    monkeypatch.setattr(fitting, "apart", lambda work, limit: work())


def test_the_scores_of_a_regression():
    y = np.array([0.0, 2.0, 4.0, 6.0])  # sd √5
    mean, std = np.array([1.0, 4.0]), np.array([1.0, 2.0])
    predicted = {"mean": mean, "std": std, "low": mean - std, "high": mean + 0 * std}
    found = score("regression", predicted, y, np.array([1, 3]))
    assert found["error"] == pytest.approx(np.sqrt((1 + 4) / 2) / np.sqrt(5))
    each = [-0.5 - np.log(s / np.sqrt(5)) - 0.5 * np.log(2 * np.pi) for s in (1, 2)]  # z = 1 for both
    assert found["density"] == pytest.approx(np.mean(each))
    own = score("regression", predicted | {"density": np.array([-1.0, -3.0])}, y, np.array([1, 3]))
    assert own["density"] == pytest.approx(-2 + np.log(np.sqrt(5)))
    assert found["covered"] == 0.0
    assert found["zero width"] == 0


def test_the_scores_of_a_classification():
    P = np.array([[0.8, 0.2], [0.4, 0.6]])
    found = score("classification", {"P": P}, np.array(["a", "b", "a"]), np.array([0, 2]))
    assert found["error"] == pytest.approx(-(np.log(0.8) + np.log(0.4)) / 2)
    assert found["right"] == 0.5
    assert found["calibration"] == pytest.approx((0.2 + 0.6) / 2)


@pytest.mark.parametrize("who", ["linear", "mine"])
def test_a_fit_is_stored_and_summed_up(who, tmp_path):
    table, store = entry("sklearn.diabetes"), Store(tmp_path)
    for split in range(table.splits):
        store.put(who, table, split, fitting.fitted(who, {"hidden": (), "restarts": 1}, table, split, 60))
    found = result(store, who, table)
    assert not found.missing
    assert 0.6 < found.error < 0.8
    assert found.value == pytest.approx(np.log(found.error))
    assert 0.9 < found.covered / found.rows <= 1.0
    assert found.rows == 3 * 89
    assert result(store, "nobody", table).missing == "not run"


def test_a_classification_is_summed_up(tmp_path):
    table, store = entry("sklearn.wine"), Store(tmp_path)
    for split in range(table.splits):
        store.put("linear", table, split, fitting.fitted("linear", {}, table, split, 60))
    found = result(store, "linear", table)
    assert found.error == pytest.approx(found.losses.mean())
    assert found.P.shape == (3 * 36, 3)


def test_a_slow_gaussian_process_is_left_out():
    table = entry("sklearn.breast_cancer").load()
    assert "left out" in contestants.peer("Gaussian process", table, 5_000)
    assert not isinstance(contestants.peer("Gaussian process", table, 400), str)


def results():
    base = np.linspace(0.5, 1.5, 50)
    wavy = base + 0.01 + 0.5 * np.sin(np.arange(50))
    return {
        "good": Result(error=1.0, losses=base, scores={"density": -1.0}, covered=47, rows=50),
        "level": Result(error=1.01, losses=wavy),
        "bad": Result(error=1.2, losses=base + 0.2),
        "gone": Result(missing="not ready after 90 s of the processor"),
    }


def test_standing():
    assert standing(results()) == {"good": "best", "level": "level", "bad": "behind"}


def test_ours_less_theirs_is_over_the_tables_that_both_have():
    ours = {"a": Result(error=1.0), "b": Result(error=2.0), "c": Result(error=9.0)}
    theirs = {"a": Result(error=2.0), "b": Result(error=2.0), "c": Result(missing="gone")}
    mean, error, tables = against(ours, theirs)
    assert (mean, tables) == (pytest.approx(-np.log(2) / 2), 2)
    assert error == pytest.approx(np.std([-np.log(2), 0], ddof=1) / np.sqrt(2))


def test_calibration_over_tables():
    sure = Result(error=0.1, P=np.array([[0.9, 0.1]] * 10), codes=np.zeros(10, int))
    wrong = Result(error=0.1, P=np.array([[0.9, 0.1]] * 10), codes=np.array([0] * 8 + [1] * 2))
    assert mean_calibration({"a": sure, "b": wrong}) == pytest.approx(0.1)
    assert pooled_calibration({"a": sure, "b": wrong}) == pytest.approx(0.0)  # too timid here, too sure there


def test_the_tables_of_the_terminal():
    found = {who: {"sklearn.diabetes": each} for who, each in results().items()}
    found = {who: each for who, each in found.items() if report.present(each)}
    lines = report.overview(found, "regression", "good")
    assert lines[2] == "| **good** | 0.000 |  |  | 1 | 1 | 100.0 % | -1.000 | 94.0 % |"
    assert lines[4].startswith("| bad | 0.182 | -0.182 ± – | -0.182 | 1 | 0 | 0.0 %")
    assert "| **1.000** | **1.010** | 1.200 |" in report.errors(found, [entry("sklearn.diabetes")])[2]
    missing = report.absent({"gone": {"a": results()["gone"], "b": results()["gone"]}})
    (line,) = missing
    assert "gone, a, b: " in line
    assert "90 s" in line


def test_seconds_of_a_fit():
    found = times.one("linear", 200, 6)
    assert set(found) == {"clock", "processor", "r2"}
    assert 0.5 < found["r2"] < 0.9  # the curved part is not linear
    assert times._median([{"clock": 1.0}, {"clock": 3.0}, {"failed": "late"}]) == {"clock": 2.0, "fits": 2}
    assert times._median([{"failed": "late"}]) == {"failed": "late"}
