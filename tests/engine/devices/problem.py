"""The training that the processes of these tests share: 101 examples, which no number of devices divides."""

import jax
import numpy as np
import optax

import deltarule as dr

N = 101
random = np.random.default_rng(0)
X = random.normal(size=(N, 3))
Y = np.sin(X[:, :1] + X[:, 1:2] * X[:, 2:])
VALIDATION = (X[:37] + 0.1, Y[:37])
NET = dr.Network([dr.Dense(5, "tanh"), dr.Dense(1, "linear")])
IMAGES = random.normal(size=(N, 36))
IMAGE_NET = dr.Network(
    [dr.Reshape((6, 6, 1)), dr.Convolution(3, (3, 3), "tanh"), dr.MaxPool((2, 2)), dr.Flatten(), dr.Dense(1, "linear")]
)
WEIGHTS = random.uniform(0.5, 2, N)
CASES = {
    "sgd": (dr.GradientDescent(eta=0.1, batch_size=16), {}),
    "primal": (dr.LevenbergMarquardt(solver="primal"), {}),
    "dual": (dr.LevenbergMarquardt(solver="dual"), {}),
    "convolution": (
        dr.GradientDescent(eta=0.1, batch_size=16, momentum=0.5),
        {"net": IMAGE_NET, "inputs": IMAGES},
    ),
    "momentum, weights, validation, records": (
        dr.GradientDescent(eta=0.1, batch_size=10, momentum=0.9, l2=0.1),
        {"weights": WEIGHTS, "validation_data": VALIDATION, "record": ("learning_speed", "training_score")},
    ),
    "drawn with replacement": (dr.GradientDescent(eta=0.1, batch_size=7, sampling="uniform"), {}),
    "adam, two starts": (dr.GradientDescent(rule=optax.adam(1.0), eta=0.01, batch_size=8), {"restarts": 2}),
    "full batch, weights": (dr.GradientDescent(eta=0.1), {"weights": WEIGHTS}),
    "dual, prior, weights": (dr.LevenbergMarquardt(solver="dual", l2=0.1), {"weights": WEIGHTS}),
    "cg": (dr.LevenbergMarquardt(solver="cg", cg_tolerance=1e-12), {}),
    "lm, mini-batches": (dr.LevenbergMarquardt(batch_size=64), {"weights": WEIGHTS}),
    # 26 parameters fitted to 32 rows at a time: the condition number grows from 240 to 1.5e5 in these 12 steps, and
    # with it whatever rounding there is, by a hundred an epoch.
    "lm, ill-conditioned mini-batches": (dr.LevenbergMarquardt(batch_size=32), {"weights": WEIGHTS}),
    "newton-cg": (dr.NewtonCG(), {}),
    "newton-cg, mini-batches": (dr.NewtonCG(batch_size=20), {}),
    "bayesian, primal": (dr.BayesianRegularization(solver="primal"), {}),
    "bayesian, dual": (dr.BayesianRegularization(solver="dual"), {}),
}


def nudged(seed):
    """X, every number of it one rounding unit up or down or as it is."""
    return X * (1 + np.random.default_rng(seed).choice([-1, 0, 1], size=X.shape) * np.finfo(X.dtype).eps)


def train(case, share=lambda *arrays: arrays, inputs=None, **options):
    """The case on one device, or on `devices` with this process's share."""
    trainer, own = CASES[case]
    net, given = own.get("net", NET), own.get("inputs", X) if inputs is None else inputs
    own = {name: value for name, value in own.items() if name not in ("net", "inputs")}
    settings = {"trainer": trainer, "epochs": 3, "seed": 1, "dtype": "float64", "engine": "jax"} | own | options
    if "weights" in own:
        settings["weights"] = share(WEIGHTS)[0]
    if "validation_data" in own:
        settings["validation_data"] = share(*VALIDATION)
    return dr.train(net, *share(given, Y), **settings)


def apart(one, other):
    """The largest difference of two results beside the largest entry of each of their arrays."""
    return max(
        float(np.nanmax(np.abs(a - b)) / max(1e-300, np.nanmax(np.abs(a))))
        for a, b in zip(*(jax.tree.leaves((r.params, r.history)) for r in (one, other)), strict=True)
        if np.size(a)
    )
