"""When checkpoints are written, and that resumed trainings equal uninterrupted ones bit for bit."""

import dataclasses
import os
import warnings
from contextlib import nullcontext

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.errors import CheckpointError, CheckpointWarning, ConfigurationError
from deltarule.training import loop, session
from deltarule.training.checkpoints import checkpointer, storage
from engines import WITHOUT_JAX, off

try:
    import jax
    import optax
except ImportError:
    jax = optax = None

pytestmark = pytest.mark.usefixtures("on_each_engine")

NET = dr.Network([dr.Dense(3, "tanh"), dr.Dense(1, "linear")])
X = np.random.default_rng(0).uniform(-1, 1, (16, 2))
Y = X[:, :1] * X[:, 1:]
SLOW = pytest.mark.slow
HELD = (X[:6] * 0.9, Y[:6] * 0.81)
EPOCHS = 9
SGD = dr.GradientDescent(eta=0.1, batch_size=5, momentum=0.9)


def train(net=NET, **options):
    settings = {"trainer": SGD, "epochs": EPOCHS, "seed": 3}
    return dr.train(net, X, Y, **(settings | options))


def assert_the_same(one, other):
    """Every bit of the parameters and the history, of every start."""
    assert (one.epochs, one.best_epoch, one.stop_reason, one.message) == (
        other.epochs,
        other.best_epoch,
        other.stop_reason,
        other.message,
    )
    assert one.history.keys() == other.history.keys()
    assert one.engine == other.engine
    trees.map_leaves(np.testing.assert_array_equal, (off(one.params), one.history), (off(other.params), other.history))
    assert len(one.starts) == len(other.starts)
    for mine, its in zip(one.starts, other.starts, strict=True):
        assert_the_same(mine, its)


def epochs_of(place):
    """The epoch of each checkpoint, the newest first."""
    contents = [storage.from_bytes(path.read_bytes()) for path in storage.checkpoints_in(place)]
    return [int(np.max(content.tensors["0.carry.epoch"])) for content in contents]


TRAINERS = {
    "sgd": {},
    "halving": {"trainer": dr.GradientDescent(eta=0.1, batch_size=5, no_improvement=2), "validation_data": HELD},
    "adam": {"trainer": dr.GradientDescent(eta=1e-2, rule="adam"), "dtype": "float64"},
    "dropout": {"net": dr.Network([dr.Dense(4, "tanh"), dr.Dropout(0.3), dr.Dense(1, "linear")])},
    "lm": {"trainer": dr.LevenbergMarquardt(), "validation_data": HELD, "record": ("learning_speed", "training_score")},
    "lm in batches": {"trainer": dr.LevenbergMarquardt(batch_size=5), "params": NET.init(0, (2,))},
    "newton-cg": {"trainer": dr.NewtonCG(), "weights": np.linspace(0.5, 1, 16)},
    "bayesian": {"trainer": dr.BayesianRegularization(), "restarts": 2},
}


QUICK = ("sgd", "halving", "adam", "lm", "bayesian")


@pytest.mark.parametrize("name", [name if name in QUICK else pytest.param(name, marks=SLOW) for name in TRAINERS])
def test_every_trainer_resumes_bit_for_bit(tmp_path, name):
    options = TRAINERS[name]
    whole = train(**options)
    train(**options | {"epochs": 4}, checkpoint=tmp_path, checkpoint_every=3)
    assert epochs_of(tmp_path) == [4, 3]
    assert_the_same(train(**options, resume=tmp_path), whole)


@WITHOUT_JAX
@pytest.mark.skipif(optax is None, reason="Optax is not installed")
def test_a_rule_of_optax_resumes_bit_for_bit(tmp_path):
    """Its state holds a key of JAX."""
    rule = optax.noisy_sgd(1e-2, key=jax.random.key(3))
    options = {"trainer": dr.GradientDescent(rule=rule, batch_size=8), "engine": "jax"}
    whole = train(**options)
    train(**options | {"epochs": 4}, checkpoint=tmp_path, checkpoint_every=3)
    assert_the_same(train(**options, resume=tmp_path), whole)


