"""Which engine a training takes: a model of the seconds that each would need, by shapes and settings alone.

The same call so takes the same engine wherever it runs, and gives the same bits; "auto" does not look at the machine.

    steps on batches    NumPy: CALL_NUMPY for each layer, or each step of its sequences, CALL_RULE more with Adam, and
                        6 m p operations at RATE
                        JAX: COMPILING once, then CALL_JAX a step, and 6 m p operations at RATE
    second-order steps  NumPy: a factorisation is LAPACK's on both engines, and compiling it buys nothing on a CPU;
                        CALL_STEP, the operations that the trainer counts at RATE_LAPACK, and J once through the memory

with m the examples of a step and p the multiplications by weights of one example's forward pass: a forward pass, the
errors and the gradients take 2 m p operations each. The constants are those of one core, measured on the networks of
docs/benchmarks.md. A training that only JAX can do (devices, a rule of Optax) takes JAX.
"""

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from deltarule.checks import require_choice
from deltarule.engine import ENGINES, jax_is_installed
from deltarule.errors import ConfigurationError, EngineWarning, how_to_install

if TYPE_CHECKING:
    from deltarule.network.network import Network

CALL_NUMPY, CALL_RULE, CALL_JAX = 1.6e-5, 3e-5, 1e-6  # seconds: of a layer and step, with Adam's more, and of a step
RATE, RATE_CONVOLUTION = 5e10, 2.2e10  # operations a second: BLAS's, XLA's too, and of NumPy's convolution
CALL_STEP, RATE_LAPACK, RATE_JACOBIAN = 2e-3, 3e10, 2.5e8  # seconds an epoch; operations and entries of J a second
COMPILING = 4.0  # seconds to import JAX and compile one training
MISSED = 2.0  # how many times as fast JAX must be for its absence to be worth a word


class Estimate(NamedTuple):
    """Seconds of a training on each engine, all its epochs run, and the one to take."""

    numpy: float
    jax: float
    engine: str

    def on(self, engine: str) -> float:
        """Those of the engine of that name; exact steps take as long on both."""
        return self.numpy if engine == "numpy" or self.jax == float("inf") else self.jax


def choose_engine(engine: str, net: "Network", trainer: Any, shape: tuple[int, ...], epochs: int, devices: Any) -> str:
    """The name of the engine: the one that was asked for, or for "auto" the one of `estimate`, for inputs of this
    shape, (N, ...), and at most so many epochs over all starts. A ConfigurationError if the name is not known, or the
    NumPy engine cannot do what is asked for.
    """
    require_choice("engine", engine, ("auto", *ENGINES))
    needed = needs_jax(trainer, devices)
    if engine == "numpy" and needed is not None:
        raise ConfigurationError(f"engine is 'numpy', and {needed} JAX's: leave engine out, or leave that out.")
    if engine != "auto":
        return engine
    if needed is not None:
        return "jax"
    if not trainer.compiles_epochs:
        return "numpy"
    found = estimate(net, trainer, shape, epochs)
    if found.engine == "jax" and not jax_is_installed():
        if found.numpy > MISSED * found.jax:
            warnings.warn(
                f"this training may take {found.numpy:.0f} s by NumPy and {found.jax:.0f} s by JAX, which is not "
                f"installed: {how_to_install('jax')}.",
                EngineWarning,
                stacklevel=3,
            )
        return "numpy"
    return found.engine


def needs_jax(trainer: Any, devices: Any) -> str | None:
    """What of a training only JAX can do, in words, or None."""
    if devices is not None:
        return "devices are"
    return trainer.needs_jax()


def estimate(net: "Network", trainer: Any, shape: tuple[int, ...], epochs: int) -> Estimate:
    """What each engine would need."""
    count = shape[0]
    if not trainer.compiles_epochs:
        return Estimate(epochs * _exact_epoch(net, trainer, shape), float("inf"), "numpy")
    m = min(trainer.batch_size or count, count)
    steps = epochs * (trainer.steps or -(-count // m))
    numpy, jax = 0.0, CALL_JAX
    call = CALL_NUMPY if trainer.memory_copies == 1 else CALL_NUMPY + CALL_RULE
    for layer, below in zip(net.layers, net.shapes(shape[1:])[:-1], strict=True):
        operations, calls = 6.0 * m * layer.multiplications(below), layer.sequential_calls(below)
        if not operations:
            numpy += CALL_NUMPY
            continue
        jax += (calls - 1) * CALL_JAX
        numpy += call * calls + operations / (RATE if len(below) == 1 else RATE_CONVOLUTION)
        jax += operations / RATE
    numpy, jax = steps * numpy, COMPILING + steps * jax
    return Estimate(numpy, jax, "jax" if jax < numpy else "numpy")


def _exact_epoch(net: "Network", trainer: Any, shape: tuple[int, ...]) -> float:
    """Seconds of an epoch of a trainer with curvature; 0 of one that does not count its operations."""
    sizes = net.sizes(shape[1:])
    operations = trainer.epoch_flops(sizes, shape[0])
    if not operations:
        return 0.0
    entries = float(shape[0]) * sizes.outputs * sizes.parameters
    return CALL_STEP + operations / RATE_LAPACK + entries / RATE_JACOBIAN
