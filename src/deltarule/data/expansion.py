"""Data augmentation of images ([N] ch. 3): more training examples, made from the existing ones with the same targets.

A digit that is shifted by a pixel, rotated by some degrees or distorted a little is another image of the same digit.
Every copy is made from the original images and depends on the seed alone. Pixels stay within the range of the
originals, because each new pixel is a weighted mean of old ones and of the empty background, 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from scipy.ndimage import map_coordinates

from deltarule.data.dataset import DataSet, Examples
from deltarule.errors import ConfigurationError, DataError

KINDS = ("shift", "rotate", "elastic", "distort")
CHUNK = 1024  # images distorted at a time; the random fields depend on it


def shifted(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Shift every image by whole pixels and fill with 0, (N, h, w).

    >>> shifted(np.array([[[1, 2], [3, 4]]]), 1, 0).tolist()
    [[[0, 0], [1, 2]]]
    """
    h, w = images.shape[1:]
    moved = np.zeros_like(images)
    to = slice(max(down, 0), h + min(down, 0)), slice(max(right, 0), w + min(right, 0))
    of = slice(max(-down, 0), h + min(-down, 0)), slice(max(-right, 0), w + min(-right, 0))
    moved[:, *to] = images[:, *of]
    return moved


def rotated(images: np.ndarray, seed: int = 0, degrees: float = 10.0) -> np.ndarray:
    """Rotate every image about its centre by an angle of its own, uniform in [-degrees, degrees], (N, h, w)."""
    h, w = images.shape[1:]
    angles = np.random.default_rng(seed).uniform(-1, 1, len(images)) * np.deg2rad(degrees)
    y, x = np.mgrid[:h, :w]
    y, x = y - (h - 1) / 2, x - (w - 1) / 2
    rows = ((h - 1) / 2 + np.cos(angle) * y - np.sin(angle) * x for angle in angles)
    columns = ((w - 1) / 2 + np.sin(angle) * y + np.cos(angle) * x for angle in angles)
    return resampled(images, rows, columns)


def elastic(images: np.ndarray, seed: int = 0, alpha: float | None = None, sigma: float | None = None) -> np.ndarray:
    """Distort every image by a smooth random field of displacements of its own, (N, h, w).

    The displacement of each pixel, uniform in [-1, 1] along each axis, is smoothed by a Gaussian of `sigma` pixels and
    multiplied by `alpha`. None takes the source's values for images 28 pixels high, 4 and 34, which move a pixel by 1.4
    in the root mean square, and scales them for other heights.

    Source: P. Simard, D. Steinkraus, J. Platt, "Best practices for convolutional neural networks", ICDAR 2003.
    """
    h, w = images.shape[1:]
    spread = 4 * h / 28 if sigma is None else sigma
    strength = np.float32(34 * (h / 28) ** 2 if alpha is None else alpha)
    generator = np.random.default_rng(seed)
    smooth_rows, smooth_columns = _gaussian(h, spread), _gaussian(w, spread)
    y, x = (axis.astype(np.float32) for axis in np.mgrid[:h, :w])
    bent = np.empty_like(images)
    for start in range(0, len(images), CHUNK):
        part = images[start : start + CHUNK]
        noise = 2 * generator.random((2, len(part), h, w), np.float32) - 1
        along_rows = (noise.reshape(-1, w) @ smooth_columns).reshape(2, len(part), h, w)
        dy, dx = strength * np.einsum("ij,cnjk->cnik", smooth_rows, along_rows, optimize=True)
        bent[start : start + CHUNK] = resampled(part, y + dy, x + dx)
    return bent


def distorted(
    images: np.ndarray, seed: int = 0, degrees: float = 9.0, alpha: float = 17.0, pixels: int = 1
) -> np.ndarray:
    """Rotate, distort and shift every image by random amounts of its own, (N, h, w).

    Angles are uniform in [-degrees, degrees], displacements as in `elastic` with half of Simard's strength, shifts
    uniform in -pixels..pixels along each axis.
    """
    rotation_seed, elastic_seed, shift_seed = np.random.SeedSequence(seed).generate_state(3)
    rotations = rotated(images, int(rotation_seed), degrees)
    bent = elastic(rotations, int(elastic_seed), alpha * (images.shape[1] / 28) ** 2)
    shifts = np.random.default_rng(shift_seed).integers(-pixels, pixels + 1, (2, len(images)))
    moved = np.empty_like(bent)
    for down in range(-pixels, pixels + 1):
        for right in range(-pixels, pixels + 1):
            chosen = (shifts[0] == down) & (shifts[1] == right)
            moved[chosen] = shifted(bent[chosen], down, right)
    return moved


