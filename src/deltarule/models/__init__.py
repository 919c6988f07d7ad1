"""Trained models: from rows in any units to a scaled network with error bars and a verdict, in a file and back.

`fit_table` and `load_model` give a `Model`; `NetworkRegressor`, `NetworkClassifier` and, for time series,
`NARXRegressor` are scikit-learn estimators.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from deltarule.errors import ConfigurationError, how_to_install
from deltarule.lazy import lazy_names

if TYPE_CHECKING:
    from deltarule.models.classifier import NetworkClassifier as NetworkClassifier
    from deltarule.models.model import Model as Model
    from deltarule.models.model import load_model as load_model
    from deltarule.models.regressor import NetworkRegressor as NetworkRegressor
    from deltarule.models.series.narx import NARXRegressor as NARXRegressor
    from deltarule.models.table import fit_table as fit_table

ESTIMATORS = ("NARXRegressor", "NetworkClassifier", "NetworkRegressor")
__all__, _find, __dir__ = lazy_names(__name__)


def __getattr__(name: str) -> Any:
    """The public names, imported when first used; the estimators only where scikit-learn is installed."""
    if name in ESTIMATORS and find_spec("sklearn") is None:
        raise ConfigurationError(
            f"the estimators need the package 'sklearn', which is not installed: {how_to_install('sklearn')}"
        )
    return _find(name)
