"""`solve`: fit a network and unknown coefficients to differential equations, conditions and data."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from deltarule import engine as engines
from deltarule import trees
from deltarule.checks import as_dtype, as_numbers, require_count, require_number
from deltarule.engine.machine import format_bytes
from deltarule.engine.randomness import POINTS, as_path, generator
from deltarule.equations.course import EquationCourse
from deltarule.equations.equation import Equation, as_points
from deltarule.equations.problem import Problem, scaling_of
from deltarule.equations.residual import check_transform
from deltarule.equations.solution import Solution
from deltarule.equations.uncertainty import bytes_needed, standard_errors
from deltarule.errors import ConfigurationError, DataError, ShapeError
from deltarule.network.backprop import Params
from deltarule.network.derivatives import require_smooth
from deltarule.network.layers.jet import lifted_params
from deltarule.network.network import Network
from deltarule.trainers.form import available_memory
from deltarule.trainers.stopping import Stopping
from deltarule.training.session import Callback, Session
from deltarule.training.train import NO_RULES, check_kinds


def solve(
    net: Network,
    equations: Sequence[Equation],
    *,
    unknowns: Mapping[str, float] | None = None,
    data: tuple[Any, Any] | None = None,
    trainer: Any,
    epochs: int,
    seed: int = 0,
    data_weight: float = 1.0,
    hard: Callable[[Any, Any], Any] | None = None,
    resample_every: int | None = None,
    balance_every: int | None = None,
    params: Params | None = None,
    restarts: int = 1,
    stopping: Stopping = NO_RULES,
    callbacks: Sequence[Callback] = (),
    dtype: Any = "float64",
    engine: str = "auto",
) -> Solution:
    """Fit the network and the unknowns by minimising the residuals of all equations.

    F = sum_e (w_e / N_e) sum_i (1/2) ‖R_e(x_i, u, u_i, u_ij, theta)‖²

    with the data as one more equation, u - y. The derivatives of u by input are propagated forward (JET), those of R by
    parameter backward (BP-JET), and the steps of Levenberg-Marquardt are exact in each of its three forms.

    Args:
        net: Dense layers with smooth activations; k outputs are the k unknown functions of a system.
        equations: differential equations, boundary and initial conditions, each with its own points and weight.
        unknowns: the coefficients to be estimated, by name, with their first values.
        data: (X, Y), measurements of u: (N, d) and (N, k).
        trainer: `LevenbergMarquardt`, or for comparison `LBFGS` or `GradientDescent` without batches.
        epochs: at most this many; for Levenberg-Marquardt an epoch is one accepted step.
        seed: of the initial parameters and of points that are drawn.
        data_weight: the weight of the mean square of u - y.
        hard: a hard condition u = T(x, v) for the network's output v, which holds exactly:
            lambda x, v: x[:, :1] * (1 - x[:, :1]) * v is 0 at 0 and at 1. It is written like a residual.
        resample_every: epochs between two draws of the points of equations whose `points` is a function.
        balance_every: epochs between two balances of the weights, the first before training, which give each equation
            the same share of tr(J J^T). None keeps the user's weights.
        params: the initial parameters, for inputs in the user's units.
        restarts: how many times to train from other initial parameters; the best is returned.
        stopping: goal, min_grad, max_fail (which needs validation points), time_limit.
        callbacks: each is called after every epoch with its record.
        dtype: "float64" or "float32".
        engine: "numpy", which "auto" takes, or "jax".

    Returns:
        A `Solution`. Inputs are scaled to [-1, 1] during training; its parameters are for the user's units.

    Raises:
        ConfigurationError: an option is outside its range, a layer or an activation has no jets, or a residual cannot
            be differentiated.
        DataError: points or data are not finite numbers.
        ShapeError: points and data do not fit each other or the network, or a residual returns a wrong shape.
    """
    started = time.perf_counter()
    check_kinds(net, trainer, stopping, callbacks, epochs)
    _check_trainer(trainer)
    require_smooth(net)
    require_count("restarts", restarts)
    for name, every in {"resample_every": resample_every, "balance_every": balance_every}.items():
        if every is not None:
            require_count(name, every)
    dtype, E = as_dtype(dtype), engines.get("numpy" if engine == "auto" else engine)
    equations, first_values, data = _equations(equations), _unknowns(unknowns), _data(net, data)
    theta = np.array(list(first_values.values()), dtype)
    if not equations and data is None:
        raise ConfigurationError("there are no equations and no data: give at least one Equation.")
    path = as_path(seed)
    points = [e.at(generator(*path, POINTS, i)) for i, e in enumerate(equations)] + ([] if data is None else [data[0]])
    validated = [e for e in equations if e.validation is not None]
    d, *others = sorted({x.shape[1] for x in (*points, *(e.validation for e in validated))})
    if others:
        raise ShapeError(f"points have {[d, *others]} inputs: give all of them the same number of columns, d.")
    if hard is not None and any(e.derivatives is not None for e in equations):
        raise ConfigurationError(
            "hard and an equation's derivatives are both given, and derivatives by u are not those by the network's "
            "output: leave derivatives out."
        )
    if hard is not None:
        check_transform(hard, points[0].astype(dtype), net.outputs)
    if resample_every is not None and not any(e.is_drawn for e in equations):
        raise ConfigurationError(
            f"resample_every is {resample_every}, and no equation draws its points: give a function as points."
        )
    if stopping.max_fail is not None and not validated:
        raise ConfigurationError(
            f"max_fail is {stopping.max_fail}, and there are no validation points: give Equation(validation=...)."
        )
    with E.computing_in(dtype):
        weight = require_number("data_weight", data_weight, least=0)
        problem = Problem(net, equations, tuple(first_values), data, weight, hard, E, dtype, *scaling_of(points))
        starts = net.starts(seed, restarts, (d,), dtype, trainer.initializers)
        if params is not None:
            net.check(params, (d,))
            starts[0] = problem.to_scaled(params)
        starts = [trees.map_leaves(lambda p: E.put(p, dtype), lifted_params(start, theta)) for start in starts]
        validation = None
        if validated:
            parts = [problem.part(replace(e, weight=1.0), e.validation) for e in validated]
            validation = problem.joint(parts, [float(np.mean(e.weight)) for e in validated], None)
        course = EquationCourse(
            net, trainer, None, validation, path, stopping, "cost", (), problem, None, resample_every, balance_every
        )
        parts = course.parts(0)
        first = parts[0].net
        count = -(-sum(part.rows.x.shape[0] * part.net.outputs for part in parts) // first.outputs)
        sizes = first.sizes(starts[0])
        course = replace(course, form=trainer.form(sizes, count))
        with trainer.thread_limits(sizes, count):
            result = Session(course, epochs, callbacks, started).run(starts)
            return _solution(problem, course, result, theta)


def _solution(problem: Problem, course: EquationCourse, result: Any, theta: np.ndarray) -> Solution:
    """The result for inputs in the user's units."""
    lifted = trees.map_leaves(np.asarray, result.params)
    epoch = max(result.best_epoch - 1, 0)
    points = course.points(epoch)
    with np.errstate(all="ignore"):  # residuals that are not finite are in the history
        maps = tuple(problem.residuals(lifted, x, e) for x, e in zip(points, problem.equations, strict=True))
    if problem.data is not None:
        X, Y = problem.data
        points, maps = [*points, X], (*maps, problem.values(lifted, X) - Y)
    errors, noise, remark = {}, None, result.remark
    if problem.data is not None and problem.names and problem.data_weight:
        datums = maps[-1].size
        needed = bytes_needed(trees.size(lifted), sum(r.size for r in maps), datums)
        if needed <= available_memory():
            weights = result.history["weights"][epoch] if "weights" in result.history else problem.weights()
            F = problem.joint(course.parts(epoch), weights, None)
            errors, noise = standard_errors(F, problem.names, result.params)
        else:
            remark = (
                f"The unknowns have no standard errors: they take {format_bytes(needed)} of memory, more than half of "
                "this machine's. Solve with fewer parameters, or with fewer points."
            )
    unknowns = {name: float(value) for name, value in zip(problem.names, lifted[-1].get("theta", theta), strict=True)}
    common = {field.name: getattr(result, field.name) for field in fields(result)}
    common["params"] = problem.to_unscaled(lifted[:-1])
    common["starts"] = tuple(_solution(problem, course, start, theta) for start in result.starts)
    if remark:
        common |= {"remark": remark, "message": f"{result.message} {remark}"}
    rms = tuple(float((r * r).sum(axis=1).mean() ** 0.5) for r in maps)
    return Solution(
        **common, unknowns=unknowns, standard_errors=errors, noise=noise, residual_rms=rms, problem=problem,
        fitted=tuple(zip(points, maps, strict=True)),
    )  # fmt: skip


