"""How many examples are linearised at once: their rows of the Jacobian, or their errors, are one block of work."""

# A block that stays in the caches is faster: on two cores a primal step of 8-20-1 with 500,000 examples takes 555 ms
# in blocks of 2^24 bytes and 703 in blocks of 2^27, one of 4-10-1 with 100,000 takes 37 and 103. But every block is
# added to an n x n matrix, which must stay the smaller part of the work.
BLOCK_BYTES, LARGEST_BLOCK_BYTES = 2**24, 2**27
BLOCK_ROWS = 1024  # at least, as far as the largest block holds them


def block_bytes(width: int, itemsize: int = 8) -> int:
    """The bytes of a block of rows of `width` numbers."""
    return min(max(BLOCK_BYTES, BLOCK_ROWS * width * itemsize), LARGEST_BLOCK_BYTES)


def examples_at_once(width: int, outputs: int, itemsize: int = 8) -> int:
    """The examples of a block, at least one, where each has `outputs` rows of `width` numbers."""
    return max(1, block_bytes(width, itemsize) // (itemsize * outputs * width))
