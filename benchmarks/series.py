"""The two tanks, simulated: deltarule's NARX network beside what else there is in Python, one process each.

    python -m benchmarks.series TANKS.csv [--speed] [--seeds 3] [--only NAME]

Every contestant is fitted to the first record (uEst, yEst), may choose its settings by the last third of it, and then
simulates the second record from its inputs; the error is the root mean square from step 8 on. Its outputs are not
looked at but for the first ones, from which the run begins. It writes docs/results/races/tanks.json. With --speed the
same programs run with smaller and smaller budgets, to see in how many seconds each comes to an error:
tanks-speed.json there.
"""

import argparse
from functools import partial

import numpy as np

from benchmarks.race import RESULTS, lap, race

BEGIN = 8  # measured outputs that a run begins with
STATES = 20  # first outputs from which a model with hidden states may find them


def records(path):
    """uEst, yEst, uVal, yVal."""
    ue, uv, ye, yv = np.genfromtxt(path, delimiter=",", skip_header=1)[:1024, :4].T
    return ue, ye, uv, yv


def rms(run, y):
    """From step BEGIN on."""
    error = (np.ravel(run)[-len(y) :] - y)[BEGIN:]
    return float(np.sqrt(np.mean(error**2))) if np.isfinite(error).all() else float("inf")


def deltarule_narx(training, **options):
    """NARXRegressor with 8 lags and 6 neurons, chosen by its error on what it held out of the first record."""

    def run(u, y, uv, yv, seed):
        import deltarule as dr

        model = dr.NARXRegressor(8, 8, hidden=(6,), training=training, random_state=seed, **options)
        model.fit(u, y)
        try:
            return model.simulate(uv, yv[:BEGIN])
        except dr.UnstableError:
            return np.full(len(yv), np.inf)

    return run


def linear_arx(u, y, uv, yv, seed):
    """Least squares one step ahead, the lags of 1 to 8 that simulate the last third best."""

    def fitted(n, last):
        X = np.column_stack([v[n - j - 1 : last - j - 1] for v in (y, u) for j in range(n)] + [np.ones(last - n)])
        return np.linalg.lstsq(X, y[n:last], rcond=None)[0]

    def simulated(w, n, u, y):
        run = np.array(y, float)
        for t in range(n, len(u)):
            run[t] = np.concatenate([run[t - n : t][::-1], u[t - n : t][::-1], [1]]) @ w
        return run

    cut = 2 * len(y) // 3
    errors = {n: rms(simulated(fitted(n, cut), n, u[cut:], y[cut:]), y[cut:]) for n in range(1, BEGIN + 1)}
    n = min(errors, key=errors.get)
    return simulated(fitted(n, len(y)), n, uv, yv)


def sysidentpy_polynomial(u, y, uv, yv, seed):
    """FROLS with its information criterion, degree and lags by the last third."""
    from sysidentpy.basis_function import Polynomial
    from sysidentpy.model_structure_selection import FROLS
    from sysidentpy.parameter_estimation import LeastSquares

    def fitted(degree, n, last):
        model = FROLS(
            order_selection=True, n_info_values=30, ylag=n, xlag=n, info_criteria="aic", estimator=LeastSquares(),
            basis_function=Polynomial(degree=degree),
        )  # fmt: skip
        model.fit(X=u[:last, None], y=y[:last, None])
        return model

    cut, found = 2 * len(y) // 3, []
    for degree, n in ((1, 4), (1, 8), (2, 2), (2, 4), (2, 8), (3, 2), (3, 4)):
        model = fitted(degree, n, cut)
        with np.errstate(all="ignore"):
            found.append((rms(model.predict(X=u[cut:, None], y=y[cut:, None][:n]), y[cut:]), n, model))
    _, n, model = min(found, key=lambda one: one[0])  # fitted anew to the whole record it may run away
    return model.predict(X=uv[:, None], y=yv[:, None][:n])