def resampled(images: np.ndarray, y: Iterable[np.ndarray], x: Iterable[np.ndarray]) -> np.ndarray:
    """Sample each image (N, h, w) at its rows y and columns x, (h, w) each, by bilinear interpolation; 0 outside."""
    read = np.empty_like(images)
    for image, rows, columns, output in zip(images, y, x, read, strict=True):
        map_coordinates(image, [rows, columns], output, order=1, mode="grid-constant")
    return read


def expand(
    X: np.ndarray, Y: np.ndarray, shape: tuple[int, int], kinds: Sequence[str] = ("shift",), seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Append copies to the examples: "shift" adds four, one pixel up, down, left and right; any other kind one.

    Args:
        X: images, (N, h w) or (N, h, w), with 0 as the empty background.
        Y: targets, one for each image.
        shape: (h, w).
        kinds: of `KINDS`; kinds other than "shift" may be repeated, each time with other random numbers.
        seed: a whole number >= 0.

    Returns:
        X and Y with their rows repeated, in the shape and dtype of X.
    """
    check_kinds("kinds", kinds)
    X, Y = np.asarray(X), np.asarray(Y)
    h, w = shape
    if X.ndim < 2 or X.shape[1:] not in ((h * w,), (h, w)) or X.dtype.kind != "f":
        found = f"X has shape {X.shape} and dtype {X.dtype}, but images of {h} x {w} floating-point pixels are expanded"
        raise DataError(f"{found}: give (N, {h * w}) or (N, {h}, {w})")
    images = X.reshape(-1, h, w)
    copies = [images]
    for i, kind in enumerate(kinds):
        if kind == "shift":
            copies += [shifted(images, down, right) for down, right in ((1, 0), (-1, 0), (0, 1), (0, -1))]
        else:
            kind_seed = int(np.random.SeedSequence([seed, i]).generate_state(1)[0])
            copies.append({"rotate": rotated, "elastic": elastic, "distort": distorted}[kind](images, kind_seed))
    return np.concatenate(copies).reshape(-1, *X.shape[1:]), np.concatenate([Y] * len(copies))


def expand_training_part(data: DataSet, kinds: Sequence[str], seed: int = 0) -> DataSet:
    """The data set with its training images expanded; validation and test images stay as they are."""
    h, w, *channels = data.schema.image_shape or (0, 0, 0)
    if channels:
        raise ConfigurationError(f"--expand is {', '.join(kinds)}, but {data.name} holds no grey images: leave it out")
    X, Y = expand(data.train.X, data.train.Y, (h, w), kinds, seed)
    rows = np.tile(data.train.rows, len(X) // len(data.train))
    note = f"{len(data.train):,} training images were expanded to {len(X):,} ({', '.join(kinds)})"
    return replace(data, train=Examples(X, Y, rows), notes=(*data.notes, note))


def check_kinds(name: str, kinds: Sequence[str]) -> None:
    """Raise a ConfigurationError unless every kind is one of `KINDS`, and "shift" stands once at most."""
    for kind in kinds:
        if kind not in KINDS:
            raise ConfigurationError(f"{name} must be among {', '.join(KINDS)}, and is {kind!r}: choose one of them")
    if list(kinds).count("shift") > 1:
        raise ConfigurationError(f"{name} names 'shift' twice, which would repeat the same four copies: name it once")


def _gaussian(size: int, sigma: float) -> np.ndarray:
    """The matrix, (size, size) float32, that smooths a vector by a Gaussian of sum one, with 0 outside the vector."""
    distance = np.arange(size)[:, None] - np.arange(size)[None]
    return (np.exp(-0.5 * (distance / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))).astype(np.float32)
