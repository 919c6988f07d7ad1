"""`train`: check the arguments, lay the examples out, and run the trainer until it stops for a stated reason."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from deltarule import engine as engines
from deltarule import trees
from deltarule.checks import as_dtype, dtype_of, require_choice, require_count
from deltarule.engine.choice import choose_engine, needs_jax
from deltarule.engine.randomness import as_path
from deltarule.errors import ConfigurationError
from deltarule.network.backprop import Params
from deltarule.network.evaluation import correct
from deltarule.network.examples import checked_rows, require_inputs, validation_parts, validation_rows
from deltarule.network.missing_targets import mask_missing_targets
from deltarule.network.network import Network
from deltarule.trainers.base import Trainer
from deltarule.trainers.form import require_memory
from deltarule.trainers.stopping import Stopping
from deltarule.training.checkpoints.checkpointer import checkpointing, engine_to_resume
from deltarule.training.checkpoints.fingerprint import Fingerprint, describe_rows, fingerprint
from deltarule.training.loop import Course, check_record
from deltarule.training.session import Callback, Session, TrainingResult

NO_RULES = Stopping()
MOST_EPOCHS = 2**31 - 1  # epochs are counted in 32 bits


def train(
    net: Network,
    X: Any,
    Y: Any,
    *,
    trainer: Trainer,
    epochs: int,
    validation_data: tuple[Any, Any] | tuple[Any, Any, Any] | None = None,
    seed: int = 0,
    params: Params | None = None,
    weights: Any = None,
    restarts: int = 1,
    stopping: Stopping = NO_RULES,
    monitor: str = "cost",
    record: Sequence[str] = (),
    dtype: Any = None,
    engine: str = "auto",
    devices: Sequence[Any] | None = None,
    checkpoint: str | os.PathLike | None = None,
    checkpoint_every: int = 1,
    resume: str | os.PathLike | None = None,
    callbacks: Sequence[Callback] = (),
) -> TrainingResult:
    """Train the network on X, Y and return the best parameters with the history.

    Args:
        net: the network.
        X: inputs, (N, n_1), anything NumPy can read.
        Y: targets, (N, k); for k > 1 also (N,) class numbers. With a cost of numbers some of a row's k > 1 targets may
            be NaN: a missing target enters neither the cost nor its derivatives.
        trainer: `GradientDescent`, `LevenbergMarquardt`, `NewtonCG`, `BayesianRegularization`, or another
            `deltarule.trainers.Trainer`.
        epochs: at most this many; for a full-batch trainer an epoch is one step.
        validation_data: (Xv, Yv) or (Xv, Yv, weights), scored after every epoch; the result holds the parameters of
            the epoch with the best score. Not for `BayesianRegularization`, which selects by its evidence.
        seed: of the initial parameters and of the order of the examples; the same seed gives the same network.
        params: the initial parameters; None draws them.
        weights: of the examples, (N,), at least 0; None weighs all by one.
        restarts: how many times to train from other initial parameters, a few epochs of each in turn; the best is
            returned, by the validation data if there are any. The first one starts at `params` if given.
        stopping: goal, min_grad, max_fail, time_limit.
        monitor: the validation score that selects the best epoch: "cost", or "accuracy" (ties fall to the lower cost).
        record: further quantities for the history, each measured over all training examples by one more pass an epoch.
            "learning_speed": history["learning_speed"] is (epochs, layers with biases), ‖dC/db^l‖ at the start of an
            epoch, input side first ([N] ch. 5). "training_score": history["training_cost"] and ["training_accuracy"]
            after the epoch, without regularisation and Dropout.
        dtype: "float32" or "float64"; None is the dtype of `params` if given, else the trainer's default.
        engine: "numpy", "jax" (which compiles first), or "auto", which compares the operations that the shapes and
            settings ask for, see `deltarule.engine.choice`; a resumed training keeps the engine of its checkpoint.
            The result names the engine that ran.
        devices: divide the examples among these, such as `jax.devices()`; None computes on one device. The result is
            the same to rounding, except for the neurons that Dropout draws. Where JAX runs in several processes, name
            all its devices, and give each process its own share of X, Y, weights and the validation data.
        checkpoint: a folder for checkpoints. It keeps the last two, each whole or absent whatever ends the process;
            one more is written when the training ends, also by Ctrl-C, the time limit or an error. The folder is
            created if it is missing, and must not hold another training's checkpoints.
        checkpoint_every: epochs between two checkpoints; fewer are written where writing would take more than a second
            and 5 % of the time.
        resume: a folder of checkpoints; the training goes on from the newest whole one and ends bit for bit as if
            it had never stopped. All settings must be the same except epochs, which may be more, time_limit and
            callbacks, which see new epochs only. Without `checkpoint` new checkpoints go to the same folder. Where
            both name one folder it may be empty, so that the same call begins a training and resumes it.
        callbacks: each is called after every epoch with its record, a dict; one that returns True ends the training.

    Raises:
        DataError: X, Y or weights are empty, not numbers or not finite, or a weight is negative.
        ShapeError: X, Y and weights do not fit each other or the network.
        ConfigurationError: an option outside its range.
        ProcessError: another process of the training was lost.
        TooLargeError: the training needs more memory than is free.
        CheckpointError: `resume` holds no checkpoint of this training, `checkpoint` holds one of another training, or
            another process writes there.
    """
    started = time.perf_counter()
    check_kinds(net, trainer, stopping, callbacks, epochs, checkpoint_every)
    require_count("restarts", restarts)
    require_choice("monitor", monitor, ("cost", "accuracy"))
    recorded = check_record(record)
    dtype = as_dtype(dtype or (dtype_of(params) if params is not None else trainer.dtype))
    X = require_inputs(net, "X", X, dtype)
    validation_data = validation_parts(validation_data)
    inputs, targets = zip((X, Y), *([] if validation_data is None else [validation_data[:2]]), strict=True)
    net = mask_missing_targets(net, *targets, inputs=inputs)
    E = engine_of(engine, resume, net, trainer, X.shape, epochs * restarts, devices)
    with E.computing_in(dtype):
        starts = starting_points(E, net, trainer, params, seed, restarts, X.shape[1:], dtype)
        mesh = E.mesh_of(devices)
        require_memory(net.sizes(X.shape[1:]), trainer, len(X), E, dtype, 1 if mesh is None else mesh.size)
        rows = checked_rows(net, starts[0], "X", X, Y, weights, mesh)
        sample = sample_of_classes(net, X, rows.y) if weights is None and mesh is None else None
        del X  # the rows are on the device
        check_together(net, trainer, stopping, int(rows.count), validated=validation_data is not None)
        starts = trainer.diversify(starts)  # knows only networks that the trainer has checked
        validation = validation_rows(net, starts[0], validation_data, dtype, mesh)
        if mesh is not None:
            starts = E.replicate(mesh, starts)
        course = Course(net, trainer, rows, validation, as_path(seed), stopping, monitor, recorded)
        session = Session(course, epochs, callbacks, started)

        def settings() -> Fingerprint:
            return fingerprint(course, starts, seed, rows.x.dtype, describe_rows(rows))

        result = run(session, starts, settings, checkpoint, resume, checkpoint_every)
        return with_remark(net, trainer, result, sample)


def run(
    session: Session,
    starts: list[Params],
    settings: Callable[[], Fingerprint],
    checkpoint: Any,
    resume: Any,
    every: int,
) -> TrainingResult:
    """Run the session with its checkpoints and the limit on BLAS's threads."""
    course, E = session.course, session.course.engine
    with (
        E.detect_lost_process(),
        checkpointing(checkpoint, resume, every, session.epochs, settings, E) as checkpointer,
        course.thread_limits(),
    ):
        return replace(session, checkpointer=checkpointer).run(starts)