@pytest.mark.parametrize(("chunk", "last"), [(1, 5), (3, 1), (3, 5), (256, 1)])
def test_several_starts_resume_bit_for_bit(tmp_path, monkeypatch, chunk, last):
    """Some epochs of each start in turn, or all epochs of one after another."""
    monkeypatch.setattr(loop, "LONGEST_CHUNK", chunk)
    monkeypatch.setattr(session, "CHUNK_SECONDS", 1e9)
    options = {"trainer": dr.GradientDescent(eta=0.3), "restarts": 3, "dtype": "float64"}
    whole = train(**options)
    ended = train(
        **options, checkpoint=tmp_path, checkpoint_every=2, callbacks=[lambda record: record["epoch"] == last]
    )
    assert ended.epochs == last
    assert_the_same(train(**options, resume=tmp_path), whole)


@WITHOUT_JAX
def test_the_engine_is_a_setting(tmp_path):
    train(epochs=4, checkpoint=tmp_path, engine="numpy")
    with pytest.raises(CheckpointError, match=r"engine numpy, .*jax"):
        train(resume=tmp_path, engine="jax")


@WITHOUT_JAX
@pytest.mark.parametrize("damaged", [False, True])
def test_a_resumed_training_keeps_its_engine(tmp_path, engine, damaged):
    """More epochs would have "auto" take the other one; here it would in any case."""
    begun_by = {"numpy": "jax", "jax": "numpy"}[engine]
    train(epochs=4, checkpoint=tmp_path, engine=begun_by)
    if damaged:
        storage.checkpoints_in(tmp_path)[0].write_bytes(b"")
    with pytest.warns(CheckpointWarning, match="damaged") if damaged else nullcontext():
        resumed = train(resume=tmp_path)
    assert resumed.engine == begun_by
    assert_the_same(resumed, train(engine=begun_by))


def test_more_epochs_than_before_for_every_start(tmp_path):
    options = {"trainer": dr.GradientDescent(eta=0.3), "restarts": 2}
    train(**options, epochs=5, checkpoint=tmp_path)
    assert_the_same(train(**options, resume=tmp_path), train(**options))


def test_a_training_in_pieces(tmp_path):
    """Also through a checkpoint before the first epoch, and after the last one."""
    whole = train()
    for epochs in (1, 2, 5, EPOCHS, EPOCHS):
        latest = train(epochs=epochs, checkpoint=tmp_path, resume=tmp_path)
    assert_the_same(latest, whole)


def test_the_seconds_are_those_of_all_calls(delay, tmp_path):
    train(epochs=5, checkpoint=tmp_path)
    delay(tmp_path, 1e6)
    assert train(resume=tmp_path).seconds > 1e6


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("a callback of the user's")])
def test_whatever_ends_a_training_leaves_a_checkpoint(tmp_path, error):
    def fail(record):
        if record["epoch"] == 5:
            raise error

    try:
        interrupted = train(checkpoint=tmp_path, checkpoint_every=100, callbacks=[fail])
    except RuntimeError:
        pass
    else:
        assert interrupted.stop_reason == "interrupted"
    assert epochs_of(tmp_path)[0] >= 5
    assert_the_same(train(resume=tmp_path), train())


def test_the_time_limit_leaves_a_checkpoint_and_may_change(tmp_path):
    stopped = train(stopping=dr.Stopping(time_limit=0.0), checkpoint=tmp_path, checkpoint_every=100)
    assert stopped.stop_reason == "time"
    assert epochs_of(tmp_path) == [stopped.epochs]
    assert_the_same(train(resume=tmp_path), train())


def test_a_stopped_training_stays_stopped(tmp_path):
    options = {"stopping": dr.Stopping(goal=0.05), "epochs": 100}
    ended = train(**options, checkpoint=tmp_path)
    assert ended.stop_reason == "goal"
    assert_the_same(train(**options, resume=tmp_path), ended)


