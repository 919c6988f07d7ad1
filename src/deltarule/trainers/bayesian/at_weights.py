"""Error bars for a network that was trained elsewhere: the posterior around its given weights.

J^T J or the Gram matrix, and ‖r‖², are computed once at these weights. Then alpha and beta are updated as in a training
until they no longer change [MK]:

    gamma_g = n_g - tr_g H~^-1 (BR3),  alpha_g = (gamma_g + 2a) / (‖p_g‖² + 2a/mean),  beta = (m k - gamma) / ‖r‖²

The Gaussian (BR5) assumes that the weights are a minimum of S. If they are not, because training was stopped early or
used other examples, the larger residuals raise the noise estimate and widen the intervals.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule import trees
from deltarule.errors import ConfigurationError
from deltarule.network.examples import checked_rows, require_finite
from deltarule.network.missing_targets import mask_missing_targets
from deltarule.objective import Objective
from deltarule.trainers.bayesian import hyperparameters
from deltarule.trainers.bayesian.ensemble import BayesianEnsemble
from deltarule.trainers.bayesian.evidence import EVIDENCE, POINTS, residual_count
from deltarule.trainers.bayesian.posterior import laplace_posterior
from deltarule.trainers.bayesian.trainer import BayesianRegularization, has_gaussian_noise

if TYPE_CHECKING:
    from deltarule.network.backprop import Params
    from deltarule.network.network import Network

MOST, TOLERANCE = 200, 1e-4  # updates, and the relative change of alpha and beta at which they end


def posterior_at(net: "Network", params: "Params", X: Any, Y: Any, weights: Any = None) -> BayesianEnsemble:
    """Return the ensemble of one member at `params`, with the alpha and beta of largest evidence there.

    Args:
        net: dense layers, linear outputs, the quadratic cost.
        params: its parameters.
        X: inputs (N, n_1) in the units of the network.
        Y: targets (N, k) in the units of the network.
        weights: of the examples, (N,).

    Raises:
        ConfigurationError: the network has no Gaussian noise, or is too large for a posterior.
        DataError, ShapeError: the examples do not fit.
    """
    trainer = BayesianRegularization()
    if not has_gaussian_noise(net):
        raise ConfigurationError(
            f"the network has the output {net.output_activation.name!r} and the cost {net.cost!r}, and error bars need "
            "the Gaussian noise of a linear output with the quadratic cost: train such a network."
        )
    trainer.check(net, len(X))
    p = trees.map_leaves(lambda array: np.asarray(array, np.float64), params)
    X = require_finite("X", X, np.dtype("float64"))
    net = mask_missing_targets(net, Y)
    rows = checked_rows(net, p, "X", X, Y, weights)
    form, block = trainer.plan(net, rows)
    F = Objective(net, rows, block)
    with trainer.thread_limits(net.sizes(rows.x.shape[1:]), len(X)):
        point = F.call(POINTS[form], p)
        hyper = hyperparameters.initial(p)
        for _ in range(MOST):
            before = hyper
            evidence = F.call(_evidence, p, point, before, form=form)
            hyper = hyperparameters.update(before, p, evidence.gamma, residual_count(F), point.square)
            if _change(before, hyper) < TOLERANCE:
                break
        evidence = F.call(_evidence, p, point, hyper, form=form)
        gamma = hyperparameters.total(evidence.gamma)
        posterior = F.call(laplace_posterior, p, hyper, gamma, form=form)
    if not np.isfinite(posterior.factor).all():
        raise ConfigurationError(
            "the curvature at these weights is not finite, as for the merged network of an ensemble, so there are no "
            "error bars: use those that the ensemble's model file holds."
        )
    examples = float(net.cost.target_weight(rows.y, rows.mask).mean())
    return BayesianEnsemble(
        (net,), (posterior,), np.ones(1), np.array([float(evidence.log_evidence)]), np.array([float(gamma)]), examples
    )


def _evidence(F: Objective, p: "Params", point: Any, hyper: Any, *, form: str) -> Any:
    return EVIDENCE[form](F, p, point, hyper)


def _change(before: Any, after: Any) -> float:
    """The largest relative change of alpha and beta."""
    old, new = (np.append(hyperparameters.flatten(each.alpha), each.beta) for each in (before, after))
    return float(np.abs(np.log(new / old)).max())
