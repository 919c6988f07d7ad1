"""--devices, --coordinator, --processes and --process-id: what is refused before anything is computed."""

import pytest

pytest.importorskip("jax")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--devices", "0"), "at least 1, and is '0'"),
        (("--devices", "some"), "at least 1, and is 'some'"),
        (("--processes", "2"), "--processes is 2"),
        (("--process-id", "0"), "--process-id is 0"),
        (("--coordinator", "here:1", "--devices", "2"), "with --coordinator every device"),
        (("--coordinator", "here"), "or 'auto', and is 'here'"),
        (("--coordinator", "here:1"), "--coordinator is 'here:1'"),
        (("--coordinator", "here:1", "--processes", "2", "--process-id", "2"), "--process-id is 2 and there are 2"),
    ],
)
def test_what_names_no_devices_or_processes_is_refused(refused, words, said):
    assert said in refused("train", "digits", *words)


def test_more_devices_than_there_are_are_refused(refused, shelf):
    words = ("train", shelf / "flowers.csv", "--target", "flower", "--devices", 64)
    assert "--devices is 64, but JAX sees 1" in refused(*words)
