"""The search for hyper-parameters: a space, a way through it, and the trainings that are given up early."""

from deltarule.tuning.space import Range, Space, grid, sample
from deltarule.tuning.study import SearchResult, search
from deltarule.tuning.trial import Trial

__all__ = ["Range", "SearchResult", "Space", "Trial", "grid", "sample", "search"]
