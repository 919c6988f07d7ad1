"""Bayesian regularisation: Levenberg-Marquardt steps on a penalised cost whose penalties the data themselves choose."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from deltarule.backprop import Params
from deltarule.curvature.blocks import examples_at_once
from deltarule.domain import require_choice, require_count, require_number
from deltarule.errors import ConfigurationError
from deltarule.initializers import DEFAULT_INITIALIZERS
from deltarule.layers import Dense
from deltarule.pytrees import register
from deltarule.rows import Rows, block_size
from deltarule.stopping import stop_code
from deltarule.threads import threads_for_order
from deltarule.trainers.base import Record, require_derivatives
from deltarule.trainers.bayesian import hyperparameters
from deltarule.trainers.bayesian.evidence import Point, dual_point, objective, primal_point, square_error
from deltarule.trainers.bayesian.hyperparameters import Hyperparameters
from deltarule.trainers.levenberg_marquardt.form import available_memory, choose_form, gram_width
from deltarule.trainers.levenberg_marquardt.model import plus
from deltarule.trainers.levenberg_marquardt.refit import can_refit

if TYPE_CHECKING:
    from deltarule.network import Network

TRIALS = 12  # the most dampings tried in one epoch
SMALLEST_MU, LARGEST_MU = 1e-12, 1e10
NEARLY_LINEAR = 0.3  # what the weights of every second start are multiplied by


class BayesianState(NamedTuple):
    """The parameters, the hyper-parameters, the damping, and the epochs since the best evidence."""

    params: Params
    hyper: Hyperparameters
    mu: Array
    since_best: Array


@dataclass(frozen=True)
class BayesianRegularization:
    """Minimise S = (beta/2) ‖r‖² + (1/2) p^T A p while alpha (the diagonal of A) and beta maximise the evidence [MK].

    One epoch measures the evidence and gamma where it stands, updates alpha and beta (`hyperparameters.update`) and
    takes one accepted Levenberg-Marquardt step on S. On noisy data the evidence rises, has a maximum and falls while
    the network goes on to learn the noise; so the parameters of the largest evidence are kept, and training stops with
    "evidence" after `max_fail` epochs without a larger one. No data are held out, and validation data are refused.

    The history has "log_evidence", "gamma", "beta", "alpha" (one a group, see `hyperparameters.flat`), "mu", and
    "cost" without the penalty, all at the start of the epoch. Of `restarts` every second start is nearly linear
    (weights times 0.3): noisy or linear data prefer these, and the evidence tells.

    Inputs and targets are taken as standardised (mean 0, variance 1), and the output layer as linear with the quadratic
    cost. `BayesianEnsemble` turns what is found into error bars.

    Args:
        solver: "auto", or the form of the step: "primal" (n x n) or "dual" (m k x m k).
        max_fail: the epochs without a larger evidence that end the training.
        damping: the first mu, beside 1 of the whitened prior.

    Raises:
        ConfigurationError: a value outside its range.

    Source: [MK], [F&H]; docs/bayesian-regularization.md derives it and has the measurements.
    """

    solver: str = "auto"
    max_fail: int = 10
    damping: float = 1.0

    dtype: ClassVar[str] = "float64"
    initializers: ClassVar[dict[str, str]] = DEFAULT_INITIALIZERS | {"tanh": "nguyen-widrow"}
    learning_rate_name: ClassVar[str | None] = None
    cost_before_step: ClassVar[bool] = True
    judged_by: ClassVar[str | None] = "log_evidence"

    def __post_init__(self):
        """Check every number where it is given."""
        require_choice("solver", self.solver, ("auto", "primal", "dual"))
        object.__setattr__(self, "max_fail", require_count("max_fail", self.max_fail))
        object.__setattr__(self, "damping", require_number("damping", self.damping, above=0))

    def check(self, net: "Network", count: int) -> None:
        """The evidence is that of Gaussian noise around linear outputs; dense layers only; matrices that fit."""
        require_derivatives(net)
        if not can_refit(net) or net.cost.scale != 0.5:  # pyright: ignore[reportAttributeAccessIssue]
            raise ConfigurationError(
                "Bayesian regularisation needs a linear output layer and the quadratic cost (1/2)‖y - a‖², for its "
                "noise is Gaussian: use another regularisation for this network."
            )
        for i, layer in enumerate(net.layers):
            if not isinstance(layer, Dense):
                raise ConfigurationError(
                    f"layer {i} is {layer!r}, and Bayesian regularisation knows dense layers only: use l2 instead."
                )

    def form(self, net: "Network", params: Params, examples: int) -> str:
        """Which matrix is factored: "primal" or "dual", the smaller one.

        Raises:
            ConfigurationError: neither fits the memory.
        """
        if self.solver != "auto":
            return self.solver
        n = sum(p.size for p in jax.tree.leaves(params))
        form = choose_form(n, examples, net.outputs, gram_width(params), available_memory())
        if form == "cg":
            raise ConfigurationError(
                f"Bayesian regularisation of {n:,} parameters on {examples:,} examples factors a matrix of order "
                f"{min(n, examples * net.outputs):,}, which is too large: use l2 or early stopping."
            )
        return form

    def surroundings(self, net: "Network", params: Params, count: int) -> AbstractContextManager:
        """One thread for LAPACK where the matrix to factor is small."""
        n = sum(p.size for p in jax.tree.leaves(params))
        return threads_for_order({"primal": n, "dual": count * net.outputs}[self.form(net, params, count)])

    def diversify(self, starts: list[Params]) -> list[Params]:
        """Every second start nearly linear."""
        return [
            [{"W": NEARLY_LINEAR * layer["W"], "b": layer["b"]} for layer in start] if i % 2 else start
            for i, start in enumerate(starts)
        ]

    def init(self, net: "Network", params: Params, rows: Rows) -> BayesianState:
        """The first hyper-parameters, from how the parameters were drawn."""
        mu = jnp.asarray(self.damping, rows.x.dtype)
        return BayesianState(params, hyperparameters.initial(params), mu, jnp.zeros((), jnp.int32))

    def epoch(self, net: "Network", state: BayesianState, rows: Rows, key: Array) -> tuple[BayesianState, Record]:
        """The evidence here, its update of alpha and beta, and one accepted step under them."""
        block = self.block(net, state.params, rows)
        point = self._point(net, state.params, rows, block)
        here = point.at(state.hyper)
        residuals = net.outputs * jnp.sum(rows.mask)
        hyper = hyperparameters.update(state.hyper, state.params, here.gamma, residuals, point.square)
        now = point.at(hyper)

        def going(carry: tuple) -> Array:
            _, mu, accepted, i = carry
            return ~accepted & (i < TRIALS) & (mu <= LARGEST_MU)

        def attempt(carry: tuple) -> tuple:
            _, mu, _, i = carry
            there = plus(state.params, now.solve(mu).bent)
            S = objective(there, hyper, square_error(net, there, rows, block))
            accepted = now.objective > S  # not for what is not a number
            return there, jnp.where(accepted, jnp.maximum(0.1 * mu, SMALLEST_MU), 10 * mu), accepted, i + 1

        start = (state.params, state.mu, jnp.zeros((), bool), jnp.zeros((), jnp.int32))
        there, mu, accepted, trials = lax.while_loop(going, attempt, start)
        params = jax.tree.map(lambda new, old: jnp.where(accepted, new, old), there, state.params)
        # Past the largest mu, S is at its minimum and only alpha and beta move.
        mu = jnp.where(mu > LARGEST_MU, jnp.asarray(self.damping, mu.dtype), mu)
        record = {
            "cost": 0.5 * point.square / jnp.sum(rows.mask),
            "log_evidence": here.log_evidence,
            "gamma": hyperparameters.total(here.gamma),
            "beta": state.hyper.beta,
            "alpha": hyperparameters.flat(state.hyper.alpha),
            "gradient_norm": here.gradient_norm,
            "mu": state.mu,
            "accepted": accepted.astype(jnp.int32),
            "rejected": trials - accepted.astype(jnp.int32),
        }
        return BayesianState(params, hyper, mu, state.since_best), record

    def heed(self, state: BayesianState, improved: Array) -> tuple[BayesianState, Array]:
        """Stop after max_fail epochs without a larger evidence."""
        since = jnp.where(improved, 0, state.since_best + 1)
        stop = jnp.where(since >= self.max_fail, stop_code("evidence"), 0).astype(jnp.int32)
        return state._replace(since_best=since), stop

    def _point(self, net: "Network", params: Params, rows: Rows, block: int) -> Point:
        if self.form(net, params, rows.x.shape[0]) == "primal":
            return primal_point(net, params, rows, block)
        return dual_point(net, params, rows)

    def block(self, net: "Network", params: Params, rows: Rows) -> int:
        """How many examples are linearised at once: a block of their Jacobian."""
        n = sum(p.size for p in jax.tree.leaves(params))
        return block_size(rows.x.shape[0], examples_at_once(n, net.outputs))


register(BayesianRegularization, leaves=("damping", "max_fail"))
