"""The trainers: each is a direction and its control, as pure functions of an explicit state."""

from deltarule.trainers.base import Record, Trainer
from deltarule.trainers.bayesian import BayesianEnsemble, BayesianRegularization
from deltarule.trainers.gradient_descent import GradientDescent
from deltarule.trainers.levenberg_marquardt import LevenbergMarquardt
from deltarule.trainers.newton_cg import NewtonCG
from deltarule.trainers.no_improvement import NoImprovement

__all__ = [
    "BayesianEnsemble",
    "BayesianRegularization",
    "GradientDescent",
    "LevenbergMarquardt",
    "NewtonCG",
    "NoImprovement",
    "Record",
    "Trainer",
]