def engine_of(engine: str, resume: Any, net: Network, trainer: Trainer, shape: Any, epochs: int, devices: Any) -> Any:
    """The engine of the training; with "auto" a resumed training keeps the engine of its checkpoint."""
    if engine == "auto" and resume is not None and needs_jax(trainer, devices) is None:
        engine = engine_to_resume(resume) or engine
    return engines.get(choose_engine(engine, net, trainer, shape, epochs, devices))


def starting_points(
    E: Any, net: Network, trainer: Trainer, params: Params | None, seed: Any, count: int, shape: Any, dtype: np.dtype
) -> list[Params]:
    """The parameters of `count` starts on engine E: `params` first, if given, and fresh ones."""
    drawn = net.starts(seed, count, shape, dtype, trainer.initializers)
    starts = drawn if params is None else [params, *drawn[1:]]
    return [trees.map_leaves(partial(E.xp.asarray, dtype=dtype), start) for start in starts]


def check_kinds(net: Any, trainer: Any, stopping: Any, callbacks: Any, epochs: Any = 1, every: Any = 1) -> None:
    """Raise a ConfigurationError where an argument is of the wrong kind."""
    require_count("epochs", epochs, most=MOST_EPOCHS)
    require_count("checkpoint_every", every)
    if not isinstance(net, Network):
        raise ConfigurationError(f"net is {net!r}, which is not a network: give Network([Dense(...), ...]).")
    if not isinstance(trainer, Trainer):
        raise ConfigurationError(f"trainer is {trainer!r}, which is not a trainer: give GradientDescent(eta=0.5), say.")
    if not isinstance(stopping, Stopping):
        raise ConfigurationError(f"stopping is {stopping!r}: give Stopping(goal=...), for example, or leave it out.")
    if not isinstance(callbacks, Sequence) or not all(callable(callback) for callback in callbacks):
        raise ConfigurationError(f"callbacks is {callbacks!r}: give a list of functions, such as [print].")


