"""What the page draws, in JSON's types: the trace of an example, regions of the plane, a fitted curve, predictions."""

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
SCATTER = 300  # examples whose predictions are drawn over their targets
MOST_SHOWN = 16  # drawn neurons of a layer


def as_base64(values: np.ndarray) -> str:
    """Numbers from 0 to 1 as bytes, in base64."""
    return base64.b64encode(np.clip(255 * values + 0.5, 0, 255).astype(np.uint8).tobytes()).decode("ascii")


def shown_neurons(net: Network, problem: Problem) -> list[np.ndarray]:
    """The neurons of each layer that are drawn, from the inputs on: at most `MOST_SHOWN`.

    Of many inputs, usually pixels, those with the largest variance are drawn.
    """
    widths = [problem.width, *(math.prod(shape) for shape in net.shapes(problem.X.shape[1:])[1:])]
    shown = [np.arange(min(n, MOST_SHOWN)) for n in widths]
    if widths[0] > MOST_SHOWN:
        shown[0] = np.sort(np.argsort(-problem.X.std(axis=0).ravel(), kind="stable")[:MOST_SHOWN])
    return shown


def trace_example(
    net: Network, params: Params, x: np.ndarray, y: np.ndarray, shown: list[np.ndarray]
) -> dict[str, Any]:
    """The trace of one example, with the parameters, for the drawn neurons; named as in `deltarule trace --json`."""
    traced = net.trace(params, x, y)
    layers = []
    for i, traced_layer in enumerate(traced.layers):
        below, neurons = shown[i], shown[i + 1]
        numbers: dict[str, Any] = {}
        arrays = {name: array for name, array in traced_layer._asdict().items() if name != "gradients"}
        gradients = {f"d{name}": array for name, array in traced_layer.gradients.items()}
        for name, array in {**params[i], **arrays, **gradients}.items():
            is_matrix = name in ("W", "dW") and array.ndim == 2
            if not is_matrix and array.size < 1 + int(neurons.max(initial=0)):
                continue  # such as a convolution's biases, fewer than its neurons
            if name in ("W", "dW"):
                if is_matrix:
                    numbers[name] = array[np.ix_(neurons, below)]
                continue
            numbers[name] = array.reshape(-1)[neurons]
        layers.append(numbers)
    return to_json_types({"cost": traced.cost, "x": traced.x.reshape(-1)[shown[0]], "y": traced.y, "layers": layers})


def axis_limits(problem: Problem) -> list[float]:
    """The limits of the drawing of the plane or line: the lowest and highest x, the lowest and highest y."""
    edges = []
    for values in (problem.X[:, 0], problem.X[:, 1] if problem.view == "plane" else problem.Y[:, 0]):
        low, high = float(values.min()), float(values.max())
        margin = 0.12 * (high - low) or 1.0
        edges += [low - margin, high + margin]
    return [-1.2, 1.2, -1.2, 1.2] if problem.name == "points" else edges


def view_problem(net: Network, trainer: Trainer, moment: Moment, problem: Problem, rows: Rows) -> dict[str, Any]:
    """What the network has learnt at a moment, for the problem's view."""
    params = moment.params
    if problem.view == "plane":
        return _regions(net, params, problem)
    if problem.view == "line":
        return _curve(net, trainer, moment, problem, rows)
    drawn = slice(0, SCATTER if problem.classes is None else None)
    outputs = net(params, problem.X[drawn])
    if problem.classes is None:
        return {"targets": to_json_types(problem.Y[drawn, 0]), "predictions": to_json_types(outputs[:, 0])}
    predicted = (outputs[:, 0] > 0.5).astype(int) if outputs.shape[1] == 1 else outputs.argmax(axis=1)
    counts = np.zeros((len(problem.classes),) * 2, int)
    np.add.at(counts, (problem.labels, predicted), 1)
    return {"confusion": counts.tolist()}


def _regions(net: Network, params: Params, problem: Problem) -> dict[str, Any]:
    """The predicted class and its margin, or the predicted value, on a grid over the plane, from the top."""
    x0, x1, y0, y1 = axis_limits(problem)
    x, y = np.meshgrid(np.linspace(x0, x1, GRID), np.linspace(y1, y0, GRID))
    a = np.nan_to_num(net(params, np.stack([x.ravel(), y.ravel()], axis=1)))
    if problem.classes is None:
        low, high = float(problem.Y.min()), float(problem.Y.max())
        return {"size": GRID, "value": as_base64((a[:, 0] - low) / max(high - low, 1e-12))}
    if a.shape[1] == 1:
        label, strength = (a[:, 0] > 0.5).astype(int), np.abs(2 * a[:, 0] - 1)
    else:
        top = np.sort(a, axis=1)
        label, strength = a.argmax(axis=1), top[:, -1] - top[:, -2]
    return {"size": GRID, "label": as_base64(label / 255), "strength": as_base64(strength)}


def _curve(net: Network, trainer: Trainer, moment: Moment, problem: Problem, rows: Rows) -> dict[str, Any]:
    """The fitted curve; with Bayesian regularisation also bands of two standard deviations, without and with noise."""
    x0, x1, *_ = axis_limits(problem)
    x = np.linspace(x0, x1, LINE)[:, None]
    a = net(moment.params, x)[:, 0]
    curves = {"x": x[:, 0], "y": a}
    if trainer.has_posterior and moment.epoch:
        count, sizes = len(rows.x), net.sizes(rows.x.shape[1:])
        F = Objective(net, rows, linearization_block(count, sizes.parameters, sizes.outputs))
        form = trainer.form(sizes, count)
        gamma = np.float64(moment.record["gamma"])
        posterior = F.call(laplace_posterior, moment.params, moment.state.hyper, gamma, form=form)
        variance = np.asarray(output_variance(posterior, x.astype(rows.x.dtype), net=net))[:, 0]
        inner, outer = 2 * np.sqrt(variance), 2 * np.sqrt(variance + np.asarray(posterior.noise)[0])
        curves |= {"low": a - inner, "high": a + inner, "lowest": a - outer, "highest": a + outer}
    return to_json_types(curves)
