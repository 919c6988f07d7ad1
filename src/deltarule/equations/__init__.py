"""Differential equations instead of targets: networks trained on residuals of u and its derivatives by input."""

from deltarule.equations.equation import Equation
from deltarule.equations.solution import Solution
from deltarule.equations.solving import solve

__all__ = ["Equation", "Solution", "solve"]
