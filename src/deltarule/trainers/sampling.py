"""Which examples make up each mini-batch of an epoch, and what its sums are divided by."""


def batch_shares(count: int, m: int, total: float) -> list[float]:
    """Of each batch of m of `count` examples its share of their weight, `total`; the last batch may be shorter.

    It is the number of its examples times their mean weight, and not the weight of the batch itself: the expectation of
    sum w C over a batch's own sum w is not the mean that is asked for, and at m = 1 does not know the weights at all.
    """
    return [min(m, count - first) * (total / count) for first in range(0, count, m)]
