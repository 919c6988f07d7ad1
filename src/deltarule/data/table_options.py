"""What a user says of a table's file and of its columns, where the defaults are not what is meant."""

from dataclasses import dataclass

from deltarule.checks import require_choice
from deltarule.errors import ConfigurationError

SEPARATORS = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "bar": "|"}


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """How to read a table, and what some of its columns are for; whatever is left out is found in the file.

    Args:
        sep: what stands between the cells of a text file: one character, "tab", or "space" for any run of blanks.
        decimal: the decimal sign, "." or ","; the other one then separates thousands.
        na: what stands for a missing value besides empty cells, NA, NaN, null and None: texts or numbers, such as "?"
            or "-200".
        drop: columns to leave out.
        category: columns to read as categories although they hold numbers.
        weights: the column that weighs the examples, or None.
        impute: let inputs have missing cells: the mean of the training rows stands for a missing number, and one more
            network input says that it is missing; of a category only that input is 1.

    Raises:
        ConfigurationError: `sep` or `decimal` is none of these.
    """

    sep: str | None = None
    decimal: str | None = None
    na: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    weights: str | None = None
    impute: bool = False

    def __post_init__(self):
        """Check the separator and the decimal sign."""
        if self.decimal is not None:
            require_choice("decimal", self.decimal, (".", ","))
        separator = self.separator
        if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
            raise ConfigurationError(f"sep is {self.sep!r}: give one character, tab or space")

    @property
    def separator(self) -> str | None:
        """The one character that `sep` means; a blank is any run of blanks."""
        return None if self.sep is None else SEPARATORS.get(self.sep.lower(), self.sep)


AS_FOUND = TableOptions()
