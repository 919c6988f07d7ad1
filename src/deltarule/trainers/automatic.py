"""Which trainer "auto" takes for a regression, on the command line and in an estimator: one rule for both.

Levenberg-Marquardt is ahead of Adam wherever its exact steps are cheap, and with Bayesian regularisation it chooses its
penalties itself. The rule counts the operations of an epoch of Bayesian regularisation, the dearest of the exact
trainers; it does not look at the machine's speed, so that the same table gets the same trainer everywhere.
"""

from typing import TYPE_CHECKING

from deltarule.trainers.bayesian import BayesianRegularization
from deltarule.trainers.form import choose_form

if TYPE_CHECKING:
    from deltarule.network.network import Network

CHEAP_FLOPS = 1e10  # of an epoch that takes about a third of a second on one core; past it Adam is sooner done


def exact_steps_are_cheap(net: "Network", shape: tuple[int, ...]) -> bool:
    """Whether an epoch on inputs of this shape, (N, n_1), costs at most `CHEAP_FLOPS` and fits half of the memory."""
    sizes, count = net.sizes(shape[1:]), shape[0]
    form = choose_form(sizes, count)
    return form != "cg" and BayesianRegularization(solver=form).epoch_flops(sizes, count) <= CHEAP_FLOPS
