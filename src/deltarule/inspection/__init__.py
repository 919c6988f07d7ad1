"""Inspect a network: the gradient check here, figures in `plots`, the HTML report in `report`."""

from deltarule.inspection.gradient_check import GradientCheck, check_gradient, check_gradient_by_layer

__all__ = ["GradientCheck", "check_gradient", "check_gradient_by_layer"]
