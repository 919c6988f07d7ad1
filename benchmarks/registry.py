"""Every benchmark under its name: where it is, how long it may take, how many laps."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from benchmarks.record import Result
from benchmarks.settings import Settings


@dataclass(frozen=True)
class Benchmark:
    """One row of `--list`. `seconds` is its budget and, on two quiet cores, about what it takes."""

    name: str
    what: str
    place: str  # "module:function", called with (settings, tell)
    seconds: float
    repeats: int
    dtype: str = "float32"
    threads: int = 0  # 0 is one a core

    def run(self, settings: Settings, tell: Callable[[str], object]) -> Result:
        """Measure."""
        module, _, function = self.place.partition(":")
        return getattr(import_module(module), function)(settings, tell)


DESCENT = "benchmarks.descent.suite"
BENCHMARKS = {
    benchmark.name: benchmark
    for benchmark in (
        Benchmark(
            "sgd-small", "784-30-10, batches of 10, against every peer and a C loop", f"{DESCENT}:sgd_small", 150, 11
        ),
        Benchmark("sgd-100", "784-100-10, batches of 10", f"{DESCENT}:sgd_100", 120, 9),
        Benchmark(
            "sgd-large-batch", "784-512-512-10, batches of 256, against the peak", f"{DESCENT}:sgd_large_batch", 120, 9
        ),
        Benchmark("tiny", "2-2-3-2, one example a step", f"{DESCENT}:tiny", 90, 9),
        Benchmark("conv", "20@5x5-pool-40@5x5-pool-100-10, batches of 10 and 100", f"{DESCENT}:conv", 360, 9),
        Benchmark("lm", "time to target on eight problems", "benchmarks.lm.suite:lm", 330, 10, "float64", 1),
        Benchmark(
            "lm-wide",
            "exact dual steps, 10⁴ to 10⁷ parameters: time and memory",
            "benchmarks.wide:lm_wide",
            210,
            3,
            "float64",
        ),
        Benchmark(
            "startup", "import, first fit, another size, a search, the shell", "benchmarks.startup:startup", 300, 5
        ),
        Benchmark("gradient", "one gradient, 10³ to 10⁷ parameters", "benchmarks.gradient.suite:gradient", 120, 15),
        Benchmark("predict", "one row and 100,000", "benchmarks.predict.suite:predict", 90, 15),
    )
}
