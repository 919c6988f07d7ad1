"""The page: goals told as they are, a row a table, what is missing said, the numbers as JSON."""

import json

import numpy as np
import pytest
from benchmarks.tables import page, times
from benchmarks.tables.catalogue import entries
from benchmarks.tables.goals import goals, met
from benchmarks.tables.summary import Result

NAMES = {"regression": ["sklearn.diabetes", "MASS.epil"], "classification": ["sklearn.wine", "MASS.birthwt"]}


def regression(error, held=94):
    scores = {"error": error, "density": -error, "zero width": 0}
    return Result(error, np.full(100, error**2), scores, held, 100, 1.0, 0.9)


def classification(error, sure=0.9):
    P, codes = np.full((100, 2), [sure, 1 - sure]), np.arange(100) // 90
    scores = {"error": error, "right": 0.9, "calibration": 0.0}
    return Result(error, np.full(100, error), scores, seconds=1.0, processor=0.9, P=P, codes=codes)


@pytest.fixture
def measured():
    tables = {kind: [e for e in entries() if e.name in names] for kind, names in NAMES.items()}
    found = {
        "regression": {
            "deltarule": {"sklearn.diabetes": regression(0.7), "MASS.epil": regression(0.5, held=60)},
            "Gaussian process": {"sklearn.diabetes": regression(0.8), "MASS.epil": regression(0.5)},
            "MLP": {"sklearn.diabetes": regression(0.9), "MASS.epil": Result(missing="not run")},
        },
        "classification": {
            "deltarule": dict.fromkeys(NAMES["classification"], classification(0.3)),
            "MLP": dict.fromkeys(NAMES["classification"], classification(0.2, sure=0.95)),
        },
    }
    sizes = {"500 x 10": {"deltarule": {"processor": 1.5, "clock": 1.6, "load": 2.0}}}
    process = {"Gaussian process, all rows": {"failed": "not ready", "load": 2.0}}
    sizes["2000 x 20"] = {"deltarule": {"processor": 20.0, "clock": 21.0, "load": 3.0}} | process
    return found, tables, sizes


def test_goals(measured):
    told = {goal.text: (goal.found, met(goal)) for goal in goals(*measured)}
    mean = np.log(0.7 / 0.8) / 2
    assert told["mean ln(RMSE/sd), ours less the best peer's (Gaussian process, 2 tables)"][0].startswith(f"{mean:.3f}")
    assert told["regression tables on which ours is best or level"] == ("100.0 %", "met")
    assert told["mean log density, beside the Gaussian process's on the same 2 tables"] == ("-0.600", "met")
    assert told["test rows within the intervals of 95 %, all tables"] == ("77.0 %", "**not met**")
    held, verdict = told["on each of the 2 tables of over 200 rows"]
    assert held.endswith("outside: MASS.epil 60.0 %")
    assert verdict == "**not met**"
    assert told["mean log loss, ours less the best peer's (MLP, 2 tables)"] == ("+0.100 ± 0.000", "**not met**")
    assert told["classification tables on which ours is best or level"] == ("0.0 %", "**not met**")
    assert told["expected calibration error, of all test rows"] == ("0.000", "met")
    assert told["a fit of 500 x 10, seconds of the processor"] == ("1.5 s", "met")
    assert told["a fit of 2,000 x 20, seconds of the processor"] == ("20.0 s", "**not met**")
    assert told["2,000 x 20, beside the Gaussian process on all rows"] == ("20.0 s", "met")
    assert told["a fit of 10,000 x 10, seconds of the processor"] == ("–", "not measured")


def test_the_page(measured, tmp_path, monkeypatch):
    found, tables, sizes = measured
    monkeypatch.setattr(times, "FILE", tmp_path / "times.json")
    times.FILE.write_text(json.dumps(sizes))
    monkeypatch.setattr(page, "VARIANTS", {"one start": {}})
    found["regression"]["one start"] = {name: regression(0.8) for name in NAMES["regression"]}
    page.write(found, tables, list(entries()), tmp_path)
    text = (tmp_path / "tables.md").read_text()
    assert "| sklearn.diabetes | 442 | **0.700** | 0.800 | 0.900 |" in text
    assert "- MLP, MASS.epil: not run." in text
    assert "### What each part brings: regression" in text
    mean = np.mean([np.log(0.8 / 0.7), np.log(0.8 / 0.5)])
    assert f"| one start | +{mean:.3f} ± 0.168 | -0.200 | 1.00 | 2 |" in text
    assert "| 500 x 10 | 1.50 (1.60) | – |" in text
    assert "| sklearn.diabetes, target | choosing | 442 | 10 | 10 | – |" in text
    assert "**The target.**" in text
    numbers = json.loads((tmp_path / "tables.json").read_text())
    assert numbers["kinds"]["regression"]["MLP"]["MASS.epil"] == {"missing": "not run"}
    assert numbers["kinds"]["classification"]["MLP"]["sklearn.wine"]["error"] == 0.2
