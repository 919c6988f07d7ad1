"""The tables that `choose` drew, and their fixed splits."""

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from benchmarks.tables.choose import CATALOGUE
from benchmarks.tables.cleaning import Table, cleaned
from benchmarks.tables.sources import Source

SPLITS = ((500, 3), (2_000, 2), (20_000, 1))  # up to so many rows, so many splits
TEST = 0.2
LARGE = 5_000


@dataclass(frozen=True)
class Entry:
    """One table of the catalogue.

    Attributes:
        name: such as MASS.birthwt.
        kind: "regression" or "classification".
        half: "choosing" or "page".
        source: where the data are and what the target is.
        rows, columns, inputs, classes: its size; `inputs` with categories as columns of 0 and 1.
    """

    name: str
    kind: str
    half: str
    source: Source
    rows: int
    columns: int
    inputs: int
    classes: int = 0

    def load(self) -> Table:
        """The table, the same for every contestant."""
        return _loaded(self.source)

    @property
    def splits(self) -> int:
        """The number of splits."""
        return next(count for rows, count in SPLITS if self.rows <= rows)

    def split(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the training rows and the test rows of split 0, 1, ..."""
        kind = StratifiedShuffleSplit if self.kind == "classification" else ShuffleSplit
        y = self.load().y
        return next(kind(1, test_size=TEST, random_state=number).split(np.zeros(len(y)), y))


@lru_cache(maxsize=2)
def _loaded(source: Source) -> Table:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cleaned(source.frame(), source.target)


def entries() -> Iterator[Entry]:
    """Return all tables, the smallest first; large tables of the page before large tables for choosing."""
    found = []
    for name, values in json.loads(CATALOGUE.read_text()).items():
        source = Source(*(values.pop(field) for field in ("package", "item", "target", "title")))
        found.append(Entry(name, source=source, **values))
    yield from sorted(found, key=lambda e: (e.rows > LARGE, e.rows > LARGE and e.half == "choosing", e.rows))