def sysidentpy_network(u, y, uv, yv, seed):
    """NARXNN as in its documentation: a network of torch, Adam, trained one step ahead; 8 lags."""
    import torch
    from sysidentpy.basis_function import Polynomial
    from sysidentpy.neural_network import NARXNN

    torch.manual_seed(seed)
    net = torch.nn.Sequential(
        torch.nn.Linear(2 * BEGIN, 30),
        torch.nn.Tanh(),
        torch.nn.Linear(30, 30),
        torch.nn.Tanh(),
        torch.nn.Linear(30, 1),
    )
    scale = [(v.mean(), v.std()) for v in (u, y)]
    us, ys, uvs, yvs = ((v - m) / s for v, (m, s) in zip((u, y, uv, yv), [*scale, *scale], strict=True))
    model = NARXNN(
        net=net, ylag=BEGIN, xlag=BEGIN, basis_function=Polynomial(degree=1), model_type="NARMAX", loss_func="mse_loss",
        optimizer="Adam", epochs=300, verbose=False, optim_params={"betas": (0.9, 0.999), "eps": 1e-05},
    )  # fmt: skip
    model.fit(X=us[:, None], y=ys[:, None])
    return scale[1][0] + scale[1][1] * np.ravel(model.predict(X=uvs[:, None], y=yvs[:, None][:BEGIN]))


def jax_sysid(u, y, uv, yv, seed, adam=1000, lbfgs=1000, states=(2, 3)):
    """The residual recurrent network of its README, trained by Adam and L-BFGS; 2 or 3 states by the last third."""
    import jax
    import jax.numpy as jnp
    from jax_sysid.models import Model
    from jax_sysid.utils import standard_scale

    jax.config.update("jax_enable_x64", True)

    def sigmoid(x):
        return 1.0 / (1.0 + jnp.exp(-x))

    @jax.jit
    def state(x, u, params):
        A, B, _C, W1, W2, W3, b1, b2, _W4, _W5, _b3, _b4 = params
        return A @ x + B @ u + W3 @ sigmoid(W1 @ x + W2 @ u + b1) + b2

    @jax.jit
    def output(x, u, params):
        _A, _B, C, _W1, _W2, _W3, _b1, _b2, W4, W5, b3, b4 = params
        return C @ x + W5 @ sigmoid(W4 @ x + b3) + b4

    ys, y_mean, y_gain = standard_scale(y[:, None])
    us, u_mean, u_gain = standard_scale(u[:, None])

    def fitted(nx, last):
        random, n = np.random.default_rng(seed), 5
        model = Model(nx, 1, 1, state_fcn=state, output_fcn=output)
        model.init(params=[
            0.5 * np.eye(nx), 0.1 * random.normal(size=(nx, 1)), 0.1 * random.normal(size=(1, nx)),
            0.1 * random.normal(size=(n, nx)), 0.5 * random.normal(size=(n, 1)), 0.5 * random.normal(size=(nx, n)),
            np.zeros(n), np.zeros(nx), 0.5 * random.normal(size=(n, nx)), 0.5 * random.normal(size=(1, n)), np.zeros(n),
            np.zeros(1),
        ])  # fmt: skip
        model.loss(rho_x0=1e-4, rho_th=1e-4)
        model.optimization(adam_epochs=adam, lbfgs_epochs=lbfgs)
        model.fit(ys[:last], us[:last])
        return model

    def simulated(model, us, ys):
        x0 = model.learn_x0(us[:STATES], ys[:STATES], RTS_epochs=5, verbosity=False)
        return np.ravel(model.predict(x0, us)[0])

    cut = 2 * len(y) // 3
    nx = states[0]
    if len(states) > 1:
        nx = min(states, key=lambda nx: rms(simulated(fitted(nx, cut), us[cut:], ys[cut:]), ys[cut:, 0]))
    run = simulated(fitted(nx, len(y)), (uv[:, None] - u_mean) * u_gain, (yv[:, None] - y_mean) * y_gain)
    return run / np.ravel(y_gain) + np.ravel(y_mean)


