"""The memory of the machine and of its container: how much there is, how much is free, and refusing what exceeds it.

XLA ends the whole process where an array on a CPU does not fit, so no exception can be caught there: what is large is
asked for here first.
"""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from deltarule.errors import TooLargeError

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
USES = ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes")
UNKNOWN = 8.0 * 2**30  # where the system does not say


class Copies(NamedTuple):
    """What an engine holds of a training at once, each as the processes grew by it.

    Attributes:
        examples: copies while they are laid out: in the computation's precision, and on JAX padded, and on the device.
        rows: how many rows it lays out for so many examples.
        passes: numbers for each neuron of an example, on the way there and back.
        vectors: of n numbers that a step of first order has, and how many for each that its direction remembers.
        primal: n x n matrices; dual: R x R matrices.
        blocks: of a block's Jacobian or errors: itself, and on JAX what it is made from.
    """

    examples: int
    rows: Callable[[int], int]
    passes: int
    vectors: tuple[int, int]
    primal: int
    dual: int
    blocks: int


@cache
def total_memory() -> float:
    """Bytes of memory that this process may come to use: the machine's, or a container's limit. Always the same."""
    try:
        physical = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (ValueError, OSError, AttributeError):
        physical = UNKNOWN
    return min([physical, *_numbers(LIMITS)])


def free_memory() -> float:
    """Bytes that are free now, those that the system only uses to remember files among them."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found = {line.split(":")[0]: 1024.0 * int(line.split()[1]) for line in lines if len(line.split()) == 3}
        free = found["MemAvailable"] + found.get("SwapFree", 0.0)
    except (OSError, KeyError, ValueError):
        free = total_memory()
    limits, used = _numbers(LIMITS), _numbers(USES)
    if limits and used:
        free = min(free, max(limits[0] - used[0], 0.0))
    return free


def in_units(size: float) -> str:
    """Bytes for people.

    >>> in_units(3 * 2**20), in_units(2.5 * 2**40)
    ('3 MiB', '2.5 TiB')
    """
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
    power = 0
    while size >= 1024 and power < len(units) - 1:
        size, power = size / 1024, power + 1
    return f"{size:.3g} {units[power]}"


def require_room(what: str, size: float, cure: str, free: float | None = None) -> None:
    """Raise a TooLargeError if so many bytes are not free.

    Args:
        what: what needs them, the subject of the sentence, in the plural or with "and".
        size: bytes.
        cure: what to do.
        free: bytes that are free; None asks the machine.
    """
    free = free_memory() if free is None else free
    if size > free:
        raise TooLargeError(f"{what} need about {in_units(size)} of memory, and {in_units(free)} are free: {cure}.")


def _numbers(paths: tuple[str, ...]) -> list[float]:
    """The number in the first of the files that holds one."""
    for path in paths:
        try:
            return [float(Path(path).read_text())]
        except (OSError, ValueError):  # no such file, or "max", which is no limit
            continue
    return []
