"""Checkpoints: what a training needs to go on after whatever ended it, bit for bit as if nothing had."""

from deltarule.training.checkpoints.keeper import Keeper, engine_to_resume, keeping
from deltarule.training.checkpoints.progress import Progress

__all__ = ["Keeper", "Progress", "engine_to_resume", "keeping"]
