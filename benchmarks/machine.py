"""Where a benchmark was run: processor, threads and versions; and how many threads everyone is given."""

import importlib.metadata
import importlib.util
import os
import platform
from dataclasses import dataclass
from pathlib import Path

PACKAGES = (
    "deltarule",
    "jax",
    "jaxlib",
    "flax",
    "keras",
    "lineax",
    "numpy",
    "onnxruntime",
    "optax",
    "optimistix",
    "pyrenn",
    "scikit-learn",
    "scipy",
    "torch",
    "torch-levenberg-marquardt",
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
    load: float | None = None  # running processes beside, the mean of the minute before

    def line(self) -> str:
        """One sentence for the report."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        load = "" if self.load is None else f", load before {self.load:.1f}"
        return (
            f"{self.processor}, {self.cores} cores, {threads} for every contestant{load}, {self.dtype}; "
            f"{self.system}, Python {self.python}; {versions}."
        )


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def resident(kind: str = "VmHWM") -> float:
    """Bytes of this process's resident set, "VmRSS" now or "VmHWM" at its largest.

    `getrusage` would count that of the parent before it.
    """
    return 1024.0 * int(Path("/proc/self/status").read_text().split(f"{kind}:")[1].split()[0])


def thread_environment(threads: int) -> dict[str, str]:
    """The variables that give every thread pool of a process `threads` threads; 0 is one a core.

    PJRT_NPROC is what XLA's CPU client reads for the size of its pool, NPROC what it read in earlier versions; the rest
    are the BLAS libraries' own names.
    """
    threads = threads or cores()
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    found = dict.fromkeys((*names, "PJRT_NPROC", "NPROC"), str(threads))
    if threads == 1:
        flags = os.environ.get("XLA_FLAGS", "")
        found["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    return found


def limit_threads(threads: int) -> None:
    """Set them for this process, before JAX, NumPy's BLAS or torch is imported."""
    os.environ.update(thread_environment(threads))


def describe(threads: int, dtype: str = "float64") -> Machine:
    """This machine, with the versions of the packages that are installed."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    system = f"{platform.system()} {platform.machine()}"
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return Machine(processor(), cores(), threads or cores(), system, platform.python_version(), versions, dtype, load)


def processor() -> str:
    """The processor's model name, as the system tells it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def missing(*modules: str) -> str | None:
    """Return why a contestant that imports `modules` is missing, or None if all are installed."""
    absent = [module for module in modules if importlib.util.find_spec(module) is None]
    return f"not installed: {', '.join(absent)}" if absent else None
