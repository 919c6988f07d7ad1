"""Pixels scale to 0..1 and refuse what is not a raw image of their size."""

import numpy as np
import pytest

from deltarule.data import Pixels
from deltarule.errors import DataError

PIXELS = Pixels(6, 255.0, (2, 3), "float32")


@pytest.mark.parametrize("shape", [(2, 6), (2, 2, 3)])
def test_bytes_become_fractions(shape):
    raw = np.array([0, 51, 255, 0, 0, 0] * 2, dtype=np.uint8).reshape(shape)
    encoded = PIXELS.encode(raw, "images")
    assert encoded.dtype == np.float32
    assert encoded.shape == (2, 6)
    assert encoded[0, :3] == pytest.approx([0, 0.2, 1])  # 51 / 255 = 0.2
    assert raw.max() == 255  # the raw array is untouched


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (np.zeros((2, 5)), r"shape \(2, 5\).*6 pixels"),
        (np.zeros(6), r"shape \(6,\)"),
        (np.array([["a"] * 6]), "numeric array"),
        (np.array([[0.0] * 6, [0, 0, 256, 0, 0, 0]]), "image 1, pixel 2 holds 256"),
        (np.array([[0, np.nan, 0, 0, 0, 0]]), "image 0, pixel 1 holds nan"),
    ],
)
def test_other_arrays_are_refused(raw, message):
    with pytest.raises(DataError, match=message):
        PIXELS.encode(raw, "images")


@pytest.mark.parametrize(
    "arguments", [(5, 255.0, (2, 3)), (6, 0.0, (2, 3)), (1, 1.0, ()), (6, 1.0, (2, 3), "int8"), (6, 1.0, (-2, -3))]
)
def test_a_description_that_contradicts_itself_is_refused(arguments):
    with pytest.raises(DataError, match="product of the shape"):
        Pixels(*arguments)


def test_each_input_has_a_name():
    assert PIXELS.input_names[4] == "pixel 1,1"
    assert len(PIXELS.input_names) == PIXELS.width == 6
