"""Read networks that MATLAB, scikit-learn or PyTorch trained as models."""

from typing import TYPE_CHECKING

from deltarule.lazy import lazy_names

if TYPE_CHECKING:
    from deltarule.imports.matlab import from_matlab as from_matlab
    from deltarule.imports.pytorch import from_torch as from_torch
    from deltarule.imports.scikit_learn import from_sklearn as from_sklearn

__all__, __getattr__, __dir__ = lazy_names(__name__)
