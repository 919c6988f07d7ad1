"""Replace a slow simulation: a network learns 150 runs, and then predicts 100,000 at once.

The simulation here is the borehole function, the flow of water through a borehole as a function of eight inputs. It has
no noise, but the error bars assume some: expect them to be right to a factor of two, and check them on some runs.
"""

import time

import numpy as np
from scipy.stats import qmc

import deltarule as dr

NAMES = ["radius", "influence", "upper T", "upper head", "lower T", "lower head", "length", "conductivity"]
LOW = np.array([0.05, 100, 63070, 990, 63.1, 700, 1120, 9855])
HIGH = np.array([0.15, 50000, 115600, 1110, 116, 820, 1680, 12045])


def simulate(X):
    """Return the flow in m³ a year."""
    rw, r, Tu, Hu, Tl, Hl, L, Kw = X.T
    log = np.log(r / rw)
    return 2 * np.pi * Tu * (Hu - Hl) / (log * (1 + 2 * L * Tu / (log * rw**2 * Kw) + Tu / Tl))


def plan(runs, seed):
    """Draw a Latin hypercube of inputs."""
    return qmc.scale(qmc.LatinHypercube(8, rng=seed).random(runs), LOW, HIGH)


X = plan(150, seed=0)
model = dr.NetworkRegressor(random_state=0, restarts=4, epochs=400).fit(X, simulate(X))

new = plan(2000, seed=1)
truth, (mean, std) = simulate(new), model.predict(new, return_std=True)
error = np.sqrt(np.mean((mean - truth) ** 2))
estimate = np.sqrt(np.mean(std**2))
print(f"error {error:.2f} m³ a year where the flow varies by {truth.std():.0f}; the error bars say {estimate:.2f}")

many = plan(100_000, seed=2)
began = time.perf_counter()
flow = model.predict(many)
print(
    f"100,000 runs in {time.perf_counter() - began:.2f} s: the flow exceeds 150 m³ a year in {np.mean(flow > 150):.1%}"
)

# A large alpha means that the evidence found no use for an input (automatic relevance determination).
best = model.ensemble_.members[int(np.argmax(model.ensemble_.weights))]
alpha = best.hyper.alpha[0]["W"]
print("by relevance:", ", ".join(NAMES[i] for i in np.argsort(alpha)))
