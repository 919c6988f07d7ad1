"""deltarule: feed-forward networks by hand-written backpropagation, from the four equations to Levenberg-Marquardt."""

from typing import TYPE_CHECKING

from deltarule.lazy import names

if TYPE_CHECKING:
    from deltarule.equations import Equation, Solution, solve
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
        UnstableError,
    )
    from deltarule.export import export_model
    from deltarule.files.model_file import load, save
    from deltarule.imports import from_matlab, from_sklearn, from_torch
    from deltarule.inspection import check_gradient
    from deltarule.models import Model, NARXRegressor, NetworkClassifier, NetworkRegressor, fit_table, load_model
    from deltarule.network.activation import Activation
    from deltarule.network.activations import add_activation
    from deltarule.network.costs import CrossEntropy, Huber, LogLikelihood, Poisson, Quadratic
    from deltarule.network.layers import (
        GRU,
        LSTM,
        Convolution,
        Dense,
        Dropout,
        Flatten,
        L2Pool,
        MaxPool,
        MeanPool,
        Recurrent,
        Reshape,
    )
    from deltarule.network.network import Network
    from deltarule.play.watch import Watch
    from deltarule.trainers import (
        BayesianEnsemble,
        BayesianRegularization,
        GradientDescent,
        LevenbergMarquardt,
        NewtonCG,
        NoImprovement,
    )
    from deltarule.trainers.stopping import Stopping
    from deltarule.training.session import TrainingResult
    from deltarule.training.streaming.training import train_stream
    from deltarule.training.train import train
    from deltarule.tuning import Range, search

__version__ = "0.1.0"

# Where each public name lives. They are imported when first used, so that `deltarule --help` need not wait for JAX.
_HOMES = {
    "Activation": "network.activation",
    "BayesianEnsemble": "trainers.bayesian.ensemble",
    "BayesianRegularization": "trainers.bayesian.trainer",
    "CheckpointError": "errors",
    "CheckpointWarning": "errors",
    "ConfigurationError": "errors",
    "Convolution": "network.layers",
    "CrossEntropy": "network.costs",
    "DataError": "errors",
    "DeltaruleError": "errors",
    "EngineWarning": "errors",
    "Equation": "equations",
    "Dense": "network.layers",
    "Dropout": "network.layers",
    "Flatten": "network.layers",
    "GRU": "network.layers",
    "GradientDescent": "trainers.gradient_descent",
    "L2Pool": "network.layers",
    "LBFGS": "trainers.lbfgs",
    "Huber": "network.costs",
    "LSTM": "network.layers",
    "LevenbergMarquardt": "trainers.levenberg_marquardt",
    "LogLikelihood": "network.costs",
    "MaxPool": "network.layers",
    "MeanPool": "network.layers",
    "Model": "models",
    "ModelFileError": "errors",
    "Network": "network.network",
    "NetworkClassifier": "models",
    "NARXRegressor": "models",
    "NetworkRegressor": "models",
    "NewtonCG": "trainers.newton_cg",
    "NoImprovement": "trainers.no_improvement",
    "Poisson": "network.costs",
    "ProcessError": "errors",
    "Quadratic": "network.costs",
    "Range": "tuning",
    "Recurrent": "network.layers",
    "Reshape": "network.layers",
    "ShapeError": "errors",
    "Solution": "equations",
    "Stopping": "trainers.stopping",
    "TooLargeError": "errors",
    "UnstableError": "errors",
    "TrainingResult": "training.session",
    "Watch": "play.watch",
    "add_activation": "network.activations",
    "check_gradient": "inspection",
    "export_model": "export",
    "from_matlab": "imports",
    "from_sklearn": "imports",
    "from_torch": "imports",
    "fit_table": "models",
    "load": "files.model_file",
    "load_model": "models",
    "save": "files.model_file",
    "search": "tuning",
    "solve": "equations",
    "train": "training.train",
    "train_stream": "training.streaming.training",
}
__all__ = [
    "GRU",
    "LBFGS",
    "LSTM",
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
    "Equation",
    "Flatten",
    "GradientDescent",
    "Huber",
    "L2Pool",
    "LevenbergMarquardt",
    "LogLikelihood",
    "MaxPool",
    "MeanPool",
    "Model",
    "ModelFileError",
    "NARXRegressor",
    "Network",
    "NetworkClassifier",
    "NetworkRegressor",
    "NewtonCG",
    "NoImprovement",
    "Poisson",
    "ProcessError",
    "Quadratic",
    "Range",
    "Recurrent",
    "Reshape",
    "ShapeError",
    "Solution",
    "Stopping",
    "TooLargeError",
    "TrainingResult",
    "UnstableError",
    "Watch",
    "add_activation",
    "check_gradient",
    "export_model",
    "fit_table",
    "from_matlab",
    "from_sklearn",
    "from_torch",
    "load",
    "load_model",
    "save",
    "search",
    "solve",
    "train",
    "train_stream",
]
__getattr__, __dir__ = names(__name__, _HOMES)
