"""An ensemble of posteriors as named arrays, for a model file, and back.

The network in the file is the ensemble's members side by side, so its layers tell those of a member but for their
sizes, and the members' own parameters lie here.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule import trees
from deltarule.engine.rows import Rows
from deltarule.errors import ModelFileError
from deltarule.network.missing_targets import mask_missing_targets
from deltarule.network.network import Network
from deltarule.trainers.bayesian import hyperparameters
from deltarule.trainers.bayesian.ensemble import BayesianEnsemble
from deltarule.trainers.bayesian.hyperparameters import Hyperparameters
from deltarule.trainers.bayesian.log_scale import LogScale
from deltarule.trainers.bayesian.noise_law import NoiseLaw
from deltarule.trainers.bayesian.posterior import Posterior
from deltarule.trainers.bayesian.steps import StepFeatures

STEPS = ("W", "b", "mean", "std")
Tensors = dict[str, np.ndarray]


def as_tensors(ensemble: BayesianEnsemble) -> Tensors:
    """The arrays of the ensemble by name, float64.

    "weights", "log_evidence", "gamma" (members,), "examples" (); of member i "i.0.W", "i.0.b", ..., "i.alpha"
    (groups,), "i.beta" (), "i.noise" (k,) and "i.factor"; where a member has the dual form "rows.x", "rows.y" and
    "rows.weight", and "rows.missing", (N, k), where a target was missing; of a law "law.freedom", "law.scale", ...
    """
    tensors: dict[str, Any] = {
        "weights": ensemble.weights,
        "log_evidence": ensemble.log_evidence,
        "gamma": ensemble.gamma,
        "examples": np.asarray(ensemble.examples),
    }
    for i, member in enumerate(ensemble.members):
        tensors |= {f"{i}.{j}.{name}": p for j, layer in enumerate(member.params) for name, p in layer.items()}
        tensors[f"{i}.alpha"] = hyperparameters.flatten(member.hyper.alpha)
        tensors |= {f"{i}.beta": member.hyper.beta, f"{i}.noise": member.noise, f"{i}.factor": member.factor}
    for i, (steps, member) in enumerate(zip(ensemble.steps, ensemble.members, strict=True)):
        if steps is not None:
            tensors |= {f"steps.{i}.{name}": getattr(steps, name) for name in STEPS}
            tensors |= {} if member.rows is None else {f"steps.{i}.x": member.rows.x}
        elif member.rows is not None:
            tensors["rows.x"] = member.rows.x
    rows = next((member.rows for member in ensemble.members if member.rows is not None), None)
    if rows is not None:
        y, missing = np.asarray(rows.y), np.isnan(rows.y)
        tensors |= {"rows.y": np.where(missing, 0, y), "rows.weight": rows.mask}
        tensors |= {"rows.missing": missing} if missing.any() else {}
    if ensemble.law is not None:
        tensors |= {f"law.{name}": array for name, array in ensemble.law._asdict().items()}
    if ensemble.log is not None:
        tensors |= {f"log.{name}": number for name, number in ensemble.log._asdict().items()}
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
    nets = [_member_net(net, found, i) for i in range(count)]
    rows = [_rows(one, found, i) for i, one in enumerate(nets)]
    nets = [one if its is None else mask_missing_targets(one, its.y) for one, its in zip(nets, rows, strict=True)]
    return BayesianEnsemble(
        nets=tuple(nets),
        members=tuple(_member(one, found, i, rows[i]) for i, one in enumerate(nets)),
        weights=found.array("weights", count),
        log_evidence=found.array("log_evidence", count),
        gamma=found.array("gamma", count),
        examples=float(found.array("examples")),
        law=_law(found, net.outputs),
        steps=tuple(_steps(found, i, net) for i in range(count)),
        log=_log(found),
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


def _member_net(net: Network, found: _Found, i: int) -> Network:
    """A member has the file's activations, and as many hidden layers as arrays, the first of them."""
    places = [name.split(".") for name in found.tensors if name.startswith(f"{i}.")]
    depth, layers = max((int(place[1]) + 1 for place in places if len(place) == 3), default=0), []
    if not 0 < depth <= len(net.layers):
        raise ModelFileError(f"its error bars hold {depth} layers of member {i}: train or copy the model again.")
    for j, layer in enumerate([*net.layers[: depth - 1], net.layers[-1]]):
        if not layer.supports_input_precisions:
            raise ModelFileError(f"it has error bars and {layer!r}, which knows none: train or copy the model again.")
        layers.append(replace(layer, n=len(found.array(f"{i}.{j}.b", None))))  # pyright: ignore[reportArgumentType, reportCallIssue]
    if layers[-1].n != net.outputs:
        raise ModelFileError(
            f"it has {net.outputs} outputs and error bars for {layers[-1].n}: train or copy the model again."
        )
    return Network(layers, net.cost)


