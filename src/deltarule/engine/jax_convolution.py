"""The three products of a convolution on JAX, each in the form that is fastest on the platform it runs on.

    correlate             z[i,j,f] = sum_{u,v,c} W[f,u,v,c] a[s i + u, s j + v, c]              (2)
    correlate_transposed  dC/da[i,j,c] = sum_{u,v,f} W[f,u,v,c] delta[(i - u)/s, (j - v)/s, f]  (BP2'): the full
                          correlation with the kernel turned by 180°, delta spread out by the stride s
    kernel_gradient       dC/dW[f,u,v,c] = sum_{i,j} delta[i,j,f] a[s i + u, s j + v, c]        (BP4)

Each can be the platform's own convolution, or patches (im2col) and a matrix product. The second has one more form,
`transposed_by_rows`; the first and the last have bands, for images of few channels. The choice was measured on two
cores of a CPU (20 kernels of 5x5 on 28x28 pixels, 40 of 5x5x20 on 12x12; batches of 10 and 100; XLA of jaxlib 0.10):

    the platform's kernel_gradient is 13 to 120 times slower than patches
    its correlate in float32 is up to twice as fast as patches, unless the patches of the batch are few enough to be
        kept: then XLA makes them once for z and dW, and patches are faster
    its correlate_transposed mostly computes the zeros of the margin if H' is much less than H; row by row takes 13 µs
        an example instead of 32
    in float64 it can take 15 times as long as patches
    of one channel a patch has too few numbers for either: bands take 8 µs an example for z instead of 23, and 7 instead
        of 12 for dW (on one core 8 instead of 43, and 8 instead of 34)

On a GPU all three are the platform's.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jax import Array, lax

if TYPE_CHECKING:
    from deltarule.network.layers.window import Window

PATCH_BYTES = 4 * 2**20
BY_ROWS = 0.875  # the largest H'/H for which `transposed_by_rows` is faster on a CPU
BANDED = 3  # the largest number of channels for which bands are faster on a CPU
TILE = 4  # the places of a band; of 2, 3, 4, 6, 8 and 12 the fastest, or within a fifth of it, for 5x5 and 3x3


def correlate(W: Array, a: Array, window: "Window") -> Array:
    """z without the bias, (m, H', W', f), for kernels W (f, h, w, c) and images a (m, H, W, c)."""
    if a.shape[-1] <= BANDED:
        return lax.platform_dependent(W, a, cpu=_with(correlate_bands, window), default=_with(_correlate, window))
    if a.dtype == jnp.float64 or a.itemsize * len(a) * _patch_numbers(W, a, window) <= PATCH_BYTES:
        return lax.platform_dependent(W, a, cpu=_with(correlate_patches, window), default=_with(_correlate, window))
    return _correlate(W, a, window)


def correlate_transposed(W: Array, delta: Array, window: "Window", H: int, width: int) -> Array:
    """dC/da, (m, H, W, c), from delta (m, H', W', f)."""
    primitive = _with(_transposed, window, H, width)
    if delta.dtype == jnp.float64:
        patches = _with(transposed_by_patches, window, H, width)
        return lax.platform_dependent(W, delta, cpu=patches, default=primitive)
    if delta.shape[1] <= BY_ROWS * H:
        rows = _with(transposed_by_rows, window, H, width)
        return lax.platform_dependent(W, delta, cpu=rows, default=primitive)
    return primitive(W, delta)


def kernel_gradient(delta: Array, a: Array, window: "Window") -> Array:
    """dC/dW, (f, h, w, c), summed over the batch."""
    by_hand = kernel_gradient_bands if a.shape[-1] <= BANDED else kernel_gradient_patches
    primitive = _with(_kernel_gradient, window)
    return lax.platform_dependent(delta, a, cpu=_with(by_hand, window), default=primitive)


def _correlate(W: Array, a: Array, window: "Window") -> Array:
    """By the platform's convolution, which in mathematics is a correlation."""
    return _platform(a, W.transpose(1, 2, 3, 0), window.margins(*a.shape[1:3]), stride=window.stride)


def _transposed(W: Array, delta: Array, window: "Window", H: int, width: int) -> Array:
    """The kernel turned by 180°, delta spread out by the stride inside a margin that reaches every pixel."""
    margins = []
    for n, stops, k, s, (before, _) in zip(
        (H, width), delta.shape[1:3], window.size, window.stride, window.margins(H, width), strict=True
    ):
        margins.append((k - 1 - before, n + before - 1 - (stops - 1) * s))
    kernel = W[:, ::-1, ::-1].transpose(1, 2, 0, 3)
    return _platform(delta, kernel, margins, spread=window.stride)


