"""The 1797 handwritten digits of 8x8 pixels that come with scikit-learn: real data without a download."""

import gzip
import importlib.util
from pathlib import Path

import numpy as np

from deltarule.data.dataset import DataSet, Examples, RawRows
from deltarule.data.optional import require
from deltarule.data.pixels import Pixels
from deltarule.data.schema import Schema
from deltarule.data.splitting import split

ROWS, COLUMNS = 1797, 65  # 64 pixels and the label


def read_digits() -> tuple[np.ndarray, np.ndarray]:
    """Read the images, (1797, 64) float64 in 0..16, and the labels, (1797,) int in 0..9.

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998; the test part, as
    scikit-learn ships it.

    Raises:
        DataError: scikit-learn is not installed.
    """
    table = _table()
    if table is None:  # a scikit-learn that keeps them elsewhere, or none, of which this tells the user
        bunch = require("sklearn.datasets", "the source digits").load_digits()
        return np.asarray(bunch.data, dtype=np.float64), np.asarray(bunch.target, dtype=np.int64)
    return table[:, :-1].astype(np.float64), table[:, -1].astype(np.int64)


def _table() -> np.ndarray | None:
    """The rows of scikit-learn's own file, pixels and label, (1797, 65) int; None where it is not as expected.

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
            return table.reshape(ROWS, COLUMNS).astype(np.int64)
    return None


def load_digits(seed: int = 0) -> DataSet:
    """Load the digits, pixels scaled to 0..1, split 70/15/15 with every digit in each part alike.

    Raises:
        DataError: scikit-learn is not installed.
        ConfigurationError: the seed is not a whole number >= 0.
    """
    images, labels = read_digits()
    schema = Schema(
        source="digits",
        task="classification",
        inputs=(Pixels(64, 16.0, (8, 8)),),
        targets=(),
        classes=tuple(range(10)),
        target_names=("digit",),
    )
    X, Y = schema.encode_inputs(images, "digits"), schema.encode_targets(labels, "digits")
    train, validation, test = (Examples(X[rows], Y[rows], rows) for rows in split(len(X), seed, labels))
    return DataSet("digits", schema, train, validation, test)


def digits_rows(schema: Schema, seed: int = 0) -> RawRows:
    """Encode all digits by a model's schema, and say which rows training with `seed` held out for the test.

    Raises:
        DataError: scikit-learn is not installed, or the schema reads images of another size.
        ConfigurationError: the seed is not a whole number >= 0.
    """
    images, labels = read_digits()
    return RawRows(
        name="digits",
        X=schema.encode_inputs(images, "digits"),
        Y=schema.encode_targets(labels, "digits"),
        targets=labels,
        rows=np.arange(len(images)),
        test_rows=np.sort(split(len(images), seed, labels)[2]),
    )
