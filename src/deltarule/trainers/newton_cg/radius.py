"""The control of Newton-CG: which steps are taken, and how the trust region's radius follows the gain ratio.

rho = (F(p) - F(p + s)) / (m(0) - m(s)) compares what a step brought with what the quadratic model promised. A model
that promised four times too much shrinks the region to a quarter of the step; one that was right, while the region was
in its way, doubles it (Nocedal & Wright, algorithm 4.1).
"""

from math import inf, isfinite, nan

from deltarule.trainers.newton_cg.steihaug import BOUNDARY

SMALLEST_GAIN = 1e-4


def judge(old: float, new: float, promised: float) -> tuple[float, bool]:
    """rho and whether the step is taken: it must go downhill, by more than a ten-thousandth of what was promised."""
    rho = (old - new) / promised if promised else inf if new < old else nan
    return rho, new < old and rho > SMALLEST_GAIN and isfinite(promised)


def update(radius: float, rho: float, step_norm: float, ending: int, largest: float) -> float:
    """The radius after a trial."""
    if not rho >= 1 / 4:
        return (min(step_norm, radius) if isfinite(step_norm) else radius) / 4
    return min(2 * radius, largest) if rho > 3 / 4 and ending >= BOUNDARY else radius
