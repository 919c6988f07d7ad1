"""A disk that fills up, and places where nobody may write, root included."""

import os
import resource
import subprocess
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import CheckpointError, CheckpointWarning, ModelFileError
from deltarule.training.checkpoints import storage

pytestmark = pytest.mark.usefixtures("on_each_engine")

NET = dr.Network([dr.Dense(3, "tanh"), dr.Dense(1, "linear")])
X = np.random.default_rng(0).uniform(-1, 1, (16, 2))
Y = X[:, :1] * X[:, 1:]


def train(**options):
    return dr.train(NET, X, Y, trainer=dr.GradientDescent(eta=0.1), epochs=12, seed=3, **options)


def epoch_of_the_newest(place):
    content, wrong = storage.read_newest(place)
    assert wrong == []
    assert content is not None
    return int(content.tensors["0.carry.epoch"])


@contextmanager
def full_disk(after=200):
    """No file may grow past so many bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_disk_that_is_full_for_a_while(tmp_path):
    """Training goes on, the checkpoints before it stay, and the next ones are written once there is room."""
    held, seen = [], []

    def fill_and_empty(record):
        if record["epoch"] == 3:
            held.append(full_disk())
            held[0].__enter__()
        if record["epoch"] == 9:
            seen.append(epoch_of_the_newest(tmp_path))
            held[0].__exit__(None, None, None)

    with pytest.warns(CheckpointWarning, match="File too large") as caught:
        result = train(checkpoint=tmp_path, callbacks=[fill_and_empty])
    assert len(caught) == 1
    assert seen[0] <= 3
    assert epoch_of_the_newest(tmp_path) == 12
    np.testing.assert_array_equal(result.params[0]["W"], train().params[0]["W"])
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def test_a_model_that_does_not_fit_leaves_the_old_one(tmp_path):
    result = train()
    dr.save(tmp_path / "m.safetensors", NET, result.params)
    before = (tmp_path / "m.safetensors").read_bytes()
    with full_disk(), pytest.raises(ModelFileError, match="cannot be written"):
        dr.save(tmp_path / "m.safetensors", NET, NET.init(9, (2,)))
    assert (tmp_path / "m.safetensors").read_bytes() == before
    assert os.listdir(tmp_path) == ["m.safetensors"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB that is really full after that; only root can make one."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("only root can mount a file system")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_small_disk_fills_up(small_disk):
    (small_disk / "other").write_bytes(bytes(56 * 1024))
    with pytest.warns(CheckpointWarning, match="No space left on device") as caught:
        train(checkpoint=small_disk)
    assert len(caught) == 1
    assert epoch_of_the_newest(small_disk) < 12
    (small_disk / "other").unlink()
    np.testing.assert_array_equal(train(resume=small_disk).params[0]["W"], train().params[0]["W"])


def test_a_read_only_disk(small_disk):
    train(checkpoint=small_disk / "kept", checkpoint_every=12)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(CheckpointError, match=r"cannot be written to .*Read-only"):
        train(checkpoint=small_disk / "new")
    resumed = train(resume=small_disk / "kept", checkpoint=small_disk.parent / "elsewhere")
    np.testing.assert_array_equal(resumed.params[0]["W"], train().params[0]["W"])


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_place_where_nobody_may_write():
    with pytest.raises(CheckpointError, match=r"checkpoints .*/proc/checkpoints"):
        train(checkpoint="/proc/checkpoints")
    with pytest.raises(ModelFileError, match="cannot be written to /proc"):
        dr.save("/proc/m.safetensors", NET, NET.init(0, (2,)))


def test_a_folder_without_permission(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(CheckpointError, match="Permission denied"):
        train(checkpoint=tmp_path / "kept")
