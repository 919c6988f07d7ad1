"""Trainings on a stream that go on from a checkpoint: bit for bit those that nothing interrupted."""

import dataclasses

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.data import ArrayStream, load_folder
from deltarule.errors import CheckpointError, ConfigurationError, DataError
from deltarule.training.checkpoints import storage
from deltarule.training.streaming import course as module
from deltarule.training.streaming.course import INPUT_WAIT
from engines import WITHOUT_JAX, off

try:
    import jax
    import optax
except ImportError:
    jax = optax = None

pytestmark = pytest.mark.usefixtures("on_each_engine")

N = 203
random = np.random.default_rng(0)
X = random.normal(size=(N, 3))
Y = np.sin(X[:, :1] + X[:, 1:2] * X[:, 2:])
HELD = (X[:40] + 0.1, Y[:40])
NET = dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")])
SGD = dr.GradientDescent(eta=0.1, batch_size=10, momentum=0.9)
MEMORY = N * 16 * module.BUFFERS / 3  # a third of the examples in a chunk
EPOCHS = 7

TRAININGS = {
    "momentum": {},
    "halving": {
        "trainer": dr.GradientDescent(eta=0.3, batch_size=10, no_improvement=dr.NoImprovement(1, floor=0)),
        "validation_data": HELD,
    },
    "adam": {"trainer": dr.GradientDescent(eta=1e-2, rule="adam", batch_size=10)},
    "lm": {"trainer": dr.LevenbergMarquardt(), "validation_data": HELD},
}
if optax is not None:
    noisy = dr.GradientDescent(rule=optax.noisy_sgd(1e-2, key=jax.random.key(3)), batch_size=10)
    TRAININGS["noise"] = {"trainer": noisy, "engine": "jax"}


def stream(x=X, y=Y):
    return ArrayStream(x, y, block_rows=16)


def train(source=None, **options):
    settings = {"trainer": SGD, "epochs": EPOCHS, "seed": 3, "memory": MEMORY}
    return dr.train_stream(NET, source or stream(), **(settings | options))


def assert_the_same(one, other):
    """Every bit of the parameters and the history, but for the clock's."""
    for name in ("epochs", "best_epoch", "stop_reason", "message"):
        assert getattr(one, name) == getattr(other, name)
    assert one.history.keys() == other.history.keys()
    histories = [{name: a for name, a in r.history.items() if name != INPUT_WAIT} for r in (one, other)]
    trees.map_leaves(np.testing.assert_array_equal, (off(one.params), histories[0]), (off(other.params), histories[1]))


def epochs_of(place):
    """The epoch of each checkpoint, the newest first."""
    contents = [storage.from_bytes(path.read_bytes()) for path in storage.checkpoints_in(place)]
    return [int(content.tensors["0.carry.epoch"]) for content in contents]


@pytest.mark.parametrize(
    ("engine", "name", "end"),
    [
        *(("numpy", name, KeyboardInterrupt) for name in TRAININGS if name != "noise"),
        ("numpy", "momentum", RuntimeError("a callback of the user's")),
        *(
            pytest.param("jax", name, KeyboardInterrupt, marks=[WITHOUT_JAX, *([pytest.mark.slow] if slow else [])])
            for name, slow in ((name, name in ("momentum", "adam")) for name in TRAININGS)
        ),
    ],
)
def test_it_goes_on_as_if_nothing_had_happened(tmp_path, name, end):
    def fail(record):
        if record["epoch"] == 4:
            raise end

    options = TRAININGS[name]
    try:
        cut = train(**options, checkpoint=tmp_path, checkpoint_every=3, callbacks=[fail])
    except RuntimeError:
        pass
    else:
        assert (cut.stop_reason, cut.epochs) == ("interrupted", 4)
    assert epochs_of(tmp_path) == [4, 3]
    seen = []
    resumed = train(**options, resume=tmp_path, callbacks=[lambda record: seen.append(int(record["epoch"]))])
    assert_the_same(resumed, train(**options))
    assert seen == [5, 6, 7]
    if name == "halving":  # the state that decides it was kept
        assert len(set(resumed.history["eta"])) > 1


def test_an_interrupted_pass_is_begun_anew(tmp_path, monkeypatch):
    """Ctrl-C within the passes of a step: the checkpoint is that of the epoch before it."""
    read, pieces = [], ArrayStream.pieces

    def cut(source, block):
        read.append(block)
        if len(read) == 200:
            raise KeyboardInterrupt
        return pieces(source, block)

    options = TRAININGS["lm"]
    monkeypatch.setattr(ArrayStream, "pieces", cut)
    ended = train(**options, checkpoint=tmp_path, checkpoint_every=100)
    assert ended.stop_reason == "interrupted"
    assert epochs_of(tmp_path) == [ended.epochs]
    assert 0 < ended.epochs < EPOCHS
    assert_the_same(train(**options, resume=tmp_path), train(**options))


def test_one_command_begins_and_goes_on_in_pieces(tmp_path):
    for epochs in (1, 4, EPOCHS, EPOCHS):
        latest = train(epochs=epochs, checkpoint=tmp_path, resume=tmp_path)
    assert_the_same(latest, train())


def test_a_stopped_training_stays_stopped(tmp_path):
    options = {"stopping": dr.Stopping(max_fail=1), "validation_data": HELD, "epochs": 100}
    options |= {"trainer": dr.GradientDescent(eta=1.0, batch_size=10)}
    ended = train(**options, checkpoint=tmp_path)
    assert ended.stop_reason == "max_fail"
    assert_the_same(train(**options, resume=tmp_path, callbacks=[lambda record: pytest.fail("an epoch")]), ended)


