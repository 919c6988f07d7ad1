"""Whether a column varies by more than rounding."""

from typing import Any

import numpy as np

ROUNDING = 1e-14  # a spread this small beside the largest magnitude is rounding


def varies(std: Any, largest: Any) -> Any:
    """Whether columns of these standard deviations and largest magnitudes vary by more than rounding, elementwise."""
    return (std > ROUNDING * largest) & (largest >= np.finfo(np.float64).tiny)
