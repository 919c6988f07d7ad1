"""What deltarule raises: one type for each kind of mistake, all of them `DeltaruleError`; and what it warns of.

Each is a public name, such as `deltarule.DataError`.
Every message is one sentence that names the argument, file, row or column, the value found, and what to do.
All but `ProcessError` are `ValueError`s as well, so code that guards a scikit-learn call guards this one too.
"""


class DeltaruleError(Exception):
    """The base of every error that deltarule raises on purpose."""


class ConfigurationError(DeltaruleError, ValueError):
    """An option, a hyper-parameter or a network description lies outside its domain."""


class ShapeError(DeltaruleError, ValueError):
    """An array does not have the shape that the network or its parameters need."""


class DataError(DeltaruleError, ValueError):
    """The examples themselves cannot be used: missing, not finite, not readable, too few."""


class ModelFileError(DeltaruleError, ValueError):
    """A model file is missing, truncated, of a newer format, or contradicts itself."""


class ProcessError(DeltaruleError, RuntimeError):
    """Another process of a training that is divided among several did not come or was lost."""


class CheckpointError(DeltaruleError, ValueError):
    """A training cannot go on from a checkpoint: none is there, or it is damaged, in use or of another training."""


class TooLargeError(DeltaruleError, ValueError):
    """What was asked for does not fit the memory that is free."""


class UnstableError(DeltaruleError, ValueError):
    """The free run of a time-series model leaves everything that was measured."""


class CheckpointWarning(UserWarning):
    """A checkpoint could not be written, or is damaged; the training goes on with the one before it."""


class EngineWarning(UserWarning):
    """A training will take much longer than it would if JAX were installed."""


def pluralized(count: int, noun: str) -> str:
    """The count and its noun, with the ending that the count takes.

    >>> pluralized(1, "epoch"), pluralized(1200, "epoch"), pluralized(0, "row")
    ('1 epoch', '1,200 epochs', '0 rows')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def shorten(words: list[str], most: int, noun: str = "") -> str:
    """At most so many of the words, with commas between, and how many more there are.

    >>> shorten(["a", "b"], 2), shorten(["a", "b", "c"], 2), shorten(["a", "b"], 1, "letters")
    ('a, b', 'a, b and 1 more', 'a and 1 more letters')
    """
    more = f" and {len(words) - most} more {noun}".rstrip() if len(words) > most else ""
    return ", ".join(words[:most]) + more


def how_to_install(extra: str) -> str:
    """What to do where a package of an extra is missing: how it is installed, from a clone of the repository too.

    >>> how_to_install("play")
    "run pip install 'deltarule[play]' (in a clone: pip install '.[play]')"
    """
    return f"run pip install 'deltarule[{extra}]' (in a clone: pip install '.[{extra}]')"
