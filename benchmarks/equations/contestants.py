"""The contestants: each takes a `Clock` with a case and a time limit, and shows it its solution after every step.

All compute in float64 on one thread, on the same points with the same weights and the same network, each from its
library's own initial weights or Glorot's.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.equations.problems import Case, Condition
from benchmarks.equations.racer import Clock


def deltarule_lm(clock: Clock, seed: int = 0) -> None:
    """dr.solve with Levenberg-Marquardt and its defaults."""
    import deltarule as dr
    from deltarule.equations.problem import scaling_of

    case = clock.case
    net = dr.Network([*(dr.Dense(n, "tanh") for n in case.hidden), dr.Dense(1, "linear")])
    equations = [
        dr.Equation(c.points, lambda x, u, p, R=c.residual: R(x, u, np), weight=c.weight) for c in case.conditions
    ]
    centre, half = scaling_of([c.points for c in case.conditions])

    class Watched(dr.LevenbergMarquardt):  # shows the parameters after each step
        def step(self, *arguments: Any) -> Any:
            state, record = super().step(*arguments)
            clock.look(lambda X: net(state.params[:-1], (X - centre) / half))
            return state, record

    dr.solve(net, equations, trainer=Watched(), epochs=10**6, seed=seed, callbacks=[lambda _: bool(clock.ended)])


# Automatic differentiation by PyTorch: Adam, L-BFGS, and SciPy's BFGS


class TorchField:
    """u and its derivatives at points that ask for gradients."""

    def __init__(self, u: Any, x: Any):
        self.value, self._x, self._first = u, x, {}

    def _gradient(self, f: Any) -> Any:
        import torch

        return torch.autograd.grad(f, self._x, torch.ones_like(f), create_graph=True)[0]

    def d(self, *inputs: int) -> Any:
        """(m, 1)."""
        if () not in self._first:
            self._first[()] = self._gradient(self.value)
        first = self._first[()][:, inputs[0] : inputs[0] + 1]
        if len(inputs) == 1:
            return first
        if inputs[0] not in self._first:
            self._first[inputs[0]] = self._gradient(first)
        return self._first[inputs[0]][:, inputs[1] : inputs[1] + 1]


class TorchProblem:
    """A network of PyTorch and the cost of a case."""

    def __init__(self, case: Case, seed: int):
        import torch

        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float64)
        torch.manual_seed(seed)
        self.torch, self.case = torch, case
        self.low = torch.tensor(case.X.min(axis=0))
        self.half = torch.tensor(np.ptp(case.X, axis=0) / 2)
        layers: list[Any] = []
        for n_in, n_out in zip(case.sizes, case.sizes[1:], strict=False):
            layers += [torch.nn.Linear(n_in, n_out), torch.nn.Tanh()]
            torch.nn.init.xavier_normal_(layers[-2].weight)
            torch.nn.init.zeros_(layers[-2].bias)
        self.net = torch.nn.Sequential(*layers[:-1])
        self.points = [torch.tensor(c.points) for c in case.conditions]

    def u(self, x: Any) -> Any:
        """Evaluate the network on inputs in [-1, 1]."""
        return self.net((x - self.low) / self.half - 1)

    def cost(self) -> Any:
        """sum_e w_e/2 mean R_e²."""
        total = 0.0
        for condition, points in zip(self.case.conditions, self.points, strict=True):
            x = points.clone().requires_grad_(True)
            r = condition.residual(x, TorchField(self.u(x), x), self.torch)
            total = total + condition.weight / 2 * (r * r).mean()
        return total

    def predict(self, X: np.ndarray) -> np.ndarray:
        """u."""
        with self.torch.no_grad():
            return self.u(self.torch.tensor(X)).numpy()


def torch_adam(clock: Clock, seed: int = 0) -> None:
    """Adam, 3e-3 with exponential decay to a hundredth over the time, on all points."""
    problem = TorchProblem(clock.case, seed)
    optimizer = problem.torch.optim.Adam(problem.net.parameters(), lr=3e-3)
    while True:
        optimizer.zero_grad()
        problem.cost().backward()
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * 10 ** (-2 * clock.now / clock.limit)
        optimizer.step()
        if clock.look(problem.predict):
            return


def _begun_by_adam(clock: Clock, seed: int) -> TorchProblem:
    """A tenth of the time of Adam, as is usual before quasi-Newton methods."""
    problem = TorchProblem(clock.case, seed)
    optimizer = problem.torch.optim.Adam(problem.net.parameters(), lr=3e-3)
    while clock.now < clock.limit / 10:
        optimizer.zero_grad()
        problem.cost().backward()
        optimizer.step()
        clock.look(problem.predict)
    return problem


def torch_lbfgs(clock: Clock, seed: int = 0) -> None:
    """L-BFGS with strong Wolfe line search and 100 pairs of memory, after a tenth of the time of Adam."""
    problem = _begun_by_adam(clock, seed)
    optimizer = problem.torch.optim.LBFGS(
        problem.net.parameters(), lr=1.0, max_iter=20, history_size=100, line_search_fn="strong_wolfe",
        tolerance_grad=0.0, tolerance_change=0.0,
    )  # fmt: skip

    def closure() -> Any:
        optimizer.zero_grad()
        cost = problem.cost()
        cost.backward()
        return cost

    while True:
        optimizer.step(closure)
        if clock.look(problem.predict):
            return


def scipy_bfgs(clock: Clock, seed: int = 0) -> None:
    """SciPy's BFGS on PyTorch's gradients, after a tenth of the time of Adam; begun anew where its search fails."""
    from scipy.optimize import minimize

    problem = _begun_by_adam(clock, seed)
    torch, parameters = problem.torch, list(problem.net.parameters())

    def put(vector: np.ndarray) -> None:
        torch.nn.utils.vector_to_parameters(torch.tensor(vector), parameters)

    def gradient(vector: np.ndarray) -> tuple[float, np.ndarray]:
        put(vector)
        problem.net.zero_grad()
        cost = problem.cost()
        cost.backward()
        return cost.item(), torch.cat([p.grad.reshape(-1) for p in parameters]).numpy().copy()

    def seen(intermediate_result: Any) -> None:
        put(intermediate_result.x)
        if clock.look(problem.predict):
            raise StopIteration

    start = torch.nn.utils.parameters_to_vector(parameters).detach().numpy()
    options = {"maxiter": 10**7, "gtol": 0.0}
    while not clock.ended:
        found = minimize(gradient, start, jac=True, method="BFGS", callback=seen, options=options)
        if found.nit == 0:
            return
        start = found.x


# JAX


class JaxField:
    """u and its derivatives at one point, with an axis of one example, by nested forward differentiation."""

    def __init__(self, f: Callable[[Any], Any], x: Any):
        self.value, self._f, self._x = f(x)[None], f, x

    def d(self, *inputs: int) -> Any:
        """(1, 1)."""
        import jax
        import jax.numpy as jnp

        f, units = self._f, jnp.eye(self._x.size)
        for i in inputs:
            f = lambda x, f=f, e=units[i]: jax.jvp(f, (x,), (e,))[1]  # noqa: E731
        return f(self._x)[None]


def jax_residual_of(case: Case, condition: Condition) -> Callable[[Any, Any], Any]:
    """(params, x) ↦ the weighted residual of a point, (1,)."""
    import jax.numpy as jnp

    low, half = case.X.min(axis=0), np.ptp(case.X, axis=0) / 2
    root = (condition.weight / len(condition.points)) ** 0.5

    def u(params: Any, x: Any) -> Any:
        a = (x - low) / half - 1
        for W, b in params[:-1]:
            a = jnp.tanh(W @ a + b)
        W, b = params[-1]
        return W @ a + b

    return lambda params, x: root * condition.residual(x[None], JaxField(lambda x: u(params, x), x), jnp).reshape(-1)


def jax_residuals(case: Case, batch: int = 100) -> Callable[[Any], Any]:
    """params ↦ all weighted residuals, whose derivative is J by `jax.jacrev` of each point, `batch` points at once.

    Left to itself `jax.linearize` carries a tangent for each parameter through all points together.
    """
    import jax
    import jax.numpy as jnp
    from jax.flatten_util import ravel_pytree

    parts = [(jax_residual_of(case, condition), condition.points) for condition in case.conditions]

    @jax.custom_jvp
    def residuals(params: Any) -> Any:
        return jnp.concatenate([jax.vmap(one, (None, 0))(params, points).reshape(-1) for one, points in parts])

    @residuals.defjvp
    def along(at: Any, tangents: Any) -> Any:
        (params,), (tangent,) = at, tangents
        vector, unravel = ravel_pytree(params)

        def rows(one: Any, points: Any) -> Any:
            row = jax.grad(lambda v, x: one(unravel(v), x)[0])
            return jax.lax.map(lambda x: row(vector, x), jnp.asarray(points), batch_size=batch)

        J = jnp.concatenate([rows(one, points) for one, points in parts])
        return residuals(params), J @ ravel_pytree(tangent)[0]

    return residuals


def jax_start(case: Case, seed: int) -> Any:
    """Draw Glorot's weights."""
    draw = np.random.default_rng(seed)
    return [
        (draw.normal(size=(b, a)) * (2 / (a + b)) ** 0.5, np.zeros(b))
        for a, b in zip(case.sizes, case.sizes[1:], strict=False)
    ]


