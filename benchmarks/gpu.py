"""The JAX engine on a GPU: whether it computes what the NumPy engine does, and what share of the peak it reaches.

    python -m benchmarks.gpu [--out docs/benchmarks/gpu.json] [--checks | --rates]

One script for a machine that has a CUDA build of JAX, this source tree and nothing else: no network, no test runner. It
takes some three minutes; on a CPU it runs too, on smaller sizes. The exit code is 1 where the engines disagree.
"""

import argparse
import datetime
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src")]
os.environ.setdefault("DELTARULE_CACHE", "0")

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import deltarule as dr  # noqa: E402
from benchmarks import page  # noqa: E402
from benchmarks.agreement import checks  # noqa: E402
from benchmarks.descent.deltarule_sgd import network  # noqa: E402
from benchmarks.descent.task import Task  # noqa: E402
from benchmarks.epochs import Epochs  # noqa: E402
from benchmarks.machine import describe  # noqa: E402
from benchmarks.record import Case, Entry, Goal, Result, write  # noqa: E402
from deltarule.curvature.linearization import gram, linearize  # noqa: E402
from deltarule.engine import jax_engine  # noqa: E402
from deltarule.training import compiled_loop  # noqa: E402

ON_GPU = jax.default_backend() == "gpu"
LAPS = 5
EPOCHS = (
    20 if ON_GPU else 4
)  # of gradient descent in one call, as `dr.train` groups them where an epoch takes some milliseconds
SQUARE = 8192 if ON_GPU else 1024
# (inputs, hidden layers, outputs) and examples
GRAMS = (
    [
        ((10, 1000, 1000, 1), 500),
        ((100, 1000, 1000, 1), 4_000),
        ((784, 500, 500, 10), 800),
        ((100, 3100, 3100, 1), 8_000),
    ]
    if ON_GPU
    else [((10, 300, 300, 1), 500), ((50, 100, 100, 10), 60)]
)
DENSE = [["dense", 512, "relu"], ["dense", 512, "relu"], ["dense", 10, "softmax"]]
IMAGES = [
    ["convolution", 20, 5, "relu"], ["pool", 2], ["convolution", 40, 5, "relu"], ["pool", 2],
    ["dense", 100, "relu"], ["dense", 10, "softmax"],
]  # fmt: skip
EXAMPLES = 50_000 if ON_GPU else 2_000
FORWARD = {"dense": (784 * 512, 512 * 512, 512 * 10), "images": (24**2 * 25 * 20, 8**2 * 500 * 40, 640 * 100, 100 * 10)}


def laps(call: Callable[[], Any], within: int = 1) -> list[float]:
    """Seconds of a call, LAPS times, after one that may compile; each lap is the mean of `within` calls in a row."""
    jax.block_until_ready(call())
    found = []
    for _ in range(LAPS):
        began = time.perf_counter()
        for _ in range(within):
            last = call()
        jax.block_until_ready(last)
        found.append((time.perf_counter() - began) / within)
    return found


def peaks() -> dict[str, float]:
    """Operations a second of a large product in each precision that the rows below compute in."""
    found = {}
    random = np.random.default_rng(0).standard_normal((SQUARE, SQUARE))
    for dtype in ("float64", "float32"):
        with jax_engine.computing_in(np.dtype(dtype)):
            A = jnp.asarray(random, dtype)
            product = jax.jit(lambda A: A @ A)
            found[dtype] = 2 * SQUARE**3 / min(laps(lambda A=A, product=product: product(A), within=4))
            if dtype == "float32":
                with jax.default_matmul_precision("highest"):
                    exact = jax.jit(lambda A: A @ A)
                    seconds = min(laps(lambda A=A, exact=exact: exact(A), within=4))
                found["float32, products in full"] = 2 * SQUARE**3 / seconds
    return found


Row = tuple[list[float], dict[str, float]]  # the laps in ms, and further columns


def attempted(name: str, row: Callable[..., Row], *arguments: Any) -> Entry:
    """Return the entry of a row, or why there is none: a row that exceeds the card's memory must not end the others."""
    try:
        measurements, extra = row(*arguments)
    except Exception as error:
        return Entry(name, absent=f"failed: {type(error).__name__}: {error}".splitlines()[0][:200])
    return Entry(name, measurements, extra=extra)


