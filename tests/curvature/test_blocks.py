"""How many examples are linearised at once."""

from deltarule.curvature.blocks import BLOCK_BYTES, BLOCK_ROWS, LARGEST_BLOCK_BYTES, block_bytes, examples_at_once


def test_a_block_fills_its_bytes():
    assert examples_at_once(64, 1) == BLOCK_BYTES // (8 * 64)
    assert examples_at_once(64, 4) == BLOCK_BYTES // (8 * 64 * 4)
    assert examples_at_once(64, 4, itemsize=4) == BLOCK_BYTES // (4 * 64 * 4)


def test_long_rows_make_larger_blocks_up_to_the_largest():
    assert examples_at_once(4000, 1) == BLOCK_ROWS
    assert examples_at_once(4000, 16) == BLOCK_ROWS // 16
    assert block_bytes(10**6) == LARGEST_BLOCK_BYTES


def test_one_example_at_least():
    assert examples_at_once(10**9, 10) == 1
