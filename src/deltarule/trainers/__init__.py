"""The trainers: each is a direction and its control, as functions of an explicit state."""

from typing import TYPE_CHECKING

from deltarule.lazy import names

if TYPE_CHECKING:
    from deltarule.trainers.base import Trainer
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
    "Trainer",
]
_HOMES = {
    "BayesianEnsemble": "bayesian",
    "BayesianRegularization": "bayesian",
    "GradientDescent": "gradient_descent",
    "LevenbergMarquardt": "levenberg_marquardt",
    "NewtonCG": "newton_cg",
    "NoImprovement": "no_improvement",
    "Trainer": "base",
}
__getattr__, __dir__ = names(__name__, _HOMES)
