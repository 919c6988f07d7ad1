"""The forecast of a training: the form of a step, operations, memory, and the time by short trial runs.

An epoch is timed with the same trainer and engine on fewer random examples and extrapolated to N. Steps on mini-batches
take the same time each. Full-batch steps are timed at two sizes: sums over examples grow with N, a factorisation of
order n does not; the dual form has a part in R² and one in R³. On P devices the sums are divided by P, the
factorisation is not, and the bytes sent are those that `benchmarks.traffic` counted.
"""

import dataclasses
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deltarule import engine as engines
from deltarule.checks import as_dtype
from deltarule.engine.choice import choose_engine
from deltarule.engine.rows import examples_per_block
from deltarule.network.network import Sizes
from deltarule.trainers.form import Memory, form_costs, memory_needed
from deltarule.training.train import train

if TYPE_CHECKING:
    from deltarule.network.network import Network

TRIAL_EPOCHS = 3  # of a run; the first is not counted, because it may compile
RUNS = 3  # of each size, in turns, so that other work on the machine affects all sizes alike
TRIAL_SEED = 0
TRIAL_DAMPING = 1e4  # so large that the first trial of a step is accepted
TRIAL_BYTES, TRIAL_WORK = 2**25, 2e10  # of mini-batch trials: bytes that no cache holds, or operations, the smaller
TRIAL_FLOPS = 4e9  # of a second-order step at the smaller trial size; the larger has twice the examples
NETWORK_BYTES = 1.25e9  # a second between machines: 10 Gbit/s


class Forecast(NamedTuple):
    """The size of a training on N examples, and the cost of one epoch.

    form is "primal", "dual", "cg" or None for first-order steps; traffic is the bytes that each of several devices
    sends and receives in an epoch; parallel_seconds are divided among devices, serial_seconds are not.
    """

    sizes: Sizes
    examples: int
    dtype: np.dtype
    form: str | None
    steps: int
    flops: float
    memory: Memory
    traffic: float
    trainer: Any
    E: Any
    parallel_seconds: float = 0.0
    serial_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        """The seconds of an epoch on one device."""
        return self.parallel_seconds + self.serial_seconds

    def seconds_on(self, devices: int, network: float = NETWORK_BYTES) -> float:
        """The seconds of an epoch on so many devices, with so many bytes a second between them.

        An all-reduce in a ring sends and receives 2 (P - 1)/P of its bytes; the dual form gathers (P - 1)/P of them.
        """
        if devices == 1:
            return self.seconds
        share = (1 if self.form == "dual" else 2) * (devices - 1) / devices
        return self.parallel_seconds / devices + self.serial_seconds + share * self.traffic / network

    def memory_on(self, devices: int) -> Memory:
        """The memory that each of so many devices needs."""
        return memory_needed(self.sizes, self.examples, self.dtype, self.trainer, self.E, devices)


