"""deltarule: feed-forward networks by hand-written backpropagation, from the four equations to Levenberg-Marquardt."""

from typing import TYPE_CHECKING

from deltarule.lazy import lazy_names

if TYPE_CHECKING:
    from deltarule.equations import Equation as Equation
    from deltarule.equations import Solution as Solution
    from deltarule.equations import solve as solve
    from deltarule.errors import CheckpointError as CheckpointError
    from deltarule.errors import CheckpointWarning as CheckpointWarning
    from deltarule.errors import ConfigurationError as ConfigurationError
    from deltarule.errors import DataError as DataError
    from deltarule.errors import DeltaruleError as DeltaruleError
    from deltarule.errors import EngineWarning as EngineWarning
    from deltarule.errors import ModelFileError as ModelFileError
    from deltarule.errors import ProcessError as ProcessError
    from deltarule.errors import ShapeError as ShapeError
    from deltarule.errors import TooLargeError as TooLargeError
    from deltarule.errors import UnstableError as UnstableError
    from deltarule.export import export_model as export_model
    from deltarule.files.model_file import load as load
    from deltarule.files.model_file import save as save
    from deltarule.imports import from_matlab as from_matlab
    from deltarule.imports import from_sklearn as from_sklearn
    from deltarule.imports import from_torch as from_torch
    from deltarule.inspection import check_gradient as check_gradient
    from deltarule.models import Model as Model
    from deltarule.models import NARXRegressor as NARXRegressor
    from deltarule.models import NetworkClassifier as NetworkClassifier
    from deltarule.models import NetworkRegressor as NetworkRegressor
    from deltarule.models import fit_table as fit_table
    from deltarule.models import load_model as load_model
    from deltarule.network.activation import Activation as Activation
    from deltarule.network.activations import add_activation as add_activation
    from deltarule.network.costs import CrossEntropy as CrossEntropy
    from deltarule.network.costs import Huber as Huber
    from deltarule.network.costs import LogLikelihood as LogLikelihood
    from deltarule.network.costs import Poisson as Poisson
    from deltarule.network.costs import Quadratic as Quadratic
    from deltarule.network.layers import GRU as GRU
    from deltarule.network.layers import LSTM as LSTM
    from deltarule.network.layers import Convolution as Convolution
    from deltarule.network.layers import Dense as Dense
    from deltarule.network.layers import Dropout as Dropout
    from deltarule.network.layers import Flatten as Flatten
    from deltarule.network.layers import L2Pool as L2Pool
    from deltarule.network.layers import MaxPool as MaxPool
    from deltarule.network.layers import MeanPool as MeanPool
    from deltarule.network.layers import Recurrent as Recurrent
    from deltarule.network.layers import Reshape as Reshape
    from deltarule.network.network import Network as Network
    from deltarule.play.watch import Watch as Watch
    from deltarule.trainers import BayesianEnsemble as BayesianEnsemble
    from deltarule.trainers import BayesianRegularization as BayesianRegularization
    from deltarule.trainers import GradientDescent as GradientDescent
    from deltarule.trainers import LevenbergMarquardt as LevenbergMarquardt
    from deltarule.trainers import NewtonCG as NewtonCG
    from deltarule.trainers import NoImprovement as NoImprovement
    from deltarule.trainers.lbfgs import LBFGS as LBFGS
    from deltarule.trainers.stopping import Stopping as Stopping
    from deltarule.training.session import TrainingResult as TrainingResult
    from deltarule.training.streaming.training import train_stream as train_stream
    from deltarule.training.train import train as train
    from deltarule.tuning import Range as Range
    from deltarule.tuning import search as search

__version__ = "0.1.0"

__all__, __getattr__, __dir__ = lazy_names(__name__)
