"""How much the rows of each class weigh: scikit-learn's `class_weight`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from deltarule.checks import require_number
from deltarule.errors import ConfigurationError


def relative_weights(class_weight: Any, labels: np.ndarray, codes: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The factor of each class, (k,), such that the sum of all rows' weights stays what it is.

    Args:
        class_weight: "balanced", for which all classes weigh the same, or a dict.
        labels: the classes, (k,).
        codes: the number of each row's class, (N,).
        weight: of each row, (N,).

    >>> relative_weights("balanced", np.array(["no", "yes"]), np.array([0, 0, 0, 1]), np.ones(4)).round(3).tolist()
    [0.667, 2.0]
    """
    total = np.bincount(codes, weight, minlength=len(labels))
    balanced = isinstance(class_weight, str) and class_weight == "balanced"
    factor = 1 / np.where(total > 0, total, 1.0) if balanced else given_weights(class_weight, labels)
    return factor * (total.sum() / (factor @ total))


def given_weights(class_weight: Any, labels: np.ndarray) -> np.ndarray:
    """The weight of each class in a dict, (k,), 1 for those that it lacks.

    Raises:
        ConfigurationError: it is no dict, holds a class that there is not, or a weight that is not above 0.
    """
    if not isinstance(class_weight, Mapping):
        raise ConfigurationError(
            f"class_weight is {class_weight!r}: give None, a dict of weights by class, or, for fit, 'balanced'."
        )
    known = labels.tolist()
    for label, value in class_weight.items():
        if label not in known:
            raise ConfigurationError(f"class_weight holds {label!r}, which is none of the classes {known}: correct it.")
        require_number(f"class_weight[{label!r}]", value, above=0)
    return np.array([class_weight.get(label, 1.0) for label in known], np.float64)
