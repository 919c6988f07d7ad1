"""The search for hyper-parameters, with early stopping of hopeless trials."""

from deltarule.tuning.space import Range, Space, grid, sample
from deltarule.tuning.study import SearchResult, search
from deltarule.tuning.trial import Trial

__all__ = ["Range", "SearchResult", "Space", "Trial", "grid", "sample", "search"]
