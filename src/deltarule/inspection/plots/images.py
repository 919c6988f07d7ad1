"""Grids of images: the weights of neurons as images, and images that were misclassified."""

from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.errors import ShapeError
from deltarule.inspection.plots.style import panels, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def weights_as_images(W: Any, shape: tuple[int, int], *, columns: int = 10, title: str = "") -> "Figure":
    """Plot the weights of each neuron as an image of its inputs, on one scale: blue below 0, white at 0, red above.

    Args:
        W: (neurons, h·w), such as `params[0]["W"]`.
        shape: h, w.
        columns: the number of images side by side.

    Raises:
        ShapeError: the rows of W are not images of that shape.
    """
    W = np.asarray(W, float)
    if W.ndim != 2 or not len(W) or W.shape[1] != shape[0] * shape[1]:
        raise ShapeError(
            f"W has shape {W.shape}, and images of {shape} need (neurons, {shape[0] * shape[1]}): correct one of them."
        )
    largest = np.abs(W).max()
    figure, axes = _grid(len(W), columns, (0.85, 0.85), title)
    with styled():
        pictures = [
            ax.imshow(neuron.reshape(shape), cmap="RdBu_r", vmin=-largest, vmax=largest)
            for neuron, ax in zip(W, axes, strict=False)
        ]
        bar = figure.colorbar(pictures[0], ax=axes, shrink=0.6, aspect=30, pad=0.02)
        bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
    return figure


def misclassified(
    images: Any, predicted: Any, actual: Any, *, shape: tuple[int, int] | None = None, most: int = 40, title: str = ""
) -> "Figure":
    """Plot the first images whose class was predicted wrongly, each with "actual → predicted".

    Args:
        images: (N, h, w), or (N, h·w) with `shape`.
        predicted: the predicted class of each, (N,).
        actual: the true class, (N,).
        shape: h, w of flat images.
        most: the most images to show.
        title: the title; "" counts the images.

    Raises:
        ShapeError: images and classes do not fit each other.
    """
    images, predicted, actual = np.asarray(images), np.asarray(predicted), np.asarray(actual)
    if shape is not None:
        images = images.reshape(-1, *shape)
    if images.ndim != 3 or len(images) != len(predicted) or len(images) != len(actual):
        raise ShapeError(
            f"images has shape {images.shape}, predicted {predicted.shape}, actual {actual.shape}: "
            "give (N, h, w), (N,), (N,)."
        )
    wrong = np.flatnonzero(predicted != actual)
    shown = wrong[:most]
    title = title or f"{len(wrong):,} of {len(images):,} misread" + (
        f"; the first {len(shown)}: actual → predicted" if len(shown) < len(wrong) else ": actual → predicted"
    )
    figure, axes = _grid(max(len(shown), 1), 10, (0.85, 1.05), title)
    with styled():
        for i, ax in zip(shown, axes, strict=False):
            ax.imshow(images[i], cmap="Greys")
            ax.set_title(f"{actual[i]} → {predicted[i]}", fontsize=8, loc="center", pad=2)
    return figure


def _grid(count: int, columns: int, size: tuple[float, float], title: str) -> tuple["Figure", list[Any]]:
    """A figure with at least `count` axes without frames, `columns` side by side, each of `size` inches."""
    columns = min(columns, count)
    rows = -(-count // columns)
    figure, axes = panels(rows, columns, (max(columns * size[0], 3.0), rows * size[1] + 0.4))
    for ax in axes:
        ax.set_axis_off()
    with styled():
        figure.suptitle(title, fontsize=11)
    return figure, axes
