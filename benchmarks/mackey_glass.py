"""Mackey-Glass, 84 steps ahead in a free run: deltarule's NAR network beside other Python programs.

    python -m benchmarks.mackey_glass [--seeds 3] [--only NAME]

Every contestant learns from the same 1,500 noiseless steps (tau = 17), as its own documentation does it, and then runs
freely from 50 places of the series that follows, of which it may read the steps before. The error is the root mean
square at step 84 over the series' standard deviation. It writes docs/results/races/mackey-glass.json.
"""

import argparse

import numpy as np

from benchmarks.race import RESULTS, lap, race

LEARN, PLACES, APART, AHEAD = 1500, 50, 20, 84
LAGS = 18
BEFORE = 200  # steps that a program with hidden states may read to find them


def series(seed):
    """Return the series, and the places at which free runs begin."""
    from deltarule.experiments.series import delay_equation

    x = delay_equation(LEARN + BEFORE + PLACES * APART + AHEAD, seed=seed)
    return x, LEARN + BEFORE + APART * np.arange(PLACES)


def deltarule_nar(x, places, seed):
    """NARXRegressor with 18 lags and 20 neurons, in open loop."""
    import deltarule as dr

    model = dr.NARXRegressor(output_lags=LAGS, hidden=(20,), training="open-loop", random_state=seed)
    model.fit(None, x[:LEARN])
    return [model.simulate(None, x[at - LAGS : at], LAGS + AHEAD)[-1] for at in places]


def linear(x, places, seed):
    """Least squares on 18 lags."""
    X = np.column_stack([x[LAGS - j - 1 : LEARN - j - 1] for j in range(LAGS)] + [np.ones(LEARN - LAGS)])
    w = np.linalg.lstsq(X, x[LAGS:LEARN], rcond=None)[0]
    ends = []
    for at in places:
        run = x[at - LAGS : at].tolist()
        for _ in range(AHEAD):
            run.append(float(np.dot(w, [*run[: -LAGS - 1 : -1], 1.0])))
        ends.append(run[-1])
    return ends


def echo_state(x, places, seed):
    """reservoirpy's network of 1,000 nodes, ridge regression one step ahead; its settings by free runs of 400 nodes."""
    from reservoirpy.nodes import Reservoir, Ridge

    low, high = x[:LEARN].min(), x[:LEARN].max()
    z = 2 * (x - low) / (high - low) - 1

    def ends(nodes, settings, last, places):
        lr, sr, noise = settings
        reservoir = Reservoir(nodes, lr=lr, sr=sr, input_scaling=1.0, bias=0.2, seed=seed)
        model = reservoir >> Ridge(ridge=1e-9)
        inputs = z[: last - 1] + noise * np.random.default_rng(seed).normal(size=last - 1)
        model.fit(inputs[:, None], z[1:last, None], warmup=100)
        found = []
        for at in places:
            reservoir.reset()
            y = model.run(z[at - BEFORE : at, None])[-1]
            for _ in range(AHEAD - 1):
                y = np.ravel(model(y))
            found.append(float(np.ravel(y)[0]))
        return np.array(found)

    cut, inside = 1100, np.arange(1100, LEARN - AHEAD, 30)  # free runs within what is to be learnt
    tried = [(lr, sr, noise) for lr in (0.3, 0.6, 1.0) for sr in (0.8, 0.95) for noise in (0.0, 1e-4)]
    errors = [np.sum((ends(400, each, cut, inside) - z[inside + AHEAD - 1]) ** 2) for each in tried]
    return low + (high - low) * (ends(1000, tried[int(np.nanargmin(errors))], LEARN, places) + 1) / 2


def sysidentpy(x, places, seed):
    """Polynomial NAR of degree 2 by FROLS, the number of terms by its information criterion."""
    from sysidentpy.basis_function import Polynomial
    from sysidentpy.model_structure_selection import FROLS
    from sysidentpy.parameter_estimation import LeastSquares

    model = FROLS(
        order_selection=True, n_info_values=60, ylag=LAGS, info_criteria="aic", estimator=LeastSquares(),
        basis_function=Polynomial(degree=2), model_type="NAR",
    )  # fmt: skip
    model.fit(y=x[:LEARN, None])
    with np.errstate(all="ignore"):
        runs = [model.predict(y=x[at - LAGS : at, None], forecast_horizon=AHEAD) for at in places]
    return [float(np.ravel(run)[-1]) for run in runs]


