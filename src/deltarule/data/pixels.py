"""Images as inputs: each pixel, scaled to 0..1, is one input of the network."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.data.cells import shown
from deltarule.errors import DataError


@dataclass(frozen=True)
class Pixels:
    """An image as one flat row of pixels: x ↦ x / scale, from 0..scale to 0..1.

    Args:
        count: pixels of an image, n_1.
        scale: the largest raw value, > 0 (255 for bytes).
        shape: the image's shape, (h, w) or (h, w, c); its product is `count`.
        dtype: "float32" or "float64", what the encoded pixels are stored in.

    Raises:
        DataError: the four contradict each other or leave their domain.
    """

    count: int
    scale: float
    shape: tuple[int, ...]
    dtype: str = "float64"

    def __post_init__(self):
        """Check that count, scale, shape and dtype agree."""
        sound = self.shape and min(self.shape) > 0 and math.prod(self.shape) == self.count
        if not (sound and math.isfinite(self.scale) and self.scale > 0 and self.dtype in ("float32", "float64")):
            raise DataError(
                f"the pixels of the schema have count {self.count}, scale {self.scale}, shape {self.shape} "
                f"and dtype {self.dtype!r}: the count must be the product of the shape, the scale positive, "
                "the dtype float32 or float64"
            )

    @property
    def width(self) -> int:
        """The number of network inputs: one per pixel."""
        return self.count

    @property
    def input_names(self) -> tuple[str, ...]:
        """The name of each network input, (width,), such as "pixel 3,4"."""
        return tuple("pixel " + ",".join(map(str, index)) for index in np.ndindex(*self.shape))

    def encode(self, images: np.ndarray, origin: str) -> np.ndarray:
        """Scale raw images, (N, count) or (N, *shape) in 0..scale, to (N, count) in 0..1.

        Raises:
            DataError: the array has another shape, is not real numbers, or a pixel lies outside 0..scale.
        """
        images = np.asarray(images)
        if images.shape[1:] not in ((self.count,), self.shape):
            raise DataError(
                f"{origin} has the shape {images.shape}, but the model reads images of {self.count} pixels "
                f"{self.shape}: give it images of that size"
            )
        if images.dtype.kind not in "buif":
            raise DataError(f"{origin} holds {images.dtype} cells, but pixels are numbers: give a numeric array")
        flat = images.reshape(len(images), self.count)
        outside = ~((flat >= 0) & (flat <= self.scale)).all(axis=1)  # NaN is outside as well
        if outside.any():
            row = int(np.argmax(outside))
            pixel = int(np.argmin((flat[row] >= 0) & (flat[row] <= self.scale)))
            raise DataError(
                f"{origin}: image {row}, pixel {pixel} holds {shown(flat[row, pixel])}, which lies outside "
                f"0..{self.scale:g}: give the raw pixels, not scaled ones"
            )
        encoded = flat.astype(self.dtype)
        encoded /= self.scale
        return encoded

    def to_json(self) -> dict[str, Any]:
        """Describe the pixels in JSON's types."""
        return {
            "kind": "pixels",
            "count": self.count,
            "scale": self.scale,
            "shape": list(self.shape),
            "dtype": self.dtype,
        }
