"""The NumPy engine's functions against SciPy, by hand, and against the JAX engine's of the same name."""

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.linalg
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from deltarule import engine as engines_of
from deltarule.engine import numpy_engine as E
from deltarule.engine.rows import Batches, EpochContext
from deltarule.errors import ConfigurationError
from engines import assert_close, on, put, rows_on

DRAW = np.random.default_rng(0)
ROOT = DRAW.normal(size=(6, 9))
H = ROOT @ ROOT.T  # positive definite
pytestmark = pytest.mark.usefixtures("float64")


# Functions


@pytest.mark.parametrize("name", ["logsumexp", "softmax", "log_softmax"])
def test_over_the_last_axis(name, engine):
    z = DRAW.normal(size=(4, 5)) * 50
    given = {"axis": -1} | ({"keepdims": True} if name == "logsumexp" else {})
    found = getattr(engines_of.get(engine), name)(put(engine, z))
    np.testing.assert_allclose(found, getattr(scipy.special, name)(z, **given), rtol=1e-12)


def test_they_neither_overflow_nor_lose_infinities(engine):
    F, z = engines_of.get(engine), put(engine, np.array([[1e308, -1e308], [-1e308, -1e308]]))
    nothing = put(engine, np.array([[-np.inf, -np.inf], [np.inf, 0]]))
    with F.ignore_float_errors():
        np.testing.assert_allclose(F.softmax(z), [[1, 0], [0.5, 0.5]])
        np.testing.assert_allclose(F.logsumexp(z), [[1e308], [-1e308]])
        np.testing.assert_array_equal(F.logsumexp(nothing), [[-np.inf], [np.inf]])


def test_the_sigmoid(engine):
    z = np.array([-1e4, -700, -1, 0, 1, 40, 1e4])
    found = engines_of.get(engine).sigmoid(put(engine, z))
    np.testing.assert_allclose(found, scipy.special.expit(z), rtol=1e-13)


@st.composite
def paddings(draw):
    """Shapes of up to three axes, and for each axis what is put before, after and between; negative cuts off."""
    shape = draw(st.lists(st.integers(0, 5), min_size=1, max_size=3))
    return shape, [(draw(st.integers(-3, 3)), draw(st.integers(-3, 3)), draw(st.integers(0, 2))) for _ in shape]


@given(paddings())
def test_padding_is_that_of_lax(case):
    lax = pytest.importorskip("jax.lax")
    shape, widths = case
    sizes = [n + before + after + max(n - 1, 0) * between for n, (before, after, between) in zip(*case, strict=True)]
    if min(sizes) < 0:
        return
    array = np.arange(1.0, np.prod(shape) + 1).reshape(shape)
    np.testing.assert_array_equal(E.pad(array, -7.0, widths), lax.pad(array, -7.0, widths))


@pytest.mark.parametrize(
    ("widths", "expected"),
    [
        ((1, 2, 0), [0, 1, 2, 3, 0, 0]),
        ((0, 0, 2), [1, 0, 0, 2, 0, 0, 3]),
        ((-1, -1, 0), [2]),
        ((-1, 0, 1), [0, 2, 0, 3]),
        ((-2, 1, 1), [2, 0, 3, 0]),
        ((1, -4, 1), [0, 1]),
    ],
)
def test_padding_by_hand(widths, expected, engine):
    found = engines_of.get(engine).pad(put(engine, [1.0, 2.0, 3.0]), 0.0, [widths])
    assert found.tolist() == expected


def test_padding_keeps_the_dtype(engine):
    assert engines_of.get(engine).pad(put(engine, np.ones(2, np.float32)), 0, [(1, 0, 0)]).dtype == np.float32


@pytest.mark.parametrize("k", [1, 3])
def test_columns(k, engine):
    """f of every S[..., o], side by side after the examples."""
    S = DRAW.normal(size=(4, 5, k))
    found = engines_of.get(engine).map_columns(lambda column: [column, column.sum(axis=1)], put(engine, S))
    np.testing.assert_allclose(found[0], S.transpose(0, 2, 1))
    np.testing.assert_allclose(found[1], S.sum(axis=1), rtol=1e-14)


# Products


