"""Newton-CG, the Hessian technique of [N] ch. 3: exact curvature, conjugate gradients, a trust region."""

from deltarule.trainers.newton_cg.steihaug import ENDINGS
from deltarule.trainers.newton_cg.trainer import NewtonCG

__all__ = ["ENDINGS", "NewtonCG"]