def jax_predict(case: Case, params: Any) -> Callable[[np.ndarray], np.ndarray]:
    """u by NumPy."""

    def u(X: np.ndarray) -> np.ndarray:
        low, half = case.X.min(axis=0), np.ptp(case.X, axis=0) / 2
        a = (X - low) / half - 1
        for W, b in params[:-1]:
            a = np.tanh(a @ np.asarray(W).T + np.asarray(b))
        return a @ np.asarray(params[-1][0]).T + np.asarray(params[-1][1])

    return u


def optimistix_lm(clock: Clock, seed: int = 0) -> None:
    """optimistix.LevenbergMarquardt, its steps one by one so that the error can be read."""
    import equinox as eqx
    import jax
    import optimistix as optx

    jax.config.update("jax_enable_x64", True)
    case, residuals = clock.case, jax_residuals(clock.case)
    y = jax.tree.map(jax.numpy.asarray, jax_start(case, seed))
    solver = optx.LevenbergMarquardt(rtol=1e-15, atol=1e-15)

    def fn(y: Any, args: Any) -> Any:
        return residuals(y), None

    f_struct, aux_struct = jax.eval_shape(lambda: fn(y, None))
    state = solver.init(fn, y, None, {}, f_struct, aux_struct, frozenset())
    step = eqx.filter_jit(eqx.Partial(solver.step, fn=fn, args=None, options={}, tags=frozenset()))
    while True:
        y, state, _ = step(y=y, state=state)
        jax.block_until_ready(y)
        if clock.look(jax_predict(case, y)):
            return


