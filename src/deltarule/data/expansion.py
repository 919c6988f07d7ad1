"""Artificial expansion of images ([N] ch. 3): more training examples from the ones there are, with the same answers.

A digit moved by a pixel, turned by some degrees or bent a little is another image of the same digit. Every copy is made
from the original images and depends on the seed alone. Pixels stay within the range of the originals, because each new
one is a weighted mean of old ones and of the empty background, 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from scipy.ndimage import map_coordinates

from deltarule.data.dataset import DataSet, Examples
from deltarule.errors import ConfigurationError, DataError

KINDS = ("shift", "rotate", "elastic", "distort")
CHUNK = 1024  # images bent at a time; the random fields are drawn by chunks, so another number draws others


def shifted(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Every image moved by whole pixels, the vacated rows and columns empty: (N, h, w) to the same.

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
    """Every image turned about its centre by its own angle, uniform in [-degrees, degrees]: (N, h, w) to the same."""
    h, w = images.shape[1:]
    angles = np.random.default_rng(seed).uniform(-1, 1, len(images)) * np.deg2rad(degrees)
    y, x = np.mgrid[:h, :w]
    y, x = y - (h - 1) / 2, x - (w - 1) / 2
    rows = ((h - 1) / 2 + np.cos(angle) * y - np.sin(angle) * x for angle in angles)
    columns = ((w - 1) / 2 + np.sin(angle) * y + np.cos(angle) * x for angle in angles)
    return resampled(images, rows, columns)


def elastic(images: np.ndarray, seed: int = 0, alpha: float | None = None, sigma: float | None = None) -> np.ndarray:
    """Every image bent by its own smooth random field of displacements: (N, h, w) to the same.

    A displacement, uniform in [-1, 1] along each axis of each pixel, is smoothed by a Gaussian of `sigma` pixels and
    multiplied by `alpha`. None takes the sizes of the source for images 28 pixels high, 4 and 34, which move a pixel
    by 1.4 in the root mean square, and keeps the bend's shape for other heights.

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
    """Every image turned, bent and moved at once, each by its own random amounts: (N, h, w) to the same.

    Angles are uniform in [-degrees, degrees], displacements as in `elastic`, half as strong there as Simard's, moves
    of whole pixels uniform in -pixels..pixels each way.
    """
    angles, bends, moves = np.random.SeedSequence(seed).generate_state(3)
    bent = elastic(rotated(images, int(angles), degrees), int(bends), alpha * (images.shape[1] / 28) ** 2)
    places = np.random.default_rng(moves).integers(-pixels, pixels + 1, (2, len(images)))
    moved = np.empty_like(bent)
    for down in range(-pixels, pixels + 1):
        for right in range(-pixels, pixels + 1):
            chosen = (places[0] == down) & (places[1] == right)
            moved[chosen] = shifted(bent[chosen], down, right)
    return moved


def resampled(images: np.ndarray, y: Iterable[np.ndarray], x: Iterable[np.ndarray]) -> np.ndarray:
    """The images (N, h, w), each read at its rows y and columns x (h, w) by bilinear interpolation; 0 outside."""
    read = np.empty_like(images)
    for image, rows, columns, output in zip(images, y, x, read, strict=True):
        map_coordinates(image, [rows, columns], output, order=1, mode="grid-constant")
    return read


def expand(
    X: np.ndarray, Y: np.ndarray, shape: tuple[int, int], kinds: Sequence[str] = ("shift",), seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The examples, then copies of them: "shift" adds four, one pixel up, down, left and right; others one each.

    Args:
        X: images, (N, h w) or (N, h, w), empty at 0.
        Y: targets, one for each image.
        shape: (h, w).
        kinds: of `KINDS`; others than "shift" may stand more than once, each time with other random numbers.
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
            own = int(np.random.SeedSequence([seed, i]).generate_state(1)[0])
            copies.append({"rotate": rotated, "elastic": elastic, "distort": distorted}[kind](images, own))
    return np.concatenate(copies).reshape(-1, *X.shape[1:]), np.concatenate([Y] * len(copies))


def expand_training_part(data: DataSet, kinds: Sequence[str], seed: int = 0) -> DataSet:
    """The data set with its training images expanded; validation and test images stay as they are."""
    h, w, *more = data.schema.image_shape or (0, 0, 0)
    if more:
        given = f"--expand is {', '.join(kinds)}"
        raise ConfigurationError(f"{given}, but {data.name} holds no images: leave it out for a table")
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
    """The matrix that smooths a vector of `size` by a Gaussian of weight one, empty outside; (size, size) float32."""
    distance = np.arange(size)[:, None] - np.arange(size)[None]
    return (np.exp(-0.5 * (distance / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))).astype(np.float32)
