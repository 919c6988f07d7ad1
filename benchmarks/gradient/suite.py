"""gradient: one ∇C, n = 10³ to 10⁷ parameters, batches of 1 to 10⁴, by hand on both engines, by jax.grad and by torch's
autograd.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.record import Case, Entry, Goal, Result
from benchmarks.settings import Settings
from benchmarks.turns import Contestant, take_turns

NETWORKS = {"10³": (20, 20, 20, 10), "10⁵": (100, 260, 260, 10), "10⁷": (784, 2800, 2800, 10)}
BATCHES = {"10³": (1, 100, 10_000), "10⁵": (1, 100, 10_000), "10⁷": (1, 100, 1_000)}
LAP_SECONDS = 0.05  # a lap repeats the call until about so much
BY_HAND, UNCHECKED = "deltarule, by hand", "deltarule, its compiled call alone"
BY_NUMPY = "deltarule, by hand, NumPy engine"
SMALLEST = (
    "Where a gradient takes a tenth of a millisecond, the number of kernels decides: deltarule's program for "
    "20-20-20-10 and 100 examples has 30, that of jax.grad 27 (counted in the compiled programs), because each delta^T "
    "is written out before its product. The checks of the public call take 3 to 7 µs beside it."
)
TOLERANCE = 1e-4  # of the norm of the gradient, float32


def numbers(sizes: list[int], m: int) -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray, np.ndarray]:
    """Parameters, inputs and classes, float32, the same for everyone."""
    random = np.random.default_rng(0)
    pairs = [
        ((random.standard_normal((n, before)) / before**0.5).astype(np.float32), np.zeros(n, np.float32))
        for before, n in pairwise(sizes)
    ]
    return pairs, random.standard_normal((m, sizes[0])).astype(np.float32), random.integers(0, sizes[-1], m)


class Gradient:
    """A contestant whose lap is as many calls as fill LAP_SECONDS; `once` computes the gradient and waits for it."""

    once: Callable[[], list[Any]]

    def _begin(self) -> None:
        self.once()
        began = time.perf_counter()
        self.once()
        self.calls = max(1, round(LAP_SECONDS / (time.perf_counter() - began)))

    def lap(self) -> float:
        """Return the seconds of a call."""
        began = time.perf_counter()
        for _ in range(self.calls):
            self.once()
        return (time.perf_counter() - began) / self.calls

    def finish(self) -> dict[str, float]:
        """Return the norm of the gradient, by which contestants are compared."""
        return {"‖∇C‖": float(np.sqrt(sum(np.sum(np.square(np.asarray(g, np.float64))) for g in self.once())))}


class Deltarule(Gradient):
    """`net.cost_and_gradient`, its checks included; `unchecked`, what it compiles, called as jax.grad's is."""

    def __init__(self, sizes: list[int], m: int, engine: str = "jax", unchecked: bool = False):
        """tanh, softmax, log-likelihood; the engine is that of the parameters."""
        import deltarule as dr
        from deltarule import engine as engines
        from deltarule import trees
        from deltarule.network import backprop

        E = engines.get(engine)
        net = dr.Network(
            [*(dr.Dense(n, "tanh") for n in sizes[1:-1]), dr.Dense(sizes[-1], "softmax")], "log-likelihood"
        )
        pairs, X, labels = numbers(sizes, m)
        params = [{"W": E.put(W), "b": E.put(b)} for W, b in pairs]
        x, y = E.put(X), E.put(np.eye(sizes[-1], dtype=np.float32)[labels])
        call = net.cost_and_gradient
        if unchecked:
            import jax

            weight = E.xp.full(m, 1 / m, "float32")
            call = jax.jit(lambda params, x, y: backprop.cost_and_gradient(net, params, x, y, weight))
        self.once = lambda: trees.leaves(E.wait(call(params, x, y)[1]))
        self._begin()


class JaxGrad(Gradient):
    """jax.jit(jax.value_and_grad(...))."""

    def __init__(self, sizes: list[int], m: int):
        """Build the same network and cost."""
        import jax
        import jax.numpy as jnp

        pairs, X, labels = numbers(sizes, m)
        params = [(jnp.asarray(W), jnp.asarray(b)) for W, b in pairs]
        x, y = jnp.asarray(X), jnp.asarray(np.eye(sizes[-1], dtype=np.float32)[labels])

        def cost(params, x, y):
            for W, b in params[:-1]:
                x = jnp.tanh(x @ W.T + b)
            W, b = params[-1]
            return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(x @ W.T + b), axis=1))

        gradient = jax.jit(jax.value_and_grad(cost))
        self.once = lambda: jax.tree.leaves(jax.block_until_ready(gradient(params, x, y)[1]))
        self._begin()