def transposed_by_rows(W: Array, delta: Array, window: "Window", H: int, width: int) -> Array:
    """By rows of the kernel: one convolution along the width for all h rows, each result then moved down by its u.

    It computes the H' rows of delta; the whole convolution would compute all H rows of the image, many of them from the
    zeros of the margin.
    """
    f, h, w, c = W.shape
    (top, _), (left, _) = window.margins(H, width)
    (s, t), (_, high, wide, _) = window.stride, delta.shape
    kernel = W[:, :, ::-1].transpose(2, 0, 1, 3).reshape(1, w, f, h * c)
    margins = ((0, 0), (w - 1 - left, width + left - 1 - (wide - 1) * t))
    rows = _platform(delta, kernel, margins, spread=(1, t))
    total = jnp.zeros((len(delta), H, width, c), delta.dtype)
    for u in range(h):
        below = (u - top, H - (u - top) - (high - 1) * s - 1, s - 1)
        row = lax.slice_in_dim(rows, u * c, (u + 1) * c, axis=3)
        total = total + lax.pad(row, jnp.zeros((), row.dtype), ((0, 0, 0), below, (0, 0, 0), (0, 0, 0)))
    return total


def _platform(
    images: Array,
    kernel: Array,
    margins: Sequence[tuple[int, int]],
    stride: tuple[int, int] = (1, 1),
    spread: tuple[int, int] = (1, 1),
) -> Array:
    """The platform's convolution of images (m, H, W, c), spread out by `spread`, with a kernel (h, w, c, f).

    With an odd number of channels XLA is up to ten times slower on a CPU (215 µs an image for c = 3, 22 for c = 4), so
    a channel of zeros is added.
    """
    if images.shape[-1] % 2 and images.shape[-1] > 1:
        images = jnp.pad(images, ((0, 0), (0, 0), (0, 0), (0, 1)))
        kernel = jnp.pad(kernel, ((0, 0), (0, 0), (0, 1), (0, 0)))
    layout = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(images, kernel, stride, margins, lhs_dilation=spread, dimension_numbers=layout)


def _kernel_gradient(delta: Array, a: Array, window: "Window") -> Array:
    """delta, spread out by the stride, is the kernel that slides over the image, summed over the batch."""
    margins = []
    for n, stops, k, s, (before, _) in zip(
        a.shape[1:3], delta.shape[1:3], window.size, window.stride, window.margins(*a.shape[1:3]), strict=True
    ):
        margins.append((before, (stops - 1) * s + k - n - before))
    layout = ("CHWN", "IHWO", "HWNC")
    dW = lax.conv_general_dilated(a, delta, (1, 1), margins, rhs_dilation=window.stride, dimension_numbers=layout)
    return dW.transpose(3, 0, 1, 2)


def correlate_patches(W: Array, a: Array, window: "Window") -> Array:
    """By patches: z = patches W^T."""
    kernels = W.reshape(len(W), -1)
    return _in_blocks(lambda a: window.patches(a) @ kernels.T, _patch_numbers(W, a, window), a)


def transposed_by_patches(W: Array, delta: Array, window: "Window", H: int, width: int) -> Array:
    """By patches: each is delta W, added to the pixels from which it came."""
    c = W.shape[-1]

    def part(delta: Array) -> Array:
        patches = delta @ W.reshape(len(W), -1)
        return window.put_back([patches[..., i : i + c] for i in range(0, patches.shape[-1], c)], H, width)

    return _in_blocks(part, prod(delta.shape[1:3]) * W[0].size, delta)


def kernel_gradient_patches(delta: Array, a: Array, window: "Window") -> Array:
    """By patches: dW = delta^T patches."""
    f, c = delta.shape[-1], a.shape[-1]
    patch = prod(window.size) * c

    def part(delta: Array, a: Array) -> Array:
        return delta.reshape(-1, f).T @ window.patches(a).reshape(-1, patch)

    dW = _summed_over_blocks(part, prod(delta.shape[1:3]) * patch, delta, a)
    return dW.reshape(f, *window.size, c)


def correlate_bands(W: Array, a: Array, window: "Window") -> Array:
    """By bands: the `TILE` places of a tile are one product, tiles B, with a copy of the kernel for each place.

    B[u,x,c,p,f] = W[f,u,x - p t,c], or 0 if x - p t is no column of the kernel: a band matrix in x and p. It is mostly
    zeros, but 40 by 80 numbers (5x5, one channel, 20 kernels) multiply several times as fast as 25 by 20.
    """
    zero, f, shifts = jnp.zeros((), W.dtype), len(W), range(0, TILE * window.stride[1], window.stride[1])
    places = [lax.pad(W, zero, ((0, 0, 0), (0, 0, 0), (shift, shifts[-1] - shift, 0), (0, 0, 0))) for shift in shifts]
    B = jnp.stack(places).transpose(2, 3, 4, 0, 1)
    z = _in_blocks(lambda a: _tiles(window, a) @ B.reshape(-1, TILE * f), _tile_numbers(a, window), a)
    return z.reshape(*z.shape[:2], z.shape[2] * TILE, f)[:, :, : window.stops("", a.shape[1:])[1]]


