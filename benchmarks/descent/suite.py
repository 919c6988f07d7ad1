"""sgd-small, sgd-100, sgd-large-batch, tiny and conv: contestants, tasks and goals."""

import math
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.descent.task import Task, complete, write
from benchmarks.record import Case, Entry, Goal, Result
from benchmarks.settings import Settings
from benchmarks.turns import NUMPY, Contestant, Failed, Worker, take_turns

STEP_TOLERANCE = 1e-3  # of the largest component of a step: float32 on both sides of a subtraction
ACCURACY_TOLERANCE = 2.0  # points below the median of all, after the same number of epochs in another order
COLUMNS = ["ready s", "step error", "accuracy %"]
KERAS = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
ON_CPU = {"JAX_PLATFORMS": "cpu"}
C_LOOP, PRODUCTS, PEAK = "C loop, one core", "its matrix products alone (JAX)", "these at the peak of a large product"
ONE_THREAD = "deltarule, one thread"
EAGER, STEP_LOOP = "PyTorch eager", "Flax/Optax, step loop"

CONVOLUTION_PROFILE = (
    "By counting, deltarule's step has 10.5 million operations an example, 42 µs at the 250 GFLOP/s that XLA's matrix "
    "products reached here on both cores. On one core a step of batches of 100 takes 121 µs an example: the second "
    "convolution 19 forward, 24 for the error below and 22 for dW, at 105 to 135 GFLOP/s; the first, by bands, 8 and 8 "
    "(by XLA's convolution and by patches 43 and 34); the first maximum's way back 11 to 22, whichever way it was "
    "written. Two cores take 0.65 of the time of one."
)
MEASURED = (
    "Everyone starts from the same parameters, is given the same examples in memory and does one epoch a lap, shuffled "
    "anew; float32. “Step error” is how far the first step is from the one that automatic differentiation gives in "
    "float64, relative to its largest component; the accuracy is that on 2,000 test images after all laps, the same "
    "number for everyone. “Ready” is from the start of the process to the end of a first lap, less an ordinary "
    "lap: imports and compilation. The row “deltarule” is its JAX engine, the epoch compiled."
)


def peers(steps: dict[str, int] | None = None) -> list[Contestant]:
    """Return every library. `steps` has the steps of a lap for each contestant if every step draws anew."""

    def one(name: str, kind: str, needs: tuple[str, ...], environment: dict[str, str], **options: Any) -> Contestant:
        drawn = {} if steps is None else {"steps": steps.get(name, 2_000)}
        return Contestant(
            name, "benchmarks.descent.contestant:build", needs, {"kind": kind, "options": options | drawn}, environment
        )

    return [
        one("deltarule", "deltarule_sgd:Deltarule", ("deltarule", "jax"), ON_CPU),
        one(NUMPY, "deltarule_sgd:Deltarule", ("deltarule",), {}, engine="numpy"),
        one("Flax/Optax, scanned epoch", "flax_sgd:Flax", ("flax", "optax"), ON_CPU, scanned=True),
        one(STEP_LOOP, "flax_sgd:Flax", ("flax", "optax"), ON_CPU),
        one("Keras on JAX", "keras_sgd:Keras", ("keras", "jax"), KERAS),
        one(EAGER, "torch_sgd:Torch", ("torch",), {}),
        one("PyTorch torch.compile", "torch_sgd:Torch", ("torch",), {}, compiled=True),
        one("scikit-learn MLPClassifier", "sklearn_sgd:ScikitLearn", ("sklearn",), {}),
    ]


def one_thread() -> Contestant:
    """Return deltarule in a process whose thread pools have one thread."""
    return replace(peers()[0], name=ONE_THREAD, threads=1)


def own(name: str, kind: str, needs: tuple[str, ...] = (), **options: Any) -> Contestant:
    """Return a contestant of ours that bounds the libraries from below."""
    return Contestant(name, "benchmarks.descent.contestant:build", needs, {"kind": kind, "options": options}, ON_CPU)


