"""The rows of both engines, and sums over them in blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltarule import engine as engines
from deltarule.engine.rows import (
    BLOCK_BYTES,
    BLOCK_ROWS,
    LARGEST_BLOCK_BYTES,
    block_bytes,
    block_size,
    examples_per_block,
    padded_size,
)
from engines import WITHOUT_JAX, rows_on


@given(count=st.integers(1, 10**7))
def test_the_padding_is_an_eighth_at_most(count):
    size = padded_size(count)
    assert count <= size
    assert size % 8 == 0
    assert size - count < max(8, size / 8)
    assert padded_size(size) == size  # a bucket is its own size


def test_few_sizes():
    """Between 2^k and 2^(k+1) there are eight sizes, and they never fall."""
    sizes = [padded_size(n) for n in range(1, 4097)]
    assert sizes == sorted(sizes)
    assert len({size for size in sizes if 1024 < size <= 2048}) == 8
    assert [padded_size(n) for n in (1, 8, 9, 128, 129, 1000)] == [8, 8, 16, 128, 144, 1024]


@given(count=st.integers(1, 10**7), largest=st.sampled_from([64, 100, 8192]))
def test_blocks_divide_the_rows(count, largest):
    size = padded_size(count)
    block = block_size(size, largest)
    assert size % block == 0
    assert block <= max(largest, 0)
    if size > largest:  # never small beside the whole: a power of two near `largest`, or an eighth of what fits
        assert block >= min(largest, size) / 16


@given(size=st.integers(1, 10**5), largest=st.integers(1, 9000))
def test_blocks_of_any_number_of_rows_are_not_small(size, largest):
    block = block_size(size, largest)
    assert block <= largest
    assert block >= min(size, largest) / 32


@pytest.mark.usefixtures("float64")
def test_the_last_block_is_short_or_padded(engine):
    """2,501 rows in blocks of at most 1,000 are three of 834, the last one row short."""
    x = np.random.default_rng(0).normal(size=(2501, 3))
    rows = rows_on(engine, x, x[:, :1])
    if engine == "jax":  # not padded to a size that blocks divide
        rows = rows._replace(x=rows.x[:2501], y=rows.y[:2501])
    sizes = []

    def part(x, y, weight):
        sizes.append(len(x))
        return (weight[:, None] * x).sum(axis=0), weight.sum()

    total, count = engines.of(rows.x).sum_over_blocks(rows, block_size(2501, 1000), part)
    np.testing.assert_allclose(total, x.sum(axis=0), rtol=1e-12, atol=1e-12)
    assert count == 2501
    assert sizes == [834, 834, 833] if engine == "numpy" else set(sizes) == {834}


@WITHOUT_JAX
@pytest.mark.parametrize("count", [1, 5, 8, 11])
def test_padding_on_jax_weighs_nothing(count):
    x, y = np.ones((count, 3), np.float32), np.full((count, 2), 2, np.float32)
    rows = rows_on("jax", x, y)
    size = padded_size(count)
    assert rows.x.shape == (size, 3)
    assert rows.y.shape == (size, 2)
    assert rows.weight is None
    assert int(rows.count) == count
    assert rows.mask.tolist() == [1] * count + [0] * (size - count)
    assert float(rows.x.sum()) == 3 * count


@pytest.mark.parametrize("count", [1, 5, 8, 11])
def test_numpy_pads_nothing_and_copies_nothing(count):
    x, y = np.ones((count, 3), np.float32), np.full((count, 2), 2, np.float32)
    rows = rows_on("numpy", x, y)
    assert rows.x is x
    assert rows.y is y
    assert rows.count == count
    assert type(rows.count) is int
    assert rows.mask.tolist() == [1] * count
    assert rows.mask.dtype == np.float32


def test_weights_are_masked(engine):
    rows = rows_on(engine, np.ones((3, 1), np.float32), np.ones((3, 1), np.float32), np.array([1, 0.5, 2], np.float32))
    assert rows.mask.tolist() == [1, 0.5, 2] + ([0] * 5 if engine == "jax" else [])


@pytest.mark.parametrize("block", [8, 16, 48])
def test_the_sum_over_blocks_is_the_sum(block, engine):
    draw = np.random.default_rng(0)
    rows = rows_on(engine, draw.normal(size=(41, 3)).astype("float32"), draw.normal(size=(41, 2)).astype("float32"))
    assert rows.x.shape[0] == (48 if engine == "jax" else 41)

    def part(x, y, weight):
        return (weight[:, None] * x).T @ y, {"total": weight.sum()}

    product, rest = engines.of(rows.x).sum_over_blocks(rows, block, part)
    np.testing.assert_allclose(product, np.asarray(rows.x).T @ np.asarray(rows.y), rtol=2e-5, atol=1e-5)
    assert rest["total"] == 41


def test_a_block_fills_its_bytes():
    assert examples_per_block(64, 1) == BLOCK_BYTES // (8 * 64)
    assert examples_per_block(64, 4) == BLOCK_BYTES // (8 * 64 * 4)
    assert examples_per_block(64, 4, itemsize=4) == BLOCK_BYTES // (4 * 64 * 4)


def test_long_rows_make_larger_blocks_up_to_the_largest():
    assert examples_per_block(4000, 1) == BLOCK_ROWS
    assert examples_per_block(4000, 16) == BLOCK_ROWS // 16
    assert block_bytes(10**6) == LARGEST_BLOCK_BYTES


def test_one_example_at_least():
    assert examples_per_block(10**9, 10) == 1
