"""The arrays that store an ensemble of posteriors in a model file.

The network in the file is the merged one, from which the members' activations and cost are read; their parameters are
among these arrays.
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
    """Return the arrays of the ensemble by name, float64.

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
    """Rebuild the ensemble from the arrays of `as_tensors`.

    Args:
        net: the merged network of the file.
        tensors: the arrays.

    Raises:
        ModelFileError: an array is missing or has another shape.
    """
    arrays = _Arrays(tensors)
    count = len(arrays.array("weights", None))
    nets = [_member_net(net, arrays, i) for i in range(count)]
    rows = [_rows(member, arrays, i) for i, member in enumerate(nets)]
    nets = [n if r is None else mask_missing_targets(n, r.y) for n, r in zip(nets, rows, strict=True)]
    return BayesianEnsemble(
        nets=tuple(nets),
        members=tuple(_member(member, arrays, i, rows[i]) for i, member in enumerate(nets)),
        weights=arrays.array("weights", count),
        log_evidence=arrays.array("log_evidence", count),
        gamma=arrays.array("gamma", count),
        examples=float(arrays.array("examples")),
        law=_law(arrays, net.outputs),
        steps=tuple(_steps(arrays, i, net) for i in range(count)),
        log=_log(arrays),
    )


class _Arrays:
    """Arrays whose shapes are checked when they are read; None stands for any length."""

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


def _member_net(net: Network, arrays: _Arrays, i: int) -> Network:
    """The network of a member: the first hidden layers of the file's network, as many as there are arrays for."""
    paths = [name.split(".") for name in arrays.tensors if name.startswith(f"{i}.")]
    depth, layers = max((int(path[1]) + 1 for path in paths if len(path) == 3), default=0), []
    if not 0 < depth <= len(net.layers):
        raise ModelFileError(f"its error bars hold {depth} layers of member {i}: train or copy the model again.")
    for j, layer in enumerate([*net.layers[: depth - 1], net.layers[-1]]):
        if not layer.supports_input_precisions:
            raise ModelFileError(f"it has error bars and {layer!r}, which has none: train or copy the model again.")
        layers.append(replace(layer, n=len(arrays.array(f"{i}.{j}.b", None))))  # pyright: ignore[reportArgumentType, reportCallIssue]
    if layers[-1].n != net.outputs:
        raise ModelFileError(
            f"it has {net.outputs} outputs and error bars for {layers[-1].n}: train or copy the model again."
        )
    return Network(layers, net.cost)


def _steps(arrays: _Arrays, i: int, net: Network) -> StepFeatures | None:
    if f"steps.{i}.W" not in arrays.tensors:
        return None
    W = arrays.array(f"steps.{i}.W", None, None)
    width = sum(W.shape)
    sizes = {"b": len(W), "mean": width, "std": width}
    others = {name: arrays.array(f"steps.{i}.{name}", size) for name, size in sizes.items()}
    return StepFeatures(W, **others, activation=net.layers[0].activation)  # pyright: ignore[reportAttributeAccessIssue]


def _law(arrays: _Arrays, outputs: int) -> NoiseLaw | None:
    if "law.freedom" not in arrays.tensors:
        return None
    inputs = arrays.array("law.slopes", None, None).shape[1] - 3
    shapes = {"scale": (outputs,), "slopes": (outputs, 3 + inputs), "low": (outputs,), "high": (outputs,)}
    return NoiseLaw(
        float(arrays.array("law.freedom")),
        **{name: arrays.array(f"law.{name}", *shape) for name, shape in shapes.items()},
    )


def _log(arrays: _Arrays) -> LogScale | None:
    if "log.shift" not in arrays.tensors:
        return None
    return LogScale(*(float(arrays.array(f"log.{name}")) for name in LogScale._fields))


def _rows(net: Network, arrays: _Arrays, i: int) -> Rows | None:
    """The training examples of a member of the dual form; padding has the weight 0."""
    name = f"steps.{i}.x" if f"steps.{i}.W" in arrays.tensors else "rows.x"
    if name not in arrays.tensors:
        return None
    x = arrays.array(name, None, arrays.array(f"{i}.0.W", None, None).shape[1])
    y, weight = arrays.array("rows.y", len(x), net.outputs), arrays.array("rows.weight", len(x))
    if "rows.missing" in arrays.tensors:
        y = np.where(arrays.array("rows.missing", len(x), net.outputs), np.nan, y)
    return Rows(x, y, weight, len(x))


def _member(net: Network, arrays: _Arrays, i: int, rows: Rows | None) -> Posterior:
    params, below = [], arrays.array(f"{i}.0.W", None, None).shape[1]
    for j, layer in enumerate(net.layers):
        n = layer.n  # pyright: ignore[reportAttributeAccessIssue]
        params.append({"W": arrays.array(f"{i}.{j}.W", n, below), "b": arrays.array(f"{i}.{j}.b", n)})
        below = n
    inputs = params[0]["W"].shape[1]
    groups = arrays.array(f"{i}.alpha", inputs + 1 + 2 * (len(params) - 1))
    alpha = hyperparameters.unflatten(groups, params)
    order = trees.size(params)
    if rows is not None and len(arrays.array(f"{i}.factor", None, None)) != order:  # of the dual form, m k < n
        order = len(rows.x) * net.outputs
    else:
        rows = None
    noise, factor = arrays.array(f"{i}.noise", net.outputs), arrays.array(f"{i}.factor", order, order)
    return Posterior(params, Hyperparameters(alpha, arrays.array(f"{i}.beta")), noise, factor, rows)  # pyright: ignore[reportArgumentType]