def case(task: Task, title: str, contestants: Sequence[Contestant], reference: str, unit: str, per_unit: float,
         settings: Settings, tell: Callable[[str], object]) -> Case:  # fmt: skip
    """Run one task: the contestants in turns, then the referee."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write(complete(task), folder)
        ready = []
        for number, contestant in enumerate(contestants):
            inside = {"folder": place}
            if contestant.factory.endswith("contestant:build"):
                inside |= {"name": f"c{number}"}
            ready.append(replace(contestant, options=inside | contestant.options))
        entries = take_turns(ready, repeats=settings.repeats, seconds=settings.seconds, per_unit=per_unit, tell=tell)
        judge(entries, folder, tell)
    columns = ["cost" if name == "accuracy %" and task.cost != "log-likelihood" else name for name in COLUMNS]
    return Case(title, unit, reference, entries, columns)


def judge(entries: list[Entry], folder: Path, tell: Callable[[str], object] = str) -> None:
    """Add the referee's findings to the entries, and whether each contestant agrees."""
    worker = Worker(
        Contestant("referee", "benchmarks.descent.referee:Referee", options={"folder": str(folder)}, environment=ON_CPU)
    )
    try:
        worker.ask("prepare", 120)
        found = worker.ask("finish", 300)["finish"]
    except Failed as reason:
        tell(f"the referee failed, {reason}")
        return
    finally:
        worker.end()
    for number, entry in enumerate(entries):
        entry.extra |= found.get(f"c{number}", {})
    accuracies = [entry.extra["accuracy %"] for entry in entries if "accuracy %" in entry.extra]
    usual = statistics.median(accuracies) if accuracies else -math.inf
    for entry in entries:
        if "step error" in entry.extra:
            same = entry.extra["step error"] <= STEP_TOLERANCE
            entry.agrees = same and entry.extra.get("accuracy %", usual) >= usual - ACCURACY_TOLERANCE


def dense(name: str, hidden: Sequence[int], activation: str, batch: int, eta: float) -> Task:
    """Return a network of dense layers for the digits."""
    layers = [["dense", n, activation] for n in hidden] + [["dense", 10, "softmax"]]
    return Task(name, layers, batch, eta)


def limits(found: Case) -> list[str]:
    """Say why deltarule is slower than the C loop: XLA's matrix products, and its threads."""
    ours, single, products, floor = (found.entry(n).median for n in ("deltarule", ONE_THREAD, PRODUCTS, C_LOOP))
    if any(map(math.isnan, (ours, single, products, floor))):
        return []
    return [
        f"Of deltarule's {ours:.1f} µs a step {products:.1f} are its matrix products and p ← p - eta g, as XLA does "
        f"them over rows that lie in order; the C loop does everything in {floor:.1f}. The rest is the copying of "
        "shuffled rows and some twenty small kernels: softmax, cost, weights of the rows, the second layer. XLA hands "
        "the kernels of a step from thread to thread, and the weights follow from one core's cache to the other's; in "
        f"a process that is given one thread (PJRT_NPROC=1 in its environment) the step takes {single:.1f} µs."
    ]


def goal(text: str, limit: float, found: float, least: bool = False) -> Goal:
    """Return a goal; without a number if it was not measured."""
    return Goal(text, limit, None if math.isnan(found) else found, least)


def sgd_small(settings: Settings, tell: Callable[[str], object] = str) -> Result:
    """784-30-10, m = 10."""
    contestants = [
        *peers(),
        one_thread(),
        own(C_LOOP, "c_loop:CLoop"),
        own("bare JAX scan, shuffled", "bare_jax:BareScan", ("jax",)),
        own("bare JAX scan, as they lie", "bare_jax:BareScan", ("jax",), shuffled=False),
        Contestant(PRODUCTS, "benchmarks.descent.bare_jax:products", ("jax",), environment=ON_CPU),
    ]
    task = dense("sgd-small", [30], "sigmoid", 10, 0.5)
    found = case(task, "784-30-10, m = 10", contestants, C_LOOP, "µs a step", 1e6, settings, tell)
    ratio = found.ratio
    goals = [
        goal("deltarule / C loop", 2.0, ratio("deltarule", C_LOOP)),
        goal("deltarule / Flax step loop", 0.5, ratio("deltarule", STEP_LOOP)),
        goal("deltarule / PyTorch eager", 0.15, ratio("deltarule", EAGER)),
        goal("deltarule / PyTorch torch.compile", 0.15, ratio("deltarule", "PyTorch torch.compile")),
        goal("deltarule / scikit-learn", 0.15, ratio("deltarule", "scikit-learn MLPClassifier")),
    ]
    text = (
        "784-30-10, sigmoid, softmax outputs, log-likelihood, MNIST in batches of 10, 5,000 steps an epoch. The "
        "bare scans are "
        "the step written out for this one network in JAX; over the examples as they lie, without shuffling, it "
        "does less than "
        "the others do. The C loop is benchmarks/descent/step.c. "
    )
    return Result("sgd-small", "Small batches, small network", text + MEASURED, [found], goals, limits(found))


def sgd_100(settings: Settings, tell: Callable[[str], object] = str) -> Result:
    """784-100-10, m = 10."""
    contestants = [
        *peers(),
        one_thread(),
        own(C_LOOP, "c_loop:CLoop"),
        own("bare JAX scan, shuffled", "bare_jax:BareScan", ("jax",)),
        Contestant(PRODUCTS, "benchmarks.descent.bare_jax:products", ("jax",), environment=ON_CPU),
    ]
    task = dense("sgd-100", [100], "sigmoid", 10, 0.5)
    found = case(task, "784-100-10, m = 10", contestants, C_LOOP, "µs a step", 1e6, settings, tell)
    text = "The same with 100 hidden neurons: 784-100-10 in batches of 10. "
    goals = [
        goal("deltarule / C loop", 2.0, found.ratio("deltarule", C_LOOP)),
        goal("deltarule / Flax step loop", 0.5, found.ratio("deltarule", STEP_LOOP)),
    ]
    return Result("sgd-100", "Small batches, 100 hidden neurons", text + MEASURED, [found], goals, limits(found))


