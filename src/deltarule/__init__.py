"""deltarule: feed-forward networks by hand-written backpropagation, from the four equations to Levenberg-Marquardt."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deltarule.activations import Activation, add_activation
    from deltarule.costs import CrossEntropy, Huber, LogLikelihood, Poisson, Quadratic
    from deltarule.errors import (
        CheckpointError,
        CheckpointWarning,
        ConfigurationError,
        DataError,
        DeltaruleError,
        EngineWarning,
        ModelFileError,
        ProcessError,
        ShapeError,
        TooLargeError,
    )
    from deltarule.estimators import NetworkClassifier, NetworkRegressor
    from deltarule.export import export_model
    from deltarule.inspection import check_gradient
    from deltarule.layers import Convolution, Dense, Dropout, Flatten, L2Pool, MaxPool, MeanPool, Reshape
    from deltarule.model_file import load, save
    from deltarule.network import Network
    from deltarule.session import TrainingResult
    from deltarule.stopping import Stopping
    from deltarule.streaming import train_stream
    from deltarule.trainers import (
        BayesianEnsemble,
        BayesianRegularization,
        GradientDescent,
        LevenbergMarquardt,
        NewtonCG,
        NoImprovement,
    )
    from deltarule.training import train
    from deltarule.tuning import Range, search

__version__ = "0.1.0"

# Where each public name lives. They are imported when first used, so that `deltarule --help` need not wait for JAX.
_HOMES = {
    "Activation": "activations",
    "BayesianEnsemble": "trainers",
    "BayesianRegularization": "trainers",
    "CheckpointError": "errors",
    "CheckpointWarning": "errors",
    "ConfigurationError": "errors",
    "Convolution": "layers",
    "CrossEntropy": "costs",
    "DataError": "errors",
    "DeltaruleError": "errors",
    "EngineWarning": "errors",
    "Dense": "layers",
    "Dropout": "layers",
    "Flatten": "layers",
    "GradientDescent": "trainers",
    "L2Pool": "layers",
    "LevenbergMarquardt": "trainers",
    "Huber": "costs",
    "LogLikelihood": "costs",
    "MaxPool": "layers",
    "MeanPool": "layers",
    "ModelFileError": "errors",
    "Network": "network",
    "NetworkClassifier": "estimators",
    "NetworkRegressor": "estimators",
    "NewtonCG": "trainers",
    "NoImprovement": "trainers",
    "Poisson": "costs",
    "ProcessError": "errors",
    "Quadratic": "costs",
    "Range": "tuning",
    "Reshape": "layers",
    "ShapeError": "errors",
    "Stopping": "stopping",
    "TooLargeError": "errors",
    "TrainingResult": "session",
    "add_activation": "activations",
    "check_gradient": "inspection",
    "export_model": "export",
    "load": "model_file",
    "save": "model_file",
    "search": "tuning",
    "train": "training",
    "train_stream": "streaming",
}
__all__ = [
    "Activation",
    "BayesianEnsemble",
    "BayesianRegularization",
    "CheckpointError",
    "CheckpointWarning",
    "ConfigurationError",
    "Convolution",
    "CrossEntropy",
    "DataError",
    "DeltaruleError",
    "Dense",
    "Dropout",
    "EngineWarning",
    "Flatten",
    "GradientDescent",
    "Huber",
    "L2Pool",
    "LevenbergMarquardt",
    "LogLikelihood",
    "MaxPool",
    "MeanPool",
    "ModelFileError",
    "Network",
    "NetworkClassifier",
    "NetworkRegressor",
    "NewtonCG",
    "NoImprovement",
    "Poisson",
    "ProcessError",
    "Quadratic",
    "Range",
    "Reshape",
    "ShapeError",
    "Stopping",
    "TooLargeError",
    "TrainingResult",
    "add_activation",
    "check_gradient",
    "export_model",
    "load",
    "save",
    "search",
    "train",
    "train_stream",
]


def __getattr__(name: str) -> Any:
    """Import a public name, or a module of the package, where it is first used (PEP 562)."""
    if name in _HOMES:
        value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        return value
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