def forecast(
    net: "Network",
    trainer: Any,
    inputs: int | tuple[int, ...],
    examples: int,
    dtype: Any = None,
    clock: Callable[[], float] = time.perf_counter,
    engine: str = "auto",
) -> Forecast:
    """Time trial runs and extrapolate to `examples` examples with `inputs` numbers, or inputs of that shape.

    On a machine busy with other work use the clock `time.process_time`, if the training takes one core.

    Raises:
        ConfigurationError: the trainer cannot train this network on so many examples.
    """
    dtype = as_dtype(dtype or trainer.dtype)
    shape = (inputs,) if isinstance(inputs, int) else tuple(inputs)
    trainer.check(net, examples)
    sizes = net.sizes(shape)
    m = trainer.batch_size
    steps = 1 if m is None else -(-examples // m)
    form = trainer.form(sizes, m or examples)
    E = engines.get(choose_engine(engine, net, trainer, (examples, *shape), 1, None))
    memory = memory_needed(sizes, examples, dtype, trainer, E)
    traffic = float(steps * _traffic(sizes, form, m or examples, dtype.itemsize))
    flops = steps * _flops(sizes, form, m or examples)
    untimed = Forecast(sizes, examples, dtype, form, steps, flops, memory, traffic, trainer, E)

    # With fewer examples too the form is the same, and an epoch is one trial.
    trial_trainer = trainer if form is None else dataclasses.replace(trainer, solver=form, damping=TRIAL_DAMPING)

    def seconds(*counts: int) -> np.ndarray:
        """The seconds of an epoch in every run, (runs, counts)."""
        trials = [_trial(net, trial_trainer, shape, count, dtype, clock, engine) for count in counts]
        return np.array([[trial() for trial in trials] for _ in range(RUNS)])

    if m is not None:
        row = (sizes.inputs + sizes.outputs) * dtype.itemsize
        trial_steps = min(steps, max(3, int(min(TRIAL_BYTES / row, TRIAL_WORK / (6 * sizes.products)) / m)))
        each = float(np.median(seconds(min(examples, trial_steps * m)))) / trial_steps
        return untimed._replace(parallel_seconds=steps * each)
    small = _trial_size(sizes, form)
    if examples <= 2 * small:
        return untimed._replace(parallel_seconds=float(np.median(seconds(examples))))
    runs = seconds(small, 2 * small)
    one, two = (float(median) for median in np.median(runs, axis=0))
    if form == "dual":  # a R² + b R³, neither of them negative
        b = min(max(0.0, two - 4 * one) / 4, one)
        ratio = examples / small
        return untimed._replace(parallel_seconds=(one - b) * ratio**2, serial_seconds=b * ratio**3)
    # a N + b, neither of them negative
    each = min(max(float(np.median(runs[:, 1] - runs[:, 0])), 0.0), two / 2) / small
    return untimed._replace(parallel_seconds=each * examples, serial_seconds=max(0.0, one - each * small))


def _trial_size(sizes: Sizes, form: str | None) -> int:
    """The examples of the smaller trial: a step of about TRIAL_FLOPS, and enough examples for its form."""
    n, k = sizes.parameters, sizes.outputs
    if form == "dual":
        return max(64, int((TRIAL_FLOPS / (2 * k * k * sizes.gram)) ** 0.5))
    if form == "primal":
        # Several blocks: one block in fresh memory takes up to twice as long.
        blocked = 1 + examples_per_block(max(n, 4 * sizes.neurons), k)
        return max(256, -(-n // k), blocked, int(TRIAL_FLOPS / (k * float(n) * n)))
    return max(256, int(TRIAL_FLOPS / (6.0 * sizes.products if form is None else 800.0 * n)))


def _flops(sizes: Sizes, form: str | None, examples: int) -> float:
    if form is None:
        return 6.0 * examples * sizes.products
    return form_costs(sizes, examples)[form].flops


def _traffic(sizes: Sizes, form: str | None, examples: int, width: int) -> float:
    """The bytes that a device sends in a step, as `benchmarks.traffic` counts them in the compiled programs."""
    n, k = sizes.parameters, sizes.outputs
    if form == "primal":
        return width * float(n) * n
    if form == "dual":
        R = examples * k
        return width * (float(R) * R + examples * (sizes.inputs + sizes.neurons) + R * sizes.neurons)
    return float(width * n) * (1 if form is None else 100)


def _trial(
    net: "Network", trainer: Any, shape: tuple, examples: int, dtype: np.dtype, clock: Callable[[], float], engine: str
) -> Callable[[], float]:
    """Return a function that times an epoch on random examples."""
    random = np.random.default_rng(TRIAL_SEED)
    X = random.standard_normal((examples, *shape))
    teacher = net.init(TRIAL_SEED + 1, shape, "float64")
    Y = np.asarray(net(teacher, X))  # targets in the range of the outputs, as the cost requires

    def run() -> float:
        times: list[float] = []
        callbacks = [lambda _: times.append(clock())]
        train(net, X, Y, trainer=trainer, epochs=TRIAL_EPOCHS, dtype=dtype, engine=engine, callbacks=callbacks)
        return (times[-1] - times[0]) / max(1, len(times) - 1)  # without the first epoch, which may compile

    return run
