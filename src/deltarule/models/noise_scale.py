"""Measure the noise of targets, and from it the delta of Huber's cost and the L2 penalty of a regression.

The noise is measured by median absolute deviations, which up to half of the rows may be outliers without spoiling. The
first two estimates need no network: the residuals of a linear fit, which non-linearity enlarges, and the differences of
targets between nearest neighbours, over √2, which a change from neighbour to neighbour enlarges. So the smaller one is
taken. If steps are cheap, a small network is then fitted by Huber's cost with that delta, and its residuals give a
smaller estimate, three times in turn.

A cost that says how large the noise is determines the penalty: weights of variance v and noise of variance s² need
lambda = s²/v (MAP), and v = 1/5 does well for standardised inputs. Training on all rows with it is better than early
stopping, whose few validation rows outliers spoil too. With outliers the targets were divided by a standard deviation
std that is larger than the spread R of the other rows. So output weights have the variance v (R/std)² and hidden ones
v, and the one penalty of both is the geometric mean, lambda = s² (std/R)/v. Without that factor outliers are learnt by
heart.
"""

from collections.abc import Sequence

import numpy as np

from deltarule.inspection.residuals import robust_std
from deltarule.network.cost import Cost
from deltarule.network.costs import EFFICIENT, Huber

MIN_SCALE = 1e-3  # standard deviations of the target; a smaller estimate is taken for this
MAX_ROWS = 2000  # so many rows are used, drawn at random
MIN_ROWS = 30  # with fewer no network is fitted
HIDDEN, EPOCHS, MAX_FAIL, ROUNDS, L2 = 10, 30, 6, 3, 0.01  # of that network
TRAINING_SHARE = 0.7  # of the rows; the others stop the training
PRECISION = 5.0  # 1/v
RESTARTS = 4  # of a training with that penalty by default; the network of the lowest cost is kept


def huber_of(X: np.ndarray, Y: np.ndarray) -> Huber:
    """Huber's cost with one delta for all targets, from standardised inputs X (N, n_1) and targets Y (N, k)."""
    return Huber(EFFICIENT * noise_scale(X, Y))


def penalty_of(cost: Cost, scales: Sequence[float] | np.ndarray, Y: np.ndarray) -> float | None:
    """The default l2 if the cost says how large the noise is, else None.

    `scales` are the numbers by which the targets Y (N, k) were divided; NaN is a missing target.
    """
    variance = cost.noise_variance(float(np.mean(scales)))
    if variance is None:
        return None
    return PRECISION * variance * (_outlier_factor(Y) if cost.expects_outliers else 1.0)


def _outlier_factor(Y: np.ndarray) -> float:
    """The factor by which outliers enlarge the standard deviation, at least 1, the mean over the targets."""
    columns = [y[~np.isnan(y)] for y in Y.T]
    spreads = [(float(np.std(y)), robust_std(y - np.median(y))) for y in columns if len(y)]
    return float(np.mean([max(std / usual, 1.0) if usual > 0 else 1.0 for std, usual in spreads] or [1.0]))


def noise_scale(X: np.ndarray, Y: np.ndarray) -> float:
    """The standard deviation of the noise, the mean over the targets, of standardised X (N, n_1) and Y (N, k).

    Rows with a missing target (NaN) are left out.
    """
    complete = ~np.isnan(Y).any(axis=1)
    X, Y = X[complete], Y[complete]
    if not len(Y):
        return 1.0
    order = np.random.default_rng(0).permutation(len(Y))[:MAX_ROWS]
    X, Y = np.asarray(X, np.float64)[order], np.asarray(Y, np.float64)[order]
    spread = np.std(Y, axis=0)
    least = float(np.mean(MIN_SCALE * np.where(spread > 0, spread, 1)))
    first = np.minimum(_linear_fit_scale(X, Y), _neighbour_scale(X, Y))
    return max(_network_scale(X, Y, max(float(np.mean(first)), least)), least)


def _scales(errors: np.ndarray) -> np.ndarray:
    """The scale of the errors of each target (N, k) around their median, which outliers on one side hardly move."""
    return np.array([robust_std(e - np.median(e)) for e in errors.T])


def _linear_fit_scale(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """The scale of the residuals of a linear fit, (k,)."""
    design = np.column_stack([X, np.ones(len(X))])
    return _scales(Y - design @ np.linalg.lstsq(design, Y, rcond=None)[0])


def _neighbour_scale(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """The scale of the differences to the nearest row, over √2, (k,); duplicates, which show no noise, are removed."""
    from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

    rows = np.unique(np.column_stack([X, Y]), axis=0)
    if len(rows) < 2:
        return np.full(Y.shape[1], np.inf)
    X, Y = rows[:, : X.shape[1]], rows[:, X.shape[1] :]
    nearest = cKDTree(X).query(X, k=2)[1]  # itself and the nearest other row, which may come first if their X are equal
    other = np.where(nearest[:, 0] == np.arange(len(X)), nearest[:, 1], nearest[:, 0])
    return np.array([robust_std(d) / 2**0.5 for d in (Y - Y[other]).T])


def _network_scale(X: np.ndarray, Y: np.ndarray, scale: float) -> float:
    """The scale of the residuals of a small network, at most `scale`, if its steps are cheap; rows in random order."""
    from deltarule.network.layers import Dense
    from deltarule.network.network import Network
    from deltarule.trainers import LevenbergMarquardt
    from deltarule.trainers.bayesian.trainer import exact_steps_are_cheap
    from deltarule.trainers.stopping import Stopping
    from deltarule.training.train import train

    (N, k), cut = Y.shape, int(TRAINING_SHARE * len(Y))
    layers = [Dense(HIDDEN, "tanh"), Dense(k, "linear")]
    if N < MIN_ROWS or not exact_steps_are_cheap(Network(layers), (cut, X.shape[1])):
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
        scale = max(min(scale, float(np.mean(_scales(np.asarray(net(params, X)) - Y)))), MIN_SCALE * scale)
    return scale
