"""Looking into a network: whether its gradient is right, and, in `plots`, how it learns and what it does."""

from deltarule.inspection.gradient_check import GradientCheck, check_gradient, check_gradient_by_layer

__all__ = ["GradientCheck", "check_gradient", "check_gradient_by_layer"]
