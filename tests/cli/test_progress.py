from deltarule.cli.progress import DownloadProgress, ExperimentProgress, TrainingProgress, describe


def test_a_record_in_words():
    record = {"cost": 0.123456, "validation_cost": 0.2, "validation_accuracy": 0.98148}
    assert describe(record, "accuracy") == "cost 0.1235  validation 98.15 %"
    assert describe(record, "cost") == "cost 0.1235  validation cost 0.2"


def test_a_trainer_that_tries_steps_shows_them():
    steps = {"cost": 0.5, "gradient_norm": 0.0123, "lambda": 4.0, "accepted": 1, "rejected": 2, "validation_cost": 0.2}
    assert describe(steps, "cost") == "cost 0.5  gradient 0.0123  lambda 4  accepted 1 rejected 2  validation cost 0.2"
    newton = {"cost": 0.5, "gradient_norm": 1.0, "radius": 2.0, "rejected": 0, "validation_accuracy": 0.5}
    assert describe(newton, "accuracy") == "cost 0.5  gradient 1  radius 2  validation 50.00 %"


def test_bayesian_regularisation_shows_the_evidence():
    record = {"cost": 0.5, "log_evidence": -73.17319, "gamma": 47.14, "gradient_norm": 1.0, "accepted": 1, "mu": 0.1}
    assert describe(record, "cost") == "cost 0.5  evidence -73.1732  gamma 47.14"


def test_without_a_terminal_there_are_lines_on_standard_error(capsys):
    with TrainingProgress(epochs=3, examples=10, monitor="cost") as progress:
        for epoch in (1, 2, 3):
            progress.epoch({"epoch": epoch, "cost": 1 / epoch, "validation_cost": 1 / epoch})
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1].startswith("epoch 3/3  cost 0.3333")


def test_on_a_terminal_there_is_a_bar(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with TrainingProgress(epochs=2, examples=10, monitor="accuracy") as progress:
        progress.epoch({"epoch": 1, "cost": 1.0, "validation_accuracy": 0.5})
        progress.bar.refresh()
    err = capsys.readouterr().err
    assert "1/2" in err
    assert "50.00 %" in err


def test_an_experiment_says_once_what_it_does(capsys):
    with ExperimentProgress("higham") as progress:
        for share in (0.0, 0.5, 1.0):
            progress.show("start 0", share)
        progress.show("start 1", 0.0)
    assert capsys.readouterr() == ("", "higham: start 0\nhigham: start 1\n")


def test_an_experiment_has_a_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with ExperimentProgress("higham") as progress:
        progress.show("start 0", 0.25)
        progress.bar.refresh()
    err = capsys.readouterr().err
    assert "higham: start 0" in err
    assert "25 %" in err


def test_the_name_of_a_folder_is_no_markup(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with ExperimentProgress("runs [/min]") as progress:
        progress.show("one pass", 0.5)
        progress.bar.refresh()
    assert "runs [/min]: one pass" in capsys.readouterr().err


def test_a_download_bar_survives_what_pooch_does(capsys):
    bar = DownloadProgress()
    bar.total = 2048
    for _ in range(2):
        bar.update(1024)
    bar.reset()
    bar.update(2048)
    bar.close()
    bar.close()
    assert capsys.readouterr().out == ""