def test_checkpoints_are_written_every_n_epochs(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(storage, "write_checkpoint", lambda place, content: written.append(content))
    monkeypatch.setattr(checkpointer, "WRITING_SECONDS", 1e9)
    train(trainer=dr.GradientDescent(eta=0.1), epochs=230, checkpoint=tmp_path, checkpoint_every=50)
    assert [int(content.tensors["0.carry.epoch"]) for content in written] == [50, 100, 150, 200, 230]


def test_writing_takes_a_small_share_of_the_time(tmp_path, monkeypatch):
    """Epochs of microseconds are not written each: here no second and no share at all may be spent."""
    monkeypatch.setattr(checkpointer, "WRITING_SECONDS", 0.0)
    monkeypatch.setattr(checkpointer, "WRITING_SHARE", 0.0)
    train(trainer=dr.GradientDescent(eta=0.1), epochs=50, checkpoint=tmp_path)
    assert epochs_of(tmp_path) == [50, 1]


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(tmp_path):
    train(epochs=6, checkpoint=tmp_path, checkpoint_every=2)
    path = storage.checkpoints_in(tmp_path)[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.warns(CheckpointWarning, match=rf"{path.name} is damaged .* of epoch 4"):
        resumed = train(resume=tmp_path)
    assert_the_same(resumed, train())


def test_only_damaged_checkpoints_never_start_afresh(tmp_path):
    train(epochs=3, checkpoint=tmp_path)
    for path in storage.checkpoints_in(tmp_path):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="damaged"):
        train(checkpoint=tmp_path, resume=tmp_path)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"trainer": dr.LevenbergMarquardt()}, "GradientDescent, .*LevenbergMarquardt"),
        ({"trainer": dataclasses.replace(SGD, l2=0.1)}, "l2 None, and here it is 0.1"),
        ({"seed": 4}, "seed 3, and here it is 4"),
        ({"restarts": 2}, "restarts 1, and here it is 2"),
        ({"dtype": "float64"}, "dtype float32, .*float64"),
        ({"validation_data": HELD}, "validation data none"),
        ({"weights": np.ones(16)}, "training data 16 rows"),
        ({"monitor": "accuracy"}, "monitor cost"),
        ({"record": "learning_speed"}, "record"),
        ({"stopping": dr.Stopping(goal=1e-5)}, "goal None, .* is 1e-05"),
        ({"params": NET.init(1, (2,))}, "initial parameters"),
        ({"epochs": 3}, "epoch 4, .* is 3"),
    ],
)
def test_other_settings_are_refused_by_name(tmp_path, changed, words):
    train(epochs=4, checkpoint=tmp_path, checkpoint_every=4)
    with pytest.raises(CheckpointError, match=words):
        train(**{"resume": tmp_path} | changed)
    assert epochs_of(tmp_path) == [4]


def test_other_data_and_another_network_are_refused(tmp_path):
    train(epochs=4, checkpoint=tmp_path)
    other = X.copy()
    other[3, 1] = np.nextafter(np.float32(other[3, 1]), np.float32(1))
    options = {"trainer": SGD, "epochs": EPOCHS, "seed": 3, "resume": tmp_path}
    with pytest.raises(CheckpointError, match="training data 16 rows"):
        dr.train(NET, other, Y, **options)
    with pytest.raises(CheckpointError, match=r"network Dense\(n=3, activation=tanh"):
        dr.train(dr.Network([dr.Dense(4, "tanh"), dr.Dense(1, "linear")]), X, Y, **options)


def test_a_folder_with_checkpoints_is_not_overwritten_by_accident(tmp_path):
    train(epochs=4, checkpoint=tmp_path)
    with pytest.raises(CheckpointError, match="checkpoints of an earlier"):
        train(checkpoint=tmp_path)


def test_a_folder_without_checkpoints_cannot_be_resumed(tmp_path):
    with pytest.raises(CheckpointError, match="there is no checkpoint in"):
        train(resume=tmp_path / "typo")
    assert os.listdir(tmp_path) == []
    with pytest.raises(CheckpointError, match="there is no checkpoint in"):
        train(resume=tmp_path / "typo", checkpoint=tmp_path / "new")


def test_resume_may_write_elsewhere(tmp_path):
    train(epochs=4, checkpoint=tmp_path / "old")
    assert_the_same(train(resume=tmp_path / "old", checkpoint=tmp_path / "new"), train())
    assert epochs_of(tmp_path / "old")[0] == 4
    assert epochs_of(tmp_path / "new")[0] == EPOCHS


def test_a_failure_to_write_is_warned_of_once(tmp_path, monkeypatch):
    def full(place, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "write_checkpoint", full)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = train(checkpoint=tmp_path)
    assert len(caught) == 1
    assert "No space left on device" in str(caught[0].message)
    assert_the_same(result, train())


@pytest.mark.parametrize("every", [0, 1.5, True])
def test_checkpoint_every_is_a_whole_number(tmp_path, every):
    with pytest.raises(ConfigurationError, match=r"checkpoint_every .*at least 1"):
        train(checkpoint=tmp_path, checkpoint_every=every)


@pytest.mark.parametrize("name", ["checkpoint", "resume"])
def test_a_folder_is_a_path(name):
    with pytest.raises(ConfigurationError, match=f"{name} must .*folder, and is 5"):
        train(**{name: 5})
