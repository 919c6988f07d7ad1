"""The same step as a loop in C, a lower bound: gcc -O3 -march=native, compiled for these sizes when needed."""

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.descent.task import Start, Task

FLAGS = ("-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-std=gnu11")
ALIGNED = 64


def compiled(source: str, **sizes: int) -> ctypes.CDLL:
    """The library of benchmarks/descent/SOURCE with these constants; its file is gone once it is loaded.

    Raises:
        RuntimeError: there is no gcc.
    """
    if shutil.which("gcc") is None:
        raise RuntimeError("not installed: gcc")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "step.so"
        constants = [f"-D{name}={value}" for name, value in sizes.items()]
        command = ["gcc", *FLAGS, *constants, str(Path(__file__).with_name(source)), "-o", str(library), "-lm"]
        subprocess.run(command, check=True)
        return ctypes.CDLL(str(library))


def aligned(array: np.ndarray) -> np.ndarray:
    """Copy an array to an address that is aligned for vector registers."""
    room = np.empty(array.nbytes + ALIGNED, np.uint8)
    first = -room.ctypes.data % ALIGNED
    copy = room[first : first + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    """Return the address of an array."""
    return ctypes.c_void_p(array.ctypes.data)


class CLoop:
    """step.c: a network of two dense layers."""

    def __init__(self, task: Task):
        """Compile for the task's sizes; one example's inputs must be a multiple of 16."""
        (W1, _), (W2, _) = task.start
        self.task, self.steps = task, task.steps()
        self.library = compiled("step.c", N0=W1.shape[1], N1=len(W1), N2=len(W2), M=task.batch)
        self.X, self.Y = aligned(task.X), aligned(task.Y)
        self.arrays = [aligned(array) for pair in task.start for array in pair]
        self.random = np.random.default_rng(0)

    def epoch(self) -> None:
        """Run one pass over a new permutation."""
        order = self.random.permutation(len(self.X)).astype(np.int32)
        pointers = [pointer(array) for array in (self.X, self.Y, order)]
        eta = ctypes.c_float(self.task.eta)
        self.library.descend(*pointers, self.steps, eta, *(pointer(array) for array in self.arrays))

    def params(self) -> Start:
        """Return W and b."""
        return list(zip(self.arrays[::2], self.arrays[1::2], strict=True))


class TinyLoop:
    """tiny.c: 2-2-3-2, one example a step."""

    def __init__(self, task: Task, steps: int = 1):
        """Take `steps` for an epoch."""
        self.task, self.steps, self.seed = task, steps, 0
        self.library = compiled("tiny.c")
        self.X, self.Y = np.ascontiguousarray(task.X), np.ascontiguousarray(task.Y)
        self.p = np.concatenate([array.ravel() for pair in task.start for array in pair])

    def epoch(self) -> None:
        """Run `steps` draws."""
        self.seed += 1
        numbers = (len(self.X), self.steps, ctypes.c_float(self.task.eta), self.seed)
        self.library.descend(pointer(self.X), pointer(self.Y), *numbers, pointer(self.p))

    def params(self) -> Start:
        """Return W and b."""
        found, at = [], 0
        for W, b in self.task.start:
            found.append((self.p[at : at + W.size].reshape(W.shape), self.p[at + W.size : at + W.size + b.size]))
            at += W.size + b.size
        return found
