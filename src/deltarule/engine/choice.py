"""Which engine a training uses: "auto" estimates the seconds that each needs, from shapes and settings alone.

It does not look at the machine, so the same call uses the same engine everywhere and gives the same bits.

    steps on batches    NumPy: CALL_NUMPY for each layer and step of its sequences, CALL_RULE more with Adam, and
                        6 m p operations at RATE
                        JAX: COMPILING once, then CALL_JAX a step, and 6 m p operations at RATE
    second-order steps  NumPy, because both engines factor by LAPACK and compiling that gains nothing on a CPU:
                        CALL_STEP, the operations that the trainer counts at RATE_LAPACK, and J once through the memory

m is the examples of a step and p the multiplications by weights in the forward pass of one example; a forward pass, the
errors and the gradients take 2 m p operations each. The constants were measured on one core with the networks of
docs/benchmarks.md. A training that only JAX can do (several devices, a rule of Optax) uses JAX.
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
WORTH_WARNING = 2.0  # how many times as fast JAX must be for a warning that it is not installed


class Estimate(NamedTuple):
    """The seconds of a training of all its epochs on each engine, and the engine to use."""

    numpy: float
    jax: float
    engine: str

    def on(self, engine: str) -> float:
        """The seconds on the engine of that name; second-order steps take as long on both."""
        return self.numpy if engine == "numpy" or self.jax == float("inf") else self.jax


def choose_engine(engine: str, net: "Network", trainer: Any, shape: tuple[int, ...], epochs: int, devices: Any) -> str:
    """The name of the engine to use: `engine` itself, or the choice of `estimate` for "auto".

    `shape` is that of the inputs, (N, ...), and `epochs` the most over all starts. A ConfigurationError if the name is
    not known or the NumPy engine cannot do the training.
    """
    require_choice("engine", engine, ("auto", *ENGINES))
    needed = needs_jax(trainer, devices)
    if engine == "numpy" and needed is not None:
        raise ConfigurationError(f"engine is 'numpy', but {needed} only for JAX: leave one of the two out.")
    if engine != "auto":
        return engine
    if needed is not None:
        return "jax"
    if not trainer.compiles_epochs:
        return "numpy"
    seconds = estimate(net, trainer, shape, epochs)
    if seconds.engine == "jax" and not jax_is_installed():
        if seconds.numpy > WORTH_WARNING * seconds.jax:
            warnings.warn(
                f"this training may take {seconds.numpy:.0f} s by NumPy and {seconds.jax:.0f} s by JAX, which is not "
                f"installed: {how_to_install('jax')}.",
                EngineWarning,
                stacklevel=3,
            )
        return "numpy"
    return seconds.engine


def needs_jax(trainer: Any, devices: Any) -> str | None:
    """The part of a training that only JAX can do, as a subject and verb for a message, or None."""
    if devices is not None:
        return "devices are"
    return trainer.needs_jax()


def estimate(net: "Network", trainer: Any, shape: tuple[int, ...], epochs: int) -> Estimate:
    """Estimate the seconds of a training on each engine."""
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
    """Seconds of an epoch of a second-order trainer; 0 if the trainer does not count its operations."""
    sizes = net.sizes(shape[1:])
    operations = trainer.epoch_flops(sizes, shape[0])
    if not operations:
        return 0.0
    entries = float(shape[0]) * sizes.outputs * sizes.parameters
    return CALL_STEP + operations / RATE_LAPACK + entries / RATE_JACOBIAN
