"""Numbers of things in sentences: "1 epoch", "1,200 epochs"."""


def counted(count: int, noun: str) -> str:
    """The count and its noun, with the ending that the count takes.

    >>> counted(1, "epoch"), counted(1200, "epoch"), counted(0, "row")
    ('1 epoch', '1,200 epochs', '0 rows')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
