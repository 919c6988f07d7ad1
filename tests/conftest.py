"""What every test shares: reproducible hypothesis examples, a context in which JAX computes in float64, and MNIST."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import pytest
from hypothesis import settings

from deltarule import data
from deltarule.checkpoints import folder, keeper
from deltarule.errors import DataError

# Compiling is most of the tests' time, and they run little of what they compile: XLA's costlier passes are left out,
# and its older emitters build a CPU's fusions, whose code is slower and ready in half the time; unless the environment
# says otherwise (JAX_DISABLE_MOST_OPTIMIZATIONS=0). Subprocesses take both over. XLA ends a process at a flag that it
# does not know, so the flag is for versions of JAX that have it.
os.environ["DELTARULE_CACHE"] = "0"  # a program that another version compiled must not stand in for this one's
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
QUICK_TO_COMPILE = os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] not in ("0", "false")
jax.config.update("jax_disable_most_optimizations", QUICK_TO_COMPILE)
if QUICK_TO_COMPILE and jax.__version_info__ < (0, 11):
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false")

# Every example that hypothesis makes may compile a network, so there are few, always the same, with no time limit.
settings.register_profile("deltarule", derandomize=True, deadline=None, max_examples=20, database=None)
settings.load_profile("deltarule")

PLACES = (os.environ.get("DELTARULE_DATA", ""), str(Path(__file__).parents[2] / "shared" / "data" / "mnist"))


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


@pytest.fixture
def float64() -> Iterator[None]:
    """64-bit types enabled during one test, as deltarule enables them inside its own calls."""
    with jax.enable_x64(True):
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
        path = folder.checkpoints_in(directory)[0]
        content = folder.from_bytes(path.read_bytes())
        assert content.description["seconds"] > 0
        path.write_bytes(keeper.to_bytes(content._replace(description=content.description | {"seconds": seconds})))

    return to
