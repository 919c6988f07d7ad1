"""Networks as scikit-learn estimators: `NetworkRegressor` and `NetworkClassifier`."""

from typing import TYPE_CHECKING

from deltarule.errors import ConfigurationError
from deltarule.lazy import names

try:
    import sklearn  # noqa: F401 - asked for here, so that its absence is one sentence
except ModuleNotFoundError as error:
    raise ConfigurationError(
        f"the estimators need the package {error.name!r}, which is not installed: run pip install 'deltarule[sklearn]'"
    ) from None

if TYPE_CHECKING:
    from deltarule.models.classifier import NetworkClassifier
    from deltarule.models.regressor import NetworkRegressor

__all__ = ["NetworkClassifier", "NetworkRegressor"]
__getattr__, __dir__ = names(__name__, {"NetworkClassifier": "classifier", "NetworkRegressor": "regressor"})
