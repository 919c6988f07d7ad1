"""Error bars for a network that was trained elsewhere: the posterior around its weights as they are.

The weights stay. What the examples say at them is measured once, J^T J or its Gram matrix and ‖r‖², and alpha and beta
are updated as in a training, each from gamma under the other, until they no longer change [MK]:

    gamma_g = n_g - tr_g H~^-1 (BR3),  alpha_g = (gamma_g + 2a) / (‖p_g‖² + 2a/mean),  beta = (m k - gamma) / ‖r‖²

The Gaussian around the weights, (BR5), takes them for a minimum of S. Where they are far from one, because training was
stopped early or the examples are others, the noise grows by what is left of the residuals, and the intervals with it.
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

MOST, SETTLED = 200, 1e-4  # updates; the largest relative change of alpha and beta that ends them


def posterior_at(net: "Network", params: "Params", X: Any, Y: Any, weights: Any = None) -> BayesianEnsemble:
    """The ensemble of one member at `params`, with the alpha and beta that the examples choose there.

    Args:
        net: dense layers, linear outputs, the quadratic cost.
        params: its parameters, float64.
        X: inputs (N, n_1) as the network reads them.
        Y: targets (N, k) likewise.
        weights: of the examples, (N,).

    Raises:
        ConfigurationError: the network has no Gaussian noise, or is too large for a posterior.
        DataError, ShapeError: the examples do not fit.
    """
    trainer = BayesianRegularization()
    if not has_gaussian_noise(net):
        raise ConfigurationError(
            "error bars need a linear output layer and the quadratic cost (1/2)‖y - a‖², for their noise is Gaussian: "
            "this network has another output or cost."
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
            here = F.call(_evidence, p, point, before, form=form)
            hyper = hyperparameters.update(before, p, here.gamma, residual_count(F), point.square)
            if _change(before, hyper) < SETTLED:
                break
        here = F.call(_evidence, p, point, hyper, form=form)
        gamma = hyperparameters.total(here.gamma)
        known = F.call(laplace_posterior, p, hyper, gamma, form=form)
    if not np.isfinite(known.factor).all():
        raise ConfigurationError(
            "no error bars can be found around these weights: the network has values that pass through neurons nearly "
            "unchanged, as one that deltarule averaged from several; such a model has error bars of its own."
        )
    examples = float(net.cost.target_weight(rows.y, rows.mask).mean())
    return BayesianEnsemble(
        (net,), (known,), np.ones(1), np.array([float(here.log_evidence)]), np.array([float(gamma)]), examples
    )


def _evidence(F: Objective, p: "Params", point: Any, hyper: Any, *, form: str) -> Any:
    return EVIDENCE[form](F, p, point, hyper)


def _change(before: Any, after: Any) -> float:
    """The largest relative change of alpha and beta."""
    old, new = (np.append(hyperparameters.flatten(each.alpha), each.beta) for each in (before, after))
    return float(np.abs(np.log(new / old)).max())
