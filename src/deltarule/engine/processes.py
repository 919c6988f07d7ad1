"""Several processes, on one machine or many, that train together: joining, exchanging bytes, and noticing a loss."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from deltarule.checks import require_count
from deltarule.errors import ConfigurationError, ProcessError

AUTOMATIC = "auto"  # JAX finds the coordinator and the processes in the environment of SLURM, MPI, ...
JOINING_SECONDS = 120  # how long to wait for all processes to start
SILENCE_SECONDS = 30  # after which a silent process counts as lost, and the others end


def join(coordinator: str, processes: int | None = None, process_id: int | None = None) -> None:
    """Join the other processes of a training, before JAX computes anything; then train with devices=jax.devices().

    Args:
        coordinator: HOST:PORT of process 0, or "auto" for what JAX finds in the environment of a SLURM, Open MPI, MPICH
            or Kubernetes job or on a Cloud TPU.
        processes: the number of processes; not needed with "auto".
        process_id: the number of this process, from 0; not needed with "auto".

    Raises:
        ConfigurationError: an argument is missing or outside its range, or "auto" finds no such environment.
        ProcessError: the coordinator or another process did not answer in time.
    """
    timeouts: dict[str, Any] = {"heartbeat_timeout_seconds": SILENCE_SECONDS, "initialization_timeout": JOINING_SECONDS}
    try:
        if coordinator == AUTOMATIC:
            jax.distributed.initialize(**timeouts)
            return
        _check(coordinator, processes, process_id)
        jax.distributed.initialize(coordinator, processes, process_id, **timeouts)
    except ValueError as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(
            f"coordinator is {coordinator!r}, and JAX cannot find its processes in the environment ({_short(error)}): "
            "give HOST:PORT, the number of processes and the number of this one."
        ) from None
    except RuntimeError as error:
        raise ProcessError(
            f"process {process_id} could not join the coordinator at {coordinator} ({_short(error)}): start all "
            f"processes within {JOINING_SECONDS} s of each other, with the same address, before JAX computes anything."
        ) from None


def _check(coordinator: str, processes: int | None, process_id: int | None) -> None:
    """Raise a ConfigurationError unless the arguments of `join` name a coordinator, a count and a number below it."""
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ConfigurationError(
            f"coordinator must be HOST:PORT of process 0 or '{AUTOMATIC}', and is {coordinator!r}: "
            "give an address such as 10.0.0.1:1234."
        )
    if processes is None or process_id is None:
        raise ConfigurationError(
            f"coordinator is {coordinator!r}, and processes is {processes}, process_id is {process_id}: give all "
            f"three, or coordinator '{AUTOMATIC}' in a job that JAX knows."
        )
    require_count("processes", processes)
    if require_count("process_id", process_id, least=0) >= processes:
        raise ConfigurationError(
            f"process_id is {process_id} and there are {processes} processes: number them from 0 to {processes - 1}."
        )


def is_leader() -> bool:
    """Whether this is process 0, which writes and reports."""
    return jax.process_index() == 0


def own_share(*arrays: Any) -> tuple[Any, ...]:
    """This process's share of arrays that all processes have: consecutive rows, and nearly as many as the others'."""
    i, count = jax.process_index(), jax.process_count()
    return tuple(array[len(array) * i // count : len(array) * (i + 1) // count] for array in arrays)


def process_index() -> int:
    """The number of this process."""
    return jax.process_index()


def shard_stream(stream: Any) -> Any:
    """This process's share of a stream."""
    return stream.shard(jax.process_index(), jax.process_count())


def broadcast_bytes(content: bytes) -> bytes:
    """The bytes of process 0, in every process."""
    if jax.process_count() == 1:
        return content
    from jax.experimental import multihost_utils

    size = len(content)
    high, low = multihost_utils.broadcast_one_to_all(np.array([size >> 30, size & (2**30 - 1)], np.int32)).tolist()
    data = np.frombuffer(content, np.uint8) if is_leader() else np.zeros((high << 30) + low, np.uint8)
    return np.asarray(multihost_utils.broadcast_one_to_all(data)).tobytes()


def gather_bytes(content: bytes) -> list[bytes]:
    """The bytes of each process, in the order of the processes, in every process."""
    if jax.process_count() == 1:
        return [content]
    from jax.experimental import multihost_utils

    with detect_lost_process():
        size, own = len(content), jax.process_index()
        sizes = np.asarray(multihost_utils.process_allgather(np.array([size >> 30, size & (2**30 - 1)], np.int32)))
        gathered = []
        for i, (high, low) in enumerate(sizes.tolist()):  # one broadcast each, because their sizes differ
            if not high and not low:
                gathered.append(b"")
                continue
            data = np.frombuffer(content, np.uint8) if i == own else np.zeros((high << 30) + low, np.uint8)
            gathered.append(np.asarray(multihost_utils.broadcast_one_to_all(data, is_source=i == own)).tobytes())
        return gathered


@contextmanager
def detect_lost_process() -> Iterator[None]:
    """A context that turns the failure of a collective operation into a `ProcessError`: another process was lost."""
    try:
        yield
    except (jax.errors.JaxRuntimeError, ValueError) as error:  # JAX raises either
        lost = "RESOURCE_EXHAUSTED" not in str(error) if isinstance(error, RuntimeError) else "Gloo" in str(error)
        if jax.process_count() == 1 or not lost:
            raise
        raise ProcessError(
            f"process {jax.process_index()} of {jax.process_count()} lost another one ({_short(error)}): look at the "
            "others' messages, then start all of them again; resume from a checkpoint if there is one."
        ) from None


def _short(error: Exception) -> str:
    """The first line of an exception's message, cut to 160 characters."""
    return str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