class Torch(Gradient):
    """backward() of nn.Sequential; compiled, the loss is one graph under torch.compile."""

    def __init__(self, sizes: list[int], m: int, compiled: bool = False):
        """Build the same network and cost."""
        import torch
        from torch import nn

        pairs, X, labels = numbers(sizes, m)
        modules: list[nn.Module] = []
        for W, b in pairs:
            layer = nn.Linear(W.shape[1], W.shape[0])
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(W))
                layer.bias.copy_(torch.from_numpy(b))
            modules += [layer, nn.Tanh()]
        model = nn.Sequential(*modules[:-1])
        x, y, criterion = torch.from_numpy(X), torch.from_numpy(labels), nn.CrossEntropyLoss()
        parameters = list(model.parameters())

        def loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return criterion(model(x), y)

        loss = torch.compile(loss, dynamic=False) if compiled else loss

        def once() -> list[Any]:
            for p in parameters:
                p.grad = None
            loss(x, y).backward()
            return [p.grad for p in parameters]

        self.once = once
        self._begin()


def gradient(settings: Settings, tell: Callable[[str], object] = str) -> Result:
    """Run a case for each size and batch."""
    cases, total = [], sum(map(len, BATCHES.values()))
    share = replace(settings, seconds=settings.seconds / total)
    for title, sizes in NETWORKS.items():
        for m in BATCHES[title]:
            options = {"sizes": list(sizes), "m": m}
            ours, cpu = "benchmarks.gradient.suite:Deltarule", {"JAX_PLATFORMS": "cpu"}
            who = [
                Contestant(BY_HAND, ours, ("deltarule", "jax"), options, cpu),
                Contestant(UNCHECKED, ours, ("deltarule", "jax"), options | {"unchecked": True}, cpu),
                Contestant(BY_NUMPY, ours, ("deltarule",), options | {"engine": "numpy"}),
                Contestant("jax.grad, jitted", "benchmarks.gradient.suite:JaxGrad", ("jax",), options, cpu),
                Contestant("PyTorch autograd", "benchmarks.gradient.suite:Torch", ("torch",), options),
            ]
            if m == 100:  # its compilation takes longer than all the others together
                more = options | {"compiled": True}
                who.append(Contestant("PyTorch torch.compile", "benchmarks.gradient.suite:Torch", ("torch",), more))
            tell(f"n = {title}, m = {m}")
            entries = take_turns(who, repeats=share.repeats, seconds=share.seconds, tell=tell, per_unit=1e6)
            compare(entries)
            cases.append(Case(f"n = {title}, m = {m:,}", "µs", "jax.grad, jitted", entries, ["‖∇C‖", "ready s"]))
    goals = [
        Goal("deltarule / jax.grad, the largest of the ratios", 1.1, max(case.ratio(BY_HAND) for case in cases)),
        Goal("the same without its checks", 1.1, max(case.ratio(UNCHECKED) for case in cases)),
    ]
    text = (
        "tanh networks "
        + ", ".join("-".join(map(str, sizes)) for sizes in NETWORKS.values())
        + " with softmax outputs, float32, "
        "arrays on the device; a lap repeats the call for about 50 ms. deltarule's call is the public one with "
        "its checks, a few µs, which only the smallest network shows, once with JAX's arrays and once with NumPy's; "
        "the others are bare. torch.compile takes part at m = 100."
    )
    return Result("gradient", "One gradient", text, cases, goals, [SMALLEST])


def compare(entries: list[Entry]) -> None:
    """Mark contestants whose gradient has the median norm as agreeing."""
    norms = [entry.extra["‖∇C‖"] for entry in entries if "‖∇C‖" in entry.extra]
    for entry in entries:
        if "‖∇C‖" in entry.extra:
            usual = statistics.median_low(norms)
            entry.agrees = abs(entry.extra["‖∇C‖"] - usual) <= TOLERANCE * usual
