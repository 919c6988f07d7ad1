"""What Levenberg-Marquardt needs of a network: Jv and J^T v, J^T J over blocks, and J J^T without J."""

from deltarule.curvature.gram import gram, gram_diagonal, gram_traces
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
from deltarule.curvature.normal import NormalEquations, equations_at, normal_equations

__all__ = [
    "Linearization",
    "NormalEquations",
    "equations_at",
    "errors_along",
    "gram",
    "gram_diagonal",
    "gram_traces",
    "jacobian_diagonal",
    "jacobian_product",
    "jacobian_transpose",
    "linearize",
    "normal_equations",
    "residual_acceleration",
    "residual_errors",
    "transpose_product",
]
