"""lm-wide: exact dual Levenberg-Marquardt steps, up to 10⁷ parameters, on both engines and against those that form J:
time and peak memory.

One contestant at a time, because what J needs beside another J would not fit; a process each, so that peaks do not mix.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.machine import resident
from benchmarks.record import Case, Goal, Result
from benchmarks.settings import Settings
from benchmarks.turns import JAX, NUMPY, Contestant, take_turns

LARGEST_J = 4.2  # GiB of float64; those that form it hold it two or three times
TRIAL_OPERATIONS = 12.0e9  # of a trial of the network of 10⁶ parameters, counted by XLA
SQUARE = 2048  # of the product that stands for the processor's peak
COLUMNS = ["peak GiB", "above the import", "mean squared error", "form", "ready s"]


@dataclass(frozen=True)
class Size:
    """A network of tanh layers with a linear output, and how many examples it is given."""

    sizes: tuple[int, ...]
    examples: int
    noise: float = 0.0

    @property
    def parameters(self) -> int:
        """The number of parameters n."""
        return sum(n * (before + 1) for before, n in pairwise(self.sizes))

    @property
    def jacobian(self) -> float:
        """GiB of J in float64."""
        return 8 * self.examples * self.sizes[-1] * self.parameters / 2**30


SIZES = {
    "m = 500, n = 10⁴": Size((10, 93, 93, 1), 500),
    "m = 500, n = 10⁶": Size((10, 1000, 1000, 1), 500),
    "m = 4,000, n = 10⁵": Size((10, 310, 310, 1), 4_000),
    "m = 38 of 20 outputs, n = 1.35·10⁷": Size((100, 3615, 3615, 20), 38),
    "m = 1,000, n = 10⁷": Size((100, 3100, 3100, 1), 1_000),
    "tall: m = 10⁶, n = 201": Size((8, 20, 1), 1_000_000, noise=0.01),
}


def data(size: Size) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """X, Y and a start, the same for everyone."""
    random = np.random.default_rng(0)
    X = random.uniform(-1, 1, (size.examples, size.sizes[0]))
    mixing = random.normal(size=(size.sizes[0], size.sizes[-1])) / size.sizes[0] ** 0.5
    Y = np.sin(3 * X @ mixing) + size.noise * random.normal(size=(size.examples, size.sizes[-1]))
    start = [(random.standard_normal((n, before)) / before**0.5, np.zeros(n)) for before, n in pairwise(size.sizes)]
    return X, Y, start


class Steps:
    """A contestant whose lap is one trial: factor, step, and the error at the new point."""

    form = "J formed"

    def __init__(self, title: str):
        """`title`: the title of the size."""
        self.size = SIZES[title]
        self.X, self.Y, self.start = data(self.size)
        self.mse = float("nan")
        self.prepare()
        self.before = peak()

    def prepare(self) -> None:
        """Import the package and build the network."""
        raise NotImplementedError

    def finish(self) -> dict[str, Any]:
        """Return the memory, and the error that was reached."""
        found = {"peak GiB": peak(), "above the import": peak() - self.before}
        return found | {"mean squared error": self.mse, "form": self.form}


class Deltarule(Steps):
    """One epoch of LevenbergMarquardt() a lap, divided by its trials."""

    engine = "numpy"

    def prepare(self) -> None:
        """The engine and the network; the training begins with the first lap."""
        import deltarule as dr
        from benchmarks.epochs import Epochs
        from deltarule import engine as engines

        engines.get(self.engine)
        layers = [*(dr.Dense(n, "tanh") for n in self.size.sizes[1:-1]), dr.Dense(self.size.sizes[-1], "linear")]
        self.net, self.trainer, self.make = dr.Network(layers), dr.LevenbergMarquardt(), Epochs
        self.epochs: Epochs | None = None

    def lap(self) -> float:
        """Return the seconds of a trial; after a stop, at an error of rounding's size, begin at the start again."""
        if self.epochs is None:
            params: Any = [{"W": W, "b": b} for W, b in self.start]
            self.epochs = self.make(self.engine, self.net, self.trainer, self.X, self.Y, params)
            self.form = self.trainer.form(self.net.sizes(self.X.shape[1:]), len(self.X))
        if self.epochs.stopped:
            self.epochs.begin()
        began = time.perf_counter()
        record = self.epochs.run()
        seconds = time.perf_counter() - began
        self.mse = 2 * float(record["cost"][0]) / self.Y.shape[1]
        return seconds / max(1, int(record["accepted"][0] + record["rejected"][0]))


class DeltaruleJax(Deltarule):
    """The same on the JAX engine, which compiles the pieces of a step."""

    engine = "jax"


