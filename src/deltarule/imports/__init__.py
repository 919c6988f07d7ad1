"""Networks that other programs trained, read as models: MATLAB's, scikit-learn's, PyTorch's."""

from typing import TYPE_CHECKING

from deltarule.lazy import names

if TYPE_CHECKING:
    from deltarule.imports.matlab import from_matlab
    from deltarule.imports.pytorch import from_torch
    from deltarule.imports.scikit_learn import from_sklearn

_HOMES = {"from_matlab": "matlab", "from_sklearn": "scikit_learn", "from_torch": "pytorch"}
__all__ = ["from_matlab", "from_sklearn", "from_torch"]
__getattr__, __dir__ = names(__name__, _HOMES)
