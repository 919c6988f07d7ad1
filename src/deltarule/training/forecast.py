"""What a training will take, before it runs: the form of a step, operations, memory, and time by short trial runs.

The trainer's own epoch is timed, on the engine that will train, on random examples of the same widths but fewer, and
carried on to N by what its cost is made of: steps on mini-batches cost the same each; of full-batch steps, timed at two
sizes, a sum over examples grows with N and a factorisation of order n does not; the dual form has a part in R² and one
in R³. On P devices what is summed over examples is divided by P, the factorisation is not, and what travels is what
`benchmarks.traffic` counted.
"""

import dataclasses
import time
from collections.abc import Callable, Iterable
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

TRIAL_EPOCHS = 3  # of a probe; the first is not counted, because it may compile
PROBES = 3  # of each size, by turns, so that other work on the machine meets all sizes alike
TRIAL_SEED = 0
TRIAL_DAMPING = 1e4  # a step so short that it leads down: an epoch is then one trial
TRIAL_BYTES, TRIAL_WORK = 2**25, 2e10  # examples that no cache holds, or operations: the less of the two
TRIAL_FLOPS = 4e9  # of one step with curvature at the smaller trial size; the larger has twice the examples
NETWORK_BYTES = 1.25e9  # a second between machines: 10 Gbit/s


Clock = Callable[[], float]


class Forecast(NamedTuple):
    """A training's size and what an epoch of it takes.

    examples are N; form is "primal", "dual", "cg" or None for first-order steps; `sent` are the bytes that a device
    sends and receives in an epoch of several; `divided` and `alone` the seconds of an epoch on one device that many
    devices share, and those that each spends alone, of the engine E.
    """

    sizes: Sizes
    examples: int
    dtype: np.dtype
    form: str | None
    steps: int
    flops: float
    memory: Memory
    sent: float
    trainer: Any
    E: Any
    divided: float = 0.0
    alone: float = 0.0

    @property
    def seconds(self) -> float:
        """Of an epoch on one device."""
        return self.divided + self.alone

    def on(self, devices: int, network: float = NETWORK_BYTES) -> float:
        """Seconds of an epoch on so many devices, with so many bytes a second between them.

        An all-reduce in a ring sends and receives 2 (P - 1)/P of its bytes; the dual form gathers (P - 1)/P of them.
        """
        if devices == 1:
            return self.seconds
        share = (1 if self.form == "dual" else 2) * (devices - 1) / devices
        return self.divided / devices + self.alone + share * self.sent / network

    def memory_on(self, devices: int) -> Memory:
        """What each of so many devices holds."""
        return memory_needed(self.sizes, self.examples, self.dtype, self.trainer, self.E, devices)


def forecast(
    net: "Network",
    trainer: Any,
    inputs: int | tuple[int, ...],
    examples: int,
    dtype: Any = None,
    clock: Clock = time.perf_counter,
    engine: str = "auto",
) -> Forecast:
    """Time trial runs and carry them on to `examples` examples of `inputs` numbers, or of that shape. On a machine
    that is busy with other work `time.process_time` as the clock leaves that out, if one core computes. A
    ConfigurationError where the trainer cannot train this network on so many examples.
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
    sent = float(steps * _sent(sizes, form, m or examples, dtype.itemsize))
    flops = steps * _flops(sizes, form, m or examples)
    found = Forecast(sizes, examples, dtype, form, steps, flops, memory, sent, trainer, E)

    # Held to its form, whatever the number of examples, and damped so that its first trial is taken.
    held = trainer if form is None else dataclasses.replace(trainer, solver=form, damping=TRIAL_DAMPING)

    def seconds(*counts: int) -> list[tuple[float, ...]]:
        probes = [_probe(net, held, shape, count, dtype, clock, engine) for count in counts]
        return [tuple(probe() for probe in probes) for _ in range(PROBES)]

    if m is not None:
        row = (sizes.inputs + sizes.outputs) * dtype.itemsize
        tried = min(steps, max(3, int(min(TRIAL_BYTES / row, TRIAL_WORK / (6 * sizes.products)) / m)))
        each = _median(probe for (probe,) in seconds(min(examples, tried * m))) / tried
        return found._replace(divided=steps * each)
    small = _trial_size(sizes, form)
    if examples <= 2 * small:
        return found._replace(divided=_median(probe for (probe,) in seconds(examples)))
    turns = seconds(small, 2 * small)
    one, two = _median(one for one, _ in turns), _median(two for _, two in turns)
    if form == "dual":  # a R² + b R³, and neither is negative
        b = min(max(0.0, two - 4 * one) / 4, one)
        ratio = examples / small
        return found._replace(divided=(one - b) * ratio**2, alone=b * ratio**3)
    # What grows with N, and what does not; neither is negative, so that two is between one and twice as long.
    each = min(max(_median(two - one for one, two in turns), 0.0), two / 2) / small
    return found._replace(divided=each * examples, alone=max(0.0, one - each * small))


def _median(values: Iterable[float]) -> float:
    return float(np.median(list(values)))


def _trial_size(sizes: Sizes, form: str | None) -> int:
    """The examples of the smaller trial: a step of about TRIAL_FLOPS, and no fewer than make the form what it is."""
    n, k = sizes.parameters, sizes.outputs
    if form == "dual":
        return max(64, int((TRIAL_FLOPS / (2 * k * k * sizes.gram)) ** 0.5))
    if form == "primal":
        # More than one block holds: rows in one piece of fresh memory take up to twice as long as in blocks.
        blocked = 1 + examples_per_block(max(n, 4 * sizes.neurons), k)
        return max(256, -(-n // k), blocked, int(TRIAL_FLOPS / (k * float(n) * n)))
    return max(256, int(TRIAL_FLOPS / (6.0 * sizes.products if form is None else 800.0 * n)))


def _flops(sizes: Sizes, form: str | None, examples: int) -> float:
    """Of a step on so many examples: a forward and a backward pass, or what `form_costs` says."""
    if form is None:
        return 6.0 * examples * sizes.products
    return form_costs(sizes, examples)[form].flops


def _sent(sizes: Sizes, form: str | None, examples: int, width: int) -> float:
    """The bytes of a step's collectives, as `benchmarks.traffic` counts them in the compiled programs."""
    n, k = sizes.parameters, sizes.outputs
    if form == "primal":
        return width * float(n) * n
    if form == "dual":
        R = examples * k
        return width * (float(R) * R + examples * (sizes.inputs + sizes.neurons) + R * sizes.neurons)
    return float(width * n) * (1 if form is None else 100)


def _probe(
    net: "Network", trainer: Any, shape: tuple, examples: int, dtype: np.dtype, clock: Clock, engine: str
) -> Callable[[], float]:
    """What measures the time of an epoch after the first, which may compile, on random examples."""
    random = np.random.default_rng(TRIAL_SEED)
    X = random.standard_normal((examples, *shape))
    teacher = net.init(TRIAL_SEED + 1, shape, "float64")
    Y = np.asarray(net(teacher, X))  # in the range of the outputs, whatever they are, as the cost wants targets

    def probe() -> float:
        marks: list[float] = []
        marking = [lambda _: marks.append(clock())]
        train(net, X, Y, trainer=trainer, epochs=TRIAL_EPOCHS, dtype=dtype, engine=engine, callbacks=marking)
        # Epochs of one compiled call are reported together, so the time of each is that of the calls after the first.
        return (marks[-1] - marks[0]) / max(1, len(marks) - 1)

    return probe
