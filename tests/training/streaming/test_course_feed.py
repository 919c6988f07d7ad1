"""How many rows a chunk has: what fits the memory, whole batches, and the same for every process."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.data import ArrayStream
from deltarule.training.streaming.course import BUFFERS, chunk_rows

STREAM = ArrayStream(np.zeros((1000, 3)), np.zeros(1000))  # rows of 4 numbers
F32 = np.dtype("float32")


@pytest.mark.parametrize(
    ("m", "room", "rows", "size"),
    [
        (10, 105, 1000, 100),  # whole batches
        (10, 105, 55, 50),
        (64, 20, 1000, 64),  # one batch at least
        (None, 105, 1000, 96),  # a padded size within the memory
        (None, 2000, 1000, 1024),  # all rows in one chunk, padded
    ],
)
def test_a_chunk_is_what_fits_in_whole_batches(m, room, rows, size):
    trainer = dr.LevenbergMarquardt() if m is None else dr.GradientDescent(eta=0.1, batch_size=m)
    assert chunk_rows(STREAM, trainer, F32, room * 16 * BUFFERS, rows) == size


def test_processes_with_shares_of_other_lengths_have_chunks_of_one_size():
    """Both ask with the rows of the longest share, whatever their own."""
    trainer = dr.GradientDescent(eta=0.1, batch_size=10)
    shares = [STREAM.shard(0, 3), ArrayStream(np.zeros((1000, 3)), np.zeros(1000), block_rows=64).shard(2, 3)]
    most = max(len(share) for share in shares)
    assert len({chunk_rows(share, trainer, F32, 1e9, most) for share in shares}) == 1
