"""What the three forms of the damped quadratic model have in common.

With A the prior (l2 on weights, 0 on biases) and D = A + lambda I, every form solves

    (J^T J + D) s = -(J^T r + A p)                                                  (LM)

for the step s, and then, with the same factor, the geodesic correction [T&S]

    (J^T J + D) a = -(1/2) J^T d²r/dt²  along s.

The forms differ in what they factor: `primal` J^T J + D (n x n), `dual` J D^-1 J^T + I (m k x m k), `cg` nothing. Each
is a model of the objective at one point, made once, and a step for any damping.
"""

from typing import NamedTuple

from deltarule.arrays import Array
from deltarule.network.backprop import Params
from deltarule.trees import dot, norm, plus

LARGEST_CORRECTION = 0.375  # of the geodesic correction beside the step: 2‖a‖/‖s‖ <= 0.75 in [T&S]


class Step(NamedTuple):
    """A solution of the damped model: the step to take, s + a with a clipped, and what the model promises for s.

    predicted is the fall of the objective, (lambda ‖s‖² - g^T s)/2.
    """

    bent: Params
    predicted: Array


def correction_share(s_norm: Array, a_norm: Array) -> Array:
    """The share of the geodesic correction that is taken: it is clipped beside the step rather than refused."""
    xp = a_norm.__array_namespace__()
    return xp.minimum(1, LARGEST_CORRECTION * s_norm / xp.maximum(a_norm, xp.finfo(a_norm.dtype).tiny))


def bent(s: Params, a: Params, predicted: Array) -> Step:
    """The step that follows s + a."""
    return Step(plus(s, a, correction_share(norm(s), norm(a))), predicted)


def predicted_fall(gradient: Params, s: Params, lam: Array) -> Array:
    """(lambda ‖s‖² - g^T s)/2, what F falls by if the model holds; (LM) makes it F(p) - model(p + s)."""
    return 0.5 * (lam * dot(s, s) - dot(gradient, s))
