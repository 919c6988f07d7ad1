"""(GRAM): J J^T by Hadamard products, whole and in groups, held against J by automatic differentiation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deltarule.curvature import gram, linearize

# The columns of J, in the parameters' order: W (4, 3), b (4), W (3, 4), b (3), W (2, 3), b (2).
COLUMNS = {(0, "W"): 12, (0, "b"): 4, (1, "W"): 12, (1, "b"): 3, (2, "W"): 6, (2, "b"): 2}
GROUPS = {
    "weights and biases": lambda layer, name: name,
    "layers": lambda layer, name: str(layer),
    "each array": lambda layer, name: f"{name}{layer}",
}


@pytest.fixture(scope="module")
def found(block):
    """Every Gram of these tests, in one compilation."""
    net = block.net

    def everything(params, x, y, weight):
        def of(rows):
            return linearize(net, params, x[rows], y[rows], weight[rows])

        lin, left, right = of(slice(None)), of(slice(0, 2)), of(slice(2, 6))
        grouped = {name: gram(net, params, lin, lin, group) for name, group in GROUPS.items()}
        crossed = {"left, right": gram(net, params, left, right), "right, left": gram(net, params, right, left)}
        return grouped | crossed | {"whole": gram(net, params, lin, lin)}

    with jax.enable_x64(True):
        fast = jax.jit(everything, compiler_options={"xla_backend_optimization_level": 0})
        return jax.tree.map(np.asarray, fast(block.params, *map(jnp.asarray, (block.x, block.y, block.weight))))


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