def _steps(found: _Found, i: int, net: Network) -> StepFeatures | None:
    if f"steps.{i}.W" not in found.tensors:
        return None
    W = found.array(f"steps.{i}.W", None, None)
    width = sum(W.shape)
    sizes = {"b": len(W), "mean": width, "std": width}
    arrays = {name: found.array(f"steps.{i}.{name}", size) for name, size in sizes.items()}
    return StepFeatures(W, **arrays, activation=net.layers[0].activation)  # pyright: ignore[reportAttributeAccessIssue]


def _law(found: _Found, outputs: int) -> NoiseLaw | None:
    if "law.freedom" not in found.tensors:
        return None
    inputs = found.array("law.slopes", None, None).shape[1] - 3
    shapes = {"scale": (outputs,), "slopes": (outputs, 3 + inputs), "low": (outputs,), "high": (outputs,)}
    return NoiseLaw(
        float(found.array("law.freedom")),
        **{name: found.array(f"law.{name}", *shape) for name, shape in shapes.items()},
    )


def _log(found: _Found) -> LogScale | None:
    if "log.shift" not in found.tensors:
        return None
    return LogScale(*(float(found.array(f"log.{name}")) for name in LogScale._fields))


def _rows(net: Network, found: _Found, i: int) -> Rows | None:
    """The training examples of a member of the dual form; their weights say what is padding."""
    own = f"steps.{i}.x" if f"steps.{i}.W" in found.tensors else "rows.x"
    if own not in found.tensors:
        return None
    x = found.array(own, None, found.array(f"{i}.0.W", None, None).shape[1])
    y, weight = found.array("rows.y", len(x), net.outputs), found.array("rows.weight", len(x))
    if "rows.missing" in found.tensors:
        y = np.where(found.array("rows.missing", len(x), net.outputs), np.nan, y)
    return Rows(x, y, weight, len(x))


def _member(net: Network, found: _Found, i: int, rows: Rows | None) -> Posterior:
    params, below = [], found.array(f"{i}.0.W", None, None).shape[1]
    for j, layer in enumerate(net.layers):
        n = layer.n  # pyright: ignore[reportAttributeAccessIssue]
        params.append({"W": found.array(f"{i}.{j}.W", n, below), "b": found.array(f"{i}.{j}.b", n)})
        below = n
    inputs = params[0]["W"].shape[1]
    groups = found.array(f"{i}.alpha", inputs + 1 + 2 * (len(params) - 1))
    alpha = hyperparameters.unflatten(groups, params)
    order = trees.size(params)
    if rows is not None and len(found.array(f"{i}.factor", None, None)) != order:  # of the dual form, m k < n
        order = len(rows.x) * net.outputs
    else:
        rows = None
    noise, factor = found.array(f"{i}.noise", net.outputs), found.array(f"{i}.factor", order, order)
    return Posterior(params, Hyperparameters(alpha, found.array(f"{i}.beta")), noise, factor, rows)  # pyright: ignore[reportArgumentType]
