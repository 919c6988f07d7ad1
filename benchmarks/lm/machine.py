"""Where the race was run: processor, threads and versions; and how many threads everyone is given."""

import importlib.metadata
import os
import platform
from dataclasses import dataclass
from pathlib import Path

PACKAGES = (
    "deltarule",
    "jax",
    "jaxlib",
    "optimistix",
    "lineax",
    "optax",
    "scipy",
    "torch",
    "torch-levenberg-marquardt",
    "pyrenn",
    "scikit-learn",
    "numpy",
)


@dataclass(frozen=True)
class Machine:
    """What a reader needs to know to judge the seconds."""

    processor: str
    cores: int
    threads: int
    system: str
    python: str
    versions: dict[str, str]
    dtype: str = "float64"

    def line(self) -> str:
        """One sentence for the report."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return (
            f"{self.processor}, {self.cores} cores, {threads} for every contestant, {self.dtype}; "
            f"{self.system}, Python {self.python}; {versions}."
        )


def limit_threads(threads: int) -> None:
    """Give every thread pool ``threads`` threads; to be called before JAX, NumPy's BLAS or torch is imported.

    NPROC is what XLA's CPU client reads for the size of its pool; the rest are the BLAS libraries' own names.
    """
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NPROC",
    ):
        os.environ[name] = str(threads)
    if threads == 1:
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()


def describe(threads: int) -> Machine:
    """This machine, with the versions of the packages that are installed."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0
    system = f"{platform.system()} {platform.machine()}"
    return Machine(processor(), cores, threads, system, platform.python_version(), versions)


def processor() -> str:
    """The processor's model name, as the system tells it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
