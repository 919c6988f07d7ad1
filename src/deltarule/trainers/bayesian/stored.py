"""An ensemble of posteriors as named arrays, for a model file, and back.

The network in the file is the ensemble's members side by side, so its layers tell those of a member but for their
sizes, and the members' own parameters lie here.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.engine.rows import Rows
from deltarule.errors import ModelFileError
from deltarule.network.missing_targets import for_targets
from deltarule.network.network import Network
from deltarule.trainers.bayesian import hyperparameters
from deltarule.trainers.bayesian.ensemble import BayesianEnsemble
from deltarule.trainers.bayesian.hyperparameters import Hyperparameters
from deltarule.trainers.bayesian.posterior import Posterior

Tensors = dict[str, np.ndarray]


def as_tensors(ensemble: BayesianEnsemble) -> Tensors:
    """The arrays of the ensemble by name, float64.

    "weights", "log_evidence", "gamma" (members,), "examples" (); of member i "i.0.W", "i.0.b", ..., "i.alpha"
    (groups,), "i.beta" (), "i.noise" (k,) and "i.factor"; for the dual form "rows.x", "rows.y" and "rows.weight", and
    "rows.missing", (N, k), where a target was missing.
    """
    tensors: dict[str, Any] = {
        "weights": ensemble.weights,
        "log_evidence": ensemble.log_evidence,
        "gamma": ensemble.gamma,
        "examples": np.asarray(ensemble.examples),
    }
    for i, member in enumerate(ensemble.members):
        tensors |= {f"{i}.{j}.{name}": p for j, layer in enumerate(member.params) for name, p in layer.items()}
        tensors[f"{i}.alpha"] = hyperparameters.flat(member.hyper.alpha)
        tensors |= {f"{i}.beta": member.hyper.beta, f"{i}.noise": member.noise, f"{i}.factor": member.factor}
    rows = ensemble.members[0].rows
    if rows is not None:
        y, missing = np.asarray(rows.y), np.isnan(rows.y)
        tensors |= {"rows.x": rows.x, "rows.y": np.where(missing, 0, y), "rows.weight": rows.mask}
        tensors |= {"rows.missing": missing} if missing.any() else {}
    return {name: np.asarray(array, np.float64) for name, array in tensors.items()}


def from_tensors(net: Network, tensors: Mapping[str, np.ndarray]) -> BayesianEnsemble:
    """The ensemble that `as_tensors` wrote down.

    Args:
        net: the network of the file, all members side by side; its activations and cost are a member's.
        tensors: the arrays.

    Raises:
        ModelFileError: an array is missing or has another shape.
    """
    found = _Found(tensors)
    count = len(found.array("weights", None))
    member_net = _member_net(net, found)
    rows = _rows(member_net, found)
    member_net = member_net if rows is None else for_targets(member_net, rows.y)
    members = tuple(_member(member_net, found, i, rows) for i in range(count))
    return BayesianEnsemble(
        net=member_net,
        members=members,
        weights=found.array("weights", count),
        log_evidence=found.array("log_evidence", count),
        gamma=found.array("gamma", count),
        examples=float(found.array("examples")),
    )


class _Found:
    """Arrays that are asked for by name and shape; None stands for any length."""

    def __init__(self, tensors: Mapping[str, np.ndarray]):
        self.tensors = tensors

    def array(self, name: str, *shape: int | None) -> np.ndarray:
        if name not in self.tensors:
            raise ModelFileError(f"its error bars lack the array {name!r}: train or copy the model again.")
        array = self.tensors[name]
        fits = array.ndim == len(shape) and all(b in (None, a) for a, b in zip(array.shape, shape, strict=True))
        if not fits or not array.size:
            wanted = tuple("any" if size is None else size for size in shape)
            raise ModelFileError(
                f"its error bars hold {name!r} of the shape {array.shape}, which should be {wanted}: train or copy the "
                "model again."
            )
        return array


def _member_net(net: Network, found: _Found) -> Network:
    layers = []
    for j, layer in enumerate(net.layers):
        if not layer.weighs_inputs:
            raise ModelFileError(f"it has error bars and {layer!r}, which knows none: train or copy the model again.")
        layers.append(replace(layer, n=len(found.array(f"0.{j}.b", None))))
    if layers[-1].n != net.outputs:
        raise ModelFileError(
            f"it has {net.outputs} outputs and error bars for {layers[-1].n}: train or copy the model again."
        )
    return Network(layers, net.cost)


def _rows(net: Network, found: _Found) -> Rows | None:
    """The training examples of the dual form; their weights say what is padding."""
    if "rows.x" not in found.tensors:
        return None
    inputs = found.array("0.0.W", None, None).shape[1]
    x = found.array("rows.x", None, inputs)
    y, weight = found.array("rows.y", len(x), net.outputs), found.array("rows.weight", len(x))
    if "rows.missing" in found.tensors:
        y = np.where(found.array("rows.missing", len(x), net.outputs), np.nan, y)
    return Rows(x, y, weight, len(x))


def _member(net: Network, found: _Found, i: int, rows: Rows | None) -> Posterior:
    params, below = [], found.array("0.0.W", None, None).shape[1]
    for j, layer in enumerate(net.layers):
        n = layer.n  # pyright: ignore[reportAttributeAccessIssue]
        params.append({"W": found.array(f"{i}.{j}.W", n, below), "b": found.array(f"{i}.{j}.b", n)})
        below = n
    inputs = params[0]["W"].shape[1]
    groups = found.array(f"{i}.alpha", inputs + 1 + 2 * (len(params) - 1))
    alpha = hyperparameters.unflat(groups, params)
    order = sum(p.size for layer in params for p in layer.values()) if rows is None else len(rows.x) * net.outputs
    noise, factor = found.array(f"{i}.noise", net.outputs), found.array(f"{i}.factor", order, order)
    return Posterior(params, Hyperparameters(alpha, found.array(f"{i}.beta")), noise, factor, rows)  # pyright: ignore[reportArgumentType]