@pytest.mark.parametrize(("m", "n", "inputs"), [(1, 2, 3), (5, 4, 3), (100, 7, 9), (100, 40, 9), (600, 5, 4)])
def test_the_products_of_a_dense_layer(m, n, inputs, engine):
    """Whichever way the JAX engine takes for this many terms."""
    F, W, a, delta = engines_of.get(engine), *(DRAW.normal(size=s) for s in ((n, inputs), (m, inputs), (m, n)))
    own_W, own_a, own_delta = on(engine, (W, a, delta))
    np.testing.assert_allclose(F.dense(own_W, own_a), np.einsum("jk,mk->mj", W, a), rtol=1e-12, atol=1e-13)
    expected = np.einsum("jk,mj->mk", W, delta)
    np.testing.assert_allclose(F.dense_transposed(own_W, own_delta), expected, rtol=1e-12, atol=1e-13)
    expected = np.einsum("mj,mk->jk", delta, a)
    np.testing.assert_allclose(F.dense_outer(own_delta, own_a), expected, rtol=1e-12, atol=1e-12)


def test_rows_of_products(engine):
    """u_j ⊙ v_i, i running faster, one pair below the other; v may be one number."""
    u, v, one = DRAW.normal(size=(2, 5)), DRAW.normal(size=(3, 5)), np.ones((1, 1))
    found = engines_of.get(engine).khatri_rao_rows(on(engine, [(u, v), (u, one)]))
    np.testing.assert_allclose(found, [u[j] * v[i] for j in range(2) for i in range(3)] + [u[0], u[1]], rtol=1e-15)


