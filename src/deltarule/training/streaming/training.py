"""`train_stream`: training on examples that stay on disk, in memory that does not grow with them.

Mini-batch gradient descent trains on one chunk of the stream after another, Levenberg-Marquardt in primal form sums
over the chunks. A thread reads chunks ahead.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from deltarule.checks import as_dtype, dtype_of, require_number
from deltarule.data.stream import Stream
from deltarule.engine.randomness import as_path
from deltarule.errors import ConfigurationError, DataError
from deltarule.network.backprop import Params
from deltarule.network.examples import validation_rows
from deltarule.network.network import Network
from deltarule.trainers.gradient_descent import GradientDescent
from deltarule.trainers.levenberg_marquardt import LevenbergMarquardt
from deltarule.trainers.stopping import Stopping
from deltarule.training.checkpoints.fingerprint import Fingerprint, describe, describe_stream, fingerprint
from deltarule.training.session import Callback, Session, TrainingResult
from deltarule.training.streaming.course import Feed, StreamedCourse, chunk_rows
from deltarule.training.train import NO_RULES, check_kinds, check_together, engine_of, run, starting_points

DEFAULT_MEMORY = 2**28


def train_stream(
    net: Network,
    stream: Stream,
    *,
    trainer: GradientDescent | LevenbergMarquardt,
    epochs: int,
    validation_data: tuple[Any, Any] | tuple[Any, Any, Any] | None = None,
    seed: int = 0,
    params: Params | None = None,
    stopping: Stopping = NO_RULES,
    dtype: Any = None,
    engine: str = "auto",
    devices: Sequence[Any] | None = None,
    memory: float = DEFAULT_MEMORY,
    checkpoint: str | os.PathLike | None = None,
    checkpoint_every: int = 1,
    resume: str | os.PathLike | None = None,
    callbacks: Sequence[Callback] = (),
) -> TrainingResult:
    """Train the network on examples that are read from disk again every epoch.

    Besides the trainer's records the history has "input_wait", the fraction of each epoch's time in which the devices
    waited for a chunk.

    Args:
        net: the network.
        stream: an `ArrayStream` or `ParquetStream`. With several processes each one reads its own share of it.
        trainer: `GradientDescent` with a batch_size, on chunks of shuffled blocks, each mixed uniformly (see
            `deltarule.data.stream.chunks`); or `LevenbergMarquardt` in primal form on all examples.
        epochs: at most this many.
        validation_data: (Xv, Yv) or (Xv, Yv, weights), in memory; as in `train`.
        seed: of the initial parameters and of the order of the examples.
        params: the initial parameters; None draws them.
        stopping: goal, max_fail, time_limit.
        dtype: as in `train`.
        engine: as in `train`.
        devices: as in `train`.
        memory: bytes for all the chunks that this process holds.
        checkpoint: as in `train`.
        checkpoint_every: as in `train`.
        resume: as in `train`; only "input_wait" differs. With another number of processes Levenberg-Marquardt agrees
            to rounding, and gradient descent takes the rows in another order, because each process shuffles its own
            share. The stream must have the same rows and columns, and the same values in 32 blocks spread evenly over
            it, or in all of it after `deltarule.data.load_folder`, which reads it whole. For gradient descent `memory`,
            which determines the batches, must be the same too.
        callbacks: as in `train`.

    Raises:
        ConfigurationError: an option outside its range, or a trainer that needs all examples in memory.
        DataError: the stream cannot be read, or holds values that are not finite.
        ShapeError: the examples do not fit the network.
        ProcessError: another process of the training was lost.
        CheckpointError: as in `train`.
    """
    started = time.perf_counter()
    check_kinds(net, trainer, stopping, callbacks, epochs, checkpoint_every)
    if not isinstance(stream, Stream):
        raise ConfigurationError(
            f"stream is a {type(stream).__name__}: give an ArrayStream or ParquetStream, or call train."
        )
    require_number("memory", memory, above=0)
    dtype = as_dtype(dtype or (dtype_of(params) if params is not None else trainer.dtype))
    shape = (len(stream), stream.inputs)
    E = engine_of(engine, resume, net, trainer, shape, epochs, devices)
    with E.computing_in(dtype):
        mesh = E.mesh_of(devices)
        whole = stream
        stream = stream if mesh is None else E.shard_stream(stream)
        counts = E.process_counts(len(stream))
        if not counts.all():
            empty = f"process {int(counts.argmin())} of {len(counts)} has no rows in its share of the stream"
            raise DataError(f"{empty}: use fewer processes, or more files.")
        (start,) = starting_points(E, net, trainer, params, seed, 1, shape[1:], dtype)
        trainer.check_stream(net.sizes(shape[1:]), int(counts.sum()))
        check_together(net, trainer, stopping, int(counts.sum()), validation_data is not None)
        if stopping.min_grad is not None:
            rule = f"min_grad is {stopping.min_grad:g}"
            raise ConfigurationError(f"{rule}, and a training on a stream does not support it: leave it out.")
        if trainer.sums_over_stream:
            trainer = replace(trainer, solver="primal")  # whatever the size of a chunk
        validation = validation_rows(net, start, validation_data, dtype, mesh)
        if mesh is not None:
            start = E.replicate(mesh, start)
        size = chunk_rows(stream, trainer, dtype, memory, int(counts.max()))
        feed = Feed(E, net, stream, dtype, mesh, counts, size, seed)
        course = StreamedCourse(net, trainer, feed, validation, as_path(seed), stopping, "cost", ())

        def settings() -> Fingerprint:
            common = fingerprint(course, [start], seed, dtype, describe_stream(E, whole, stream))
            return common | ({} if trainer.sums_over_stream else {"memory": describe(memory)})

        session = Session(course, epochs, callbacks, started)
        return run(session, [start], settings, checkpoint, resume, checkpoint_every)
