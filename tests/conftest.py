"""What every test shares: the two engines, reproducible hypothesis examples, and MNIST; JAX need not be installed."""

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from deltarule import data, engine
from deltarule.engine.choice import choose_engine
from deltarule.errors import DataError
from deltarule.training.checkpoints import storage
from engines import NAMES

# Compiling is most of the JAX engine's tests' time, and they run little of what they compile: XLA's costlier passes are
# left out, its older emitters build a CPU's fusions, whose code is slower and ready in half the time, a program is not
# split to be compiled by several threads, and no operation notes the line of Python that it comes from; unless the
# environment says otherwise (JAX_DISABLE_MOST_OPTIMIZATIONS=0). JAX reads all of it when it is imported, and
# subprocesses take it over. XLA ends a process at a flag that it does not know, so flags are for versions with them.
os.environ["DELTARULE_CACHE"] = "0"  # a program that another version compiled must not stand in for this one's
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
os.environ.setdefault("JAX_TRACEBACK_IN_LOCATIONS_LIMIT", "0")
# The threads of BLAS wait actively, for cores that the other workers of pytest-xdist need. BLAS reads this when it is
# loaded, so it is for those workers and for subprocesses.
os.environ.setdefault("OMP_NUM_THREADS", "1")
QUICK_TO_COMPILE = os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] not in ("0", "false")
if QUICK_TO_COMPILE and engine.jax_is_installed() and tuple(map(int, version("jax").split(".")[:2])) < (0, 11):
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1")

# Tracing makes so many objects that the collector of cycles would be a tenth of the time.
gc.set_threshold(200_000, 20, 100)

# Every example that hypothesis makes may compile a network, so there are few, always the same, with no time limit.
settings.register_profile("deltarule", derandomize=True, deadline=None, max_examples=20, database=None)
settings.load_profile("deltarule")

STATUS, LET_GROW = Path("/proc/self/status"), 2**30
held = 0  # bytes of this process when its programs were last dropped

PLACES = (os.environ.get("DELTARULE_DATA", ""), str(Path(__file__).parents[2] / "shared" / "data" / "mnist"))


@pytest.fixture(scope="module", autouse=True)
def room_for_programs() -> Iterator[None]:
    """JAX keeps every program that it compiles: they come to several GiB, and XLA crashes where Linux allows a process
    no more maps of memory. So they are dropped after a module where the process has grown by a GiB since they were.
    """
    global held
    yield
    if "jax" in sys.modules and STATUS.exists() and resident() > held + LET_GROW:
        sys.modules["jax"].clear_caches()
        gc.collect()
        with suppress(OSError, AttributeError):  # GNU's allocator keeps what was freed until it is asked
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        held = resident()


def resident() -> int:
    """Bytes of memory that this process holds."""
    return 1024 * int(STATUS.read_text().split("VmRSS:")[1].split()[0])


@pytest.fixture(scope="session")
def mnist_folder() -> str:
    """The folder that MNIST lies in; the test is skipped where it is absent."""
    for place in filter(None, PLACES):
        try:
            data.load("mnist", data_dir=place)
        except DataError:
            continue
        return place
    pytest.skip("MNIST is not here: name its folder with $DELTARULE_DATA")


@pytest.fixture(name="engine", params=NAMES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """The name of an engine: the test runs on both."""
    return request.param


@pytest.fixture
def on_each_engine(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runs on both engines: whatever leaves the choice to "auto" is computed by the one under test."""

    def chosen(asked: str, *arguments: Any) -> str:
        return engine if asked == "auto" else choose_engine(asked, *arguments)

    for module in ("training.train", "tuning.trial", "models.base"):
        monkeypatch.setattr(f"deltarule.{module}.choose_engine", chosen)


@pytest.fixture
def float64() -> Iterator[None]:
    """64-bit types enabled during one test, as deltarule enables them inside its own calls; NumPy needs nothing."""
    name = "jax" if engine.jax_is_installed() else "numpy"
    with engine.get(name).computing_in(np.dtype("float64")):
        yield


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Subprocesses of the test heed SIGINT, which shells have those that they start in the background ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def delay() -> Callable[[Path, float], None]:
    """A function that makes a folder's newest checkpoint say that its training took so many seconds."""

    def to(directory: Path, seconds: float) -> None:
        path = storage.checkpoints_in(directory)[0]
        content = storage.from_bytes(path.read_bytes())
        assert content.description["seconds"] > 0
        path.write_bytes(storage.to_bytes(content._replace(description=content.description | {"seconds": seconds})))

    return to
