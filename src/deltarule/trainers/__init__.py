"""The trainers: each is a direction and its control, as pure functions of an explicit state."""

from deltarule.trainers.base import Record, Trainer
from deltarule.trainers.gradient_descent import GradientDescent

__all__ = ["GradientDescent", "Record", "Trainer"]