def test_the_time_limit_leaves_a_checkpoint_and_may_change(tmp_path):
    stopped = train(stopping=dr.Stopping(time_limit=0.0), checkpoint=tmp_path, checkpoint_every=100)
    assert (stopped.stop_reason, stopped.epochs, epochs_of(tmp_path)) == ("time", 1, [1])
    assert_the_same(train(resume=tmp_path), train())


def test_the_seconds_are_those_of_all_calls(delay, tmp_path):
    train(epochs=2, checkpoint=tmp_path)
    delay(tmp_path, 1e6)
    assert train(resume=tmp_path).seconds > 1e6


@WITHOUT_JAX
def test_a_mesh_goes_on_with_what_one_device_began(tmp_path):
    whole = train(dtype="float64", engine="jax")
    train(dtype="float64", engine="jax", epochs=3, checkpoint=tmp_path)
    resumed = train(dtype="float64", engine="jax", resume=tmp_path, devices=jax.devices())
    np.testing.assert_allclose(resumed.history["cost"], whole.history["cost"], rtol=1e-12)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"trainer": dr.LevenbergMarquardt()}, "GradientDescent, .*LevenbergMarquardt"),
        ({"trainer": dataclasses.replace(SGD, eta=0.2)}, "eta 0.1, and here it is 0.2"),
        ({"seed": 4}, "seed 3, and here it is 4"),
        ({"dtype": "float64"}, "dtype float32, .*float64"),
        ({"memory": MEMORY / 2}, "with memory "),
        ({"validation_data": HELD}, "validation data none"),
        ({"stopping": dr.Stopping(goal=1e-9)}, "goal None, .* is 1e-09"),
        ({"params": NET.init(1, (3,))}, "initial parameters"),
        ({"epochs": 1}, "epoch 2, .* is 1"),
        (
            {"source": stream(X[:-1], Y[:-1])},
            "203 rows of 3 inputs .*1 targets in 13",
        ),
        ({"source": ArrayStream(X, Y, block_rows=17)}, "203 rows .* 13 blocks .* 203 rows .* 12 blocks"),
        ({"source": stream(X + np.eye(N, 3, -192), Y)}, "training data a stream of 203 rows"),  # one number, of row 192
        ({"source": stream(X, Y + np.eye(N, 1))}, "training data a stream of 203 rows"),
    ],
)
def test_other_settings_are_refused_by_name(tmp_path, changed, said):
    train(epochs=2, checkpoint=tmp_path)
    with pytest.raises(CheckpointError, match=said):
        train(**{"resume": tmp_path} | changed)
    assert epochs_of(tmp_path) == [2, 1]


def test_data_that_cannot_be_used_leave_no_checkpoint(tmp_path):
    """So that the same command begins anew once they are mended."""
    bad = X.copy()
    bad[100, 1] = np.nan
    with pytest.raises(DataError, match="nan"):
        train(stream(bad), checkpoint=tmp_path)
    assert epochs_of(tmp_path) == []
    train(epochs=1, checkpoint=tmp_path)


def test_levenberg_marquardt_may_go_on_with_other_chunks(tmp_path):
    """Sums do not depend on them; batches do."""
    options = {"trainer": dr.LevenbergMarquardt(), "epochs": 3}
    train(**options | {"epochs": 1}, checkpoint=tmp_path)
    resumed = train(**options, resume=tmp_path, memory=2 * MEMORY)
    np.testing.assert_allclose(resumed.history["cost"], train(**options).history["cost"], rtol=1e-9)


def test_a_training_in_memory_is_another_one(tmp_path):
    train(epochs=2, checkpoint=tmp_path)
    with pytest.raises(CheckpointError, match=r"a stream of 203 rows .* is 203 rows"):
        dr.train(NET, X, Y, trainer=SGD, epochs=3, seed=3, resume=tmp_path)


def test_few_blocks_are_read_for_the_digest_of_a_stream(tmp_path, monkeypatch):
    """Of a folder that was measured none: its pass has seen every row."""
    monkeypatch.setattr(ArrayStream.__init__, "__defaults__", (4,))
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y[:, 0])
    source, measured = ArrayStream(X, Y), load_folder(tmp_path)
    train(source, epochs=1, checkpoint=tmp_path / "raw")
    train(measured.train, epochs=1, checkpoint=tmp_path / "measured")
    settings = [
        storage.from_bytes(storage.checkpoints_in(tmp_path / place)[0].read_bytes()).description["settings"]
        for place in ("raw", "measured")
    ]
    assert settings[0]["training data"].endswith("of 32 blocks of 51")
    assert settings[1]["training data"].endswith("30 and 30 of 203 rows held out by seed 0")
    assert measured.train.digest in settings[1]["training data"]
    other = X.copy()
    other[4, 2] += 1  # in no block that is sampled: seen after a pass over all, not otherwise
    train(ArrayStream(other, Y), epochs=2, resume=tmp_path / "raw")
    np.save(tmp_path / "x.npy", other)
    with pytest.raises(CheckpointError, match="a stream of 143 rows"):
        train(load_folder(tmp_path).train, epochs=2, resume=tmp_path / "measured")


@pytest.mark.parametrize("every", [0, 1.5])
def test_checkpoint_every_is_a_whole_number(tmp_path, every):
    with pytest.raises(ConfigurationError, match=r"checkpoint_every .*at least 1"):
        train(checkpoint=tmp_path, checkpoint_every=every)


def test_parameters_that_leave_the_numbers_end_it():
    """In the last epoch too, whose cost was still one."""
    for epochs in (1, 3):
        ended = train(trainer=dr.GradientDescent(eta=1e30, batch_size=50), epochs=epochs, memory=1e9)
        assert (ended.stop_reason, ended.epochs, ended.best_epoch) == ("diverged", 1, 0)
        assert all(np.isfinite(p).all() for p in trees.leaves(off(ended.params)))