def _check_trainer(trainer: Any) -> None:
    if not trainer.minimises_objectives:
        raise ConfigurationError(
            f"trainer is {trainer!r}, which needs examples: give LevenbergMarquardt(), LBFGS() or GradientDescent()."
        )
    if trainer.refit:
        raise ConfigurationError("refit is True, and an equation is not linear in the output layer: leave it out.")
    if trainer.batch_size is not None:
        raise ConfigurationError(
            f"batch_size is {trainer.batch_size}, and a step on equations takes all points: leave batch_size out."
        )


def _equations(equations: Any) -> tuple[Equation, ...]:
    wrong = [e for e in equations if not isinstance(e, Equation)] if isinstance(equations, Sequence) else [equations]
    if wrong:
        of = "holds" if isinstance(equations, Sequence) else "is"
        found = f"{of} an object of type {type(wrong[0]).__name__}"
        raise ConfigurationError(f"equations {found}: give a list of dr.Equation(points, residual).")
    return tuple(equations)


def _data(net: Network, data: Any) -> tuple[np.ndarray, np.ndarray] | None:
    if data is None:
        return None
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise ConfigurationError(f"data is a {type(data).__name__}: give (X, Y), or None.")
    X, Y = as_points("X of the data", data[0]), as_numbers("Y of the data", data[1], np.dtype("float64"))
    Y = Y[:, None] if Y.ndim == 1 else Y
    if Y.shape != (len(X), net.outputs):
        raise ShapeError(
            f"Y of the data has shape {Y.shape}, and {len(X)} points with {net.outputs} outputs need "
            f"({len(X)}, {net.outputs})."
        )
    if not np.isfinite(Y).all():
        raise DataError("Y of the data is not all finite: leave those rows out.")
    return X, Y


def _unknowns(unknowns: Any) -> dict[str, float]:
    """Check the unknowns' names, which must not clash with "u" or attributes of a dict, and their first values."""
    if unknowns is not None and not isinstance(unknowns, Mapping):
        raise ConfigurationError(f"unknowns is {unknowns!r}: give a dict of names and first values, {{'nu': 0.1}}.")
    for name in unknowns or {}:
        if not (isinstance(name, str) and name.isidentifier()) or name == "u" or hasattr(dict, name):
            raise ConfigurationError(f"an unknown is called {name!r}: give it a name such as 'nu', but not 'u'.")
    return {name: require_number(f"unknowns[{name!r}]", value) for name, value in (unknowns or {}).items()}