def recurrent(kind):
    """A torch layer of 64 cells and a linear output, one step ahead on pieces of 100 steps, Adam with a cosine."""

    def run(x, places, seed):
        import torch

        torch.manual_seed(seed)
        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float64)
        layer, out, epochs = getattr(torch.nn, kind)(1, 64, batch_first=True), torch.nn.Linear(64, 1), 1000
        mean, std = x[:LEARN].mean(), x[:LEARN].std()
        z = torch.tensor((x - mean) / std)
        pieces = torch.stack([z[at : at + 101] for at in range(0, LEARN - 100, 50)])
        parameters = [*layer.parameters(), *out.parameters()]
        rule = torch.optim.Adam(parameters, lr=5e-3)
        rate = torch.optim.lr_scheduler.CosineAnnealingLR(rule, epochs)
        for _ in range(epochs):
            rule.zero_grad()
            ahead = out(layer(pieces[:, :-1, None])[0])[:, :, 0]
            ((ahead - pieces[:, 1:])[:, 20:] ** 2).mean().backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            rule.step()
            rate.step()
        with torch.no_grad():
            h, state = layer(torch.stack([z[at - BEFORE : at] for at in places])[:, :, None])
            y = out(h[:, -1:])
            for _ in range(AHEAD - 1):
                h, state = layer(y, state)
                y = out(h)
        return (mean + std * y[:, 0, 0]).numpy()

    return run


def jax_sysid(x, places, seed):
    """Its recurrent network with 8 states, fed the step before, one step ahead; Adam, then L-BFGS."""
    import flax.linen as nn
    import jax
    import jax.numpy as jnp
    from jax_sysid.models import RNN

    jax.config.update("jax_enable_x64", True)
    mean, std = x[:LEARN].mean(), x[:LEARN].std()
    z, nx = (x - mean) / std, 8

    class State(nn.Module):
        @nn.compact
        def __call__(self, both):
            return nn.Dense(nx)(nn.tanh(nn.Dense(20)(both)))

    class Output(nn.Module):
        @nn.compact
        def __call__(self, both):
            return nn.Dense(1)(nn.tanh(nn.Dense(20)(both)))

    model = RNN(nx, 1, 1, FX=State, FY=Output, x_scaling=0.1, seed=seed)
    model.loss(rho_x0=1e-4, rho_th=1e-8)
    model.optimization(adam_epochs=1000, lbfgs_epochs=2000)
    model.fit(z[1:LEARN, None], z[: LEARN - 1, None])
    ends = []
    step, seen = jax.jit(model.state_fcn), jax.jit(model.output_fcn)
    for at in places:
        state = jnp.zeros(nx)
        for value in z[at - BEFORE : at]:
            u = jnp.array([value])
            last, state = seen(state, u, model.params), step(state, u, model.params)
        for _ in range(AHEAD - 1):
            last, state = seen(state, last, model.params), step(state, last, model.params)
        ends.append(mean + std * float(last[0]))
    return ends


CONTESTANTS = {
    "deltarule, NAR, 20 neurons": deltarule_nar,
    "reservoirpy, echo state network of 1,000": echo_state,
    "jax-sysid, recurrent network, 8 states": jax_sysid,
    "PyTorch GRU, 64 cells": recurrent("GRU"),
    "PyTorch LSTM, 64 cells": recurrent("LSTM"),
    "SysIdentPy, polynomial NAR": sysidentpy,
    "linear AR": linear,
}


def main():
    """Run the contestant that --only and --seed name, or all of them in turns."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mackey_glass", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only")
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    if options.seed is None:
        names = [one for one in CONTESTANTS if options.only in (None, one)]
        race(["benchmarks.mackey_glass"], names, options.seeds, RESULTS / "mackey-glass.json")
        return
    x, places = series(options.seed)

    def run():
        error = np.array(CONTESTANTS[options.only](x, places, options.seed)) - x[places + AHEAD - 1]
        return {"nrmse": float(np.sqrt(np.mean(error**2)) / x.std()) if np.isfinite(error).all() else None}

    lap(options.only, run)


if __name__ == "__main__":
    main()
