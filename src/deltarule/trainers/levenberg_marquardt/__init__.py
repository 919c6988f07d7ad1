"""Levenberg-Marquardt: the damped step in three exact forms, the control of its damping, and the trainer."""

from deltarule.trainers.base import VERDICTS
from deltarule.trainers.levenberg_marquardt.trainer import LevenbergMarquardt

__all__ = ["VERDICTS", "LevenbergMarquardt"]
