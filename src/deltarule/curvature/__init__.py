"""What Levenberg-Marquardt needs of a network: Jv and J^T v, J^T J over blocks, and J J^T without J."""

from deltarule.curvature.gram import gram, gram_traces
from deltarule.curvature.linearization import (
    Linearization,
    errors_along,
    jacobian_diagonal,
    jacobian_product,
    jacobian_transpose,
    linearize,
    residual_acceleration,
    residual_errors,
    transpose_product,
)
from deltarule.curvature.normal import NormalEquations, normal_equations, symmetric_product

__all__ = [
    "Linearization",
    "NormalEquations",
    "errors_along",
    "gram",
    "gram_traces",
    "jacobian_diagonal",
    "jacobian_product",
    "jacobian_transpose",
    "linearize",
    "normal_equations",
    "residual_acceleration",
    "residual_errors",
    "symmetric_product",
    "transpose_product",
]