class JaxJacobian(Steps):
    """J by vmap of jacrev, K = J Jᵀ + lam I, one Cholesky factorisation: the step as one writes it down, jitted."""

    def prepare(self) -> None:
        """float64, a fixed damping."""
        import jax
        import jax.numpy as jnp
        from jax.flatten_util import ravel_pytree

        jax.config.update("jax_enable_x64", True)
        p, unravel = ravel_pytree([(jnp.asarray(W), jnp.asarray(b)) for W, b in self.start])

        def output(p, x):
            *hidden, (W, b) = unravel(p)
            for V, c in hidden:
                x = jnp.tanh(V @ x + c)
            return W @ x + b

        @jax.jit
        def step(p, lam, X, Y):
            r = (jax.vmap(output, (None, 0))(p, X) - Y).ravel()
            J = jax.vmap(jax.jacrev(output), (None, 0))(p, X).reshape(r.size, -1)
            K = J @ J.T + lam * jnp.eye(r.size)
            new = p - J.T @ jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(K), r)
            return new, jnp.mean((jax.vmap(output, (None, 0))(new, X) - Y) ** 2)

        self.p, self.step, self.given = p, step, (jnp.asarray(self.X), jnp.asarray(self.Y))

    def lap(self) -> None:
        """One step from where the last one ended; a damping of 1 is that of no method, and costs the same."""
        self.p, mse = self.step(self.p, 1.0, *self.given)
        self.mse = float(mse)


class TorchLM(Steps):
    """torch-levenberg-marquardt's training_step with its Cholesky solver, divided by its attempts."""

    def prepare(self) -> None:
        """Build the network in float64."""
        import logging

        import torch
        from torch import nn
        from torch_levenberg_marquardt.training import LevenbergMarquardtModule

        logging.getLogger("torch_levenberg_marquardt.training").setLevel(logging.ERROR)
        modules: list[nn.Module] = []
        for W, b in self.start:
            layer = nn.Linear(W.shape[1], W.shape[0], dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(W))
                layer.bias.copy_(torch.from_numpy(b))
            modules += [layer, nn.Tanh()]
        self.module = LevenbergMarquardtModule(nn.Sequential(*modules[:-1]), solve_method="cholesky")
        self.given = torch.from_numpy(self.X), torch.from_numpy(self.Y)

    def lap(self) -> float:
        """Return the seconds of an attempt."""
        began = time.perf_counter()
        _, loss, _, logs = self.module.training_step(*self.given)
        self.mse = float(loss)
        return (time.perf_counter() - began) / logs["attempts"]


def peak() -> float:
    """Return this process's largest resident set in GiB."""
    return resident() / 2**30


def lm_wide(settings: Settings, tell: Callable[[str], object] = str) -> Result:
    """Run every size with every contestant for which J fits into memory."""
    cases, began = [], time.perf_counter()
    on_cpu = {"JAX_PLATFORMS": "cpu"}
    for number, (title, size) in enumerate(SIZES.items()):
        tell(title)
        cannot = f"cannot: J alone is {size.jacobian:.1f} GiB" if size.jacobian > LARGEST_J else ""
        cannot = cannot or ("its K would be m x m, and this J is tall" if size.examples > 10_000 else "")
        options, entries = {"title": title}, []
        for contestant in (
            Contestant(NUMPY, "benchmarks.wide:Deltarule", ("deltarule",), options),
            Contestant(JAX, "benchmarks.wide:DeltaruleJax", ("deltarule", "jax"), options, on_cpu),
            Contestant(
                "J by jax.jacrev, J Jᵀ, Cholesky", "benchmarks.wide:JaxJacobian", ("jax",), options, on_cpu, cannot
            ),
            Contestant(
                "torch-levenberg-marquardt",
                "benchmarks.wide:TorchLM",
                ("torch", "torch_levenberg_marquardt"),
                options,
                {},
                cannot,
            ),
        ):
            rest = max(settings.seconds - (time.perf_counter() - began), 20.0)
            share = rest / (len(SIZES) - number) / (4 - len(entries))
            entries += take_turns(
                [contestant], repeats=settings.repeats, seconds=max(share, 20.0), per_unit=1e3, tell=tell
            )
        cases.append(Case(title, "ms a trial", NUMPY, entries, COLUMNS))
    text = (
        "One exact step, float64: what a trial costs, that is a factorisation and the error at the point that it "
        "leads to; "
        "networks of two tanh layers and a linear output. Those that form J hold m k n numbers; deltarule's dual "
        "form holds "
        "(m k)² and a batch. One contestant after the other, a process each; the peak is that of the process. "
        'engine="auto" takes the NumPy engine for all of them.'
    )
    million = cases[1].entry(NUMPY).median
    goals = [Goal("a step of 10⁶ parameters on 500 examples, NumPy engine, ms", 80.0, million)]
    return Result("lm-wide", "Levenberg-Marquardt: wide networks", text, cases, goals, [at_the_peak()])


def at_the_peak() -> str:
    """Say how long a trial of 10⁶ parameters would take if it were one large product."""
    A, B = np.random.default_rng(0).random((2, SQUARE, SQUARE))
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        A @ B
        seconds.append(time.perf_counter() - began)
    rate = 2 * SQUARE**3 / min(seconds)
    return (
        f"By XLA's own count a trial of the network of 10⁶ parameters has {TRIAL_OPERATIONS / 1e9:.1f}·10⁹ operations. "
        f"Here NumPy's product of 2,048 x 2,048 reached {rate / 1e9:.0f} GFLOP/s in float64 on all cores: at that "
        f"rate, with nothing between the products, a trial takes {1e3 * TRIAL_OPERATIONS / rate:.0f} ms."
    )
