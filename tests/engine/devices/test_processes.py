"""Real processes on the loopback interface give what one gives; one that dies ends the others with a sentence."""

import json
import signal
from pathlib import Path

import pytest

from deltarule.errors import ConfigurationError

pytest.importorskip("jax", reason="JAX is not installed")
from deltarule.engine.processes import gather_bytes, is_leader, join, own_share

WORKER = str(Path(__file__).parent / "on_processes.py")


def distances(in_processes, processes, cases):
    ended = in_processes(processes, WORKER, ";".join(cases))
    assert [code for code, _, _ in ended] == [0] * processes, ended
    return json.loads(ended[0][1].splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2, 4])
def test_processes_change_nothing_but_the_rounding(in_processes, processes):
    cases = ["sgd", "primal", "dual", "momentum, weights, validation, records", "bayesian, primal"]
    found = distances(in_processes, processes, cases)
    assert len(found) == len(cases)
    assert max(found.values()) < 1e-10, found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "before", "after"),
    [
        ("momentum, weights, validation, records", 2, 4),
        ("primal", 2, 1),
        ("adam, two starts", 1, 2),
        ("dual", 2, 4),
    ],
)
def test_a_training_goes_on_in_another_number_of_processes(in_processes, tmp_path, case, before, after):
    """Two epochs in so many processes and two more in others are four epochs in one."""
    for processes, options in (
        (before, {"epochs": 2, "checkpoint": str(tmp_path)}),
        (after, {"epochs": 4, "resume": str(tmp_path)}),
    ):
        ended = in_processes(processes, WORKER, case, after=[json.dumps(options)])
        assert [code for code, _, _ in ended] == [0] * processes, ended
    found = json.loads(ended[0][1].splitlines()[-1])
    assert max(found.values()) < 1e-10, found


@pytest.mark.parametrize("processes", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_they_give_what_one_gives_and_one_that_is_killed_ends_the_others_with_a_sentence(in_processes, processes):
    """By sgd and the dual form. Then process 1 is killed in its second epoch of a million; the others see it go."""
    ended = in_processes(processes, WORKER, "sgd;dual", after=["die"])
    found = json.loads(next(line for line in ended[0][1].splitlines() if line.startswith("{")))
    assert len(found) == 2
    assert max(found.values()) < 1e-10, found
    assert ended[1][0] == -signal.SIGKILL
    for i in set(range(processes)) - {1}:
        code, out, err = ended[i]
        assert code == 3, (out, err)
        sentence = out.splitlines()[-1]
        assert sentence.startswith(f"process {i} of {processes} lost another one (")
        assert "resume from a checkpoint" in sentence


@pytest.mark.slow
def test_the_command_line_trains_in_two_processes_and_one_of_them_writes(in_processes, tmp_path):
    model = tmp_path / "digits.safetensors"
    words = ["-m", "deltarule", "train", "digits", "--hidden", "4", "--epochs", "2", "--batch-size", "64"]
    place = ("--coordinator", "{address}", "--processes", "{processes}", "--process-id", "{i}")
    ended = in_processes(2, *words, "--out", str(model), "--json", options=place)
    assert [code for code, _, _ in ended] == [0, 0], ended
    assert json.loads(ended[0][1].splitlines()[-1])["epochs"] == 2
    assert "epochs" not in ended[1][1]
    assert model.exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("here",), "coordinator .*is 'here'"),
        (("here:0", 2, 0), "such as 10.0.0.1:1234"),
        (("here:99999", 2, 0), "such as 10.0.0.1:1234"),
        (("here:1234",), "processes is None, .*process_id"),
        (("here:1234", 0, 0), "processes .*is 0"),
        (("here:1234", 2, 2), "process_id is 2 .* 2 processes"),
        (("here:1234", 2, -1), "process_id .*at least 0"),
    ],
)
def test_what_does_not_name_a_group_is_refused(given, said):
    with pytest.raises(ConfigurationError, match=said):
        join(*given)


def test_one_process_leads_and_has_everything():
    assert is_leader()
    assert own_share([1, 2, 3], [4, 5]) == ([1, 2, 3], [4, 5])
    assert gather_bytes(b"found") == [b"found"]
