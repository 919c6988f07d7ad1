"""The exceptions and warnings: one type for each kind of mistake, public names such as `deltarule.DataError`.

Every message is one sentence that names the argument, file, row or column, the value found, and what to do. All but
`ProcessError` are `ValueError`s as well, so code that handles the errors of scikit-learn handles these too.
"""


class DeltaruleError(Exception):
    """The base of every error that deltarule raises on purpose."""


class ConfigurationError(DeltaruleError, ValueError):
    """An option, a hyper-parameter or a network description lies outside its domain."""


class ShapeError(DeltaruleError, ValueError):
    """An array does not have the shape that the network or its parameters need."""


class DataError(DeltaruleError, ValueError):
    """The examples cannot be used: they are missing, not finite, not readable or too few."""


class ModelFileError(DeltaruleError, ValueError):
    """A model file is missing, truncated, inconsistent, or of a newer format."""


class ProcessError(DeltaruleError, RuntimeError):
    """Another process of a training on several processes did not start or was lost."""


class CheckpointError(DeltaruleError, ValueError):
    """A training cannot resume: the checkpoint is missing, damaged, in use or of another training."""


class TooLargeError(DeltaruleError, ValueError):
    """A computation needs more memory than is free."""


class UnstableError(DeltaruleError, ValueError):
    """The free run of a time-series model left the range of the measurements."""


class CheckpointWarning(UserWarning):
    """A checkpoint could not be written, or is damaged; the training goes on with the one before it."""


class EngineWarning(UserWarning):
    """A training will take much longer than it would if JAX were installed."""


def pluralized(count: int, noun: str) -> str:
    """Return the count and its noun, in the plural unless the count is 1.

    >>> pluralized(1, "epoch"), pluralized(1200, "epoch"), pluralized(0, "row")
    ('1 epoch', '1,200 epochs', '0 rows')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def format_number(value: float | None, digits: int = 4) -> str:
    """The number with `digits` significant digits, thousands separated from 10,000 on, or a dash for None.

    >>> [format_number(value) for value in (0.0123456, -9999.0, -12345.6, 1.5e9, None)]
    ['0.01235', '-9999', '-12,350', '1.5e+09', '-']
    """
    if value is None:
        return "-"
    rounded = float(f"{value:.{digits}g}") + 0.0  # + 0.0 turns -0.0 into 0.0
    return f"{rounded:,.7g}" if abs(rounded) >= 1e4 else f"{rounded:.7g}"


def shorten(words: list[str], most: int, noun: str = "") -> str:
    """Join at most `most` of the words with commas, and say how many more there are.

    >>> shorten(["a", "b"], 2), shorten(["a", "b", "c"], 2), shorten(["a", "b"], 1, "letters")
    ('a, b', 'a, b and 1 more', 'a and 1 more letters')
    """
    more = f" and {len(words) - most} more {noun}".rstrip() if len(words) > most else ""
    return ", ".join(words[:most]) + more


def how_to_install(extra: str) -> str:
    """Return the instruction that installs the packages of an extra.

    >>> how_to_install("play")
    "run pip install 'deltarule[play]' (in a clone: pip install '.[play]')"
    """
    return f"run pip install 'deltarule[{extra}]' (in a clone: pip install '.[{extra}]')"
