"""Options that contradict each other, or the kind of source, are refused by name before any data are read."""

import pytest

from deltarule.cli.training_checks import OF_SERIES, check_training_options
from deltarule.cli.training_options import TrainingOptions
from deltarule.errors import ConfigurationError


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"stack": "lenet", "hidden": "30"}, "--hidden is '30'.*--model lenet"),
        ({"stack": "lenet", "dropout": 0.5}, "--dropout is 0.5.*--model lenet"),
        ({"processes": 2}, "--processes is 2.*--coordinator"),
        ({"process_id": 0}, "--process-id is 0.*--coordinator"),
        ({"coordinator": "here:1", "devices": "2"}, "--devices is '2'.*--coordinator"),
        ({"engine": "numpy", "devices": "2"}, "--devices is '2'.*--engine is numpy"),
        ({"engine": "numpy", "coordinator": "here:1"}, "--coordinator is 'here:1'.*--engine is numpy"),
        ({"checkpoint_every": 2}, "--checkpoint-every is 2.*--checkpoint FOLDER"),
        ({"source": "t.csv", "missing": "refuse", "drop_missing": True}, "--drop-missing.*--missing is refuse"),
        ({"source": "t.csv", "time": "t", "trainer": "lm"}, "--trainer is 'lm'.*--time"),
        ({"source": "t.csv", "horizon": 3}, "--horizon is 3.*--lags"),
        ({"source": "t.csv", "resample": 0.5}, "--resample is 0.5.*--lags"),
        ({"source": "t.csv", "expand": ("shift",)}, "--expand is 'shift'.*t.csv is a table"),
        ({"cost": "huber"}, "--cost is 'huber'.*digits"),
        ({"cost": "poisson"}, "--cost is 'poisson'.*digits"),
        ({"source": ".", "monitor": "accuracy"}, "--monitor is 'accuracy'.*folder"),
        ({"source": ".", "trainer": "lm", "batch_size": 9}, "--batch-size is 9.*folder"),
        ({"source": ".", "trainer": "bayesian"}, "--trainer is 'bayesian'.*memory"),
        ({"trainer": "lm", "eta": 0.1}, "eta is 0.1.*lm"),
        ({"eta": -1.0}, "--eta .*-1"),
        ({"source": "t.csv", "sep": ";;"}, "';;'"),
    ],
)
def test_a_contradiction_is_refused(tmp_path, monkeypatch, options, expected):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=expected):
        check_training_options(TrainingOptions(**options))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"source": "t.csv", "target": ("y",), "trainer": "lm", "cost": "huber"},
        {"source": "t.csv", "time": "t", "lags": "1,2", "horizon": 3, "hidden": "4"},
        {"source": ".", "trainer": "adam", "batch_size": 9},
        {"stack": "lenet", "trainer": "sgd", "eta": 0.1},
    ],
)
def test_what_goes_together_is_taken_although_no_file_is_there(tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    check_training_options(TrainingOptions(**options))


def test_the_model_may_not_take_the_place_of_its_table(tmp_path):
    table = tmp_path / "t.csv"
    with pytest.raises(ConfigurationError, match=r"--out is .*t\.csv"):
        check_training_options(TrainingOptions(source=str(table), out=table))


def test_options_of_a_series_exist():
    assert set(OF_SERIES) <= set(TrainingOptions.__dataclass_fields__)
