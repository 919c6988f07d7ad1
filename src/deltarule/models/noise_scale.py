"""How large the noise of targets is, the delta of Huber's cost that fits it, and the penalty that fits both.

Everything is measured by the median absolute deviation, which up to half of the rows may spoil. First estimates need no
network: the residuals of a linear fit, and the differences between the targets of rows whose inputs are neighbours,
over √2. What a line cannot follow enlarges the first, what changes from neighbour to neighbour the second, so the
smaller one is nearer. Where steps are cheap a small network is then fitted by Huber's cost with that delta, and the
residuals that it leaves give the next, smaller one, three times over.

A cost that says how large the noise is says how much penalty a training needs: weights of variance v beside noise of
variance s² ask for lambda = s²/v (MAP), and v = 1/5 does well for standardised inputs. On all rows that is better
than early stopping, whose few held-out rows the outliers spoil too. Where outliers are expected, the targets were
divided by a deviation std that they enlarge. Beside the spread R of the others, output weights then have the variance
v (R/std)² and hidden ones v; the one penalty of both is the geometric mean, lambda = s² (std/R)/v. Without that
factor outliers are cheap to learn by heart.
"""

from collections.abc import Sequence

import numpy as np

from deltarule.inspection.residuals import usual_error
from deltarule.network.cost import Cost
from deltarule.network.costs import EFFICIENT, Huber

LEAST = 1e-3  # standard deviations of the target; less is no noise
MOST_ROWS = 2000  # that are looked at
LEAST_ROWS = 30  # for the network
HIDDEN, EPOCHS, MAX_FAIL, ROUNDS, L2 = 10, 30, 6, 3, 0.01
TRAINED = 0.7  # of the rows, the others stop the training
PRECISION = 5.0  # 1/v
RESTARTS = 4  # of a training with that penalty by default; the network of the lowest cost is kept


def huber_of(X: np.ndarray, Y: np.ndarray) -> Huber:
    """Huber's cost for these standardised inputs X (N, n_1) and targets Y (N, k), with one delta for all targets."""
    return Huber(EFFICIENT * noise_scale(X, Y))


def penalty_of(cost: Cost, scales: Sequence[float] | np.ndarray, Y: np.ndarray) -> float | None:
    """The l2 of a training where none is given, if the cost says how large the noise is, else None.

    Args:
        cost: the cost.
        scales: what each target was divided by.
        Y: the targets after it, (N, k); NaN where one is missing.
    """
    variance = cost.noise_variance(float(np.mean(scales)))
    if variance is None:
        return None
    return PRECISION * variance * (_enlarged(Y) if cost.expects_outliers else 1.0)


def _enlarged(Y: np.ndarray) -> float:
    """By how much outliers enlarge the standard deviation of the targets, at least 1, the mean over them."""
    columns = [y[~np.isnan(y)] for y in Y.T]
    spreads = [(float(np.std(y)), usual_error(y - np.median(y))) for y in columns if len(y)]
    return float(np.mean([max(std / usual, 1.0) if usual > 0 else 1.0 for std, usual in spreads] or [1.0]))


def noise_scale(X: np.ndarray, Y: np.ndarray) -> float:
    """The standard deviation of the noise, the mean over the targets, each at least `LEAST` of its own.

    Args:
        X: inputs, standardised, (N, n_1).
        Y: targets, standardised, (N, k).
    """
    whole = ~np.isnan(Y).any(axis=1)  # of several targets some may be missing
    X, Y = X[whole], Y[whole]
    if not len(Y):
        return 1.0
    order = np.random.default_rng(0).permutation(len(Y))[:MOST_ROWS]
    X, Y = np.asarray(X, np.float64)[order], np.asarray(Y, np.float64)[order]
    spread = np.std(Y, axis=0)
    least = float(np.mean(LEAST * np.where(spread > 0, spread, 1)))
    first = np.minimum(_around_a_line(X, Y), _between_neighbours(X, Y))
    return max(_after_fits(X, Y, max(float(np.mean(first)), least)), least)


def _scales(errors: np.ndarray) -> np.ndarray:
    """Of each target, from the median of its errors (N, k), which outliers on one side hardly move."""
    return np.array([usual_error(e - np.median(e)) for e in errors.T])


def _around_a_line(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Of the residuals of a linear fit, (k,)."""
    design = np.column_stack([X, np.ones(len(X))])
    return _scales(Y - design @ np.linalg.lstsq(design, Y, rcond=None)[0])


def _between_neighbours(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Of the differences to the nearest other row, over √2, (k,); a copy of a row says nothing of the noise."""
    from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

    rows = np.unique(np.column_stack([X, Y]), axis=0)
    if len(rows) < 2:
        return np.full(Y.shape[1], np.inf)
    X, Y = rows[:, : X.shape[1]], rows[:, X.shape[1] :]
    number = cKDTree(X).query(X, k=2)[1]
    other = np.where(number[:, 0] == np.arange(len(X)), number[:, 1], number[:, 0])  # of equal X either may come first
    return np.array([usual_error(d) / 2**0.5 for d in (Y - Y[other]).T])


def _after_fits(X: np.ndarray, Y: np.ndarray, scale: float) -> float:
    """The scale that is left after fits by a small network, where its steps are cheap; rows come in a random order."""
    from deltarule.network.layers import Dense
    from deltarule.network.network import Network
    from deltarule.trainers import LevenbergMarquardt
    from deltarule.trainers.automatic import exact_steps_are_cheap
    from deltarule.trainers.stopping import Stopping
    from deltarule.training.train import train

    (N, k), cut = Y.shape, int(TRAINED * len(Y))
    layers = [Dense(HIDDEN, "tanh"), Dense(k, "linear")]
    if N < LEAST_ROWS or not exact_steps_are_cheap(Network(layers), (cut, X.shape[1])):
        return scale
    params = None
    for _ in range(ROUNDS):
        net = Network(layers, Huber(EFFICIENT * scale))
        params = train(
            net,
            X[:cut],
            Y[:cut],
            trainer=LevenbergMarquardt(l2=L2),
            epochs=EPOCHS,
            params=params,
            validation_data=(X[cut:], Y[cut:]),
            seed=0,
            engine="numpy",
            stopping=Stopping(max_fail=MAX_FAIL),
        ).params
        scale = max(min(scale, float(np.mean(_scales(np.asarray(net(params, X)) - Y)))), LEAST * scale)
    return scale