def kernel_gradient_bands(delta: Array, a: Array, window: "Window") -> Array:
    """By bands: dC/dB = tiles^T delta, whose parts for each place sum to dW."""
    (h, w), t, wide, f = window.size, window.stride[1], *delta.shape[2:]
    delta = jnp.pad(delta, ((0, 0), (0, 0), (0, -wide % TILE), (0, 0)))

    def part(delta: Array, a: Array) -> Array:
        tiles = _tiles(window, a)
        return tiles.reshape(-1, tiles.shape[-1]).T @ delta.reshape(-1, TILE * f)

    dB = _summed_over_blocks(part, _tile_numbers(a, window), delta, a).reshape(h, -1, a.shape[-1], TILE, f)
    dW = jnp.stack([dB[:, p * t : p * t + w, :, p] for p in range(TILE)]).sum(axis=0)
    return dW.transpose(3, 0, 1, 2)


def _patch_numbers(W: Array, a: Array, window: "Window") -> int:
    """The size of the patches of one example."""
    return prod(window.stops("", a.shape[1:])) * W[0].size


def _tile_numbers(a: Array, window: "Window") -> int:
    """The size of the tiles of one example."""
    return prod(jax.eval_shape(lambda: _tiles(window, jnp.zeros((1, *a.shape[1:])))).shape)


def _in_blocks(part: Callable[[Array], Array], numbers: int, array: Array) -> Array:
    """part(array) by blocks of examples, if the patches of one example have `numbers` numbers."""
    m, count = len(array), _count(array, numbers)
    if count == 1:
        return part(array)
    parts = lax.map(part, _cut(array, count))
    return parts.reshape(-1, *parts.shape[2:])[:m]


def _summed_over_blocks(part: Callable[[Array, Array], Array], numbers: int, delta: Array, a: Array) -> Array:
    """The sum of part(delta, a) over blocks of examples, if the patches of one example have `numbers` numbers."""
    count = _count(a, numbers)
    if count == 1:
        return part(delta, a)
    blocks = _cut(delta, count), _cut(a, count)
    zero = jnp.zeros_like(jax.eval_shape(part, blocks[0][0], blocks[1][0]))
    return lax.scan(lambda total, pair: (total + part(*pair), None), zero, blocks)[0]


def _count(array: Array, numbers: int) -> int:
    """The number of blocks of examples whose patches fit `PATCH_BYTES`."""
    if not len(array):
        return 1
    return -(-len(array) // max(1, PATCH_BYTES // (array.itemsize * numbers)))


def _cut(array: Array, count: int) -> Array:
    """The examples in blocks, (count, block, ...); the last block ends with zeros."""
    block = -(-len(array) // count)
    array = jnp.pad(array, [(0, count * block - len(array)), *[(0, 0)] * (array.ndim - 1)])
    return array.reshape(count, block, *array.shape[1:])


def _with(product: Callable[..., Array], *shape) -> Callable[[Array, Array], Array]:
    return lambda left, right: product(left, right, *shape)


def _tiles(window: "Window", images: Array) -> Array:
    """What the window sees at `TILE` neighbouring stops, as one row, (m, H', ceil(W' / TILE), h x c).

    x = (TILE - 1) t + w columns; beyond the image the last tile sees zeros.
    """
    m, H, W, c = images.shape
    (h, w), (s, t), (high, wide) = window.size, window.stride, window.stops("", (H, W, c))
    columns, starts = (TILE - 1) * t + w, range(0, wide * t, TILE * t)
    (top, bottom), (left, right) = window.margins(H, W)
    right = max(right, starts[-1] + columns - left - W)
    images = jnp.pad(images, ((0, 0), (top, bottom), (left, right), (0, 0)))
    tiles = []
    for start in starts:
        rows = (
            lax.slice(images, (0, u, start, 0), (m, u + (high - 1) * s + 1, start + columns, c), (1, s, 1, 1))
            for u in range(h)
        )
        tiles.append(jnp.concatenate([row.reshape(m, high, columns * c) for row in rows], axis=-1))
    return jnp.stack(tiles, axis=2)
