"""Levenberg-Marquardt: the direction in three exact forms, its control, and the trainer that joins them."""

from deltarule.trainers.base import VERDICTS
from deltarule.trainers.levenberg_marquardt.trainer import LevenbergMarquardt

__all__ = ["VERDICTS", "LevenbergMarquardt"]
