"""The trainers: each is a direction and its control, as pure functions of an explicit state."""

from deltarule.trainers.base import Record, Trainer
from deltarule.trainers.gradient_descent import GradientDescent
from deltarule.trainers.levenberg_marquardt import LevenbergMarquardt

__all__ = ["GradientDescent", "LevenbergMarquardt", "Record", "Trainer"]
