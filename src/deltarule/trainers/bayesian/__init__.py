"""Bayesian regularisation: hyper-parameters by evidence maximisation, and error bars from the posterior."""

from deltarule.trainers.bayesian.ensemble import BayesianEnsemble, Prediction
from deltarule.trainers.bayesian.posterior import Posterior
from deltarule.trainers.bayesian.trainer import BayesianRegularization

__all__ = ["BayesianEnsemble", "BayesianRegularization", "Posterior", "Prediction"]
