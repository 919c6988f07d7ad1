"""The rule by which "auto" chooses a trainer for a regression, on the command line and in an estimator.

Where exact second-order steps are cheap they beat Adam, and Bayesian regularisation chooses its penalties by itself.
The rule counts operations and not seconds, so that a table gets the same trainer on every machine.
"""

from typing import TYPE_CHECKING

from deltarule.trainers.bayesian import BayesianRegularization
from deltarule.trainers.form import choose_form

if TYPE_CHECKING:
    from deltarule.network.network import Network

CHEAP_FLOPS = 1e10  # about a third of a second on one core; beyond it Adam is faster


def exact_steps_are_cheap(net: "Network", shape: tuple[int, ...]) -> bool:
    """Whether an epoch of `BayesianRegularization` on inputs of this shape, (N, n_1), is cheap and fits the memory."""
    sizes, count = net.sizes(shape[1:]), shape[0]
    form = choose_form(sizes, count)
    return form != "cg" and BayesianRegularization(solver=form).epoch_flops(sizes, count) <= CHEAP_FLOPS
