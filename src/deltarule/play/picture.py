"""What the page draws, in JSON's types: one example's trace, regions of the plane, a fitted curve, predictions."""

import base64
import math
from typing import Any

import numpy as np

from deltarule.engine.rows import Rows, linearization_block
from deltarule.models.formatting import to_json_types
from deltarule.network.backprop import Params
from deltarule.network.network import Network
from deltarule.objective import Objective
from deltarule.play.learner import Moment
from deltarule.play.problems import Problem
from deltarule.trainers.base import Trainer
from deltarule.trainers.bayesian.posterior import laplace_posterior, output_variance

GRID = 44  # points of the plane along each axis
LINE = 121  # points of a curve
SCATTER = 300  # examples whose predictions are drawn against their targets
MOST_SHOWN = 16  # neurons of a layer that are drawn


def packed(values: np.ndarray) -> str:
    """Numbers from 0 to 1 as bytes, in base64."""
    return base64.b64encode(np.clip(255 * values + 0.5, 0, 255).astype(np.uint8).tobytes()).decode("ascii")


def shown_neurons(net: Network, problem: Problem) -> list[np.ndarray]:
    """Which neurons of each layer are drawn, the inputs first: all, or of a wide layer `MOST_SHOWN` of them.

    Of many inputs, which are mostly pixels, those that vary most.
    """
    widths = [problem.width, *(math.prod(shape) for shape in net.shapes(problem.X.shape[1:])[1:])]
    chosen = [np.arange(min(n, MOST_SHOWN)) for n in widths]
    if widths[0] > MOST_SHOWN:
        chosen[0] = np.sort(np.argsort(-problem.X.std(axis=0).ravel(), kind="stable")[:MOST_SHOWN])
    return chosen


def trace_of(net: Network, params: Params, x: np.ndarray, y: np.ndarray, shown: list[np.ndarray]) -> dict[str, Any]:
    """`net.trace` of one example with the parameters, as `deltarule trace --json` has it, for the neurons shown."""
    traced = net.trace(params, x, y)
    layers = []
    for i, numbers in enumerate(traced.layers):
        below, here = shown[i], shown[i + 1]
        found: dict[str, Any] = {}
        named = {name: array for name, array in numbers._asdict().items() if name != "gradients"}
        gradients = {f"d{name}": array for name, array in numbers.gradients.items()}
        for name, array in {**params[i], **named, **gradients}.items():
            dense = name in ("W", "dW") and array.ndim == 2
            if not dense and array.size < 1 + int(here.max(initial=0)):
                continue  # such as a convolution's biases, fewer than its neurons
            if name in ("W", "dW"):
                if dense:
                    found[name] = array[np.ix_(here, below)]
                continue
            found[name] = array.reshape(-1)[here]
        layers.append(found)
    return to_json_types({"cost": traced.cost, "x": traced.x.reshape(-1)[shown[0]], "y": traced.y, "layers": layers})


def box_of(problem: Problem) -> list[float]:
    """The part of the plane (or line) that is drawn: x from, to, y from, to."""
    edges = []
    for values in (problem.X[:, 0], problem.X[:, 1] if problem.view == "plane" else problem.Y[:, 0]):
        low, high = float(values.min()), float(values.max())
        margin = 0.12 * (high - low) or 1.0
        edges += [low - margin, high + margin]
    return [-1.2, 1.2, -1.2, 1.2] if problem.name == "points" else edges


def view_of(net: Network, trainer: Trainer, moment: Moment, problem: Problem, rows: Rows) -> dict[str, Any]:
    """What the network makes of the whole problem at a moment, for the problem's view."""
    params = moment.params
    if problem.view == "plane":
        return _regions(net, params, problem)
    if problem.view == "line":
        return _curve(net, trainer, moment, problem, rows)
    some = slice(0, SCATTER if problem.classes is None else None)
    outputs = net(params, problem.X[some])
    if problem.classes is None:
        return {"targets": to_json_types(problem.Y[some, 0]), "predictions": to_json_types(outputs[:, 0])}
    predicted = (outputs[:, 0] > 0.5).astype(int) if outputs.shape[1] == 1 else outputs.argmax(axis=1)
    counts = np.zeros((len(problem.classes),) * 2, int)
    np.add.at(counts, (problem.labels, predicted), 1)
    return {"confusion": counts.tolist()}


def _regions(net: Network, params: Params, problem: Problem) -> dict[str, Any]:
    """The class and how clear it is at each point of a grid over the plane, from the top; of a regression the value."""
    x0, x1, y0, y1 = box_of(problem)
    x, y = np.meshgrid(np.linspace(x0, x1, GRID), np.linspace(y1, y0, GRID))
    a = np.nan_to_num(net(params, np.stack([x.ravel(), y.ravel()], axis=1)))
    if problem.classes is None:
        low, high = float(problem.Y.min()), float(problem.Y.max())
        return {"size": GRID, "value": packed((a[:, 0] - low) / max(high - low, 1e-12))}
    if a.shape[1] == 1:
        label, strength = (a[:, 0] > 0.5).astype(int), np.abs(2 * a[:, 0] - 1)
    else:
        top = np.sort(a, axis=1)
        label, strength = a.argmax(axis=1), top[:, -1] - top[:, -2]
    return {"size": GRID, "label": packed(label / 255), "strength": packed(strength)}


def _curve(net: Network, trainer: Trainer, moment: Moment, problem: Problem, rows: Rows) -> dict[str, Any]:
    """The fitted curve; with Bayesian regularisation bands of two standard deviations, without and with the noise."""
    x0, x1, *_ = box_of(problem)
    x = np.linspace(x0, x1, LINE)[:, None]
    a = net(moment.params, x)[:, 0]
    found = {"x": x[:, 0], "y": a}
    if trainer.has_posterior and moment.epoch:
        count, sizes = len(rows.x), net.sizes(rows.x.shape[1:])
        F = Objective(net, rows, linearization_block(count, sizes.parameters, sizes.outputs))
        form = trainer.form(sizes, count)
        gamma = np.float64(moment.record["gamma"])
        known = F.call(laplace_posterior, moment.params, moment.state.hyper, gamma, form=form)
        variance = np.asarray(output_variance(known, x.astype(rows.x.dtype), net=net))[:, 0]
        inner, outer = 2 * np.sqrt(variance), 2 * np.sqrt(variance + np.asarray(known.noise)[0])
        found |= {"low": a - inner, "high": a + inner, "lowest": a - outer, "highest": a + outer}
    return to_json_types(found)