def deepxde(clock: Clock, seed: int = 0) -> None:
    """DeepXDE on PyTorch: Adam for a third of the time, then its L-BFGS, as its documentation does."""
    import os

    os.environ["DDE_BACKEND"] = "pytorch"
    import deepxde as dde
    import torch

    dde.config.set_default_float("float64")
    dde.config.set_random_seed(seed)
    torch.set_num_threads(1)
    case = clock.case
    low, high = case.X.min(axis=0), case.X.max(axis=0)
    geometry = dde.geometry.Interval(low[0], high[0]) if len(low) == 1 else dde.geometry.Hypercube(low, high)

    class Field:
        def __init__(self, x: Any, u: Any):
            self.value, self._x = u, x

        def d(self, *inputs: int) -> Any:
            if len(inputs) == 1:
                return dde.grad.jacobian(self.value, self._x, i=0, j=inputs[0])
            return dde.grad.hessian(self.value, self._x, i=inputs[0], j=inputs[1])

    inside, *conditions = case.conditions
    bcs = [
        dde.icbc.PointSetOperatorBC(
            c.points, np.zeros((len(c.points), 1)), lambda x, u, X, c=c: c.residual(x, Field(x, u), torch)
        )
        for c in conditions
    ]  # fmt: skip
    data = dde.data.PDE(
        geometry, lambda x, u: inside.residual(x, Field(x, u), torch), bcs, num_domain=0, num_boundary=0,
        anchors=inside.points,
    )  # fmt: skip
    net = dde.nn.FNN([*case.sizes], "tanh", "Glorot normal")
    net.apply_feature_transform(lambda x: (x - torch.tensor(low)) / torch.tensor((high - low) / 2) - 1)
    model = dde.Model(data, net)
    weights = [c.weight for c in case.conditions]

    class Look(dde.callbacks.Callback):
        def on_epoch_end(self) -> None:
            ended = clock.look(model.predict)
            model.stop_training = ended or (clock.now > clock.limit / 3 and model.opt_name == "adam")

    model.compile("adam", lr=1e-3, loss_weights=weights, verbose=0)
    model.train(iterations=10**7, display_every=10**9, callbacks=[Look()], verbose=0)
    dde.optimizers.config.set_LBFGS_options(maxiter=10**7, maxcor=100, ftol=0, gtol=1e-15)
    dde.optimizers.config.LBFGS_options |= {"iter_per_step": 20, "fun_per_step": 25}  # between two looks at the clock
    while not clock.ended:
        model.compile("L-BFGS", loss_weights=weights, verbose=0)
        before = clock.now
        model.train(display_every=10**9, callbacks=[Look()], verbose=0)
        if clock.now - before < 0.01:
            return


CONTESTANTS: dict[str, Callable[..., None]] = {
    "deltarule LM": deltarule_lm,
    "Adam (PyTorch)": torch_adam,
    "L-BFGS (PyTorch)": torch_lbfgs,
    "BFGS (SciPy)": scipy_bfgs,
    "LM (optimistix)": optimistix_lm,
    "DeepXDE": deepxde,
}
