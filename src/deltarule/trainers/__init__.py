"""The trainers: gradient descent, L-BFGS, Levenberg-Marquardt, Newton-CG and Bayesian regularisation."""

from typing import TYPE_CHECKING

from deltarule.lazy import lazy_names

if TYPE_CHECKING:
    from deltarule.trainers.base import Trainer as Trainer
    from deltarule.trainers.bayesian import BayesianEnsemble as BayesianEnsemble
    from deltarule.trainers.bayesian import BayesianRegularization as BayesianRegularization
    from deltarule.trainers.gradient_descent import GradientDescent as GradientDescent
    from deltarule.trainers.levenberg_marquardt import LevenbergMarquardt as LevenbergMarquardt
    from deltarule.trainers.newton_cg import NewtonCG as NewtonCG
    from deltarule.trainers.stopping import NoImprovement as NoImprovement

__all__, __getattr__, __dir__ = lazy_names(__name__)
