"""deltarule: feed-forward networks by hand-written backpropagation, from the four equations to Levenberg-Marquardt."""

from deltarule.costs import CrossEntropy, LogLikelihood, Quadratic
from deltarule.inspection import check_gradient
from deltarule.layers import Dense
from deltarule.model_file import load, save
from deltarule.network import Network
from deltarule.stopping import Stopping
from deltarule.trainers import GradientDescent, LevenbergMarquardt
from deltarule.training import TrainingResult, train

__version__ = "0.1.0"

__all__ = [
    "CrossEntropy",
    "Dense",
    "GradientDescent",
    "LevenbergMarquardt",
    "LogLikelihood",
    "Network",
    "Quadratic",
    "Stopping",
    "TrainingResult",
    "check_gradient",
    "load",
    "save",
    "train",
]