def sgd_large_batch(settings: Settings, tell: Callable[[str], object] = str) -> Result:
    """784-512-512-10, m = 256."""
    contestants = [
        *peers(),
        Contestant(PRODUCTS, "benchmarks.descent.bare_jax:products", ("jax",), environment=ON_CPU),
        Contestant(PEAK, "benchmarks.descent.bare_jax:peak", ("jax",), environment=ON_CPU),
    ]
    task = dense("sgd-large-batch", [512, 512], "relu", 256, 0.1)
    found = case(task, "784-512-512-10, m = 256", contestants, PEAK, "µs a step", 1e6, settings, tell)
    found.columns.append("GFLOP/s")
    text = (
        "784-512-512-10, relu, batches of 256, where the matrix products are nearly all of the work. Two rows are "
        "not trainings: "
        "the products of a step and p ← p - eta g, nothing else, and these products at the rate that one product of "
        "2,048 x 2,048 "
        "reaches. "
    )
    goals = [
        goal("share of the peak", 0.85, 1 / found.ratio("deltarule", PEAK), least=True),
        goal("share of what the products alone reach", 0.85, 1 / found.ratio("deltarule", PRODUCTS), least=True),
    ]
    return Result("sgd-large-batch", "Large batches", text + MEASURED, [found], goals)


TINY_STEPS = {
    "deltarule": 1_000_000,
    NUMPY: 20_000,
    "Flax/Optax, scanned epoch": 1_000_000,
    STEP_LOOP: 20_000,
    "Keras on JAX": 2_000,
    EAGER: 4_000,
    "PyTorch torch.compile": 4_000,
}


def tiny(settings: Settings, tell: Callable[[str], object] = str) -> Result:
    """2-2-3-2, one example a step."""
    contestants = [
        replace(c, cannot="cannot: its outputs are softmax with the log-likelihood")
        if c.name.startswith("scikit")
        else c
        for c in peers(TINY_STEPS)
    ]
    contestants.append(own(C_LOOP, "c_loop:TinyLoop", steps=1_000_000))
    layers = [["dense", n, "sigmoid"] for n in (2, 3, 2)]
    task = Task("tiny", layers, 1, 0.05, cost="quadratic", sampling="uniform")
    found = case(task, "2-2-3-2, one example a step", contestants, C_LOOP, "µs a step", 1e6, settings, tell)
    text = (
        "The network of [HH], 23 parameters, ten points, sigmoid and quadratic cost, eta 0.05: stochastic steps, "
        "each on one example drawn with replacement. deltarule on JAX, the scan and the C loop do 10⁶ steps a lap; "
        "the others, which need calls for every step, do some thousands, so “cost” is after other numbers of steps. "
        "There is no arithmetic to speak of here: it measures what a step costs beside it. "
    )
    goals = [goal("deltarule, µs a step", 1.0, found.entry("deltarule").median)]
    return Result("tiny", "Tiny steps", text + MEASURED, [found], goals)


def conv(settings: Settings, tell: Callable[[str], object] = str) -> Result:
    """20@5x5, pool, 40@5x5, pool, 100, 10."""
    layers = [
        ["convolution", 20, 5, "relu"], ["pool", 2], ["convolution", 40, 5, "relu"], ["pool", 2],
        ["dense", 100, "relu"], ["dense", 10, "softmax"],
    ]  # fmt: skip
    cases, goals = [], []
    half = replace(settings, seconds=settings.seconds / 2)
    contestants = [
        replace(c, cannot="cannot: it has no convolution") if c.name.startswith("scikit") else c for c in peers()
    ]
    for m, limit in ((10, 0.7), (100, 0.9)):
        examples = 2_000 if m == 10 else 5_000
        task = Task(f"conv-{m}", layers, m, 0.03, examples=examples, image=(28, 28, 1))
        found = case(task, f"batches of {m}", contestants, EAGER, "µs an example", 1e6 / m, half, tell)
        goals.append(goal(f"deltarule / PyTorch eager, batches of {m}", limit, found.ratio("deltarule", EAGER)))
        goals.append(
            goal(f"deltarule / torch.compile, batches of {m}", limit, found.ratio("deltarule", "PyTorch torch.compile"))
        )
        cases.append(found)
    text = (
        "20@5x5, pool, 40@5x5, pool, 100, 10, relu, MNIST: 2,000 examples a lap in batches of 10, 5,000 in "
        "batches of 100. "
        "PyTorch keeps the channels first, its default. "
    )
    return Result("conv", "Convolution", text + MEASURED, cases, goals, [CONVOLUTION_PROFILE])
