"""The 1797 handwritten digits of 8x8 pixels that come with scikit-learn: real data without a download."""

import gzip
import importlib.util
from pathlib import Path

import numpy as np

from deltarule.data.columns import Pixels
from deltarule.data.dataset import Pictures
from deltarule.data.optional import require
from deltarule.data.splitting import split

ROWS, COLUMNS = 1797, 65  # 64 pixels and the label


def digits(seed: int = 0) -> Pictures:
    """The images, (1797, 64) float64 in 0..16, and their labels, split 70/15/15 with every digit in each part alike.

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998; the test part, as
    scikit-learn ships it.
    """
    table = _table()
    if table is None:  # a scikit-learn that keeps them elsewhere, or none, of which this tells the user
        bunch = require("sklearn.datasets", "the source digits").load_digits()
        table = np.column_stack([bunch.data, bunch.target])
    images, labels = table[:, :-1], table[:, -1].astype(np.int64)
    return Pictures("digits", images, labels, Pixels(64, 16.0, (8, 8)), split(len(images), seed, labels))


def _table() -> np.ndarray | None:
    """The rows of scikit-learn's own file, pixels and label, (1797, 65); None where it is not as expected.

    Reading the file takes 10 ms. Importing scikit-learn for it takes a second, a quarter of `deltarule train`.
    """
    spec = importlib.util.find_spec("sklearn")
    for place in [] if spec is None else spec.submodule_search_locations or []:
        try:
            with gzip.open(Path(place) / "datasets" / "data" / "digits.csv.gz", "rt") as file:
                table = np.array(file.read().replace("\n", ",").rstrip(",").split(","), dtype=np.float64)
        except (OSError, ValueError):
            continue
        if table.size == ROWS * COLUMNS:
            return table.reshape(ROWS, COLUMNS)
    return None