def check_together(net: Network, trainer: Trainer, stopping: Stopping, count: int, validated: bool) -> None:
    """Raise a ConfigurationError unless network, trainer, number of examples and stopping rules fit together."""
    trainer.check(net, count)
    _check_randomness(net, trainer)
    _check_rules(trainer, stopping, validated)


def _check_randomness(net: Network, trainer: Trainer) -> None:
    """Refuse layers that draw random numbers where the trainer compares costs at several points."""
    for i, layer in enumerate(net.layers):
        if layer.is_random and not trainer.allows_random_layers:
            raise ConfigurationError(
                f"layer {i} is {layer!r}, which draws random numbers, and {type(trainer).__name__} compares the cost "
                "at points that must differ by the parameters alone: use GradientDescent, or l2 for this trainer."
            )


def _check_rules(trainer: Trainer, stopping: Stopping, validated: bool) -> None:
    """Refuse stopping rules that could never act."""
    if stopping.max_fail is not None and not validated:
        raise ConfigurationError(
            f"max_fail is {stopping.max_fail}, a number of epochs without a better validation score, and there are no "
            "validation data: give validation_data, or leave max_fail out."
        )
    rule = trainer.no_improvement
    if rule is not None and not validated:
        raise ConfigurationError(
            f"no_improvement is {rule.k}, a number of epochs without a better validation score, and there are no "
            "validation data: give validation_data, or leave no_improvement out."
        )
    if validated and trainer.selects_by is not None:
        raise ConfigurationError(
            f"{type(trainer).__name__} selects its best epoch by {trainer.selects_by} on all examples and takes no "
            "validation data: leave validation_data out."
        )
    m = trainer.batch_size
    if stopping.min_grad is not None and m is not None:
        raise ConfigurationError(
            f"min_grad is {stopping.min_grad:g}, but steps on batches of {m} never compute the gradient of all "
            "examples: leave min_grad out, or set batch_size=None."
        )


SAMPLE = 1000  # training examples on which a classifier is compared with its commonest class
RARE = 0.8  # share of the commonest class from which the other classes count as rare


class Sample(NamedTuple):
    """Some training examples, their commonest class, and how many of them belong to it."""

    x: np.ndarray
    y: np.ndarray
    most: int
    right: int

    @property
    def share(self) -> float:
        """The share of the commonest class."""
        return self.right / len(self.x)


def sample_of_classes(net: Network, X: np.ndarray, Y: Any) -> Sample | None:
    """A sample of the examples, or None unless each has a class as its target and there are at least two classes."""
    every = -(-len(X) // SAMPLE)
    x, y = X[::every], np.asarray(Y)[: len(X) : every]
    if y.ndim > 2 or not np.isin(y, (0, 1)).all() or (net.outputs > 1 and (y.sum(axis=1) != 1).any()):
        return None
    if net.outputs == 1 and net.output_activation.name != "sigmoid":
        return None
    classes = y.argmax(axis=1) if net.outputs > 1 else y[:, 0].astype(int)
    counts = np.bincount(classes)
    most = int(counts.argmax())
    return Sample(x.copy(), y, most, int(counts[most])) if counts[most] < len(x) else None


def with_remark(net: Network, trainer: Trainer, result: TrainingResult, sample: Sample | None) -> TrainingResult:
    """Add a sentence to the result's message where the classifier is no better than its commonest class."""
    if sample is None or result.best_epoch == 0 or result.stop_reason == "diverged":
        return result
    outputs = net(trees.map_leaves(np.asarray, result.params), sample.x)
    if correct(outputs, sample.y).sum() > sample.right:
        return result
    always = f"on the training examples it is right no more often than class {sample.most} always would be"
    remark = f"{always} ({100 * sample.share:.3g} %): {_advice(trainer, sample)}."
    remark = remark[0].upper() + remark[1:]
    return replace(result, message=f"{result.message} {remark}", remark=remark)


def _advice(trainer: Trainer, sample: Sample) -> str:
    """Say what to try."""
    if sample.share >= RARE:
        return "the other classes are rare, and its outputs may still rank the examples; weights would count them more"
    scaled = "scale the inputs to mean 0 and variance 1"
    name = trainer.learning_rate_name
    if name is None:
        return f"it has learnt nothing; {scaled}"
    return f"it has learnt nothing; use a smaller {name} than {getattr(trainer, name):g}, and {scaled}"