def dual_gram(sizes: tuple[int, ...], m: int, peak: float) -> Row:
    """J J^T by (GRAM) in float64, and beside it one whole trial of Levenberg-Marquardt in the dual form.

    Its operations are the products of a layer's errors and of the activations below, 2 (m k)² n_l + 2 m² n_{l-1}.
    """
    net = dr.Network([*(dr.Dense(n, "tanh") for n in sizes[1:-1]), dr.Dense(sizes[-1], "linear")])
    trainer, random = dr.LevenbergMarquardt(solver="dual"), np.random.default_rng(0)
    X = random.uniform(-1, 1, (m, sizes[0]))
    Y = np.sin(3 * X @ random.normal(size=(sizes[0], sizes[-1])) / sizes[0] ** 0.5)
    start = net.init(0, (sizes[0],), "float64", trainer.initializers)
    with jax_engine.computing_in(np.dtype("float64")):
        seconds = _gram_alone(net, jax.tree.map(jnp.asarray, start), jnp.asarray(X), jnp.asarray(Y))
    k = sizes[-1]
    operations = sum(2.0 * (m * k) ** 2 * n + 2.0 * m**2 * before for before, n in pairwise(sizes))
    training, trials = Epochs("jax", net, trainer, X, Y, start), []
    for _ in range(LAPS):
        began = time.perf_counter()
        record = training.run()
        trials.append((time.perf_counter() - began) / max(1, int(record["accepted"][0] + record["rejected"][0])))
        if training.stopped:
            training.begin()
    extra = rates(operations, seconds, peak) | {"trial of LM, ms": 1e3 * float(np.median(trials))}
    return [1e3 * s for s in seconds], extra


def _gram_alone(net: dr.Network, params: Any, x: jax.Array, y: jax.Array) -> list[float]:
    """Seconds of J J^T, from the activations and the errors of every residual."""

    @jax.jit
    def prepare(params: Any, x: jax.Array, y: jax.Array) -> tuple[Any, list[jax.Array]]:
        lin = linearize(net, params, x, y, jnp.ones(len(x)))
        return lin, lin.errors()

    product = jax.jit(lambda lin, errors: gram(lin, lin, errors=(errors, errors))["all"])
    lin, errors = prepare(params, x, y)
    return laps(lambda: product(lin, errors))


def rates(operations: float, seconds: list[float], peak: float) -> dict[str, float]:
    """Return the rate of the median lap."""
    rate = operations / float(np.median(seconds))
    return {"TFLOP/s": rate / 1e12, "share of the peak": rate / peak}


def epoch(layers: list[list[Any]], m: int, peak: float) -> Row:
    """Gradient descent in float32 on random digits: an epoch as `dr.train` runs it, and the compiled call alone.

    Its operations are those of the products: 2 for each multiplication by a weight forward, as many for its gradient,
    and as many for the error below, but for the first layer.
    """
    image = (28, 28, 1) if layers[0][0] == "convolution" else None
    net, random = network(Task("gpu", layers, m, 0.01, image=image)), np.random.default_rng(0)
    X = random.random((EXAMPLES, 784), np.float32)
    Y = np.eye(10, dtype=np.float32)[random.integers(0, 10, EXAMPLES)]
    trainer = dr.GradientDescent(eta=0.01, batch_size=m)
    training = Epochs("jax", net, trainer, X, Y, net.init(0, (784,)))
    whole = laps(lambda: training.run(EPOCHS))
    carry = training.carry
    function, given, static = compiled_loop.call_of(training.course, carry, int(carry.epoch) + EPOCHS, 0)
    alone = laps(lambda: function(*given, **static))
    forward = FORWARD["images" if image else "dense"]
    operations = EXAMPLES * EPOCHS * 2.0 * (3 * sum(forward) - forward[0])
    extra = {"the compiled call alone, ms": 1e3 * float(np.median(alone)) / EPOCHS} | rates(operations, whole, peak)
    extra["share, the call alone"] = rates(operations, alone, peak)["share of the peak"]
    return [1e3 * s / EPOCHS for s in whole], extra


