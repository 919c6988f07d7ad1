"""One Levenberg-Marquardt trial on Burgers' equation: jets by hand beside automatic differentiation, compiled.

    python -m benchmarks.equations.trial [--rounds 7]

2-20-20-1 (501 parameters), 2,000 points inside and 200 on the boundary, float64, one thread each. A trial is the model
at a new point (residuals, J^T J, J^T r), one factorisation, the step and the cost where it leads; deltarule's has the
geodesic correction besides. The contestants take turns; the least processor time of the rounds is compared.
"""

import argparse
import os

os.environ.update(
    {"OMP_NUM_THREADS": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
)

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

import deltarule as dr
from benchmarks.equations.contestants import jax_residual_of, jax_start
from benchmarks.equations.problems import Case, Condition
from benchmarks.equations.references import NU, burgers
from deltarule import engine
from deltarule.equations.problem import Problem, scaling_of
from deltarule.network.layers.jet import lifted_params
from deltarule.trainers.levenberg_marquardt.model import primal_model
from deltarule.trainers.levenberg_marquardt.trainer import attempt

BATCH = 100  # points whose rows of J are differentiated together: of all at once they would take 39 GB


def case() -> Case:
    """Burgers' equation with points drawn uniformly."""
    draw = np.random.default_rng(0)
    inside = np.column_stack([draw.uniform(-1, 1, 2000), draw.uniform(0, 1, 2000)])
    start = np.column_stack([np.linspace(-1, 1, 100), np.zeros(100)])
    walls = np.column_stack([np.repeat([-1.0, 1.0], 50), np.tile(np.linspace(0, 1, 50), 2)])
    conditions = (
        Condition(inside, lambda x, u, xp: u.d(1) + u.value * u.d(0) - NU * u.d(0, 0)),
        Condition(start, lambda x, u, xp: u.value + xp.sin(np.pi * x[:, :1])),
        Condition(walls, lambda x, u, xp: u.value),
    )
    return Case("burgers", "", 0.0, (20, 20), conditions, np.vstack([inside, start, walls]), burgers(inside[:1]))


def by_hand(case: Case) -> Callable[[], Any]:
    """Return deltarule's trial."""
    net = dr.Network([*(dr.Dense(n, "tanh") for n in case.hidden), dr.Dense(1, "linear")])
    equations = tuple(
        dr.Equation(c.points, lambda x, u, p, R=c.residual: R(x, u, np), weight=c.weight) for c in case.conditions
    )
    points = [e.points for e in equations]
    problem = Problem(
        net, equations, (), None, 1.0, None, engine.get("numpy"), np.dtype("float64"), *scaling_of(points)
    )
    F = problem.joint(problem.parts(points), problem.weights(), None)
    p = lifted_params([{"W": W, "b": b} for W, b in jax_start(case, 0)], np.zeros(0))

    def trial() -> Any:
        at = F.call(primal_model, p)
        return F.call(attempt, p, at, 1e-3, (), form="primal", accelerate=True, refit=False)

    return trial


def by_automatic(case: Case, jacobian: Any) -> Callable[[], Any]:
    """The same with J from jax.jacfwd or jax.jacrev of the residuals, in one compiled function."""
    vector, unravel = ravel_pytree(jax.tree.map(jnp.asarray, jax_start(case, 0)))
    parts = [(jax_residual_of(case, c), jnp.asarray(c.points)) for c in case.conditions]

    def rows(one: Any, points: Any, vector: Any) -> Any:
        return jax.lax.map(lambda x: jacobian(lambda v: one(unravel(v), x)[0])(vector), points, batch_size=BATCH)

    @jax.jit
    def step(vector: Any) -> Any:
        f = lambda v: jnp.concatenate([jax.vmap(one, (None, 0))(unravel(v), p)[:, 0] for one, p in parts])  # noqa: E731
        r, J = f(vector), jnp.concatenate([rows(one, points, vector) for one, points in parts])
        s = jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(J.T @ J + 1e-3 * jnp.eye(vector.size)), -(J.T @ r))
        there = f(vector + s)
        return vector + s, there @ there

    return lambda: jax.block_until_ready(step(vector))


def main() -> None:
    """Run the contestants in turns and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    jax.config.update("jax_enable_x64", True)
    problem = case()
    contestants = {
        "deltarule": by_hand(problem),
        "jax.jacfwd": by_automatic(problem, jax.jacfwd),
        "jax.jacrev": by_automatic(problem, jax.jacrev),
    }
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for trial in contestants.values():
        trial()
    for _ in range(rounds):
        for name, trial in contestants.items():
            wall, cpu = time.perf_counter(), time.process_time()
            trial()
            seconds[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    ours = min(cpu for cpu, _ in seconds["deltarule"])
    for name, times in seconds.items():
        cpu, wall = min(c for c, _ in times), min(w for _, w in times)
        print(
            f"{name:12} {1e3 * cpu:8.1f} ms of processor time, {1e3 * wall:8.1f} ms of wall time, {cpu / ours:6.1f} x"
        )


if __name__ == "__main__":
    main()
