"""Trained models: from rows in any units to a scaled network with error bars and a verdict, in a file and back.

The way of a table through this package, when `fit_table` (`table`) or `deltarule train` trains on it:

1. `recipe`: what the user asks for, the registry of regularizers, and the problem: the data and their defaults.
2. `planning`: fills in the defaults of the named trainer (`trainers`), the cost (`noise_scale`) and the networks to try
   (`candidates`), and returns a `plan`.
3. `fitting`: trains the network, or one candidate after another, and calls the steps below.
4. `outcome`: averages the candidates (`stacked_regressors`, `stacked_classifiers`), calibrates probabilities
   (`calibration`) and makes the record.
5. `metrics` and `judging`, with `regression_verdict`: score and judge the network; they return a `verdict`.
6. `model`: the `Model` that predicts, with its plots (`plotting`) and its report (`card`); `load_model` reads its file.

The scikit-learn estimators `regressor` and `classifier` (over `base`) take steps 2 to 4 from arrays: `inputs` checks
them, `weighted_rows` merges duplicates and holds rows out, `scaling` standardises, `callbacks` reports progress.
`series` has the estimator of time series; `formatting` writes numbers and names in sentences.
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
    """Import a public name when it is first used; an estimator needs scikit-learn."""
    if name in ESTIMATORS and find_spec("sklearn") is None:
        raise ConfigurationError(
            f"the estimators need the package 'sklearn', which is not installed: {how_to_install('sklearn')}"
        )
    return _find(name)
