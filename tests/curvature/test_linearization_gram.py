"""(GRAM): J J^T by Hadamard products, whole and in groups, held against J by automatic differentiation."""

import numpy as np
import pytest

from deltarule import engine
from deltarule.curvature.linearization import gram, gram_diagonal, gram_traces, linearize
from engines import NAMES, off, on

# The columns of J, in the parameters' order: W (4, 3), b (4), W (3, 4), b (3), W (2, 3), b (2).
COLUMNS = {(0, "W"): 12, (0, "b"): 4, (1, "W"): 12, (1, "b"): 3, (2, "W"): 6, (2, "b"): 2}
GROUPS = {
    "weights and biases": lambda layer, name: name,
    "layers": lambda layer, name: str(layer),
    "each array": lambda layer, name: f"{name}{layer}",
}


# D^-1 of each layer: one number an input, one for the biases; and a symmetric M.
DRAW = np.random.default_rng(5)
COVARIANCE = [{"W": DRAW.uniform(0.1, 5, n_in), "b": DRAW.uniform(0.1, 5)} for n_in in (3, 4, 3)]
M = (lambda root: root @ root.T)(DRAW.normal(size=(12, 12)))
SIZES = [(4, 3), (3, 4), (2, 3)]


@pytest.fixture(scope="module", params=NAMES)
def found(request, block):
    """Every Gram of these tests, on one engine in one compilation."""
    net = block.net

    def everything(params, x, y, weight, covariance, M):
        def of(rows):
            return linearize(net, params, x[rows], y[rows], weight[rows])

        lin, left, right = of(slice(None)), of(slice(0, 2)), of(slice(2, 6))
        grouped = {name: gram(lin, lin, group) for name, group in GROUPS.items()}
        crossed = {"left, right": gram(left, right), "right, left": gram(right, left)}
        scaled = {
            "scaled": gram(lin, lin, covariance=covariance),
            "scaled, left, right": gram(left, right, covariance=covariance),
            "traces": gram_traces(lin, lin.errors(), M),
            "diagonal": gram_diagonal(lin, covariance),
        }
        return grouped | crossed | scaled | {"whole": gram(lin, lin)}

    E, given = engine.get(request.param), (block.params, block.x, block.y, block.weight, COVARIANCE, M)
    with E.computing_in(np.dtype("float64")):
        return off(E.call(everything, *on(request.param, given)))


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13 * np.abs(expected).max())


def test_all_parameters(block, found):
    assert list(found["whole"]) == ["all"]
    close(found["whole"]["all"], block.J @ block.J.T)


@pytest.mark.parametrize("grouping", GROUPS)
def test_groups_of_parameters(block, found, grouping):
    expected = {}
    columns = np.split(block.J, np.cumsum(list(COLUMNS.values()))[:-1], axis=1)
    for (layer, name), part in zip(COLUMNS, columns, strict=True):
        into = GROUPS[grouping](layer, name)
        expected[into] = expected.get(into, 0) + part @ part.T
    assert found[grouping].keys() == expected.keys()
    for into, total in found[grouping].items():
        close(total, expected[into])


def test_weighted_groups_are_the_product_with_a_diagonal(block, found):
    """sum_g K_g / d_g = J D^-1 J^T, for D constant on weights and on biases."""
    d = {"W": 0.7, "b": 0.02}
    D = np.concatenate([np.full(size, d[name]) for (_, name), size in COLUMNS.items()])
    close(sum(part / d[name] for name, part in found["weights and biases"].items()), block.J / D @ block.J.T)


def test_the_cross_gram_of_two_blocks(block, found):
    crossed = found["left, right"]["all"]
    assert crossed.shape == (4, 8)
    close(crossed, block.J[:4] @ block.J[4:].T)
    close(found["right, left"]["all"], block.J[4:] @ block.J[:4].T)


def test_a_covariance_that_varies_by_input(block, found):
    """J D^-1 J^T, in the parameters' order: W row by row, so its inputs repeat for each neuron, then b."""
    D = np.concatenate(
        [np.r_[np.tile(c["W"], n), np.full(n, c["b"])] for c, (n, _) in zip(COVARIANCE, SIZES, strict=True)]
    )
    close(found["scaled"]["all"], block.J * D @ block.J.T)
    close(found["diagonal"].reshape(-1), np.diag(block.J * D @ block.J.T))
    close(found["scaled, left, right"]["all"], block.J[:4] * D @ block.J[4:].T)


def test_the_traces_of_every_group(block, found):
    """tr(M J_g J_g^T) = sum over the columns j of the group of J_j^T M J_j."""
    each = np.sum(block.J * (M @ block.J), axis=0)
    first = 0
    for (n, n_in), traces in zip(SIZES, found["traces"], strict=True):
        W, b = np.split(each[first : first + n * n_in + n], [n * n_in])
        close(traces["W"], W.reshape(n, n_in).sum(axis=0))
        close(traces["b"], b.sum())
        first += n * n_in + n