def measured(tell: Callable[[str], object]) -> list[Case]:
    """Measure the tables of rates."""
    peak = peaks()
    products = [Entry(name, [rate / 1e12]) for name, rate in peak.items()]
    cases = [Case(f"a product of {SQUARE:,} x {SQUARE:,}", "TFLOP/s", "", products)]
    tell(page.table(cases[-1]))
    entries = [
        attempted(f"{'-'.join(map(str, sizes))}, m = {m:,}", dual_gram, sizes, m, peak["float64"]) for sizes, m in GRAMS
    ]
    columns = ["TFLOP/s", "share of the peak", "trial of LM, ms"]
    cases.append(Case("J Jᵀ of the dual form, float64", "ms", "", entries, columns))
    tell(page.table(cases[-1]))
    rows = (("784-512-512-10", DENSE, 1_000), ("784-512-512-10", DENSE, 100), ("20@5x5-40@5x5-100-10", IMAGES, 1_000))
    entries = [attempted(f"{name}, batches of {m:,}", epoch, layers, m, peak["float32"]) for name, layers, m in rows]
    columns = ["the compiled call alone, ms", "TFLOP/s", "share of the peak", "share, the call alone"]
    cases.append(Case(f"an epoch of {EXAMPLES:,} examples, float32", "ms", "", entries, columns))
    tell(page.table(cases[-1]))
    return cases


def compared(tell: Callable[[str], object]) -> Case:
    """Run the checks, and report each as soon as it is done."""
    entries = []
    for check in checks():
        extra = {"at most": check.limit, "seconds": check.seconds}
        name = f"{check.name}, {check.dtype}"
        if check.failed:
            entries.append(Entry(name, absent=f"failed: {check.failed}", extra=extra, agrees=False))
            tell(f"FAILED    {name}: {check.failed}")
            continue
        entries.append(Entry(name, [check.difference], extra=extra, agrees=check.agrees))
        word = "agrees" if check.agrees else "DISAGREES"
        tell(f"{word:9} {name}: {check.difference:.1e}, at most {check.limit:.0e} ({check.seconds:.1f} s)")
    return Case("the engines agree", "relative difference", "", entries, ["at most", "seconds"])


def main() -> int:
    """Print the tables, and write them to --out; return 1 if the engines disagree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the result to this file, for docs/benchmarks.md")
    parser.add_argument("--checks", action="store_true", help="the checks alone")
    parser.add_argument("--rates", action="store_true", help="the rates alone")
    options = parser.parse_args()
    began, device = time.perf_counter(), jax.devices()[0]
    where = f"JAX {jax.__version__} on {device.device_kind}, {device.platform}"
    print(where if ON_GPU else f"{where}: there is no GPU here, so sizes are small and shares are the processor's")

    def tell(text: str) -> None:
        print(text, end="\n\n" if "\n" in text else "\n", flush=True)

    cases, goals = [] if options.checks else measured(tell), []
    if not options.rates:
        agreement = compared(tell)
        passed = sum(entry.agrees is True for entry in agreement.entries)
        goals = [Goal("checks in which the engines agree", len(agreement.entries), passed, least=True)]
        cases.append(agreement)
    text = (
        f"Written by `python -m benchmarks.gpu` with {where}. Shares are of what a large product reaches in the same "
        "precision, float32 as JAX multiplies by default, which a GPU does with shortened factors (TF32). An epoch is "
        f"one of {EPOCHS} in a call, as `dr.train` makes it, orders of the examples included; beside it the compiled "
        "call alone. Differences are relative to the largest parameter or derivative."
    )
    result = Result("gpu", "The JAX engine on a GPU", text, cases, goals, repeats=LAPS, pictured=False)
    machine = describe(0, "float64 and float32")
    result.machine = asdict(replace(machine, processor=f"{machine.processor}; {device.device_kind}"))
    result.date, result.seconds = datetime.date.today().isoformat(), time.perf_counter() - began
    if options.out:
        write(result, options.out)
    print(f"{result.seconds:.0f} s in all")
    return int(any(not goal.met for goal in goals))


if __name__ == "__main__":
    raise SystemExit(main())