def pyrenn_narx(u, y, uv, yv, seed):
    """Its recurrent network with delayed outputs, Levenberg-Marquardt through the recurrence; 4 lags, 6 neurons."""
    import pyrenn

    np.random.seed(seed)  # noqa: NPY002, which is what pyrenn draws from
    lags = list(range(1, 5))
    net = pyrenn.CreateNN([1, 6, 1], dIn=lags, dIntern=[], dOut=lags)
    low, high = y.min(), y.max()
    us, ys, uvs, yvs = (
        (u - u.mean()) / u.std(),
        (y - low) / (high - low),
        (uv - u.mean()) / u.std(),
        (yv - low) / (high - low),
    )
    net = pyrenn.train_LM(us, ys, net, k_max=60, E_stop=1e-5, verbose=False)
    run = pyrenn.NNOut(uvs[4:], net, P0=uvs[:4][None], Y0=yvs[:4][None])
    return np.concatenate([yv[:4], low + (high - low) * np.ravel(run)])


def torch_lstm(u, y, uv, yv, seed, epochs=1500):
    """One layer of 32 cells and a linear output from the input alone, Adam; the epoch by the last third."""
    import copy

    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    lstm, out = torch.nn.LSTM(1, 32, batch_first=True), torch.nn.Linear(32, 1)
    parameters = [*lstm.parameters(), *out.parameters()]
    us, uvs = (torch.tensor((v - u.mean()) / u.std(), dtype=torch.float32)[None, :, None] for v in (u, uv))
    ys = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)
    rule, cut, best = torch.optim.Adam(parameters, lr=1e-2), 2 * len(y) // 3, (np.inf, None)
    for _ in range(epochs):
        rule.zero_grad()
        run = out(lstm(us[:, :cut])[0])[0, :, 0]
        ((run - ys[:cut])[STATES:] ** 2).mean().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        rule.step()
        with torch.no_grad():
            error = float(((out(lstm(us)[0])[0, cut:, 0] - ys[cut:]) ** 2).mean())
        if error < best[0]:
            best = (error, copy.deepcopy((lstm.state_dict(), out.state_dict())))
    lstm.load_state_dict(best[1][0])
    out.load_state_dict(best[1][1])
    with torch.no_grad():
        return y.mean() + y.std() * out(lstm(uvs)[0])[0, :, 0].numpy()


CONTESTANTS = {
    "deltarule, closed loop": deltarule_narx("closed-loop"),
    "deltarule, open loop": deltarule_narx("open-loop"),
    "linear ARX": linear_arx,
    "SysIdentPy, polynomial": sysidentpy_polynomial,
    "SysIdentPy, network": sysidentpy_network,
    "jax-sysid": jax_sysid,
    "pyrenn": pyrenn_narx,
    "PyTorch LSTM": torch_lstm,
}

SPEED = {
    f"deltarule, {members * restarts} networks": deltarule_narx("closed-loop", members=members, restarts=restarts)
    for members, restarts in ((3, 2), (3, 1), (1, 1))
}
SPEED |= {  # with the number of states given, so that it fits once and not three times
    f"jax-sysid, {states} states, {adam} + {lbfgs} epochs": partial(jax_sysid, adam=adam, lbfgs=lbfgs, states=(states,))
    for states in (2, 3)
    for adam, lbfgs in ((1000, 1000), (1000, 300), (1000, 100), (300, 100))
}
SPEED |= {f"PyTorch LSTM, {epochs} epochs": partial(torch_lstm, epochs=epochs) for epochs in (1500, 500, 150, 50)}


def main():
    """The race, or with --speed the ladders of budgets."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.series", description=__doc__)
    parser.add_argument("tanks")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only")
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    contestants, name = (SPEED, "tanks-speed") if options.speed else (CONTESTANTS, "tanks")
    if options.seed is None:
        words = ["benchmarks.series", options.tanks, *(["--speed"] if options.speed else [])]
        race(
            words, [one for one in contestants if options.only in (None, one)], options.seeds, RESULTS / f"{name}.json"
        )
        return
    u, y, uv, yv = records(options.tanks)
    lap(options.only, lambda: {"rms": rms(contestants[options.only](u, y, uv, yv, options.seed), yv)})


if __name__ == "__main__":
    main()