@pytest.mark.parametrize("n", [1, 2, 33, 192, 383, 384, 385, 581, 1000])
def test_the_symmetric_product(n, engine):
    """JAX's is made of panels of 192 rows or more; whatever is below the diagonal's panels is a copy."""
    B = np.random.default_rng(n).normal(size=(n, 7))
    F = engines_of.get(engine)
    product = np.asarray(F.call(F.symmetric_product, put(engine, B)))
    np.testing.assert_allclose(product, B @ B.T, rtol=1e-13, atol=1e-13)
    if n >= 384:
        assert np.array_equal(product[n // 2 :, : n // 4], product[: n // 4, n // 2 :].T)


def test_the_symmetric_product_keeps_float32(engine):
    assert engines_of.get(engine).symmetric_product(put(engine, np.ones((400, 3), np.float32))).dtype == np.float32


# Linear algebra


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("diagonal", [0.5, np.arange(6.0)], ids=["a number", "one each"])
def test_the_factor(dtype, diagonal, engine):
    """L L^T = H + diag(diagonal), L lower triangular; H is left as it was."""
    given = put(engine, H.astype(dtype))
    own = diagonal if isinstance(diagonal, float) else put(engine, diagonal.astype(dtype))
    L = np.asarray(engines_of.get(engine).factor(given, own))
    assert L.dtype == dtype
    expected = scipy.linalg.cholesky(H + np.diag(np.broadcast_to(diagonal, 6)), lower=True)
    np.testing.assert_allclose(
        L, expected, rtol=1e-13 if dtype == "float64" else 1e-4, atol=1e-5 * (dtype[-2:] == "32")
    )
    np.testing.assert_array_equal(np.triu(L, 1), 0)
    np.testing.assert_array_equal(given, H.astype(dtype))


@pytest.mark.parametrize("bad", [-H, np.full((6, 6), np.nan), np.diag([1.0, 1, 0, 1, 1, 1])], ids=str)
def test_what_is_not_positive_definite_has_no_factor(bad, engine):
    """It is not a number, wherever the factorisation stops."""
    assert np.isnan(np.asarray(engines_of.get(engine).factor(put(engine, bad), 0.0))).any()


def test_an_infinite_matrix_has_no_finite_solution(engine):
    F, infinite = engines_of.get(engine), H.copy()
    infinite[2, 1] = infinite[1, 2] = np.inf
    with F.ignore_float_errors():
        found = F.solve(F.factor(put(engine, infinite), 1.0), put(engine, np.ones(6)))
    assert not np.isfinite(np.asarray(found)).all()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("b", [DRAW.normal(size=6), DRAW.normal(size=(6, 4))], ids=["a vector", "columns"])
def test_solutions(b, order, engine):
    """By the factor of either order of memory; L and b are left as they were."""
    F = engines_of.get(engine)
    lower = np.array(scipy.linalg.cholesky(H, lower=True), order=order)
    L, right = on(engine, (lower, b))
    np.testing.assert_allclose(F.solve(L, right), np.linalg.solve(H, b), rtol=1e-11)
    np.testing.assert_allclose(F.solve_lower(L, right), scipy.linalg.solve_triangular(lower, b, lower=True), rtol=1e-11)
    np.testing.assert_allclose(F.inverse_lower(L), np.linalg.inv(lower), rtol=1e-11, atol=1e-14)
    np.testing.assert_array_equal(L, scipy.linalg.cholesky(H, lower=True))
    np.testing.assert_array_equal(right, b)


def test_the_engines_solve_alike():
    pytest.importorskip("jax")

    def everything(H, d, b):
        F = engines_of.of(H)
        L = F.factor(H, d)
        return [L, F.solve(L, b), F.solve_lower(L, b), F.inverse_lower(L)]

    ours, theirs = (everything(*on(name, (H, np.ones(6), ROOT))) for name in ("numpy", "jax"))
    assert_close(ours, theirs)


# Calls and loops


def test_a_call_passes_its_arguments_and_overflows_in_silence(engine):
    def piece(a, *, times):
        return times * 1e308 * a

    found = engines_of.get(engine).call(piece, put(engine, np.full(2, 10.0)), times=10)
    np.testing.assert_array_equal(found, [np.inf, np.inf])


def test_loops(engine):
    F = engines_of.get(engine)
    total, steps = F.while_loop(lambda c: c[0] < 100, lambda c: (2 * c[0], c[1] + 1), (put(engine, np.array(1.0)), 0))
    assert (float(total), int(steps)) == (128, 7)
    a, b = DRAW.normal(size=(2, 5, 3))
    found = F.fold(lambda t, pair: t + pair[0] * pair[1], put(engine, np.zeros(3)), on(engine, [a, b]))
    np.testing.assert_allclose(found, (a * b).sum(axis=0), rtol=1e-13)


def test_a_choice_of_trees(engine):
    F, one, other = engines_of.get(engine), on(engine, {"W": np.ones(2)}), on(engine, {"W": np.zeros(2)})
    for condition in (True, np.bool_(True), put(engine, np.array(True))):
        assert F.select(condition, one, other)["W"].tolist() == [1, 1]
    assert F.select(False, one, other)["W"].tolist() == [0, 0]


# Random numbers


def test_the_bits_of_a_key(engine):
    F = engines_of.get(engine)
    first, again, other, part = (
        np.asarray(F.bits(key, (500, 4)))
        for key in (F.key((1, 2)), F.key((1, 2)), F.key((1, 3)), F.fold_in(F.key((1, 2)), 1))
    )
    assert first.dtype == np.uint32
    assert first.shape == (500, 4)
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.99
    assert (first != part).mean() > 0.99
    assert abs(first.astype(float).mean() / 2**32 - 0.5) < 5 / np.sqrt(12 * first.size)


# Examples


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("block", [1, 3, 7, 10, 20])
def test_sums_over_blocks(block, weighted, engine):
    """Blocks of any size, the last one shorter or padded; of arrays, numbers and trees; no block is written into."""
    x, y, weight = DRAW.normal(size=(10, 3)), DRAW.normal(size=(10, 2)), DRAW.uniform(size=10)
    rows = rows_on(engine, x, y, weight if weighted else None)
    if engine == "jax":
        rows = rows._replace(x=rows.x[:10], y=rows.y[:10], weight=None if not weighted else rows.weight[:10])

    def part(x, y, w):
        return {"matrix": (w[:, None] * x).T @ y, "number": w.sum()}, [x.sum(axis=0)]

    found, (plain,) = engines_of.get(engine).sum_over_blocks(rows, block, part)
    weight = weight if weighted else np.ones(10)
    np.testing.assert_allclose(found["matrix"], (weight[:, None] * x).T @ y, rtol=1e-12, atol=1e-14)
    assert float(found["number"]) == pytest.approx(weight.sum(), rel=1e-14)
    np.testing.assert_allclose(plain, x.sum(axis=0), rtol=1e-12, atol=1e-14)


def test_a_sum_over_blocks_writes_into_nobodys_array():
    """The first block's part may be a view of the data."""
    x = np.ones((6, 2))
    rows = E.make_rows(x, x, None)
    total = E.sum_over_blocks(rows, 2, lambda x, y, w: x)
    np.testing.assert_array_equal(total, 3)
    np.testing.assert_array_equal(x, 1)


def test_one_batch(engine):
    """Of an order of ten examples the third batch of four holds two; JAX pads it with rows that weigh nothing."""
    x, y, weight = DRAW.normal(size=(10, 3)), DRAW.normal(size=(10, 2)), DRAW.uniform(size=10)
    order = np.random.default_rng(1).permutation(10).astype(np.int32)
    batch = engines_of.get(engine).take_batch(rows_on(engine, x, y, weight), order, 2, 4, 10)
    real = np.asarray(batch.mask) > 0
    assert real.sum() == 2
    for found, expected in ((batch.x, x), (batch.y, y), (batch.mask, weight)):
        np.testing.assert_allclose(np.asarray(found)[real], expected[order[8:]])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("N", "m"), [(10, 4), (10, 1), (3, 3), (1100, 2)])
def test_each_batch_sees_its_examples_and_weights(N, m, weighted):
    """Every batch of the order, the last one shorter; weights divided by its share, m times the mean weight."""
    x, y = DRAW.normal(size=(N, 2)), DRAW.normal(size=(N, 1))
    weight = DRAW.uniform(0.5, 2, N) if weighted else None
    rows = E.make_rows(x, y, weight)
    order = np.random.default_rng(2).permutation(N).astype(np.int32)
    total = float(rows.mask.sum())
    seen, clock = [], []

    def gradient(params, x, y, weight, key):
        seen.append((params, x, y, weight, key))
        return len(seen), -len(seen)

    def step(carry, cost, grads, share):
        assert grads == -cost
        return (SimpleNamespace(params=cost), carry[1] + share)

    context = EpochContext(order, (5, 2), lambda: clock.append(1))
    carry = (SimpleNamespace(params=0), 0.0)
    steps = -(-N // m)
    carry = E.each_batch(gradient, Batches(rows, context, m, steps, False, total), step, carry)
    assert carry[0].params == len(seen) == len(clock) == steps
    assert carry[1] == pytest.approx(total, rel=1e-12)
    for i, (params, x_i, y_i, weight_i, key) in enumerate(seen):
        index = order[i * m : (i + 1) * m]
        assert params == i
        np.testing.assert_array_equal(x_i, x[index])
        np.testing.assert_array_equal(y_i, y[index])
        own = np.ones(N) if weight is None else weight
        np.testing.assert_allclose(weight_i, own[index] / (len(index) * total / N), rtol=1e-13)
        assert key == (5, 2, i)


def test_each_batch_of_draws_takes_every_place():
    x = np.arange(6.0)[:, None]
    rows = E.make_rows(x, x, None)
    order, seen = np.array([5, 5, 0, 1, 5, 2, 3, 3], np.int32), []

    def gradient(params, x, y, weight, key):
        seen.append((x.ravel().tolist(), key))
        return 0.0, 0.0

    carry = (SimpleNamespace(params=None),)
    E.each_batch(gradient, Batches(rows, EpochContext(order, None), 2, 4, True, 6.0), lambda carry, *_: carry, carry)
    assert seen == [([5, 5], None), ([0, 1], None), ([5, 2], None), ([3, 3], None)]


# One process, one device


def test_it_is_alone():
    assert E.is_leader()
    assert E.broadcast_bytes(b"x") == b"x"
    assert E.process_index() == 0
    assert E.process_counts(7).tolist() == [7]
    assert E.mesh_of(None) is None
    with pytest.raises(ConfigurationError, match=r"devices .*'numpy'"):
        E.mesh_of(2)
    assert E.free_memory(1) > 0
    assert E.device().startswith("NumPy on ")
