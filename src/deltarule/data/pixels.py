"""Images as inputs: each pixel, scaled to 0..1, is one input of the network."""

import math
from dataclasses import dataclass

import numpy as np

from deltarule.data.cells import shown
from deltarule.data.columns import Column, RawColumn
from deltarule.errors import DataError


@dataclass(frozen=True)
class Pixels(Column):
    """An image as one flat row of pixels: x ↦ x / scale, from 0..scale to 0..1."""

    kind = "pixels"
    count: int  # pixels of an image, n_1
    scale: float  # the largest raw value, > 0 (255 for bytes)
    shape: tuple[int, ...]  # (h, w) or (h, w, c); its product is `count`
    dtype: str = "float64"  # or "float32": what the encoded pixels are stored in

    def __post_init__(self):
        sound = self.shape and min(self.shape) > 0 and math.prod(self.shape) == self.count
        if not (sound and math.isfinite(self.scale) and self.scale > 0 and self.dtype in ("float32", "float64")):
            rule = "the count must be the product of the shape, the scale above 0, the dtype float32 or float64"
            raise DataError(f"the schema holds {self}: {rule}")

    @property
    def width(self) -> int:
        return self.count

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple("pixel " + ",".join(map(str, index)) for index in np.ndindex(*self.shape))

    @property
    def raw(self) -> tuple[RawColumn, ...]:
        return tuple(RawColumn(name, 0.0, self.scale) for name in self.input_names)

    def encode(self, images: np.ndarray, origin: str) -> np.ndarray:
        """Scale raw images, (N, count) or (N, *shape) in 0..scale, to (N, count) in 0..1; others are a DataError."""
        images = np.asarray(images)
        if images.shape[1:] not in ((self.count,), self.shape):
            wanted = f"the model reads images of {self.count} pixels {self.shape}: give it images of that size"
            raise DataError(f"{origin} has the shape {images.shape}, but {wanted}")
        if images.dtype.kind not in "buif":
            raise DataError(f"{origin} holds {images.dtype} cells, but pixels are numbers: give a numeric array")
        flat = images.reshape(len(images), self.count)
        inside = (flat >= 0) & (flat <= self.scale)  # NaN is outside as well
        if not inside.all():
            row, pixel = np.argwhere(~inside)[0]
            found = f"{origin}: image {row}, pixel {pixel} holds {shown(flat[row, pixel])}, outside 0..{self.scale:g}"
            raise DataError(f"{found}: give the raw pixels, not scaled ones")
        encoded = flat.astype(self.dtype)
        encoded /= self.scale
        return encoded
