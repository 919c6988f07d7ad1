"""deltarule: feed-forward networks by hand-written backpropagation, from the four equations to Levenberg-Marquardt."""

from typing import TYPE_CHECKING

from deltarule.lazy import names

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
    "BayesianEnsemble": "trainers.bayesian.ensemble",
    "BayesianRegularization": "trainers.bayesian.trainer",
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
    "GradientDescent": "trainers.gradient_descent",
    "L2Pool": "layers",
    "Huber": "costs",
    "LevenbergMarquardt": "trainers.levenberg_marquardt",
    "LogLikelihood": "costs",
    "MaxPool": "layers",
    "MeanPool": "layers",
    "ModelFileError": "errors",
    "Network": "network",
    "NetworkClassifier": "estimators.classifier",
    "NetworkRegressor": "estimators.regressor",
    "NewtonCG": "trainers.newton_cg",
    "NoImprovement": "trainers.no_improvement",
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
__getattr__, __dir__ = names(__name__, _HOMES)
